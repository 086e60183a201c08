"""Is the gate right? `python bench/gate_accuracy simulate|aa|injected` fills its table in docs/method.md."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from simulation import LOOKS, MORE_LOOKS, simulate
from small_campaigns import read_rows, run_small_campaigns
from tables import aa_table, fill, injected_table, measured_sd, simulation_table

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "method.md"
RESULTS = Path(__file__).parent / "results.jsonl"
SPREADS = (0.02, 0.04, 0.06, 0.08, 0.10)
STEADY = 0.06
"""Up to this spread, the gate needs no more than `LOOKS`."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench/gate_accuracy", description=__doc__)
    parser.add_argument("what", choices=["simulate", "aa", "injected"])
    parser.add_argument("--campaigns", type=int, help="how many (simulate: 2000, aa: 60, injected: 20 of each)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where measured campaigns are kept")
    parser.add_argument("--page", type=Path, default=PAGE, help="the page whose table is filled")
    asked = parser.parse_args()
    if asked.what == "simulate":
        aa = [row for row in read_rows(asked.results) if row["kind"] == "aa"]
        measured = measured_sd(aa)
        spreads = sorted({*SPREADS, *([round(measured, 3)] if measured else [])})
        plans = [(sd, looks) for sd in spreads for looks in ((LOOKS,) if sd <= STEADY else (LOOKS, MORE_LOOKS))]
        rows = [row for sd, looks in plans for row in simulate(sd, asked.campaigns or 2000, seed=20260202, looks=looks)]
        table = simulation_table(rows)
    elif asked.what == "aa":
        run_small_campaigns("aa", [0.0], asked.campaigns or 60, asked.results, hogged=1 / 3)
        table = aa_table([row for row in read_rows(asked.results) if row["kind"] == "aa"])
    else:
        run_small_campaigns("injected", [0.15, 0.30], asked.campaigns or 20, asked.results)
        table = injected_table([row for row in read_rows(asked.results) if row["kind"] == "injected"])
    fill(asked.page, asked.what, table)
    print(table)


if __name__ == "__main__":
    main()
