"""Code that raises, dies or never returns is a recorded failure, and the next trace is judged."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tracegauge.judging.code import FunctionJudge
from tracegauge.results.judgement import Failed, Scored

CODE = """
import os

def by_name(trace, allowed=2):
    print("this is no answer")
    what = trace.data.spans[0].inputs
    if what == "raise":
        raise KeyError("missing")
    if what == "die":
        os._exit(3)
    if what == "hang":
        while True:
            pass
    if what == "odd":
        return "perhaps"
    return len(trace.data.spans) <= allowed, f"{len(trace.data.spans)} spans"
"""


@pytest.fixture
def judge(workdir: Path, spec: Any) -> FunctionJudge:
    (workdir / "my_checks.py").write_text(CODE)
    text = "kind: code\nfunction: my_checks:by_name\nparameters: {allowed: 3}\ntimeout_s: 1.5"
    return FunctionJudge(spec(text))


def judged(judge: FunctionJudge, traces: list[Any]) -> list[Any]:
    async def run() -> list[Any]:
        try:
            return [await judge.judge(judge.content([trace])) for trace in traces]
        finally:
            await judge.aclose()

    return asyncio.run(run())


def test_what_goes_wrong_is_told_and_the_rest_goes_on(judge: FunctionJudge, trace: Any) -> None:
    order = ["fine", "raise", "hang", "die", "odd", "fine"]
    said = judged(judge, [trace(inputs=one, spans=[{"name": "step"}]) for one in order])
    assert [one.kind if isinstance(one, Failed) else one.value for one in said] == [
        True,
        "raised",
        "timed_out",
        "raised",
        "out_of_type",
        True,
    ]
    assert said[0].rationale == "2 spans"
    assert "KeyError: 'missing' (my_checks.py:8)" in said[1].message
    assert "exit code 3" in said[3].message
    assert isinstance(said[5], Scored)
    assert said[5].usage.cost_usd == 0


def test_code_that_can_not_be_imported_is_a_failure(workdir: Path, spec: Any, trace: Any) -> None:
    (workdir / "broken_checks.py").write_text("import nothing_like_that")
    judge = FunctionJudge(spec("kind: code\nfunction: broken_checks:any"))
    (failed,) = judged(judge, [trace(inputs="x")])
    assert (failed.kind, "nothing_like_that" in failed.message) == ("raised", True)


def test_another_source_is_another_judge(judge: FunctionJudge, workdir: Path, spec: Any) -> None:
    before = judge.digest
    (workdir / "my_checks.py").write_text(CODE.replace("<=", "<"))
    after = FunctionJudge(spec("kind: code\nfunction: my_checks:by_name\nparameters: {allowed: 3}"))
    assert after.digest != before
