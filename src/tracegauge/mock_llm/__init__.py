"""A mock of an OpenAI-compatible endpoint: for tests, benchmarks, demos and graphs that need no real model.

It imports nothing else of tracegauge, so that it can stand in for a foreign server.
"""

from tracegauge.mock_llm.process import MockProcess, running_mock
from tracegauge.mock_llm.script import Fault, MockScript, Rule
from tracegauge.mock_llm.server import serve

__all__ = ["Fault", "MockProcess", "MockScript", "Rule", "running_mock", "serve"]
