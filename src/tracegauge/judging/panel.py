"""Judges that are several judges: their vote, or the middle of what they say."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median

from mlflow.entities import Trace

from tracegauge.config.judge import PanelJudge
from tracegauge.judging.content import Content
from tracegauge.judging.judge import Judge
from tracegauge.results.judgement import NOTHING_USED, Failed, Judgement, Member, Scored, Usage, Value


class Panel(Judge):
    """Asks all members at once. A member that fails is told in the rationale and kept with the judgement."""

    spec: PanelJudge

    def __init__(self, spec: PanelJudge, members: Sequence[Judge]) -> None:
        super().__init__(spec)
        self._members = members

    @property
    def source_type(self) -> str:  # type: ignore[override]
        """CODE where all members are code."""
        return "CODE" if all(member.source_type == "CODE" for member in self._members) else "LLM_JUDGE"

    @property
    def endpoint(self) -> str | None:
        """The one of the first member that has one."""
        return next((member.endpoint for member in self._members if member.endpoint), None)

    def content(self, traces: Sequence[Trace]) -> Content:
        """What the members see: all that any of them does."""
        seen = [member.content(traces) for member in self._members]
        return Content(**_first_texts(seen), traces=tuple(traces))

    def estimate(self, content: Content) -> Usage:
        """The sum over the members."""
        return _sum(member.estimate(self._for(member, content)) for member in self._members)

    async def judge(self, content: Content) -> Judgement:
        """Ask the members, then combine what they say."""
        began_ns = time.perf_counter_ns()
        said = await asyncio.gather(*(member.judge(self._for(member, content)) for member in self._members))
        judgement = self._combined(said)
        kept = [
            Member(name=member.name, digest=member.digest, judgement=one)
            for member, one in zip(self._members, said, strict=True)
        ]
        return judgement.model_copy(
            update={
                "members": tuple(kept),
                "usage": _sum(one.usage or NOTHING_USED for one in said),
                "calls": sum(one.calls for one in said),
                "latency_ns": time.perf_counter_ns() - began_ns,
            }
        )

    async def aclose(self) -> None:
        """Let go of what the members hold."""
        for member in self._members:
            await member.aclose()

    def _for(self, member: Judge, content: Content) -> Content:
        """What a member sees; content without traces is seen by all as it is."""
        return member.content(content.traces) if content.traces else content

    def _combined(self, said: Sequence[Judgement]) -> Judgement:
        named = [(member.name, one) for member, one in zip(self._members, said, strict=True)]
        scored = [(name, one) for name, one in named if isinstance(one, Scored)]
        failed = [(name, one) for name, one in named if isinstance(one, Failed)]
        troubles = "; ".join(f"{name} failed ({one.kind}: {one.message})" for name, one in failed)
        if len(scored) < self.spec.needed:
            message = f"{len(scored)} of {len(said)} members scored, {self.spec.needed} are needed: {troubles}"
            waits = [one.retry_after_s for _, one in failed if one.retry_after_s is not None]
            return Failed(kind="members_failed", message=message, retry_after_s=max(waits, default=None))
        values = [one.value for _, one in scored]
        told = ", ".join(f"{name}: {_shown(one.value)}" for name, one in scored)
        rationale = f"{told}; {troubles}" if troubles else told
        if self.spec.combine == "median":
            return Scored(value=float(median(map(float, values))), rationale=f"median of {rationale}")
        first, *others = Counter(values).most_common()
        if not others or first[1] > others[0][1]:
            return Scored(value=first[0], rationale=f"{first[1]} of {len(scored)} votes: {rationale}")
        return self._tied(rationale)

    def _tied(self, rationale: str) -> Judgement:
        on_tie: Value = self.spec.on_tie
        if on_tie == "fail":
            return Failed(kind="tied", message=f"the vote is tied: {rationale}")
        return Scored(value=on_tie, rationale=f"a tie, which the panel takes as {_shown(on_tie)}: {rationale}")


def _first_texts(seen: Sequence[Content]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for content in seen:
        texts = {**content.texts, **texts}
    return texts


def _sum(usages: Iterable[Usage]) -> Usage:
    return sum(usages, start=NOTHING_USED)


def _shown(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
