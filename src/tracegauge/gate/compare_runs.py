"""Saved runs, whatever wrote them: folders of campaigns, and JSON files of pytest-benchmark."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tracegauge.config.errors import ConfigError, nearest
from tracegauge.gate.evidence import evidence_of
from tracegauge.results import metric
from tracegauge.results.comparison import Machine, RunRef
from tracegauge.results.files import CAMPAIGN_FILE, CampaignResults, read_campaign

DEFAULT_METRICS = ("latency_p50_ms", "cpu_ms_per_invocation")
STORAGE = Path(".benchmarks")
"""Where pytest-benchmark keeps its files."""
MOST_SIBLINGS = 50


@dataclass(frozen=True)
class Series:
    """What a run says of one metric of one id."""

    unit: str
    center: float
    """Median over blocks, or over rounds."""
    n: int
    blocks: tuple[float, ...] = ()
    """One value per fresh process; empty where there is only one process."""
    iqr: float = 0.0
    """Of the rounds; not used where there are blocks."""
    higher_is_better: bool = False


@dataclass(frozen=True)
class SavedRun:
    """One saved run."""

    ref: RunRef
    series: Mapping[tuple[str, str], Series]
    """By id and metric."""
    ids: tuple[str, ...]
    """All ids, those that nothing is known of included."""
    code: tuple[object, ...] | None
    """What the run measured, to find others of the same: commit, packages and settings. None: not known."""
    lost: Mapping[str, int]
    """By id: the most traces that a block lost."""
    troubles: tuple[str, ...] = ()
    """What a reader must know of it."""

    @cached_property
    def metrics(self) -> dict[str, list[str]]:
        """The metrics of each id."""
        of: dict[str, list[str]] = {}
        for one, name in self.series:
            of.setdefault(one, []).append(name)
        return of


def read_run(reference: str, metrics: Sequence[str] = DEFAULT_METRICS) -> SavedRun:
    """The run of a campaign's folder, of a pytest-benchmark file, or of such a file's id below `.benchmarks`.

    `metrics` are read of campaigns; a pytest-benchmark file has the one that it has. Raises ConfigError for what is
    none of these, ResultFileError for a damaged campaign.
    """
    path = Path(reference)
    if path.is_dir():
        return _campaign_run(path, read_campaign(path), metrics)
    if path.is_file() and (path.parent / CAMPAIGN_FILE).is_file():
        raise ConfigError(f"{path} is a file of a campaign", hint=f"name its folder: {path.parent}")
    return _benchmark_run(path if path.is_file() else _stored(reference))


def siblings(run: SavedRun, metrics: Sequence[str]) -> Iterator[SavedRun]:
    """Other runs that lie beside this one and can be read, newest first."""
    path = Path(run.ref.path)
    others = path.parent.glob(f"*/{CAMPAIGN_FILE}") if run.ref.kind == "campaign" else path.parent.glob("*.json")
    found = sorted((one.parent if run.ref.kind == "campaign" else one for one in others), reverse=True)
    for other in found[:MOST_SIBLINGS]:
        if other.resolve() != path.resolve():
            try:
                yield read_run(str(other), metrics)
            except (ConfigError, ValueError):
                continue  # what is no run of ours has nothing to say


def _campaign_run(folder: Path, results: CampaignResults, metrics: Sequence[str]) -> SavedRun:
    series: dict[tuple[str, str], Series] = {}
    troubles = []
    cells = [cell for cell in results.cells.values() if not cell.control]
    measured = max((sample.block + 1 for sample in results.samples), default=0)
    expected = measured if results.record.looks else results.record.blocks  # a sequential one may end early
    for cell in cells:
        for name in metrics:
            what = metric(name)
            evidence = evidence_of(cell.id, results.by_cell[cell.id], what, expected)
            values = tuple(evidence.values.values())
            if values:
                series[cell.id, name] = Series(
                    what.unit, median(values), len(values), values, higher_is_better=what.higher_is_better
                )
            if evidence.gaps and name == metrics[0]:
                troubles.append(f"{folder}: {evidence.gaps}")
    environment = results.environment
    settings = results.record.settings
    known = environment is not None and environment.git_commit is not None and environment.git_dirty is False
    return SavedRun(
        ref=RunRef(
            path=str(folder),
            kind="campaign",
            measured_at=environment.measured_at if environment else results.record.started_at,
            commit=environment.git_commit if environment else None,
            machine=environment
            and Machine(host=environment.host, cpu_model=environment.cpu_model, cpu_cores=environment.cpu_cores),
        ),
        series=series,
        ids=tuple(cell.id for cell in cells),
        code=(environment.git_commit, environment.packages, settings.get("matrix"), settings.get("measure"))
        if environment and known
        else None,
        lost={cell.id: _most_lost(results, cell.id) for cell in cells},
        troubles=tuple(troubles),
    )


def _most_lost(results: CampaignResults, cell: str) -> int:
    measured = [sample.measurement for sample in results.by_cell[cell].values() if sample.measurement]
    return max((one.counts.traces_lost for one in measured if one.counts), default=0)


class _Part(BaseModel):
    """A part of pytest-benchmark's JSON: what is not named here is not needed."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _Stats(_Part):
    median: float
    iqr: float = Field(ge=0)
    rounds: int = Field(ge=1)
    data: tuple[float, ...] = ()


