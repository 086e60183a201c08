"""Which requests go wrong, and how: by seed and content, whatever the order in which requests come."""

from collections import Counter
from dataclasses import dataclass, field

from tracegauge.mock_llm.requests import ChatRequest
from tracegauge.mock_llm.script import Fault, MockScript


@dataclass
class Faults:
    """Chooses the fault of each request; counts how often equal requests came."""

    script: MockScript
    _seen: Counter[str] = field(default_factory=Counter)

    def of(self, request: ChatRequest) -> Fault | None:
        """What goes wrong with this request, if anything does."""
        if not self.script.faults:
            return None
        self._seen[request.digest] += 1
        time = self._seen[request.digest]
        chance = request.random(self.script.seed, "fault", time).random()
        for fault in self.script.faults:
            if not request.holds(fault.match, fault.model) or (fault.first is not None and time > fault.first):
                continue
            if chance < fault.rate:
                return fault
            chance -= fault.rate
        return None
