"""Panels: votes, medians, ties, and members that fail."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from tracegauge.config.judge import PanelJudge
from tracegauge.judging.content import Content
from tracegauge.judging.judge import Judge
from tracegauge.judging.panel import Panel
from tracegauge.results.judgement import Failed, Judgement, Scored, Usage


class Says(Judge):
    """A member that says what it was told to say."""

    def __init__(self, spec: Any, judgement: Judgement) -> None:
        super().__init__(spec)
        self._judgement = judgement

    def content(self, traces: Sequence[Any]) -> Content:
        return Content()

    async def judge(self, content: Content) -> Judgement:
        return self._judgement

    def estimate(self, content: Content) -> Usage:
        return Usage(input_tokens=10, output_tokens=1, cost_usd=0.5)


def panel_says(spec: Any, values: list[Any], **more: Any) -> Judgement:
    numeric = isinstance(values[0], int) and not isinstance(values[0], bool)
    value = "{type: integer, minimum: 1, maximum: 5}" if numeric else "bool"
    members = [
        Says(
            spec(f"kind: llm\ninstructions: Is {{{{ outputs }}}} good?\nvalue: {value}"),
            one if isinstance(one, Failed) else Scored(value=one, rationale="", usage=USED),
        )
        for one in values
    ]
    fields = {"schema_version": "1.0", "kind": "panel", "name": "all", "members": [str(n) for n in range(len(values))]}
    panel_spec = PanelJudge.model_validate({**fields, **more})
    panel_spec.resolve(tuple(member.spec for member in members))  # type: ignore[misc]
    panel = Panel(panel_spec, members)
    assert panel.estimate(Content()).cost_usd == 0.5 * len(values)
    return asyncio.run(panel.judge(Content()))


USED = Usage(input_tokens=5, cost_usd=1)
DOWN = Failed(kind="rate_limited", message="busy", retry_after_s=9)


@pytest.mark.parametrize(
    ("values", "more", "result"),
    [
        ([True, True, False], {}, True),
        ([3, 5, 4], {"combine": "median"}, 4.0),
        ([3, 4], {"combine": "median"}, 3.5),
        ([True, False], {}, "tied"),
        ([True, False], {"on_tie": False}, False),
        ([True, DOWN, True], {}, True),
        ([True, DOWN, DOWN], {}, "members_failed"),
        ([True, DOWN, DOWN], {"quorum": 1}, True),
        ([True, True, DOWN], {"quorum": 3}, "members_failed"),
    ],
)
def test_what_a_panel_says(spec: Any, values: list[Any], more: dict[str, Any], result: Any) -> None:
    judgement = panel_says(spec, values, **more)
    assert (judgement.kind if isinstance(judgement, Failed) else judgement.value) == result


def test_a_failing_member_is_never_silent(spec: Any) -> None:
    judgement = panel_says(spec, [True, DOWN, True])
    assert isinstance(judgement, Scored)
    assert "it failed (rate_limited: busy)" in judgement.rationale
    assert [one.judgement.outcome for one in judgement.members] == ["scored", "failed", "scored"]
    assert judgement.usage == Usage(input_tokens=10, output_tokens=0, cost_usd=2)
    failed = panel_says(spec, [True, DOWN, DOWN])
    assert isinstance(failed, Failed)
    assert failed.retry_after_s == 9
