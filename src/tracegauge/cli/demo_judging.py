"""What the demo's judges say: ten traces of the example, scored by the judges that come with tracegauge."""

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracegauge.results.judges_report import JudgesReport

WORKFLOW = "examples/article_writer_sqlite.yaml"
TOPICS = "bench/article_topics.yaml"
STORE = "judged.db"
JUDGES = ("answer_relevance", "conciseness", "latency_budget", "personal_data", "task_completion")
"""Those that fit the example, which has neither documents nor tools nor conversations."""
_INVOCATIONS = 10


def judge_demo(folder: Path) -> "JudgesReport":
    """Trace the example into a database in the campaign's folder, score the traces and write `judges.json` there.

    Judges that ask a model ask the one that `TRACEGAUGE_JUDGE_MODEL` names, else a mock LLM, which their scores say.
    Raises ConfigError and JudgingStoppedError.
    """
    from tracegauge.config.judge import load_judges
    from tracegauge.config.judge_files import MODEL_VARIABLE
    from tracegauge.config.shipped import shipped_folder
    from tracegauge.judging.engine.work import Work
    from tracegauge.mock_llm import MockScript, running_mock
    from tracegauge.results.files import write_record
    from tracegauge.results.judges_report import JUDGES_FILE

    uri = f"sqlite:///{(folder / STORE).absolute()}"
    _trace_the_example(uri)
    judges = [shipped_folder("judges")]
    with ExitStack() as stack:
        if os.environ.get(MODEL_VARIABLE):
            specs = load_judges(judges)
        else:
            mock = stack.enter_context(running_mock(MockScript()))
            specs = load_judges(judges, "openai:/mock-judge", mock.url)
        work = Work(specs, uri, only=JUDGES)
        work.run()
        report = work.status(folder).model_copy(update={"store": f"sqlite:///{STORE}"})  # beside it, wherever that goes
    write_record(folder / JUDGES_FILE, report)
    return report


def _trace_the_example(uri: str) -> None:
    from tracegauge.tracking import MLFlowTracker
    from tracegauge.workflows import load_workflow

    loaded = load_workflow(WORKFLOW, inputs=TOPICS)
    tracking = {"enabled": True, "tracking_uri": uri, "experiment_name": loaded.name, "autolog_enabled": True}
    with MLFlowTracker(tracking, loaded.file) as tracker, tracker.instrument():
        graph = tracker.wrap_nodes(loaded.graph)
        for number in range(_INVOCATIONS):
            given = dict(loaded.inputs[number % len(loaded.inputs)])
            with tracker.span(loaded.name, inputs=given) as span:
                span.set_outputs(loaded.invoke_graph(graph, given, {}))
        tracker.flush()
