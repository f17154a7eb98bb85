"""The command line, which only calls the others.

- `main`: every command, its options, and the sections of `tradelib --help`.
"""
