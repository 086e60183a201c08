import pytest

from tracegauge.gate import exit_code, judge_campaign, judge_folder
from tracegauge.results import Environment, Failure, Verdict
from tracegauge.results.files import CAMPAIGN_FILE, SAMPLES_FILE, append_samples, read_verdict, write_record


def environment(**changes):
    return Environment(
        **{
            "measured_at": "t", "host": "h", "cpu_model": None, "cpu_cores": 2, "cpu_governor": None,
            "load_average_1m": 0.1, "memory_bytes": 1, "disk_type": None, "os": "o", "python": "p", "packages": {},
            "git_commit": None, "git_dirty": None, **changes,
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("slow", "lost", "verdict", "code"),
    [
        (1.0, 0, Verdict.PASS, 0),
        (2.0, 0, Verdict.REGRESSED, 1),
        (1.0, 1, Verdict.REGRESSED, 1),  # the loss itself; the ratio can't be told
        (None, 0, Verdict.INCONCLUSIVE, 2),
    ],
)
def test_campaign_verdict_and_exit_code(build, slow, lost, verdict, code):
    slow = [1.0, 1.2] * 3 if slow is None else [slow] * 6
    samples = [build.sample(build.new, b, 10 * slow[b], lost=lost) for b in range(6)]
    samples += [build.sample(build.old, b, 10) for b in range(6)]
    found = judge_campaign(build.campaign(samples, build.ratio(), build.count()))
    assert found.verdict is verdict
    assert exit_code(found.verdict) == code


def test_a_campaign_without_criteria_is_inconclusive(build):
    found = judge_campaign(build.campaign(build.latencies([1.0] * 6, [1.0] * 6)))
    assert (found.verdict, found.criteria, found.warnings) == (Verdict.INCONCLUSIVE, (), ())


def test_the_verdict_is_written_into_the_folder(build, tmp_path):
    results = build.campaign(build.latencies([1.0] * 6, [1.0] * 6), build.ratio())
    write_record(tmp_path / CAMPAIGN_FILE, results.record)
    append_samples(tmp_path / SAMPLES_FILE, results.samples)
    verdict = judge_folder(tmp_path)
    assert verdict.verdict is Verdict.PASS
    assert read_verdict(tmp_path) == verdict


def warnings(results):
    return list(judge_campaign(results).warnings)


def test_lost_traces_are_told_first_and_loudest(build):
    samples = build.latencies([10.0] * 6, [10.0] * 6)
    samples[0] = build.crash(build.new, 0)
    samples[1] = build.sample(build.new, 1, lost=3)
    samples[2] = build.sample(build.new, 2, lost=4)
    first, second = warnings(build.campaign(samples))
    # five blocks of ten traces could be counted, and six of the other cell: 7 of 50 are 14%
    assert first.startswith("TRACES LOST: 7 of 110, in 1 of 2 cells (w-autolog-sqlite-c1 14.0%)")
    assert second == "crashed: w-autolog-sqlite-c1 in block 0: ValueError: no such table"


def test_other_failures_are_told_by_kind_those_without_a_measurement_first(build):
    samples = build.latencies([10.0] * 6, [10.0] * 6)
    for block in (0, 2, 3, 4):
        orphans = Failure(kind="orphan_spans", message=f"{block} spans have no parent")
        samples[block] = build.sample(build.new, block, failures=[orphans])
    samples[6] = build.crash(build.old, 0, kind="timed_out")
    assert warnings(build.campaign(samples)) == [
        "timed out: w-autolog-file-c1 in block 0: ValueError: no such table",
        "orphan spans: w-autolog-sqlite-c1 in blocks 0 and 2-4: 0 spans have no parent (and 3 other messages)",
    ]


def test_an_unfinished_campaign_and_a_torn_line_are_told(build):
    torn, unfinished = warnings(build.campaign(build.latencies([10.0] * 6, [10.0] * 5), torn_line=12))
    assert "line 12 of samples.jsonl" in torn
    assert "5 of 6 blocks are complete" in unfinished


def test_too_few_blocks_are_told(build):
    assert warnings(build.campaign(build.latencies([10.0] * 5, [10.0] * 5), blocks=5)) == [
        "too few blocks: 5 are planned, a 95% interval needs at least 6"
    ]


def test_a_standard_deviation_of_ten_percent_is_told(build):
    # mean 10, sd of (9, 11) * 3 = sqrt(6 / 5) = 1.095: 11% of the mean; (9.2, 10.8) * 3: 0.876, 9%
    (found,) = warnings(build.campaign(build.latencies([9.0, 11.0] * 3, [9.2, 10.8] * 3)))
    assert "in 1 of 2 cells: w-autolog-sqlite-c1 11%" in found
    assert found.startswith("unstable: caller latency, median")


def test_a_busy_machine_and_frequency_scaling_are_told(build):
    samples = build.latencies([10.0] * 6, [10.0] * 6)
    assert warnings(build.campaign(samples, environment=environment())) == []
    busy, scaling = warnings(
        build.campaign(samples, environment=environment(load_average_1m=1.0, cpu_governor="powersave"))
    )
    assert "load average 1.0 on 2 cores" in busy
    assert "powersave" in scaling
