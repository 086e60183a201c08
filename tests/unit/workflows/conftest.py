"""What tests of workflows share: workflow files from a few lines, and a scripted model that says what a test wants."""

import threading
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tracegauge.workflows import ScriptedChatModel, Workflow, load_workflow

Build = Callable[..., Workflow]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Loads a workflow file from its text; what every file begins with is put before it."""

    def built(text: str, **options: Any) -> Workflow:
        file = tmp_path / "flow.yaml"
        file.write_text(f'schema_version: "1.0"\nflow: {{name: f}}\n{text}')
        return load_workflow(str(file), **options)

    return built


class Answers(defaultdict[str, list[Any]]):
    """What the scripted model says next to prompts that begin with a word: a text, the arguments of a call, an error.

    To other prompts it says what it always says. `prompts` are those that it has seen.
    """

    def __init__(self) -> None:
        super().__init__(list)
        self.prompts: list[str] = []
        self._lock = threading.Lock()

    def next(self, prompt: str) -> Any:
        with self._lock:
            self.prompts.append(prompt)
            waiting = self.get((prompt.split() or [""])[0])
            return waiting.pop(0) if waiting else None


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    waiting = Answers()
    original = ScriptedChatModel._answer

    def answer(model: ScriptedChatModel, messages: list[Any], options: dict[str, Any]) -> Any:
        message, latency_s = original(model, messages, options)
        wanted = waiting.next(messages[-1].text)
        if isinstance(wanted, Exception):
            raise wanted
        if isinstance(wanted, str):
            message.content, message.tool_calls = wanted, []
        elif wanted is not None:
            message.tool_calls[0]["args"] = wanted
        return message, latency_s

    monkeypatch.setattr(ScriptedChatModel, "_answer", answer)
    return waiting
