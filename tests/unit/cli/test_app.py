"""The command line in a process of its own: exit codes, and errors that people can act on."""

import json
import os
import subprocess
import sys

import pytest
import typer

from tracegauge.cli.app import app
from tracegauge.cli.landing import DEEDS
from tracegauge.cli.reference import commands_of


def tracegauge(*arguments, **options):
    command = [sys.executable, "-m", "tracegauge", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)


def test_help_and_version_need_neither_mlflow_nor_langgraph():
    code = (
        "import sys; sys.argv = ['tracegauge', '--help']\n"
        "from tracegauge.cli import main\n"
        "try: main()\n"
        "except SystemExit as exit: assert exit.code == 0, exit.code\n"
        "names = ('mlflow', 'langgraph', 'langchain_core', 'pandas', 'matplotlib', 'scipy')\n"
        "heavy = [name for name in names if name in sys.modules]\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "bench" in done.stdout


@pytest.mark.parametrize("width", [40, 120])
def test_alone_it_shows_five_things_to_do_each_of_which_exists(width):
    done = tracegauge(env={**os.environ, "COLUMNS": str(width), "NO_COLOR": "1"})
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= width
    known = {name for name, _ in commands_of(typer.main.get_command(app))}
    assert len(DEEDS) == 5
    for command, _ in DEEDS:
        assert command in done.stdout
        assert any(command.startswith(name) for name in known), command


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("tracegauge judge c", ["calibrate", "compare"]),
        ("tracegauge report --h", ["--history", "--help"]),
        ("tracegauge report --format ", ["png", "svg"]),
    ],
)
def test_a_shell_completes_commands_options_and_values(typed, offered):
    code = "import sys; sys.argv = ['tracegauge']; from tracegauge.cli import main; main()"
    asked = {"_TRACEGAUGE_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **asked})
    assert (done.returncode, done.stdout.split()) == (0, offered), done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "No such command"),
        (["bench", "--nonsense"], "No such option"),
        (["report"], "there is no report in reports"),
        (["bench", "no-such.yaml"], "there is no file 'no-such.yaml'"),
        (["bench", "bench/quik.yaml"], "did you mean bench/quick.yaml"),
        (["report", "nowhere"], "nowhere: there is no such folder"),
        (["bench", "bench/quick.yaml", "--inputs", "x.json"], "it names its inputs itself"),
        (["bench", "bench/quick.yaml", "--budget", "soon"], "write 90s, 20m or 1h"),
        (["bench", "bench/quick.yaml", "--resume"], "there is no campaign 'quick' to resume"),
        (["run", "examples/article_writer_sqlite.yaml", "--input", "topic"], "has no value"),
        (["run", "examples/article_writer_sqlite.yaml", "--input", "topik=tides"], "did you mean 'topic'?"),
        (["run", "no.such.module:graph"], "importing no.such.module failed: ModuleNotFoundError"),
    ],
)
def test_usage_errors_exit_with_3(tmp_path, arguments, said):
    done = tracegauge(*arguments, cwd=tmp_path)
    assert (done.returncode, said in done.stderr + done.stdout) == (3, True), done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


