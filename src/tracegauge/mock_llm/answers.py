"""What the mock answers: by the rules of its script, else something that fits the request."""

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tracegauge.mock_llm.requests import ChatRequest
from tracegauge.mock_llm.schema_values import NOTE, value_for
from tracegauge.mock_llm.script import MockScript, Rule, ToolCall

_RESULT_ASKED = re.compile(r"""["'`]?result["'`]?\s*:""")
_OPTIONS = re.compile(r"""["'`]result["'`]\s*:\s*["'`]?([\w ]+(?:\s*[|/]\s*[\w ]+)+)""")


@dataclass(frozen=True)
class Answer:
    """One answer: a text, calls of tools, or both."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()


@dataclass
class Answers:
    """Chooses answers; keeps count of rules whose answers come in turn."""

    script: MockScript
    _given: Counter[int] = field(default_factory=Counter)

    def to(self, request: ChatRequest) -> Answer:
        """The answer to a request."""
        for number, rule in enumerate(self.script.rules):
            if request.holds(rule.match, rule.model):
                return self._by_rule(number, rule, request)
        return self._made_up(request)

    def _by_rule(self, number: int, rule: Rule, request: ChatRequest) -> Answer:
        if rule.answers:
            given = min(self._given[number], len(rule.answers) - 1)
            self._given[number] += 1
            return Answer(_as_text(rule.answers[given]), rule.tool_calls)
        if rule.answer is not None:
            return Answer(_as_text(rule.answer), rule.tool_calls)
        return Answer(tool_calls=rule.tool_calls) if rule.tool_calls else self._made_up(request)

    def _made_up(self, request: ChatRequest) -> Answer:
        random = request.random(self.script.seed, "answer")
        rate = self.script.positive_rate
        if request.tools and not request.tool_results:
            forced = request.body.get("tool_choice")
            name = forced["function"]["name"] if isinstance(forced, dict) else None
            tool = next((one for one in request.tools if one["name"] == name), request.tools[0])
            arguments = value_for(tool.get("parameters") or {"type": "object"}, random, rate)
            return Answer(tool_calls=(ToolCall(name=tool["name"], arguments=arguments),))
        schema = request.schema
        if schema:
            return Answer(json.dumps(value_for(schema, random, rate)))
        if schema is not None or _RESULT_ASKED.search(request.text):
            options = _OPTIONS.search(request.text)
            names = [one.strip() for one in re.split(r"[|/]", options[1])] if options else ["yes", "no"]
            verdict = value_for({"enum": names}, random, rate)
            return Answer(json.dumps({"rationale": NOTE, "result": verdict}))
        if request.tool_results:
            return Answer(f"The tools say: {' '.join(request.tool_results)[:500]}")
        about = " ".join(request.last_user_text.split())[:160]
        return Answer(f"A mock model answers to “{about}”. {NOTE}")


def _as_text(answer: Any) -> str:
    return answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
