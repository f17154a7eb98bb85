"""One page over a folder of reports."""
