"""Run the command line as `python -m tradelib`."""

from tradelib.cli.main import main

if __name__ == "__main__":  # the workers of a sweep import it too
    main()
