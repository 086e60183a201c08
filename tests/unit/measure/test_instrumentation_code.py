import pytest

from tracegauge.measure.instrumentation_code import count_statements, instrumentation_statements
from tracegauge.measure.instruments import instrument_named


@pytest.mark.parametrize(
    ("source", "statements"),
    [
        ("", 0),
        ("x = 1\ny = 2", 2),
        ("x = (\n    1\n)", 1),  # statements, not lines
        ('"""Docstring."""\nimport a, b', 1),
        ("def f():\n    'doc'\n    return 1", 2),  # the function and its return
        ("@one\n@two()\ndef f():\n    pass", 4),  # decorators are written too
        ("with a as b:\n    if c:\n        d()", 3),
        ("@data\nclass C:\n    x: int = 1", 3),
    ],
)
def test_statements_are_counted(source, statements):
    assert count_statements(source) == statements


def test_each_way_of_tracing_takes_more_code_than_none_and_autolog_least():
    counted = {
        name: instrumentation_statements(instrument_named(name)) for name in ("legacy_runs", "manual_spans", "autolog")
    }
    assert instrumentation_statements(instrument_named("off")) is None
    # import, set_experiment, autolog, flush
    assert counted["autolog"] == 4
    assert counted["autolog"] < counted["manual_spans"] < counted["legacy_runs"]
