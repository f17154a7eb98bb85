"""Run the command line as `python -m tradelib`."""

from tradelib.cli import main

main()
