"""The publishers: where each one's figures are, what came, and what it says."""
