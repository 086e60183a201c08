import json
import os
import stat

import pytest

from tracegauge.results import CampaignVerdict, Cell, Measurement, Sample, Verdict
from tracegauge.results.campaign_record import CampaignRecord, CriterionRecord
from tracegauge.results.files import (
    CAMPAIGN_FILE,
    SAMPLES_FILE,
    VERDICT_FILE,
    ResultFileError,
    append_samples,
    read_campaign,
    read_samples,
    read_verdict,
    write_atomically,
    write_record,
)

CELL = Cell(workflow="w", instrument="autolog", backend="sqlite", delivery="mlflow")


def sample(block: int, latency_ns: tuple[int, ...] = (1, 2)) -> Sample:
    measurement = Measurement(invocations=2, latency_ns=latency_ns, wall_ns=3, cpu_ns=3, cpu_request_ns=2, drain_ns=1)
    return Sample(block=block, position=0, cell=CELL, started_at="2026-11-23T10:00:00Z", measurement=measurement)


def record(**changes) -> CampaignRecord:
    return CampaignRecord(
        **{"name": "c", "started_at": "now", "command": "x", "cells": (CELL,), "blocks": 6, "invocations": 2, **changes}
    )


def test_samples_are_read_back_as_written_block_by_block(tmp_path):
    path = tmp_path / SAMPLES_FILE
    append_samples(path, [sample(0)])
    append_samples(path, [sample(1), sample(2)])
    read = read_samples(path)
    assert read.samples == (sample(0), sample(1), sample(2))
    assert read.torn_line is None
    assert len(path.read_text().splitlines()) == 3


@pytest.mark.parametrize("kept", [1, 20, -2])
def test_a_torn_last_line_is_left_out_and_told_and_the_next_append_mends_it(tmp_path, kept):
    path = tmp_path / SAMPLES_FILE
    append_samples(path, [sample(0), sample(1)])
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1][:kept])
    read = read_samples(path)
    assert read.samples == (sample(0),)
    assert read.torn_line == 2

    append_samples(path, [sample(5)])
    assert read_samples(path).samples == (sample(0), sample(5))
    assert read_samples(path).torn_line is None


def test_a_last_line_that_lacks_only_its_line_end_is_whole(tmp_path):
    path = tmp_path / SAMPLES_FILE
    append_samples(path, [sample(0), sample(1)])
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    assert read_samples(path).samples == (sample(0), sample(1))
    assert read_samples(path).torn_line is None
    append_samples(path, [sample(2)])
    assert read_samples(path).samples == (sample(0), sample(1), sample(2))


def test_damage_before_the_last_line_is_an_error_with_file_and_line(tmp_path):
    path = tmp_path / SAMPLES_FILE
    append_samples(path, [sample(0)])
    with path.open("a") as file:
        file.write('{"block": 1\n')
    append_samples(path, [sample(2)])
    with pytest.raises(ResultFileError, match=rf"{SAMPLES_FILE}:2: .*Sample"):
        read_samples(path)


def test_another_schema_version_is_an_error_that_says_so(tmp_path):
    path = tmp_path / SAMPLES_FILE
    path.write_text(json.dumps({**sample(0).model_dump(mode="json"), "schema_version": 99}) + "\n")
    with pytest.raises(ResultFileError, match="schema_version"):
        read_samples(path)


def test_records_are_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    write_atomically(path, "old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


def test_files_get_the_usual_permissions(tmp_path):
    umask = os.umask(0o027)
    try:
        write_atomically(tmp_path / "a.json", b"{}")
    finally:
        os.umask(umask)
    assert stat.S_IMODE((tmp_path / "a.json").stat().st_mode) == 0o640


def test_a_campaigns_folder_is_read_whole(tmp_path):
    write_record(tmp_path / CAMPAIGN_FILE, record())
    append_samples(tmp_path / SAMPLES_FILE, [sample(0), sample(0, latency_ns=(7, 8))])
    results = read_campaign(tmp_path)
    assert results.record == record()
    assert results.environment is None
    assert list(results.cells) == [CELL.id]
    assert results.by_cell == {CELL.id: {0: sample(0, latency_ns=(7, 8))}}, "the later line counts"


def test_a_campaign_without_samples_has_its_planned_cells(tmp_path):
    write_record(tmp_path / CAMPAIGN_FILE, record())
    assert read_campaign(tmp_path).by_cell == {CELL.id: {}}


def test_a_folder_that_is_none_or_holds_no_campaign_is_named(tmp_path):
    with pytest.raises(ResultFileError, match="there is no such folder"):
        read_campaign(tmp_path / "nothing")
    with pytest.raises(ResultFileError, match=CAMPAIGN_FILE):
        read_campaign(tmp_path)
    with pytest.raises(ResultFileError, match=VERDICT_FILE):
        read_verdict(tmp_path)


def test_verdicts_are_read_back_as_written(tmp_path):
    verdict = CampaignVerdict(campaign="c", verdict=Verdict.INCONCLUSIVE, criteria=(), warnings=("w",))
    write_record(tmp_path / VERDICT_FILE, verdict)
    assert read_verdict(tmp_path) == verdict


def test_a_ratio_needs_a_baseline_and_a_count_has_none():
    common = {"id": "i", "claim": "c", "metric": "traces_lost", "candidate": CELL.id, "margin": 0}
    with pytest.raises(ValueError, match="baseline"):
        CriterionRecord(kind="ratio", **common)
    with pytest.raises(ValueError, match="baseline"):
        CriterionRecord(kind="count", baseline=CELL.id, **common)
