"""Small campaigns of one cell and its controls: what the gate says of identical cells, and of known slowdowns."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tracegauge.config.campaign import Campaign
from tracegauge.gate import controls_of, judge_campaign
from tracegauge.measure import build_cells
from tracegauge.measure.executor import Executor
from tracegauge.measure.job import Answer
from tracegauge.measure.prepare import Prepared, cell_job, prepare
from tracegauge.measure.schedule import schedule
from tracegauge.results import Cell, Sample, metric
from tracegauge.results.campaign_record import CampaignRecord
from tracegauge.results.files import CampaignResults

METRIC = "latency_p50_ms"
MARGIN = 0.05
LOOKS = (8, 12, 18)
"""Fewer than `bench/standard.yaml` has, so that a campaign takes seconds."""
INVOCATIONS = 30
SESSION_INVOCATIONS = 100
"""About as many rounds as pytest-benchmark takes of such an invocation in its one second."""

CAMPAIGN = Campaign.model_validate(
    {
        "schema_version": "1.0",
        "name": "gate-accuracy",
        "matrix": {
            "workflows": [
                {
                    "workflow": "examples/article_writer_sqlite.yaml",
                    "name": "article_writer",
                    "inputs": "bench/article_topics.yaml",
                }
            ],
            "instruments": ["autolog"],
            "backends": ["sqlite"],
            "deliveries": ["lossless"],
        },
        "measure": {
            "sequential": {"looks": LOOKS},
            "invocations": INVOCATIONS,
            "warmups": 3,
            "read_sizes": [],
        },
    }
)


def run_small_campaigns(kind: str, slowdowns: Sequence[float], count: int, file: Path, *, hogged: float = 0.0) -> None:
    """Measure until `file` holds `count` campaigns of the kind for each slowdown; each is appended when it is done.

    A slowdown of 0 is an A/A pair. `hogged`: share of the campaigns beside which a process keeps a core busy.
    """
    done = [row for row in read_rows(file) if row["kind"] == kind]
    (cell,) = build_cells(CAMPAIGN.matrix)
    wanted = [(number, slowdown) for number in range(count) for slowdown in slowdowns]
    have = {(row["number"], row["slowdown"]) for row in done}
    with tempfile.TemporaryDirectory(prefix="gate-accuracy-") as folder:
        with Executor(Path(folder) / "prepare") as executor:
            prepared = prepare(CAMPAIGN, [cell], Path(folder), executor, lambda _: None)
        for number, slowdown in wanted:
            if (number, slowdown) in have:
                continue
            hog = int((number + 1) * hogged) > int(number * hogged)
            with _hog(hog):
                row = _run(cell, slowdown, number, prepared, Path(folder))
            row = {"kind": kind, "number": number, "slowdown": slowdown, "hog": hog, **row}
            append_row(file, row)
            print(
                f"{kind} {number + 1} of {count}, slowdown {slowdown:.0%}: {row['verdict']} in {row['seconds']:.0f} s"
            )


def _run(cell: Cell, slowdown: float, number: int, prepared: Prepared, folder: Path) -> dict[str, Any]:
    """One campaign: the cell and its repetition, block after block, until the gate has decided or all looks are taken.

    Its blocks share a fork server, which saves the imports of each block; every cell has its own process all the same.
    """
    controls = controls_of(cell, metric=METRIC, margin=MARGIN, slowdown=slowdown)
    other, criterion = (
        (controls.cells[1], controls.criteria[1]) if slowdown else (controls.cells[0], controls.criteria[0])
    )
    record = CampaignRecord(
        name=CAMPAIGN.name,
        started_at="",
        command="",
        cells=(cell, other),
        blocks=LOOKS[-1],
        looks=LOOKS,
        invocations=INVOCATIONS,
        criteria=(criterion,),
    )
    samples: list[Sample] = []
    started = time.monotonic()
    with Executor(folder / "blocks", {"PYTHONHASHSEED": str(number + 1)}) as executor:
        session_median_ms = None if slowdown else _session_median_ms(cell, prepared, folder / "store", executor)
        for block in schedule([cell, other], LOOKS[-1], seed=number):
            for position, one in enumerate(block.cells):
                store = folder / "store"
                answer = _measure(one, INVOCATIONS, prepared, store, executor)
                samples.append(
                    Sample(
                        block=block.number,
                        position=position,
                        cell=one,
                        started_at="",
                        measurement=answer.measurement,
                        failures=answer.failures,
                    )
                )
            if block.number + 1 in LOOKS:
                found = judge_campaign(CampaignResults(record, tuple(samples))).criteria[0]
                if found.verdict != "INCONCLUSIVE":
                    break
    return {
        "verdict": str(found.verdict),
        "blocks": found.blocks,
        "seconds": round(time.monotonic() - started, 2),
        "estimate": found.estimate,
        "interval": found.interval,
        "candidate": found.candidate_values,
        "baseline": found.baseline_values,
        "session_median_ms": session_median_ms,
        "load": round(os.getloadavg()[0], 2),
    }


def _session_median_ms(cell: Cell, prepared: Prepared, store: Path, executor: Executor) -> float | None:
    """What an ordinary session of pytest-benchmark would have saved: the median of the rounds of one process."""
    measurement = _measure(cell, SESSION_INVOCATIONS, prepared, store, executor).measurement
    return metric(METRIC).of(measurement) if measurement else None


def _measure(cell: Cell, invocations: int, prepared: Prepared, store: Path, executor: Executor) -> Answer:
    settings = CAMPAIGN.measure.model_copy(update={"invocations": invocations})
    job = cell_job(cell, CAMPAIGN.matrix.workflows[0], prepared, settings, store)
    answer = executor.run(job, settings.cell_timeout_s)
    shutil.rmtree(store, ignore_errors=True)
    return answer


def append_row(file: Path, row: dict[str, Any]) -> None:
    """Append a campaign as a line of its own, also after a line that an interruption has cut off."""
    file.parent.mkdir(parents=True, exist_ok=True)
    torn = file.exists() and file.read_bytes()[-1:] not in (b"", b"\n")
    with file.open("a", encoding="utf-8") as results:
        results.write(("\n" if torn else "") + json.dumps(row) + "\n")


def read_rows(file: Path) -> list[dict[str, Any]]:
    """What has been measured so far; a line that an interruption cut off is left out."""
    if not file.exists():
        return []
    rows = []
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return rows


@contextmanager
def _hog(wanted: bool) -> Iterator[None]:
    """Keep one core busy with another process, which ends with this one whatever ends this one."""
    if not wanted:
        yield
        return
    process = subprocess.Popen([sys.executable, "-c", "import os; us = os.getppid()\nwhile os.getppid() == us: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()
