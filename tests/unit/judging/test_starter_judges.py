"""The starter judges and their calibration sets: enough of each class, no two alike, honestly labelled."""

import asyncio
import json
from collections import Counter
from difflib import SequenceMatcher
from itertools import combinations
from pathlib import Path

import httpx
import pytest

from tracegauge.config.judge import CodeJudge, load_judges
from tracegauge.config.shipped import shipped_folder
from tracegauge.judging.build import build_judge
from tracegauge.judging.example_traces import traces_of
from tracegauge.judging.examples import Example, read_examples
from tracegauge.mock_llm import MockProcess
from tracegauge.results.judgement import Scored

NAMES = sorted(path.stem for path in shipped_folder("judges").glob("*.yaml"))
SETS = {name: read_examples(f"judges/calibration/{name}.jsonl") for name in NAMES}
ALIKE = 0.8


def content(example: Example) -> str:
    """What is said in an example, without the keys around it."""
    said = [example.inputs, example.outputs, *(part for turn in example.turns for part in (turn.inputs, turn.outputs))]
    return "\n".join(one if isinstance(one, str) else json.dumps(one) for one in said if one is not None)


@pytest.mark.parametrize("name", NAMES)
def test_a_set_is_large_balanced_and_labelled_as_what_it_is(name: str) -> None:
    examples = SETS[name]
    assert len(examples) >= 40
    classes = Counter(example.label for example in examples)
    assert len(classes) >= 2
    assert min(classes.values()) >= 0.3 * len(examples), classes
    assert {(example.source, example.written_by) for example in examples} == {("synthetic", "the project")}
    assert sum(example.hard for example in examples) >= 10


def test_the_folder_says_what_the_sets_are() -> None:
    about = " ".join((shipped_folder("judges") / "calibration" / "README.md").read_text().split())
    assert "All of them are synthetic: written by the project" in about


@pytest.mark.parametrize("name", NAMES)
def test_no_two_examples_of_a_set_are_alike(name: str) -> None:
    for one, other in combinations(SETS[name], 2):
        matcher = SequenceMatcher(None, content(one), content(other), autojunk=False)
        if matcher.real_quick_ratio() > ALIKE and matcher.quick_ratio() > ALIKE:
            assert matcher.ratio() <= ALIKE, (one.item, other.item)


def test_every_starter_judge_can_judge_its_examples(mock_llm: MockProcess, workdir: Path) -> None:
    judges = load_judges(["judges"], "openai:/any", mock_llm.url)
    assert set(judges) == set(NAMES)

    async def agreed(name: str) -> list[bool]:
        async with httpx.AsyncClient() as http:
            judge = build_judge(judges[name], judges, http)
            try:
                said = [(one, await judge.judge(judge.content(traces_of(one)))) for one in SETS[name]]
            finally:
                await judge.aclose()
        assert all(isinstance(judgement, Scored) for _, judgement in said), [one for one in said if one]
        return [judgement.value == one.label for one, judgement in said if isinstance(judgement, Scored)]

    for name, judge in judges.items():
        right = asyncio.run(agreed(name))
        if isinstance(judge, CodeJudge):  # what a mock says of the others means nothing
            assert all(right), name
