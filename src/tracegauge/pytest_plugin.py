"""The pytest plugin: `pytest bench` runs one interleaved campaign and replays it into pytest-benchmark.

A benchmark module names its campaign, and each of its functions a metric:

    pytestmark = pytest.mark.tracegauge(campaign="bench/quick.yaml")

    @pytest.mark.tracegauge(metric="latency")
    def bench_latency(replay):
        replay()

Each such function becomes one benchmark per cell that has the metric. The cells that are left after `-k` and the like
are measured together, block by block, before the first of them runs; each benchmark then replays what was measured
through pytest-benchmark, whose saving and comparing work as usual. With `--tracegauge-gate` a benchmark fails where a
criterion of the campaign, of its cell and metric, has regressed.

Without such benchmarks the plugin imports nothing and does nothing.
"""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard, cast

import pytest

if TYPE_CHECKING:
    from tracegauge.config.campaign import Campaign
    from tracegauge.results import CampaignVerdict, Cell, CriterionVerdict, Sample

MARKER = "tracegauge"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options beside pytest-benchmark's own."""
    group = parser.getgroup("tracegauge")
    group.addoption("--tracegauge-campaign", metavar="FILE", help="measure this campaign instead of the module's own")
    group.addoption("--tracegauge-out", metavar="FOLDER", default="reports", help="where campaigns are kept (reports)")
    group.addoption(
        "--tracegauge-gate", action="store_true", help="fail benchmarks whose criterion in the campaign has regressed"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Announce the marker."""
    config.addinivalue_line("markers", f"{MARKER}(campaign, metric): replay a metric of a tracegauge campaign")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One benchmark per cell that has the metric; for read metrics, per cell and store size."""
    if "replay" not in metafunc.fixturenames:
        return
    from tracegauge.measure import build_cells
    from tracegauge.measure.replay import READ_METRICS, cells_with

    metric = _setting(metafunc.definition, "metric")
    campaign = _campaign_of(metafunc.definition)
    cells = cells_with(metric, build_cells(campaign.matrix))
    sizes = campaign.measure.read_sizes if metric in READ_METRICS else (None,)
    metafunc.parametrize(
        ("tracegauge_cell", "tracegauge_size"),
        [
            pytest.param(cell, size, id=f"{cell.id}-n{size}" if size else cell.id)
            for cell, size in itertools.product(cells, sizes)
        ],
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each of our benchmarks its clock, and the name of its function as its group."""
    for item in items:
        if _is_ours(item):
            item.add_marker(pytest.mark.benchmark(timer=_Clock(), group=item.originalname))


class _Clock:
    """A timer that makes pytest-benchmark see given durations: it is read before and after each round."""

    __name__ = "tracegauge.replay"

    def __init__(self) -> None:
        self._readings: Iterator[float] = iter(())

    def replay(self, durations_s: list[float]) -> None:
        ends = list(itertools.accumulate(durations_s, initial=0.0))
        self._readings = itertools.chain.from_iterable(itertools.pairwise(ends))

    def __call__(self) -> float:
        return next(self._readings)


@pytest.fixture
def tracegauge_cell() -> None:
    """Stands for the parameter of that name, which only benchmarks get."""


@pytest.fixture
def tracegauge_size() -> None:
    """Stands for the parameter of that name, which only benchmarks get."""


@pytest.fixture
def replay(
    request: pytest.FixtureRequest, tracegauge_cell: Cell, tracegauge_size: int | None, benchmark: Any
) -> Callable[[], None]:
    """Replay the metric of the benchmark's cell.

    The test fails where the cell failed in any block, after what was measured has been replayed.
    """
    item = request.node

    def replay_metric() -> None:
        from tracegauge.measure.replay import durations_s, extra_info

        gated = item.config.getoption("--tracegauge-gate")
        if benchmark.disabled:
            if gated:
                pytest.fail("--tracegauge-gate has nothing to judge: benchmarks are disabled", pytrace=False)
            return
        samples = [sample for sample in _measured(item).samples if sample.cell == tracegauge_cell]
        durations = durations_s(samples, str(_setting(item, "metric")), tracegauge_size)
        if durations:
            item.get_closest_marker("benchmark").kwargs["timer"].replay(durations)
            benchmark.extra_info.update(extra_info(samples))
            benchmark.pedantic(lambda: None, rounds=len(durations))
        failures = [f"block {sample.block}: {failure.message}" for sample in samples for failure in sample.failures]
        if failures:
            pytest.fail(f"{tracegauge_cell.id} failed:\n" + "\n".join(failures), pytrace=False)
        if gated:
            _gate(item)

    return replay_metric


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """With the gate: the verdict on each campaign, and what could not be told, which fails no test."""
    if not config.getoption("--tracegauge-gate"):
        return
    for run in config.stash.get(_RUNS, {}).values():
        if run.verdict is None:
            continue
        verdict = run.verdict
        terminalreporter.section(f"tracegauge: {verdict.campaign}: {verdict.verdict}")
        for reason in verdict.reasons:
            terminalreporter.line(reason)
        for criterion in verdict.criteria:
            terminalreporter.line(f"{criterion.verdict} {criterion.id}: {criterion.reason}")


@dataclass
class _Run:
    """A campaign of this session."""

    samples: list[Sample]
    verdict: CampaignVerdict | None = None
    """Only with the gate."""


_RUNS = pytest.StashKey[dict[str, _Run]]()


def _gate(item: pytest.Function) -> None:
    """Fail where a criterion that is this benchmark's has regressed, or where the campaign can't be trusted."""
    from tracegauge.results import Verdict

    verdict = _measured(item).verdict
    assert verdict is not None
    mine = [criterion for criterion in verdict.criteria if _owner(criterion, item) is item]
    if mine and not verdict.trusted:
        pytest.fail(f"these numbers can't be trusted: {' '.join(verdict.reasons)}", pytrace=False)
    regressed = [criterion for criterion in mine if criterion.verdict is Verdict.REGRESSED]
    if regressed:
        lines = [f"{criterion.id}: {criterion.claim}\n  {criterion.reason}" for criterion in regressed]
        pytest.fail("REGRESSED\n" + "\n".join(lines), pytrace=False)


def _owner(criterion: CriterionVerdict, item: pytest.Function) -> pytest.Function | None:
    """The benchmark that a criterion fails: the first that replays its metric on its candidate, else any of that."""
    campaign = _campaign_of(item)
    of_cell = [
        other
        for other in item.session.items
        if _is_ours(other)
        and _campaign_of(other) == campaign
        and cast("Cell", other.callspec.params["tracegauge_cell"]).id == criterion.candidate
    ]
    return next((one for one in of_cell if _replays(one, criterion.metric)), next(iter(of_cell), None))


def _replays(item: pytest.Function, metric: str) -> bool:
    """Whether a benchmark replays what the metric is read off: `latency_p50_ms` belongs to `latency`."""
    size = item.callspec.params["tracegauge_size"]
    replayed = _setting(item, "metric")
    return metric == f"{replayed}_ms_at_{size}" if size else metric.startswith(f"{replayed}_")


def _measured(item: pytest.Function) -> _Run:
    """The item's campaign, which is measured when its first benchmark runs."""
    campaign = _campaign_of(item)
    measured = item.config.stash.setdefault(_RUNS, {})
    key = campaign.model_dump_json()  # two different files may have given the same name
    if key not in measured:
        measured[key] = _Run([])  # if measuring fails, it fails once
        cells: set[Cell] = {
            cast("Cell", other.callspec.params["tracegauge_cell"])
            for other in item.session.items
            if _is_ours(other) and _campaign_of(other) == campaign
        }
        measured[key] = _measure(campaign, cells, item.config)
    return measured[key]


def _measure(campaign: Campaign, wanted: set[Cell], config: pytest.Config) -> _Run:
    from tracegauge.config.errors import ConfigError
    from tracegauge.gate import is_decided, resolve_controls, resolve_criteria
    from tracegauge.measure import CouldNotMeasureError, Progress, build_cells, run_campaign, start_folder
    from tracegauge.results.files import read_campaign

    terminal = config.get_terminal_writer()

    def show(progress: Progress) -> None:
        if terminal.hasmarkup:
            terminal.write(f"\r\x1b[K{progress.done}/{progress.total} {progress.step}", flush=True)

    all_cells = build_cells(campaign.matrix)
    cells = tuple(cell for cell in all_cells if cell in wanted)
    ids = {cell.id for cell in cells}
    try:
        criteria = [
            criterion
            for criterion in resolve_criteria(campaign, all_cells)
            if criterion.candidate in ids and (criterion.baseline is None or criterion.baseline in ids)
        ]
        controls = resolve_controls(campaign, all_cells).among(cells)
        measured = (*cells, *controls.cells)
        command = shlex.join(["pytest", *config.invocation_params.args])
        out = Path(config.getoption("--tracegauge-out"))
        folder = start_folder(out, campaign, measured, criteria, command, controls=controls.criteria)
        record = read_campaign(folder).record
        samples = run_campaign(campaign, measured, folder, show, is_decided=partial(is_decided, record))
    except (ConfigError, CouldNotMeasureError) as error:
        pytest.exit(f"tracegauge: {error}", returncode=3 if isinstance(error, ConfigError) else 4)
    if terminal.hasmarkup:
        terminal.write("\r\x1b[K")
    terminal.line(f"\ntracegauge: measured into {folder}; its report: tracegauge report {folder}")
    if not config.getoption("--tracegauge-gate"):
        return _Run(samples)
    from tracegauge.gate import judge_folder

    return _Run(samples, judge_folder(folder))


def _is_ours(item: pytest.Item) -> TypeGuard[pytest.Function]:
    return isinstance(item, pytest.Function) and "replay" in item.fixturenames


def _setting(node: pytest.Item, name: str) -> str | None:
    """The value that the closest of our markers gives; a function's goes before its module's."""
    return next((marker.kwargs[name] for marker in node.iter_markers(MARKER) if name in marker.kwargs), None)


def _campaign_of(node: pytest.Item) -> Campaign:
    from tracegauge.config.errors import ConfigError
    from tracegauge.measure import campaign_for

    name = node.config.getoption("--tracegauge-campaign") or _setting(node, "campaign")
    if not name:
        raise pytest.UsageError(
            f"{node.nodeid} asks for `replay` but names no campaign; "
            f'add to its module: pytestmark = pytest.mark.{MARKER}(campaign="bench/quick.yaml")'
        )
    try:
        campaign = campaign_for(name)
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from error
    if node.config.getoption("--tracegauge-gate") and not campaign.criteria:
        raise pytest.UsageError(f"--tracegauge-gate: the campaign {name} has no criteria that could regress")
    return campaign
