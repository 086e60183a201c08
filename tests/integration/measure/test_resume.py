"""`tracegauge bench` interrupted in the middle of a sequential campaign, and gone on with by `--resume`."""

import json
import signal
import subprocess
import sys
from xml.etree import ElementTree

import pytest

CAMPAIGN = """
schema_version: "1.0"
name: small
matrix:
  workflows: [{workflow: "graph.py:graph", name: agent, inputs: inputs.json}]
  instruments: [off]
measure: {sequential: {looks: [2, 3]}, invocations: 2, warmups: 1, read_sizes: []}
criteria:
  - {kind: limit, id: fast, claim: It is fast., metric: latency_p50_ms, limit: 60000, candidate: {instrument: off}}
"""
GRAPH = """
from typing import TypedDict
from langgraph.graph import StateGraph, START, END
class S(TypedDict): n: int
def step(state): return {"n": state["n"] + 1}
graph = StateGraph(S).add_node("step", step).add_edge(START, "step").add_edge("step", END).compile()
"""


@pytest.mark.slow
def test_ctrl_c_keeps_the_blocks_that_were_done_and_resume_goes_on_behind_them(tmp_path):
    (tmp_path / "small.yaml").write_text(CAMPAIGN)
    (tmp_path / "graph.py").write_text(GRAPH)
    (tmp_path / "inputs.json").write_text('{"n": 1}')
    command = [sys.executable, "-m", "tracegauge", "bench", "small.yaml"]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A shell's background jobs ignore Ctrl-C, and so would what the tests of such a job start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    for line in process.stderr:
        if line.startswith("block 2 of at most 3"):
            process.send_signal(signal.SIGINT)
            break
    told, _ = process.communicate(timeout=120)
    assert process.returncode == 130
    (folder,) = (tmp_path / "reports").glob("small-*")
    assert f"kept in reports/{folder.name}" in told
    assert "tracegauge bench small.yaml --out reports --resume" in told
    first = (folder / "samples.jsonl").read_bytes()
    assert [json.loads(line)["block"] for line in first.splitlines()] == [0]
    assert not (folder / "work").exists()

    # as if the power had gone as well, while the second block was written down
    (folder / "samples.jsonl").write_bytes(first + first[: len(first) // 2])
    outputs = ["--resume", "--json", "--junit-xml", "junit.xml", "--markdown", "summary.md"]
    done = subprocess.run([*command, *outputs], cwd=tmp_path, text=True, capture_output=True, timeout=240, check=False)
    assert done.returncode == 2, done.stderr  # three blocks give no interval
    assert (folder / "samples.jsonl").read_bytes().startswith(first)
    lines = (folder / "samples.jsonl").read_bytes().splitlines()
    assert [json.loads(line)["block"] for line in lines] == [0, 1, 2]
    verdict = json.loads(done.stdout)
    assert (verdict["verdict"], verdict["criteria"][0]["blocks"]) == ("INCONCLUSIVE", 3)
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert [case.find("skipped") is not None for case in suite.iter("testcase")] == [True]
    assert "INCONCLUSIVE" in (tmp_path / "summary.md").read_text()
    assert [path.name for path in (tmp_path / "reports").glob("small-*")] == [folder.name]

    again = subprocess.run(
        [*command, "--resume"], cwd=tmp_path, text=True, capture_output=True, timeout=60, check=False
    )
    assert again.returncode == 3
    assert "is finished" in again.stderr
