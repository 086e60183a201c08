"""The demo's judges: real traces in the campaign's folder, and scores that say where they are a mock's."""

from tracegauge.cli.demo_judging import JUDGES, STORE, judge_demo
from tracegauge.results.files import read_record
from tracegauge.results.judges_report import JUDGES_FILE, JudgesReport


def test_ten_traces_are_scored_and_a_mock_says_that_it_is_one(tmp_path, monkeypatch):
    monkeypatch.delenv("TRACEGAUGE_JUDGE_MODEL", raising=False)
    report = judge_demo(tmp_path)
    assert read_record(tmp_path / JUDGES_FILE, JudgesReport) == report
    assert report.store == f"sqlite:///{STORE}"
    assert str(tmp_path) not in (tmp_path / JUDGES_FILE).read_text()
    by_name = {one.judge: one for one in report.judges}
    assert set(by_name) == set(JUDGES)
    assert {(one.due, one.scored, one.failed) for one in report.judges} == {(10, 10, 0)}
    assert by_name["personal_data"].passed.share == 1.0
    mocked = {name for name, one in by_name.items() if any("pipeline rehearsal" in label for label in one.labels)}
    assert mocked == {name for name, one in by_name.items() if one.kind != "code"} != set()
