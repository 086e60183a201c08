"""MLflow's own pages, in a real browser, on a store that the tracker has filled.

With TRACEGAUGE_SCREENSHOTS set to a folder, pictures of the pages are left there.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tracegauge.config.shipped import shipped_folder
from tracegauge.tracking import MLFlowTracker
from tracegauge.workflows import load_workflow

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

QUESTIONS = ("tidal power", "wave power", "wind power")
LOADED_MS = 60_000
"""How long a page may take on a busy machine: MLflow's is several megabytes of JavaScript."""


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory, running_server: Any) -> Iterator[str]:
    """The address of an experiment on a real server, whose SQLite store the tracker has filled before."""
    folder = tmp_path_factory.mktemp("ui")
    database = folder / "mlflow.db"
    config = {
        "enabled": True,
        "tracking_uri": f"sqlite:///{database}",
        "experiment_name": "energy desk",
        "autolog_enabled": True,
        "delivery": "lossless",
    }
    workflow = load_workflow(str(shipped_folder("examples") / "tools.yaml"))
    with MLFlowTracker(config) as tracker, tracker.instrument():
        experiment_id = tracker.experiment_id
        for question in QUESTIONS:
            workflow.invoke(workflow.fitting({"question": question}))
        report = tracker.flush()
        assert report is not None
        assert report.complete
    with running_server(database) as server:
        yield f"{server.uri}/#/experiments/{experiment_id}"


def look_at(page: Any, address: str, picture: str, awaited: str) -> str:
    """The text of a page, once what is awaited, a regular expression, is in it."""
    page.goto(address)
    try:
        page.wait_for_function(
            "pattern => new RegExp(pattern).test(document.body.innerText)", arg=awaited, timeout=LOADED_MS
        )
    finally:
        if folder := os.environ.get("TRACEGAUGE_SCREENSHOTS"):
            if page.get_by_role("button", name="Got it").is_visible():
                page.get_by_role("button", name="Got it").click()
            page.screenshot(path=Path(folder) / f"{picture}.png", full_page=True)
    return str(page.inner_text("body"))


def test_the_list_shows_every_trace(page: Any, experiment: str) -> None:
    text = look_at(page, f"{experiment}/traces", "traces", QUESTIONS[0])
    for question in QUESTIONS:
        assert question in text


def test_usage_counts_traces_and_tokens(page: Any, experiment: str) -> None:
    text = look_at(page, f"{experiment}/overview/usage", "usage", r"Token Usage\s+[\d.]+K?")
    assert figure(text, "Traces") == len(QUESTIONS)
    assert figure(text, "Token Usage") > 0
    assert figure(text, "Latency") > 0


def test_tool_calls_name_the_tools_and_count_their_calls(page: Any, experiment: str) -> None:
    text = look_at(page, f"{experiment}/overview/tool-calls", "tool-calls", r"calculator\s+\d")
    for tool in ("calculator", "document_search"):
        assert figure(text, tool) == len(QUESTIONS), "the first column counts calls"
    assert re.search(rf"\b{2 * len(QUESTIONS)}\s+Total Tool Calls", text)


def figure(text: str, label: str) -> float:
    """The number that stands below a label."""
    found = re.search(rf"^{label}\s+([\d.]+)", text, re.MULTILINE)
    assert found, f"no figure below {label!r} in: {text}"
    return float(found[1])
