"""`python -m tracegauge`."""

from tracegauge.cli import main

if __name__ == "__main__":
    main()
