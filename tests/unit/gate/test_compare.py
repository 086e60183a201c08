"""Comparing saved runs: what is read, what is matched, how it is judged, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from tracegauge.config.errors import ConfigError
from tracegauge.gate.compare import compare_runs
from tracegauge.gate.compare_ids import match_ids
from tracegauge.gate.compare_runs import read_run
from tracegauge.gate.compare_spread import DEFAULT_SESSION_SD
from tracegauge.results import Cell, Environment, Measurement, Sample, StoreCounts, Verdict
from tracegauge.results.campaign_record import CampaignRecord
from tracegauge.results.files import ResultFileError, append_samples, write_record

NEW = Cell(workflow="w", instrument="autolog", backend="sqlite", delivery="lossless")
OFF = Cell(workflow="w", instrument="off")
MACHINE = {
    "measured_at": "2026-11-25T10:00:00+00:00",
    "host": "here",
    "cpu_model": "A CPU",
    "cpu_cores": 2,
    "cpu_governor": None,
    "load_average_1m": 0.1,
    "memory_bytes": 1,
    "disk_type": None,
    "os": "an OS",
    "python": "CPython 3.11",
    "packages": {"mlflow": "3.17.2"},
    "git_commit": "a" * 40,
    "git_dirty": False,
}


def save(
    folder: Path, latency_ms: float, *, cells=(NEW, OFF), blocks=8, lost=0, sd=0.01, seed=0, looks=(), **machine
) -> str:
    """A campaign whose latencies and CPU times lie around `latency_ms`."""
    folder.mkdir(parents=True)
    record = CampaignRecord(
        name="c",
        started_at="t",
        command="x",
        cells=cells,
        blocks=looks[-1] if looks else blocks,
        looks=looks,
        invocations=10,
        settings={"measure": 1},
    )
    write_record(folder / "campaign.json", record)
    write_record(folder / "environment.json", Environment(**{**MACHINE, **machine}))
    rng = np.random.default_rng(seed)
    samples = []
    for block in range(blocks):
        for cell in cells:
            ns = int(latency_ms * 1e6 * np.exp(rng.normal(0, sd)))
            measurement = Measurement(
                invocations=10,
                latency_ns=(ns,) * 10,
                wall_ns=10 * ns,
                cpu_ns=10 * ns,
                cpu_request_ns=ns,
                drain_ns=0,
                counts=StoreCounts(traces_made=10, traces_stored=10 - lost) if cell.backend else None,
            )
            samples.append(Sample(block=block, position=0, cell=cell, started_at="t", measurement=measurement))
    append_samples(folder / "samples.jsonl", samples)
    return str(folder)


@pytest.mark.parametrize(
    ("candidate_ms", "margin", "verdict"),
    [
        (10.0, 0.15, Verdict.PASS),  # widened by ±8%, the interval ends at about +8%
        (10.0, 0.05, Verdict.INCONCLUSIVE),  # what separate runs can't tell
        (15.0, 0.15, Verdict.REGRESSED),
        (12.0, 0.15, Verdict.INCONCLUSIVE),
        (7.0, 0.15, Verdict.PASS),
    ],
)
def test_verdicts_of_two_campaigns(tmp_path, candidate_ms, margin, verdict):
    base, candidate = save(tmp_path / "a", 10.0), save(tmp_path / "b", candidate_ms, seed=1, git_commit="b" * 40)
    found = compare_runs(base, candidate, margin=margin)
    assert found.verdict is verdict
    assert {(row.id, row.metric) for row in found.rows} == {
        (cell.id, name) for cell in (NEW, OFF) for name in ("latency_p50_ms", "cpu_ms_per_invocation")
    }
    (row,) = (one for one in found.rows if (one.id, one.metric) == (OFF.id, "latency_p50_ms"))
    assert row.estimate == pytest.approx(candidate_ms / 10, rel=0.02)
    assert row.interval is not None
    # 1.96 standard deviations of the default, and the little that blocks vary: at least ±7.95% in logarithms.
    assert 0.0795 <= np.log(row.interval[1] / row.estimate) <= 0.085
    assert (found.spread.source, found.spread.session_sd) == ("default", DEFAULT_SESSION_SD)
    assert "two separate runs are weaker evidence" in found.warnings[0]


def test_a_sequential_campaign_that_was_decided_early_lacks_no_blocks(tmp_path):
    base, candidate = save(tmp_path / "a", 10.0, looks=(8, 48)), save(tmp_path / "b", 10.0, seed=1, looks=(8, 48))
    assert not [warning for warning in compare_runs(base, candidate, margin=0.15).warnings if "planned" in warning]


def test_three_blocks_a_side_are_too_few(tmp_path):
    found = compare_runs(save(tmp_path / "a", 10, blocks=3), save(tmp_path / "b", 30, blocks=3), margin=0.15)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert all(row.interval is None and "4 are needed" in row.reason for row in found.rows)


def test_the_spread_is_estimated_from_saved_runs_of_one_commit(tmp_path):
    # Five runs of one commit whose medians are 9.8, 9.9, 10, 10.1, 10.2: standard deviation of their logarithms 1.58%,
    # of the difference of two 2.24%.
    for i, latency in enumerate((9.8, 9.9, 10.0, 10.1, 10.2)):
        save(tmp_path / f"base{i}", latency, sd=0)
    candidate = save(tmp_path / "candidate", 10.0, sd=0, git_commit="b" * 40)
    save(tmp_path / "another", 30.0, packages={"mlflow": "3.9.0"})  # other packages: says nothing of this code
    save(tmp_path / "dirty", 30.0, git_dirty=True)
    (tmp_path / "unreadable").mkdir()
    (tmp_path / "unreadable" / "campaign.json").write_text("{")
    found = compare_runs(str(tmp_path / "base2"), candidate, margin=0.10)
    assert (found.spread.source, found.spread.sessions) == ("saved campaigns", 5)
    assert found.spread.session_sd == pytest.approx(0.0224, abs=1e-4)
    # Student's t with 4 degrees of freedom: 2.776 x 2.24% = 6.2%.
    assert found.rows[0].interval is not None
    assert np.log(found.rows[0].interval[1]) == pytest.approx(0.0621, abs=2e-4)
    assert found.verdict is Verdict.PASS


def test_missing_and_new_ids_are_reported_and_never_pass(tmp_path):
    renamed = OFF.model_copy(update={"workflow": "v"})
    base, candidate = save(tmp_path / "a", 10), save(tmp_path / "b", 10, cells=(NEW, renamed))
    found = compare_runs(base, candidate, margin=0.15)
    assert (found.missing, found.new) == ((OFF.id,), (renamed.id,))
    assert found.verdict is Verdict.INCONCLUSIVE
    again = compare_runs(base, candidate, margin=0.15, renamed=[f"{OFF.id}={renamed.id}"])
    assert (again.missing, again.new, again.verdict) == ((), (), Verdict.PASS)
    assert {row.base_id for row in again.rows} == {NEW.id, OFF.id}


def test_lost_traces_regress(tmp_path):
    found = compare_runs(save(tmp_path / "a", 10), save(tmp_path / "b", 10, lost=3), margin=0.15)
    (row,) = (one for one in found.rows if one.metric == "traces_lost")
    assert (row.id, row.verdict) == (NEW.id, Verdict.REGRESSED)
    assert found.verdict is Verdict.REGRESSED


def test_other_machines_are_refused_unless_allowed(tmp_path):
    base, candidate = save(tmp_path / "a", 10), save(tmp_path / "b", 10, cpu_model="Another CPU", host="there")
    found = compare_runs(base, candidate, margin=0.15)
    assert (found.same_machine, found.refused) == (False, True)
    assert any("DIFFERENT MACHINES" in warning for warning in found.warnings)
    allowed = compare_runs(base, candidate, margin=0.15, allow_different_machines=True)
    assert (allowed.refused, allowed.verdict) == (False, Verdict.PASS)
    assert any("DIFFERENT MACHINES" in warning for warning in allowed.warnings)


def test_another_host_of_the_same_kind_is_told_only(tmp_path):
    found = compare_runs(save(tmp_path / "a", 10), save(tmp_path / "b", 10, host="there"), margin=0.15)
    assert not found.refused
    assert any("the hosts differ" in warning for warning in found.warnings)


def benchmark_file(path: Path, medians_s, *, stats=None, extra_info=None) -> str:
    benchmarks = [
        {
            "fullname": f"bench.py::{name}",
            "stats": {"median": median, "iqr": 0.0001, "rounds": 100, **(stats or {})},
            "extra_info": extra_info or {},
        }
        for name, median in medians_s.items()
    ]
    machine = {"node": "here", "cpu": {"brand_raw": "A CPU", "count": 2}}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine_info": machine, "commit_info": {"id": "a"}, "benchmarks": benchmarks}))
    return str(path)


def test_anybodys_files_of_pytest_benchmark(tmp_path):
    base = benchmark_file(tmp_path / "a.json", {"test_same": 0.01, "test_slow": 0.01})
    candidate = benchmark_file(tmp_path / "b.json", {"test_same": 0.0101, "test_slow": 0.02})
    found = compare_runs(base, candidate, margin=0.15)
    assert {row.id: row.verdict for row in found.rows} == {
        "bench.py::test_same": Verdict.PASS,
        "bench.py::test_slow": Verdict.REGRESSED,
    }
    row = found.rows[1]
    assert (row.base_median, row.candidate_median, row.unit) == (10.0, 20.0, "ms")
    assert (row.values, row.base_n) == ("rounds", 100)


def test_what_our_plugin_replayed_is_taken_apart_into_blocks(tmp_path):
    data = [1, 2, 3, 11, 12, 13, 21, 22, 23, 31, 32, 33]
    path = benchmark_file(tmp_path / "a.json", {"x": 1}, stats={"data": data}, extra_info={"blocks_measured": 4})
    (series,) = read_run(path).series.values()
    assert series.blocks == (2000, 12000, 22000, 32000)


def test_ids_of_pytest_benchmarks_storage(workdir):
    for name in ("0001_first", "0002_second"):
        benchmark_file(workdir / ".benchmarks" / "Linux-CPython-3.11-64bit" / f"{name}.json", {"x": 1})
    for reference in ("0001", "0001_first", "Linux-CPython-3.11-64bit/0001_first"):
        assert read_run(reference).ref.path.endswith("0001_first.json")
    with pytest.raises(ConfigError, match="there is no '0003'") as error:
        read_run("0003")
    assert "0001_first" in str(error.value)
    benchmark_file(workdir / ".benchmarks" / "other" / "0001_first.json", {"x": 1})
    with pytest.raises(ConfigError, match="names 2 files"):
        read_run("0001")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "no whole JSON file of pytest-benchmark"),
        ('{"benchmarks": [{"fullname": "x", "sta', "no whole JSON file of pytest-benchmark"),
        ('{"something": "else"}', "benchmarks: Field required"),
        ("[1, 2]", "no whole JSON file of pytest-benchmark"),
        ('{"benchmarks": [{"fullname": "x", "stats": {"median": "fast"}}]}', "benchmarks.0.stats.median"),
    ],
)
def test_truncated_and_foreign_files_are_refused(tmp_path, content, said):
    (tmp_path / "foreign.json").write_text(content)
    with pytest.raises(ConfigError, match=said):
        read_run(str(tmp_path / "foreign.json"))


def test_what_is_no_run_is_refused(tmp_path):
    folder = save(tmp_path / "a", 10)
    with pytest.raises(ResultFileError, match=r"is .* the folder of a campaign"):
        read_run(str(tmp_path))
    with pytest.raises(ConfigError, match="is a file of a campaign"):
        read_run(f"{folder}/samples.jsonl")
    with pytest.raises(ConfigError, match="compared with itself"):
        compare_runs(folder, f"{folder}/", margin=0.1)
    with pytest.raises(ConfigError, match="ids don't mean the same"):
        compare_runs(folder, benchmark_file(tmp_path / "b.json", {"x": 1}), margin=0.1)
    with pytest.raises(ConfigError, match="is negative"):
        compare_runs(folder, folder, margin=-0.1)
    with pytest.raises(ConfigError, match="did you mean 'latency_p50_ms'"):
        compare_runs(folder, folder, margin=0.1, metrics=["latency_p50"])


def test_matching():
    matched = match_ids(["a", "b=1", "c"], ["a", "b=2", "d"], ["b=1=b=2"])
    assert matched.pairs == (("a", "a"), ("b=1", "b=2"))
    assert (matched.missing, matched.new) == (("c",), ("d",))
    # An old id that was given away by --rename is not matched a second time.
    assert match_ids(["a"], ["a", "b"], ["a=b"]).pairs == (("a", "b"),)
    for renamed, said in (
        ("a", "renames nothing"),
        ("x=a", "the base has no 'x'"),
        ("a=x", "the candidate has no 'x'"),
    ):
        with pytest.raises(ConfigError, match=said):
            match_ids(["a"], ["a"], [renamed])
    with pytest.raises(ConfigError, match="nothing can be compared"):
        match_ids(["a"], ["b"])
