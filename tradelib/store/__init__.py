"""Vintages: where they lie, and how a table gets there whole and comes back unchanged."""
