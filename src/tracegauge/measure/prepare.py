"""What a campaign needs before its first block: call counts, empty stores, and stores filled for reading."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tracegauge.config.campaign import Campaign, MeasuredWorkflow, MeasureSettings
from tracegauge.config.errors import ConfigError, about
from tracegauge.measure.backends import backend_named
from tracegauge.measure.executor import Executor
from tracegauge.measure.instruments import instrument_named
from tracegauge.measure.job import Answer, CallsOfInput, CountCalls, CreateStore, FilledStore, MeasureCell
from tracegauge.measure.matrix import workflow_name
from tracegauge.results import Cell, Failure

SETUP_TIMEOUT_S = 120.0
_FILL_TIMEOUT_S_PER_TRACE = 2.0
_DETAIL_LINES = 6
"""Of a failure's detail: the end of a traceback, which says what happened and where."""
_FULL = ("No space left on device", "database or disk is full", "Disk quota exceeded")


class CouldNotMeasureError(Exception):
    """Nothing can be measured: the reason, for people."""


@dataclass(frozen=True)
class Prepared:
    """What every block uses and none changes."""

    calls: dict[str, tuple[CallsOfInput, ...]]
    """By workflow name: the calls of each of its inputs."""
    empty_stores: dict[str, Path]
    """By backend."""
    store_setup_ms: dict[str, float]
    """By backend: what making one new, empty store took."""
    filled_stores: dict[Cell, tuple[FilledStore, ...]]
    """By cell, as `store_key` has it."""
    broken: dict[str, Failure]
    """By workflow name: why a workflow that does not even run untraced can't be measured."""


def store_key(cell: Cell) -> Cell:
    """The cell whose filled stores serve this one: what is in a store depends on neither delivery nor concurrency."""
    return Cell(workflow=cell.workflow, instrument=cell.instrument, backend=cell.backend)


def preparations(campaign: Campaign, cells: Sequence[Cell]) -> int:
    """How many steps `prepare` takes."""
    backends = {cell.backend for cell in cells if cell.backend}
    stores = len(_to_fill(campaign, cells)) * len(campaign.measure.read_sizes)
    return len(_workflows(campaign, cells)) + len(backends) + stores


def prepare(
    campaign: Campaign, cells: Sequence[Cell], folder: Path, executor: Executor, on_step: Callable[[str], None]
) -> Prepared:
    """Prepare all in `folder`; `on_step` is told before each step what it is.

    A workflow that fails when it is run untraced is among the `broken`, and the others go on.

    Raises ConfigError for a workflow or input that can't be used and for a full disk, CouldNotMeasureError where all
    workflows are broken or a step fails otherwise.
    """
    workflows = _workflows(campaign, cells)
    calls: dict[str, tuple[CallsOfInput, ...]] = {}
    broken: dict[str, Failure] = {}
    for name, workflow in workflows.items():
        on_step(f"running {name} untraced")
        answer = executor.run(CountCalls(workflow=workflow), SETUP_TIMEOUT_S)
        with about("matrix", "workflows", campaign.matrix.workflows.index(workflow), "workflow"):
            if answer.failures:
                broken[name] = answer.failures[0]
            else:
                calls[name] = _checked(answer, f"running {name}", folder).calls
    if not calls:
        raise CouldNotMeasureError("\n".join(_told(f"running {name} untraced", one) for name, one in broken.items()))
    cells = [cell for cell in cells if cell.workflow not in broken]
    empty_stores, setup_ms = {}, {}
    for backend in sorted({cell.backend for cell in cells if cell.backend}):
        on_step(f"creating an empty {backend} store")
        empty_stores[backend] = folder / f"empty-{backend}"
        empty_stores[backend].mkdir()
        job = CreateStore(backend=backend, folder=empty_stores[backend])
        answer = _checked(executor.run(job, SETUP_TIMEOUT_S), f"creating an empty {backend} store", folder)
        setup_ms[backend] = (answer.duration_ns or 0) / 1e6
    filled: dict[Cell, tuple[FilledStore, ...]] = {}
    for cell in _to_fill(campaign, cells):
        for traces in campaign.measure.read_sizes:
            on_step(f"filling a store with {traces:,} traces: {cell.workflow}, {cell.instrument}, {cell.backend}")
            store = _fill(cell, workflows[cell.workflow], calls[cell.workflow], traces, empty_stores, folder, executor)
            filled[cell] = (*filled.get(cell, ()), store)
    return Prepared(calls, empty_stores, setup_ms, filled, broken)


