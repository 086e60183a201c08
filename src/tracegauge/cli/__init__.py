"""The command line: parses and prints, decides nothing."""


def main() -> None:
    """Run the command line and exit: 0 pass, 1 regressed, 2 inconclusive, 3 usage, 4 could not measure."""
    from tracegauge.cli.app import run

    run()
