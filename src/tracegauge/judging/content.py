"""What a judge sees of a trace or a conversation."""

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property

from mlflow.entities import Trace


@dataclass(frozen=True)
class Content:
    """The texts that stand for a judge's variables; None where the trace has none or the judge needs none."""

    inputs: str | None = None
    outputs: str | None = None
    expectations: str | None = None
    trace: str | None = None
    conversation: str | None = None
    traces: tuple[Trace, ...] = field(default=(), compare=False, repr=False)
    """What the texts were taken from, for judges that are code."""

    @property
    def texts(self) -> dict[str, str]:
        """The texts that are there, by variable."""
        named = {
            "inputs": self.inputs,
            "outputs": self.outputs,
            "expectations": self.expectations,
            "trace": self.trace,
            "conversation": self.conversation,
        }
        return {name: text for name, text in named.items() if text is not None}

    @property
    def chars(self) -> int:
        """Characters of all texts together."""
        return sum(map(len, self.texts.values()))

    @cached_property
    def digest(self) -> str:
        """16 hex digits of SHA-256 over the texts; over the traces where a judge sees no text."""
        seen = json.dumps(self.texts or [trace.to_json() for trace in self.traces], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(seen.encode("utf-8", "surrogatepass")).hexdigest()[:16]
