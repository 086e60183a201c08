"""How long `tracegauge report` takes from many latency samples, and how large its page becomes.

    python bench/report_time.py                             # 1,002,000 latencies: 100 cells x 30 blocks x 334
    python bench/report_time.py --cells 10 --invocations 30 # a small try

The campaign is made up (log-normal latencies); the command is the real one, in a process of its own.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

from tracegauge.results import Cell, Measurement, ReadCost, Sample, StoreCounts
from tracegauge.results.campaign_record import CampaignRecord
from tracegauge.results.files import CAMPAIGN_FILE, REPORT_FILE, SAMPLES_FILE, append_samples, write_record

INSTRUMENTS = (("off", None), ("legacy_runs", "file"), ("manual_spans", "sqlite"), ("autolog", "sqlite"))


def main() -> None:
    """Make the campaign, report it some times, print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=100)
    parser.add_argument("--blocks", type=int, default=30)
    parser.add_argument("--invocations", type=int, default=334)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        campaign = Path(folder) / "campaign"
        campaign.mkdir()
        make_campaign(campaign, given.cells, given.blocks, given.invocations)
        seconds = [report_once(campaign) for _ in range(given.runs)]
        size = (campaign / REPORT_FILE).stat().st_size
    latencies = given.cells * given.blocks * given.invocations
    print(f"{latencies:,} latencies in {given.cells} cells x {given.blocks} blocks")
    print(f"{median(seconds):.2f} s, median of {given.runs} runs ({min(seconds):.2f} to {max(seconds):.2f} s)")
    print(f"page: {size / 1e6:.2f} MB")


def make_campaign(folder: Path, cells: int, blocks: int, invocations: int) -> None:
    """Write campaign.json and samples.jsonl."""
    made = [
        Cell(workflow=f"workflow_{number // len(INSTRUMENTS)}", instrument=instrument, backend=backend)
        for number in range(cells)
        for instrument, backend in [INSTRUMENTS[number % len(INSTRUMENTS)]]
    ]
    record = CampaignRecord(
        name="report_time", started_at="2026-01-01T00:00:00+00:00", command="python bench/report_time.py",
        cells=tuple(made), blocks=blocks, invocations=invocations,
    )  # fmt: skip
    write_record(folder / CAMPAIGN_FILE, record)
    rng = np.random.default_rng(1)
    append_samples(folder / SAMPLES_FILE, (make_sample(c, b, invocations, rng) for b in range(blocks) for c in made))


def make_sample(cell: Cell, block: int, invocations: int, rng: np.random.Generator) -> Sample:
    """One cell in one block."""
    latency = tuple(int(ns) for ns in rng.lognormal(15, 0.2, invocations))
    counts = StoreCounts(traces_made=invocations, traces_stored=invocations, spans_stored=11 * invocations)
    total = sum(latency)
    return Sample(
        block=block, position=0, cell=cell, started_at="2026-01-01T00:00:00+00:00",
        measurement=Measurement(
            invocations=invocations, latency_ns=latency, wall_ns=total, cpu_ns=2 * total, cpu_request_ns=total,
            drain_ns=total, bytes_allocated=20_000 * invocations if cell.backend else None,
            counts=counts if cell.backend else None,
            reads=(ReadCost(store_traces=100, search_ns=(10**7,) * 3, get_ns=(10**6,) * 3),) if cell.backend else (),
        ),
    )  # fmt: skip


def report_once(folder: Path) -> float:
    """Seconds of one `tracegauge report`, from the shell's point of view."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "tracegauge", "report", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1, 2):
        sys.exit(done.stderr)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
