"""Two sets of traces in a real store, compared through the command line."""

import json

import mlflow
import pytest
from mlflow.entities import AssessmentSource
from typer.testing import CliRunner

from tracegauge.cli.judge import judge
from tracegauge.config.errors import ConfigError
from tracegauge.judging.assessment_keys import CONTENT_DIGEST, JUDGE, JUDGE_DIGEST, MOCK

N = 40


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """40 questions asked of versions 1 and 2 in experiment `support`, with verdicts of two judges:

    `helpful` passes 36 of version 1; version 2 loses 12 of them and gains 1. `length` says 1 to 5: one less for 2.
    Version 3 answers other questions; `helpful` passes 10 of 40, and another digest of `helpful` has scored `old`.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_ENABLE_ASYNC_TRACE_LOGGING", "false")
        uri = f"sqlite:///{tmp_path_factory.mktemp('compare')}/mlflow.db"
        mlflow.set_tracking_uri(uri)
        mlflow.set_experiment("support")
        for i in range(N):
            _asked("1", f"question {i}", i >= 4, 3 + i % 3, "d1")
            _asked("2", f"question {i}", i == 0 or i >= 16, 2 + i % 3, "d1" if i < 20 else "d2")
            _asked("3", f"other question {i}", i >= 30, None, "d1")
        mlflow.set_experiment("old")
        _asked("0", "question 0", True, None, "d1", judge_digest="an older one")
        mlflow.set_experiment("empty")
        mlflow.set_tracking_uri(None)
    return uri


def _asked(version, question, helpful, length, content, judge_digest="h1"):
    with mlflow.start_span("agent") as span:
        span.set_inputs({"question": question})
        span.set_outputs(f"answer of {version}")
        mlflow.update_current_trace(tags={"version": version})
    ours = {JUDGE_DIGEST: judge_digest, CONTENT_DIGEST: content, JUDGE: "helpful", MOCK: "true"}
    source = AssessmentSource("LLM_JUDGE", "openai:/m")
    mlflow.log_feedback(trace_id=span.trace_id, name="helpful", value=helpful, source=source, metadata=ours)
    if length is not None:
        more = {**ours, JUDGE_DIGEST: "l1"}
        mlflow.log_feedback(trace_id=span.trace_id, name="length", value=length, source=source, metadata=more)


@pytest.fixture
def compare(store):
    def run(*arguments, json_out=True):
        shown = ["--json"] if json_out else []
        result = CliRunner().invoke(
            judge, ["compare", *arguments, "--store", store, *shown], standalone_mode=False, catch_exceptions=False
        )
        return result.return_value, json.loads(result.stdout) if json_out else result.stdout

    return run


def test_a_version_that_is_worse_has_regressed(compare):
    code, found = compare("version=1", "version=2")
    assert code == 1
    assert found["verdict"] == "REGRESSED"
    helpful, length = found["measures"]
    assert (helpful["name"], helpful["test"], helpful["pairs"]) == ("pass rate", "McNemar, exact", N)
    assert (helpful["a"], helpful["b"]) == (36 / 40, 25 / 40)
    # Of 13 that changed 1 got better: 2 · (C(13,0) + C(13,1)) / 2¹³ = 28/8192
    assert helpful["p"] == pytest.approx(28 / 8192)
    assert helpful["p_holm"] == pytest.approx(28 / 8192)
    assert helpful["interval"][1] < 0
    assert len(helpful["changed"]) == 13
    assert helpful["same_content"]["count"] == 20
    assert helpful["changed_with_same_content"]["count"] == 13
    assert (length["name"], length["test"], length["difference"]) == ("mean", "Wilcoxon signed-rank", -1)
    assert length["p_holm"] == pytest.approx(2 * length["p"])
    assert found["mock"]
    assert found["warnings"] == ["mock judge: pipeline rehearsal, not a quality statement"]


def test_the_same_the_other_way_round_has_passed(compare):
    code, found = compare("version=2", "version=1")
    assert code == 0
    assert [one["verdict"] for one in found["measures"]] == ["PASS", "PASS"]


def test_other_questions_are_compared_as_a_whole(compare):
    code, found = compare("version=1", "version=3")
    (helpful,) = found["measures"]
    assert code == 1
    assert helpful["pairs"] is None
    assert helpful["test"] == "Fisher, exact"
    assert (helpful["scored_b"]["count"], helpful["scored_b"]["n"]) == (N, N)


def test_a_version_against_itself_is_the_same_or_too_few_to_say(compare):
    code, found = compare("version=1", "version=1")
    assert code == 2  # 3/40 is more than 5%
    assert "too few" in found["measures"][1]["reason"]
    code, found = compare("version=1", "version=1", "--margin", "0.1", "--instruments")
    assert code == 0
    assert all(one["either_way"] for one in found["measures"])


def test_a_gain_counts_between_instruments(compare):
    assert compare("version=2", "version=1", "--instruments")[0] == 1


def test_pairs_by_a_tag_and_by_time(compare):
    code, found = compare("version=1", "version=1,since=2020-01-01,until=2100-01-01", "--match", "version")
    assert found["measures"][0]["pairs"] == N
    assert found["matched_by"] == "the tag version"
    assert code == 2


def test_the_terminal_and_a_page_say_it_in_words(compare, tmp_path):
    code, shown = compare("version=1", "version=2", "--html", str(tmp_path / "page.html"), json_out=False)
    assert code == 1
    assert "REGRESSED: judges compared" in (tmp_path / "page.html").read_text(encoding="utf-8")
    for text in (
        "McNemar, exact",
        "after Holm",
        "detectable",
        "40 pairs, by equal inputs",
        "overall: REGRESSED",
        "mock",
    ):
        assert text in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("version=1", "version=2", "--html", "no-such-folder/page.html"), "no-such-folder/page.html can't be written"),
        (("version", "version=1"), "chooses no traces"),
        (("version=1", "since=yesterday"), "is no time"),
        (("version=1", "version=9"), "version=9 chooses no traces in sqlite"),
        (("version=1", "experiment=nope"), "there is no experiment 'nope'"),
        (("version=1", "experiment=old"), "no judge has scored both sides; scored by version=1: helpful (h1)"),
        (("version=1", "version=3", "--compare", "pairs"), "no trace of A matches one of B"),
    ],
)
def test_what_can_not_be_compared_is_told(compare, arguments, message):
    with pytest.raises(ConfigError) as error:
        compare(*arguments)
    assert message in str(error.value)