CAMPAIGN = """\
schema_version: "1.0"
name: wrong
matrix:
  workflows:
    - workflow: examples/article_writer_sqlite.yaml
      name: writer
  instruments: [off, autolog]
  backends: [sqlite]
measure: {blocks: 1, invocations: 1, read_sizes: []}
criteria:
  - kind: ratio
    id: one
    claim: It is fast.
    metric: latency_p50_ms
    candidate: {instrument: autolog}
    baseline: {instrument: off}
    margin: 0.05
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("matrix:", "matrix: [", "wrong.yaml:5:5: this is not YAML"),
        ("name: writer", "nmae: writer", "wrong.yaml:6:7: unknown key 'nmae'"),
        ("blocks: 1", "blocks: 0", "wrong.yaml:9:19"),
        ("autolog]", "autlog]", "wrong.yaml:7:22: unknown instrument 'autlog'"),
        ("[sqlite]", "[sqllite]", "wrong.yaml:8:14: unknown backend 'sqllite'"),
        ("[sqlite]", "[sqlite]\n  deliveries: [losless]", "wrong.yaml:9:16: unknown delivery 'losless'"),
        ("baseline: {instrument: off}", "baseline: {instrument: legacy_runs}", "'one'"),
        ("latency_p50_ms", "latency_p50", "there is no metric 'latency_p50'"),
        ("candidate: {instrument: autolog}", "candidate: {instrument: off}", "compares writer-off-c1 with itself"),
        ("margin: 0.05", "margin: -0.05", "wrong.yaml:17:13"),
    ],
)
def test_a_wrong_campaign_is_refused_with_its_place(tmp_path, old, new, said):
    (tmp_path / "wrong.yaml").write_text(CAMPAIGN.replace(old, new, 1))
    done = tracegauge("bench", "wrong.yaml", cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["wrong.yaml"]


@pytest.mark.parametrize(
    ("workflow", "said"),
    [
        ("broken.py:graph", "importing broken.py failed: ZeroDivisionError: division by zero"),
        pytest.param("no-such-workflow.yaml", "there is no file 'no-such-workflow.yaml'", marks=pytest.mark.slow),
        pytest.param("plain.py:graph", "is a int, not a LangGraph graph", marks=pytest.mark.slow),
        pytest.param("plain.py:graf", "did you mean 'graph'?", marks=pytest.mark.slow),
    ],
)
def test_a_workflow_that_cannot_be_used_is_refused_before_anything_is_measured(tmp_path, workflow, said):
    (tmp_path / "broken.py").write_text("graph = 1 / 0\n")
    (tmp_path / "plain.py").write_text("graph = 1\n")
    (tmp_path / "wrong.yaml").write_text(CAMPAIGN.replace("examples/article_writer_sqlite.yaml", workflow))
    done = tracegauge("bench", "wrong.yaml", cwd=tmp_path)
    assert (done.returncode, said in done.stderr) == (3, True), done.stderr
    assert list(tmp_path.glob("reports/*")) == []


def test_an_input_that_does_not_fit_the_state_names_field_and_file(tmp_path):
    (tmp_path / "inputs.yaml").write_text("- {topic: tides}\n- {topik: tides}\n")
    done = tracegauge("bench", "examples/article_writer_sqlite.yaml", "--inputs", "inputs.yaml", cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    assert "inputs.yaml:2:4: input 2 has an unknown field 'topik'" in done.stderr


GRAPH = """
from typing import TypedDict
from langgraph.graph import END, START, StateGraph

class State(TypedDict):
    n: int

def third(state):
    if state["n"] == 3:
        raise ValueError("three is too many")
    return {"n": state["n"] + 1}

graph = StateGraph(State).add_node("third", third).add_edge(START, "third").add_edge("third", END).compile()
"""


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--inputs", "wrong.yaml"], 3, "wrong.yaml:1:1: the input has an unknown field 'm'"),
        (["--inputs", "text.yaml"], 3, "text.yaml:1:4: the input does not fit in the field 'n': it is 'three'"),
        (["--input", "n=3"], 4, "graph.py:10: graph failed: ValueError: three is too many"),
        (["--input", "n=4", "--json"], 0, ""),
    ],
)
def test_a_graph_of_ones_own_gets_the_input_that_it_is_given(tmp_path, arguments, code, said):
    (tmp_path / "graph.py").write_text(GRAPH)
    (tmp_path / "wrong.yaml").write_text("m: 1\n")
    (tmp_path / "text.yaml").write_text("n: three\n")
    done = tracegauge("run", "graph.py:graph", *arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    if code == 0:
        assert json.loads(done.stdout) == {"n": 5}


def test_an_output_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "reports").write_text("in the way")
    done = tracegauge("bench", "bench/quick.yaml", cwd=tmp_path)
    assert done.returncode == 3
    assert "the output folder reports can't be written to" in done.stderr
    assert (tmp_path / "reports").read_text() == "in the way"


def test_a_full_disk_is_told_and_nothing_is_left(tmp_path):
    """RLIMIT_FSIZE makes every write beyond it fail, as a full disk does."""
    code = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "import sys; sys.argv = ['tracegauge', 'bench', 'bench/quick.yaml']\n"
        "from tracegauge.cli import main; main()"
    )
    command = [sys.executable, "-B", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    assert "the output folder reports can't be written to" in done.stderr
    assert list(tmp_path.glob("reports/*")) == []
