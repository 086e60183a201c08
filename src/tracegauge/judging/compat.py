"""What judging needs of MLflow that it has no public way to ask for: the one place in this room that knows.

MLflow's judges send their requests themselves: synchronously, with up to ten retries that hold back everything else,
and to an address out of environment variables. Where `answered_by` is entered, what they would send is handed to us.
"""

import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from mlflow.entities import AssessmentSource, Feedback
from mlflow.genai.judges import make_judge
from mlflow.genai.judges.adapters.base_adapter import AdapterInvocationInput, AdapterInvocationOutput
from mlflow.genai.judges.utils import invocation_utils
from mlflow.genai.utils import trace_utils

Answerer = Callable[[list[dict[str, str]], dict[str, Any] | None], dict[str, Any]]
"""Takes messages and a JSON schema (None: any JSON), returns the answer's object with `result` and `rationale`."""

_answerer: ContextVar[Answerer | None] = ContextVar("answerer", default=None)
_lock = threading.Lock()
_entered = 0
_original = invocation_utils.get_adapter
_original_extraction = trace_utils.get_chat_completions_with_structured_output


@contextmanager
def answered_by(answerer: Answerer) -> Iterator[None]:
    """What MLflow's judges ask of a model in this context goes to `answerer`."""
    token = _answerer.set(answerer)
    _count(1)
    try:
        yield
    finally:
        _count(-1)
        _answerer.reset(token)


def _count(change: int) -> None:
    global _entered
    with _lock:
        _entered += change
        invocation_utils.get_adapter = _adapter if _entered else _original
        trace_utils.get_chat_completions_with_structured_output = _extraction if _entered else _original_extraction


def _adapter(model_uri: str, prompt: Any) -> Any:
    answerer = _answerer.get()
    return _original(model_uri=model_uri, prompt=prompt) if answerer is None else _Adapter(answerer)


def _extraction(*arguments: Any, **named: Any) -> Any:
    """Where a trace does not say which tools there were, MLflow lets a model guess; without an answer it goes on."""
    if _answerer.get() is None:
        return _original_extraction(*arguments, **named)
    raise LookupError("the trace does not say which tools the model could call")


class _Adapter:
    def __init__(self, answerer: Answerer) -> None:
        self._answerer = answerer

    def invoke(self, asked: AdapterInvocationInput) -> AdapterInvocationOutput:
        schema = asked.response_format.model_json_schema() if asked.response_format else None
        said = self._answerer(_messages(asked.prompt), schema)
        feedback = Feedback(
            name=asked.assessment_name,
            value=said["result"],
            rationale=str(said.get("rationale", "")),
            source=AssessmentSource(source_type="LLM_JUDGE", source_id=asked.model_uri),
        )
        return AdapterInvocationOutput(feedback=feedback)


def _messages(prompt: Any) -> list[dict[str, str]]:
    if isinstance(prompt, str):
        return [{"role": "user", "content": prompt}]
    return [{"role": one.role, "content": one.content or ""} for one in prompt]


def ask_model(model_uri: str, messages: list[dict[str, str]], inference_params: dict[str, Any]) -> Feedback:
    """Ask a model that only MLflow knows how to reach, once, for a JSON object with `result` and `rationale`.

    Raises whatever MLflow raises, KeyError for an answer without a result.
    """
    prompt = "\n\n".join(message["content"] for message in messages)
    return invocation_utils.invoke_judge_model(
        model_uri=model_uri,
        prompt=prompt,
        assessment_name="judgement",
        num_retries=0,
        inference_params=inference_params or None,
    )


RATIONALE_FIRST = "generate_rationale_first" in inspect.signature(make_judge).parameters
"""Whether this MLflow can ask for the rationale before the result."""
