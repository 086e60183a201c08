"""The tables of `docs/method.md`, from what was simulated and measured."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from pytest_benchmark.utils import PercentageRegressionCheck
from scipy.stats import binomtest

Row = dict[str, Any]


def fill(page: Path, name: str, table: str) -> None:
    """Put a table between its marks in the page. Raises ValueError if the page has no such marks."""
    text = page.read_text(encoding="utf-8")
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    if begin not in text or end not in text:
        raise ValueError(f"{page}: the marks of {name} are missing")
    before, _, rest = text.partition(begin)
    page.write_text(f"{before}{begin}\n{table}\n{end}{rest.partition(end)[2]}", encoding="utf-8")


def simulation_table(rows: Iterable[Row]) -> str:
    """One line per world and spread."""
    lines = [
        "| block-to-block sd | at most | world | REGRESSED, unchanged | PASS, unchanged | REGRESSED at +15% |"
        " PASS at +10% | coverage | decided | blocks, unchanged / +15% |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        shares = " | ".join(
            f"{row[key]:.1%}" for key in ("false_regressed", "passed", "found_15", "passed_10", "coverage", "decided")
        )
        lines.append(
            f"| {row['sd']:.1%} | {row['most_blocks']} blocks | {row['world']} | {shares} |"
            f" {row['blocks_same']:.0f} / {row['blocks_15']:.0f} |"
        )
    return "\n".join(lines)


def aa_table(rows: Sequence[Row]) -> str:
    """What the gate said of identical cells, and what pytest-benchmark's rule says of a session beside each campaign.

    Only sessions under the same load are compared with each other: no rule could know that a hog has come or gone.
    """
    lines = [
        "| beside it | campaigns | PASS | REGRESSED | INCONCLUSIVE | `median:5%` fails |",
        "|---|---|---|---|---|---|",
    ]
    for name, some in _by_hog(rows):
        shares = " | ".join(
            _share([row["verdict"] == verdict for row in some]) for verdict in ("PASS", "REGRESSED", "INCONCLUSIVE")
        )
        failed = _failed_sessions(some)
        lines.append(f"| {name} | {len(some)} | {shares} | {_share(failed)} of {len(failed)} |")
    lines.append("")
    quiet = measured_sd(rows)
    if quiet is not None:
        lines.append(
            f"Block-to-block standard deviation of the log ratio: {quiet:.1%} (median over the campaigns beside which"
            " nothing ran)."
        )
    return "\n".join(lines).rstrip()


def _failed_sessions(rows: Sequence[Row]) -> list[bool]:
    """Of each session but the first: does `--benchmark-compare-fail=median:5%` fail it against the one before it?"""
    check = PercentageRegressionCheck("median", 5)
    medians = [row["session_median_ms"] for row in sorted(rows, key=lambda row: row["number"])]
    measured = [one for one in medians if one is not None]
    return [bool(check.fails({"median": new}, {"median": old})) for old, new in pairwise(measured)]


def injected_table(rows: Sequence[Row]) -> str:
    """What was found of known slowdowns, and how long it took."""
    lines = [
        "| slowdown | campaigns | found | PASS | undecided | seconds to verdict, median (largest) | blocks |",
        "|---|---|---|---|---|---|---|",
    ]
    for slowdown in sorted({row["slowdown"] for row in rows}):
        some = [row for row in rows if row["slowdown"] == slowdown]
        found, passed, open_ = (
            _share([row["verdict"] == verdict for row in some]) for verdict in ("REGRESSED", "PASS", "INCONCLUSIVE")
        )
        seconds = [row["seconds"] for row in some]
        blocks = np.median([row["blocks"] for row in some])
        lines.append(
            f"| +{slowdown:.0%} | {len(some)} | {found} | {passed} | {open_} |"
            f" {np.median(seconds):.0f} ({max(seconds):.0f}) | {blocks:.0f} |"
        )
    return "\n".join(lines)


def measured_sd(rows: Sequence[Row]) -> float | None:
    """The block-to-block standard deviation of the log ratio: median over quiet campaigns; None without any."""
    quiet = [row for row in rows if not row["hog"] and len(row["candidate"]) > 1]
    if not quiet:
        return None
    return float(np.median([np.std(np.log(np.divide(r["candidate"], r["baseline"])), ddof=1) for r in quiet]))


def _by_hog(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    groups = [
        ("nothing", [r for r in rows if not r["hog"]]),
        ("a process that keeps a core busy", [r for r in rows if r["hog"]]),
    ]
    return [(name, some) for name, some in groups if some]


def _share(hits: Sequence[bool]) -> str:
    """A share with its exact 95% interval (Clopper & Pearson 1934)."""
    if not hits:
        return "–"
    interval = binomtest(sum(hits), len(hits)).proportion_ci()
    return f"{np.mean(hits):.0%} [{interval.low:.0%}, {interval.high:.0%}]"
