"""The files that `tracegauge init` writes into somebody's own repository, as text."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracegauge.config.shipped import shipped_folder

CAMPAIGN_PATH, BENCH_PATH, INPUTS_PATH, JUDGES_PATH = (
    Path("bench/campaign.yaml"),
    Path("bench/bench_agent.py"),
    Path("bench/inputs.yaml"),
    Path("judges"),
)

_CAMPAIGN = """\
# What tracing costs this agent, and which claims that has to stand up to.
# Measure it:  tracegauge bench bench/campaign.yaml
schema_version: "1.0"
name: {name}
description: What MLflow tracing costs {name}.

matrix:
  # What is traced: langgraph.json#graph, package.module:attribute or file.py:attribute.
  workflows:
    - workflow: {reference}
      name: {name}
{inputs}
  # How it is traced. `off` is the baseline; add legacy_runs for the nested runs of MLflow 2.9.
  instruments: [off, manual_spans, autolog]
  # Where traces go: sqlite, file.
  backends: [sqlite]
  # How they get there: mlflow (its own export), sync, lossless.
  deliveries: [mlflow]
  # How many callers at once, such as [1, 8].
  concurrency: [1]

measure:
  blocks: 8          # every cell once per block, each time in a fresh process; more blocks decide more
  invocations: 10    # measured invocations per cell and block
  warmups: 2
  read_sizes: []     # such as [100, 1000]: also measure reading from stores that hold so many traces

criteria:
  - id: autolog-latency
    claim: Autolog delays a caller by no more than 5% or 10 ms.
    kind: ratio
    metric: latency_p50_ms
    candidate: {{instrument: autolog}}
    baseline: {{instrument: off}}
    margin: 0.05           # relative: 5%
    absolute_margin: 10    # or so many ms; the more generous of the two counts
  - id: nothing-lost
    claim: No trace is lost.
    kind: count
    metric: traces_lost
    candidate: {{instrument: autolog}}
"""

_NO_INPUTS = """\
      # inputs: bench/inputs.yaml   # one input, or a list of them that is cycled through\
"""

_BENCH = '''\
"""What tracing costs {name}, as pytest-benchmark sees it.

    pytest bench --benchmark-autosave     # measure and save
    pytest bench --benchmark-compare      # measure again, compare with what was saved

All benchmarks here replay one campaign, in which the cells take turns: bench/campaign.yaml says what it measures.
"""

import pytest

# The first benchmark waits for the whole campaign.
pytestmark = pytest.mark.tracegauge(campaign="{campaign}")


@pytest.mark.tracegauge(metric="latency")
def bench_latency(replay):
    """How long a caller waits for an invocation."""
    replay()


@pytest.mark.tracegauge(metric="cpu")
def bench_cpu(replay):
    """CPU time per invocation, export included."""
    replay()
'''

_INPUTS = """\
# Inputs that {name} is invoked with, in turn: one mapping per input, with the fields of the graph's state.
# These are made up: put questions here that your agent really gets, and leave out what it fills in by itself.
"""

_SAMPLES: dict[str, Any] = {"integer": 0, "number": 0.0, "boolean": False, "array": [], "object": {}}
"""What a graph mostly finds in fields that it counts up or fills in by itself."""

_GENERIC = re.compile(r"(make_|build_|create_|get_|compiled_)?(graph|agent|app|builder|workflow|main|src)(_builder)?")
"""Names that say nothing of what a graph is for."""


def campaign_text(name: str, reference: str, inputs: str | None) -> str:
    """The campaign file; `inputs` is the file of inputs that it names."""
    given = f"      inputs: {inputs}" if inputs else _NO_INPUTS
    return _CAMPAIGN.format(name=name, reference=json.dumps(reference), inputs=given)


def bench_text(name: str) -> str:
    """The benchmarks for pytest."""
    return _BENCH.format(name=name, campaign=CAMPAIGN_PATH.as_posix())


def inputs_text(name: str, properties: Mapping[str, Any]) -> str:
    """A file with one made-up input; `properties` are those of the JSON Schema of the graph's input."""
    fields = {field: _SAMPLES.get(schema.get("type", ""), "tidal power") for field, schema in properties.items()}
    lines = [f"{json.dumps(field)}: {json.dumps(value)}" for field, value in fields.items()]
    return _INPUTS.format(name=name) + "- " + "\n  ".join(lines or ["{}"]) + "\n"


def starter_judges() -> dict[Path, str]:
    """The judges that come with tracegauge, by where they go."""
    return {
        JUDGES_PATH / file.name: file.read_text(encoding="utf-8")
        for file in sorted(shipped_folder("judges").glob("*.yaml"))
    }


def graph_name(reference: str) -> str:
    """What a graph may be called: `shop.agent:graph` is "shop", as `graph` and `agent` say nothing."""
    path, _, chosen = reference.partition("#")
    if chosen:
        return campaign_name(chosen)
    place, _, attribute = path.rpartition(":")
    names = [attribute, *reversed(re.split(r"[./\\]+", place.removesuffix(".py").lstrip("./\\")))]
    telling = (name for name in names if name and not _GENERIC.fullmatch(name.lower()))
    return campaign_name(next(telling, attribute))


def campaign_name(name: str) -> str:
    """A name as campaigns want it: letters, digits and underscores."""
    plain = re.sub(r"\W", "_", name, flags=re.ASCII) or "agent"
    return plain if not plain[0].isdigit() else f"_{plain}"
