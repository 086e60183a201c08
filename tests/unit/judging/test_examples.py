import json

import pytest
from mlflow.entities import Trace

from tracegauge.config.errors import ConfigError
from tracegauge.judging.example_traces import traces_of
from tracegauge.judging.examples import Example, read_examples

GOOD = {"item": "one", "label": True, "source": "synthetic", "inputs": "hi", "outputs": "ho"}


def written(tmp_path, *lines):
    file = tmp_path / "set.jsonl"
    file.write_text("".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines))
    return file


def test_a_set_is_read_in_order(tmp_path):
    file = written(tmp_path, GOOD, "\n", {**GOOD, "item": "two", "label": "no", "hard": True})
    assert [(one.item, one.label, one.hard) for one in read_examples(file)] == [
        ("one", True, False),
        ("two", "no", True),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{oops\n", "set.jsonl:2:2: no JSON"),
        ({**GOOD, "item": "two", "lable": 1}, "did you mean 'label'"),
        (GOOD, "set.jsonl:2: the item 'one' is there twice"),
        ({**GOOD, "item": "two", "source": "me"}, "set.jsonl:2: source: Input should be 'synthetic' or 'human'"),
        ({"item": "two", "label": 1, "source": "human"}, "needs `inputs`, or `turns`"),
        ({**GOOD, "item": "two", "turns": [{"inputs": "a", "outputs": "b"}]}, "an example has `turns`, or"),
    ],
)
def test_a_wrong_line_is_told_with_its_place(tmp_path, line, message):
    with pytest.raises(ConfigError) as error:
        read_examples(written(tmp_path, GOOD, line))
    assert message in str(error.value)


def test_an_empty_set_and_one_that_is_not_there_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="no examples"):
        read_examples(written(tmp_path, "\n"))
    with pytest.raises(ConfigError, match=r"nowhere\.jsonl"):
        read_examples(tmp_path / "nowhere.jsonl")


def test_an_example_becomes_a_trace_with_its_steps():
    spans = [
        {"name": "search", "type": "RETRIEVER", "inputs": {"query": "q"}, "outputs": [{"page_content": "text"}],
         "duration_ms": 40},
        {"name": "search", "type": "TOOL", "duration_ms": 60, "error": "no network"},
    ]  # fmt: skip
    example = Example.model_validate({**GOOD, "spans": spans, "expectations": {"answer": "ho"}})
    (trace,) = traces_of(example)
    root, retrieval, tool = trace.data.spans
    assert (root.inputs, root.outputs, root.parent_id, root.span_type) == ("hi", "ho", None, "AGENT")
    assert retrieval.parent_id == tool.parent_id == root.span_id
    assert retrieval.span_id != tool.span_id
    assert retrieval.outputs == [{"page_content": "text"}]
    assert tool.status.description == "no network"
    assert tool.start_time_ns == retrieval.end_time_ns
    assert trace.info.execution_duration == 100
    assert trace.info.assessments[0].value == "ho"
    again = Trace.from_json(trace.to_json())  # as a code judge's process gets it
    assert again.data.spans[1].outputs == [{"page_content": "text"}]
    assert traces_of(example)[0].to_json() == trace.to_json()


def test_a_failed_slow_trace():
    example = Example.model_validate({**GOOD, "outputs": None, "duration_ms": 90_000, "error": "out of memory"})
    (trace,) = traces_of(example)
    assert trace.info.execution_duration == 90_000
    assert trace.info.state == "ERROR"
    assert trace.data.spans[0].outputs is None


def test_turns_become_a_session_in_order():
    turns = [{"inputs": "a", "outputs": "b"}, {"inputs": "c", "outputs": "d"}]
    example = Example.model_validate({"item": "talk", "label": "yes", "source": "human", "turns": turns})
    first, second = traces_of(example)
    assert first.info.trace_metadata["mlflow.trace.session"] == second.info.trace_metadata["mlflow.trace.session"]
    assert first.info.request_time < second.info.request_time
    assert [trace.data.spans[0].inputs for trace in (first, second)] == ["a", "c"]
    assert first.info.trace_id != second.info.trace_id
