"""Inputs, outputs and attributes of spans, whatever they are."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import mlflow.entities.span
from mlflow.entities import LiveSpan
from mlflow.tracing.constant import SpanAttributeKey

from tracegauge.tracking.storable import plain, storable_text


@contextmanager
def spans_take_any_value() -> Iterator[None]:
    """Store as text what MLflow can't write as JSON, and leave out what no store takes.

    MLflow raises into the traced code, or does without the span, where a value refuses to be shown or is nested too
    deeply; before 3.17 also for circles, and for dictionaries whose keys are tuples. Half of a surrogate pair, as cut
    off text has it, costs it the whole trace.
    """
    with ExitStack() as undo:
        undo.enter_context(_replaced(mlflow.entities.span, "dump_span_attribute_value", _dumping))
        for name, key in (("set_inputs", SpanAttributeKey.INPUTS), ("set_outputs", SpanAttributeKey.OUTPUTS)):
            undo.enter_context(_replaced(LiveSpan, name, partial(_setting, key)))
        yield


def _dumping(usual: Callable[[Any], str]) -> Callable[[Any], str]:
    def dump_span_attribute_value(value: Any) -> str:
        try:
            text = usual(value)
        except Exception:
            text = json.dumps(plain(value), ensure_ascii=False)
        return storable_text(text)

    return dump_span_attribute_value


def _setting(key: str, usual: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    def set_value(self: Any, value: Any) -> None:
        try:
            usual(self, value)
        except Exception:  # 3.17 looks for attachments in it first
            self.set_attribute(key, value)

    return set_value


@contextmanager
def _replaced(owner: Any, name: str, make: Callable[[Any], Any]) -> Iterator[None]:
    usual = getattr(owner, name)
    setattr(owner, name, make(usual))
    try:
        yield
    finally:
        setattr(owner, name, usual)