class _Benchmark(_Part):
    fullname: str
    stats: _Stats
    extra_info: dict[str, Any] = {}


class _BenchmarkFile(_Part):
    benchmarks: tuple[_Benchmark, ...]
    machine_info: dict[str, Any] = {}
    commit_info: dict[str, Any] = {}
    datetime: str | None = None


def _benchmark_run(path: Path) -> SavedRun:
    try:
        file = _BenchmarkFile.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        why = f"{place}: {first['msg']}" if place else first["msg"]
        raise ConfigError(
            f"{path} is no whole JSON file of pytest-benchmark ({why})",
            hint="pytest --benchmark-autosave or --benchmark-json writes one; campaigns are named by their folder",
        ) from error
    machine, commit = file.machine_info, file.commit_info
    cpu = machine.get("cpu") or {}
    known = commit.get("id") and commit.get("dirty") is False
    return SavedRun(
        ref=RunRef(
            path=str(path),
            kind="pytest-benchmark",
            measured_at=file.datetime,
            commit=commit.get("id"),
            machine=Machine(host=machine.get("node"), cpu_model=cpu.get("brand_raw"), cpu_cores=cpu.get("count"))
            if machine
            else None,
        ),
        series={(one.fullname, "median"): _benchmark_series(one) for one in file.benchmarks},
        ids=tuple(one.fullname for one in file.benchmarks),
        code=(commit["id"], machine.get("python_version")) if known else None,
        lost={one.fullname: int(one.extra_info.get("traces_lost", 0)) for one in file.benchmarks},
    )


def _benchmark_series(one: _Benchmark) -> Series:
    """In ms. What our plugin has replayed is taken apart again into its blocks, where the raw data were saved."""
    stats = one.stats
    blocks = one.extra_info.get("blocks_measured", 0)
    medians: tuple[float, ...] = ()
    if blocks and stats.data and len(stats.data) % blocks == 0:
        size = len(stats.data) // blocks
        medians = tuple(median(stats.data[i * size : (i + 1) * size]) * 1e3 for i in range(blocks))
    return Series(
        "ms",
        median(medians) if medians else stats.median * 1e3,
        len(medians) or stats.rounds,
        medians,
        iqr=stats.iqr * 1e3,
    )


def _stored(reference: str) -> Path:
    files = {file: file.relative_to(STORAGE).with_suffix("") for file in sorted(STORAGE.rglob("*.json"))}
    found = [
        file
        for file, name in files.items()
        if reference in (str(name), name.name, f"{name}.json") or name.name.startswith(f"{reference}_")
    ]
    if len(found) > 1:
        raise ConfigError(
            f"{reference!r} names {len(found)} files below {STORAGE}", hint="name one: " + ", ".join(map(str, found))
        )
    if not found:
        known = [name.name for name in files.values()]
        raise ConfigError(
            f"there is no {reference!r}: no folder of a campaign, no file, and no id below {STORAGE}",
            hint=nearest(reference, known) if known else f"{Path.cwd()} has no {STORAGE} either",
        )
    return found[0]