def cell_job(
    cell: Cell, workflow: MeasuredWorkflow, prepared: Prepared, settings: MeasureSettings, folder: Path
) -> MeasureCell:
    """The job that measures a cell, on a fresh copy of an empty store in `folder`, which does not exist yet."""
    if cell.backend:
        backend_named(cell.backend).copy(prepared.empty_stores[cell.backend], folder)
    return MeasureCell(
        cell=cell,
        workflow=workflow,
        calls=prepared.calls[cell.workflow],
        expect=workflow.expect.get(cell.instrument),
        folder=folder if cell.backend else None,
        warmups=settings.warmups,
        invocations=settings.invocations,
        filled=prepared.filled_stores.get(store_key(cell), ()) if _reads(cell, settings) else (),
        read_repetitions=settings.read_repetitions,
    )


def _workflows(campaign: Campaign, cells: Sequence[Cell]) -> dict[str, MeasuredWorkflow]:
    used = {cell.workflow for cell in cells}
    return {name: workflow for workflow in campaign.matrix.workflows if (name := workflow_name(workflow)) in used}


def _to_fill(campaign: Campaign, cells: Sequence[Cell]) -> list[Cell]:
    return list(dict.fromkeys(store_key(cell) for cell in cells if _reads(cell, campaign.measure)))


def _reads(cell: Cell, settings: MeasureSettings) -> bool:
    """Whether reading is measured of the cell: not of controls, which are judged by other metrics."""
    if cell.backend is None or cell.control:
        return False
    return not settings.read_cells or any(selector.matches(cell) for selector in settings.read_cells)


def _fill(
    cell: Cell,
    workflow: MeasuredWorkflow,
    calls: tuple[CallsOfInput, ...],
    traces: int,
    empty_stores: dict[str, Path],
    folder: Path,
    executor: Executor,
) -> FilledStore:
    assert cell.backend is not None
    target = folder / f"filled-{cell.id}-{traces}"
    backend_named(cell.backend).copy(empty_stores[cell.backend], target)
    delivery = "lossless" if instrument_named(cell.instrument).writes == "traces" else None
    job = MeasureCell(
        cell=cell.model_copy(update={"delivery": delivery}),
        workflow=workflow.model_copy(update={"latency_ms": None}),  # what is stored is the same, only sooner
        calls=calls,
        expect=None,
        folder=target,
        warmups=0,
        invocations=traces,
    )
    answer = executor.run(job, SETUP_TIMEOUT_S + traces * _FILL_TIMEOUT_S_PER_TRACE)
    stored = answer.measurement.counts.traces_stored if answer.measurement and answer.measurement.counts else 0
    if stored != traces:
        why = answer.failures[0].message if answer.failures else f"{stored} traces arrived"
        shutil.rmtree(target)
        for failure in answer.failures:
            _check_space(failure, folder)
        raise CouldNotMeasureError(f"a store could not be filled with {traces:,} traces for {cell.id}: {why}")
    return FilledStore(traces=traces, folder=target)


def _checked(answer: Answer, step: str, folder: Path) -> Answer:
    if answer.refusal:
        raise answer.refusal.error()
    if answer.failures:
        _check_space(answer.failures[0], folder)
        raise CouldNotMeasureError(_told(step, answer.failures[0]))
    return answer


def _check_space(failure: Failure, folder: Path) -> None:
    if any(text in f"{failure.message} {failure.detail}" for text in _FULL):
        raise ConfigError(
            f"the disk that the output folder is on is full: {folder.parents[2]}",
            hint="make room there, or name another folder with --out",
        )


def _told(step: str, failure: Failure) -> str:
    detail = (failure.detail or "").rstrip().splitlines()[-_DETAIL_LINES:]
    return "\n".join([f"{step} failed: {failure.message}", *detail])
