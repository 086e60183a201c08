"""Running a campaign: preparing, then block after block, each appended to `samples.jsonl` when it is done."""

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from tracegauge.config.campaign import Campaign, Sequential
from tracegauge.config.errors import ConfigError
from tracegauge.measure.environment import describe_environment
from tracegauge.measure.executor import Executor, ExecutorError
from tracegauge.measure.job import Answer
from tracegauge.measure.matrix import workflow_name
from tracegauge.measure.prepare import CouldNotMeasureError, Prepared, cell_job, preparations, prepare
from tracegauge.measure.schedule import Block, schedule
from tracegauge.measure.software import HERE, Software
from tracegauge.results import Cell, Failure, Sample
from tracegauge.results.files import (
    ENVIRONMENT_FILE,
    SAMPLES_FILE,
    append_samples,
    read_samples,
    write_atomically,
    write_record,
)

WORK_FOLDER = "work"
"""Below the campaign's folder: stores, jobs and logs; removed when the campaign ends."""

Environments = Mapping[str | None, Software]
"""What each `Cell.environment` stands for."""


@dataclass(frozen=True)
class Progress:
    """How far a campaign is."""

    done: int
    total: int
    """Steps: preparations and cells of all blocks."""
    step: str
    """What is being done now."""


def run_campaign(
    campaign: Campaign,
    cells: Sequence[Cell],
    folder: Path,
    on_progress: Callable[[Progress], None] = lambda _: None,
    environments: Environments = MappingProxyType({None: HERE}),
    is_decided: Callable[[Sequence[Sample]], bool] = lambda _: False,
) -> list[Sample]:
    """Measure the cells and return all samples of the campaign.

    A sequential campaign asks at each of its looks whether everything `is_decided`, and ends when it is or when its
    budget is spent; one with a fixed number of blocks measures them all.

    Blocks that `folder` already has are not measured again, so that an interrupted campaign goes on where it stopped.
    A cell that fails is a sample with its failure, and the rest goes on.

    Raises ConfigError for a workflow that can't be used, CouldNotMeasureError where nothing can be measured; if no
    block was done by then, the folder is removed.
    """
    settings = campaign.measure
    samples = _complete_blocks(folder / SAMPLES_FILE, cells)
    done = {sample.block for sample in samples}
    blocks = [block for block in schedule(cells, settings.most_blocks, settings.seed) if block.number not in done]
    if not blocks or (settings.sequential and done and is_decided(samples)):
        return samples
    preparing = sum(preparations(campaign, its_cells) for its_cells in _by_environment(cells).values())
    steps = _steps(preparing + len(blocks) * len(cells), on_progress)
    with _discarded_if_nothing_was_measured(folder), _work_folder(folder) as work, _told_plainly():
        environment = describe_environment(work)  # now: preparing keeps the machine busy itself
        prepared = _prepare(campaign, cells, work, environments, steps)
        environment = environment.model_copy(update={"store_setup_ms": _store_setup_ms(prepared)})
        write_record(folder / ENVIRONMENT_FILE, environment)
        started = time.monotonic()
        for block in blocks:
            measured = _measure_block(campaign, block, prepared, work, environments, steps)
            append_samples(folder / SAMPLES_FILE, measured)
            samples.extend(measured)
            if settings.sequential and (
                _is_spent(settings.sequential, time.monotonic() - started)
                or (block.number + 1 in settings.looks and is_decided(samples))
            ):
                break
    return samples


def _is_spent(plan: Sequential, elapsed_s: float) -> bool:
    return plan.budget_s is not None and elapsed_s >= plan.budget_s


def _prepare(
    campaign: Campaign, cells: Sequence[Cell], work: Path, environments: Environments, on_step: Callable[[str], None]
) -> dict[str | None, Prepared]:
    """What each environment needs: each makes its own stores, whose format its own MLflow decides on."""
    prepared = {}
    for name, its_cells in _by_environment(cells).items():
        folder = work / f"prepare-{name or 'here'}"
        with Executor(folder, software=environments[name]) as executor, _said_of(name):
            prepared[name] = prepare(campaign, its_cells, folder, executor, on_step)
    return prepared


@contextlib.contextmanager
def _said_of(environment: str | None) -> Iterator[None]:
    """Tell of which environment it is that something can't be used in."""
    try:
        yield
    except ConfigError as error:
        if environment is None:
            raise
        message = f"on the side of {environment}: {error.message}"
        raise ConfigError(message, error.file, error.line, error.column, error.hint, error.others) from error


