"""The command line, which only calls the others."""
