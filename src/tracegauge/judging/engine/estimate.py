"""What a run would cost, without asking any model and without writing anything."""

import asyncio
import sqlite3
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from tracegauge.config.judge import JudgeSpec
from tracegauge.judging.build import build_judges
from tracegauge.judging.engine.budget import most_askers
from tracegauge.judging.engine.engine import Selection
from tracegauge.judging.engine.finder import Finder
from tracegauge.judging.engine.ledger import Ledger
from tracegauge.judging.engine.trace_store import TraceStore, first_line, given, is_trouble
from tracegauge.judging.engine.writer import SESSION_UNIT, now_ms
from tracegauge.judging.judge import Judge
from tracegauge.results.judgement import NOTHING_USED, Usage

SAMPLE = 200
"""Traces that are read for an estimate; the rest is taken to be like them."""


@dataclass(frozen=True)
class Estimate:
    """What a judge would do now."""

    judge: str
    due: int
    calls: int
    """Without repairs and repetitions; none for a trace that holds nothing of what the judge is to see."""
    usage: Usage
    """By four characters a token and a usual length of answers."""
    read: int
    """Traces that it rests on."""
    error: str | None = None

    @classmethod
    def impossible(cls, judge: str, error: str) -> "Estimate":
        """For a judge that can't look for traces."""
        return cls(judge, 0, 0, NOTHING_USED, 0, error)


async def estimate(
    specs: Mapping[str, JudgeSpec], names: Iterable[str], store: TraceStore, ledger: Path, selection: Selection
) -> list[Estimate]:
    """Estimate a run with this selection. Works on a copy of the ledger."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "ledger.db"
        if ledger.exists():
            with sqlite3.connect(f"file:{ledger}?mode=ro", uri=True) as source, sqlite3.connect(copy) as target:
                source.backup(target)
        async with httpx.AsyncClient() as http:
            judges, faults = build_judges(specs, names, http)
            try:
                found = [await asyncio.to_thread(_one, judge, store, copy, selection) for judge in judges]
                return [*found, *(Estimate.impossible(name, fault) for name, fault in faults.items())]
            finally:
                for judge in judges:
                    await judge.aclose()


def _one(judge: Judge, store: TraceStore, copy: Path, selection: Selection) -> Estimate:
    with Ledger(copy) as ledger:
        try:
            for page in Finder(judge, store, selection.filter, selection.since_ms, 0.0).find():
                ledger.find(judge.name, judge.digest, page, now_ms(), choose=selection.narrows)
        except Exception as error:
            if not is_trouble(error):
                raise
            return Estimate.impossible(judge.name, f"traces can't be searched: {first_line(error)}")
        most = selection.limit if selection.limit is not None else 2**40
        due = ledger.due(judge.digest, most, now_ms(), again_before_ms=now_ms() + 1, chosen_only=selection.narrows)
    step = max(1, len(due) // SAMPLE)
    usage, read, asked = NOTHING_USED, 0, 0
    for one in due[::step][:SAMPLE]:
        session = one.unit.startswith(SESSION_UNIT)
        ids = store.session(one.unit.removeprefix(SESSION_UNIT)) if session else [one.unit]
        traces = list(store.read(ids).values())
        if traces and given(traces[0].info.assessments, judge.digest) is None:
            one_usage = judge.estimate(judge.content(traces))
            usage, asked = usage + one_usage, asked + (one_usage.output_tokens > 0)
        read += 1
    share = len(due) / read if read else 0.0
    scaled = Usage(
        input_tokens=round(usage.input_tokens * share),
        output_tokens=round(usage.output_tokens * share),
        cost_usd=None if usage.cost_usd is None else usage.cost_usd * share,
    )
    return Estimate(judge.name, len(due), round(asked * share) * most_askers(judge), scaled, read)