def _by_environment(cells: Sequence[Cell]) -> dict[str | None, list[Cell]]:
    of: dict[str | None, list[Cell]] = {}
    for cell in cells:
        of.setdefault(cell.environment, []).append(cell)
    return of


def _store_setup_ms(prepared: Mapping[str | None, Prepared]) -> dict[str, float]:
    return {
        f"{backend} ({name})" if name else backend: ms
        for name, one in prepared.items()
        for backend, ms in one.store_setup_ms.items()
    }


def _measure_block(
    campaign: Campaign,
    block: Block,
    prepared: Mapping[str | None, Prepared],
    work: Path,
    environments: Environments,
    on_step: Callable[[str], None],
) -> list[Sample]:
    workflows = {workflow_name(workflow): workflow for workflow in campaign.matrix.workflows}
    environment = {"PYTHONHASHSEED": str(block.hash_seed), "TRACEGAUGE_PADDING": "x" * block.environment_padding}
    folder = work / f"block-{block.number}"
    most = f"at most {campaign.measure.most_blocks}" if campaign.measure.sequential else campaign.measure.blocks
    samples = []
    with contextlib.ExitStack() as stack:
        executors = {
            name: stack.enter_context(Executor(folder / (name or "here"), environment, environments[name]))
            for name in prepared
        }
        for position, cell in enumerate(block.cells):
            on_step(f"block {block.number + 1} of {most}: {cell.id}")
            started_at = datetime.now(UTC).isoformat(timespec="milliseconds")
            if broken := prepared[cell.environment].broken.get(cell.workflow):
                answer = Answer(failures=(broken,))
            else:
                store = work / f"store-{block.number}-{position}"
                job = cell_job(cell, workflows[cell.workflow], prepared[cell.environment], campaign.measure, store)
                answer = executors[cell.environment].run(job, campaign.measure.cell_timeout_s)
                shutil.rmtree(store, ignore_errors=True)
            samples.append(
                Sample(
                    block=block.number,
                    position=position,
                    cell=cell,
                    started_at=started_at,
                    measurement=answer.measurement,
                    failures=_failures(answer),
                )
            )
    return samples


def _failures(answer: Answer) -> tuple[Failure, ...]:
    """What went wrong in a cell; also a refusal, which the preparations would have met first if it were not the
    cell's."""
    if answer.refusal:
        return (*answer.failures, Failure(kind="crashed", message=str(answer.refusal.error())))
    return answer.failures


def _complete_blocks(path: Path, cells: Sequence[Cell]) -> list[Sample]:
    """What an earlier run has measured. A block that it could not write down whole is taken out of the file."""
    if not path.exists():
        return []
    read = read_samples(path)
    cells_of: dict[int, set[Cell]] = {}
    for sample in read.samples:
        cells_of.setdefault(sample.block, set()).add(sample.cell)
    complete = [sample for sample in read.samples if cells_of[sample.block] == set(cells)]
    if read.torn_line or len(complete) < len(read.samples):
        write_atomically(path, "".join(sample.model_dump_json() + "\n" for sample in complete))
    return complete


def _steps(total: int, on_progress: Callable[[Progress], None]) -> Callable[[str], None]:
    done = -1

    def step(what: str) -> None:
        nonlocal done
        done += 1
        on_progress(Progress(done, total, what))

    return step


@contextlib.contextmanager
def _discarded_if_nothing_was_measured(folder: Path) -> Iterator[None]:
    """A campaign that ends before its first block is done leaves no folder behind."""
    try:
        yield
    except BaseException:
        if not (folder / SAMPLES_FILE).exists():
            shutil.rmtree(folder, ignore_errors=True)
        raise


@contextlib.contextmanager
def _work_folder(folder: Path) -> Iterator[Path]:
    """A new folder for stores; what an earlier, killed run left there goes."""
    work = (folder / WORK_FOLDER).resolve()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextlib.contextmanager
def _told_plainly() -> Iterator[None]:
    """Turn what stops a campaign, such as a full disk, into one error for people."""
    try:
        yield
    except ExecutorError as error:
        raise CouldNotMeasureError(str(error)) from error
    except OSError as error:
        where = f": {os.fsdecode(error.filename)}" if error.filename else ""
        raise CouldNotMeasureError(f"{error.strerror or error}{where}") from error
