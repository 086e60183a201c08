"""The redactor by itself; what it does to whole stores is tested with real ones."""

import json

from hypothesis import given
from hypothesis import strategies as st

from tracegauge.tracking.redaction import Redactor

SECRET = "sk-12345"
REDACTOR = Redactor([r"sk-\d+"])

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.just(SECRET),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just(SECRET), inner),
    max_leaves=20,
)


@given(JSON)
def test_nothing_that_matches_is_left_anywhere(value: object):
    assert SECRET not in REDACTOR.json(json.dumps(value))
    assert SECRET not in REDACTOR.json(json.dumps({"nested": json.dumps(value)}))


@given(JSON)
def test_what_comes_out_is_json_and_what_does_not_match_is_untouched(value: object):
    text = json.dumps(value)
    redacted = REDACTOR.json(text)
    json.loads(redacted)
    if SECRET not in text:
        assert redacted == text


@given(st.binary())
def test_bytes_that_are_no_text_survive(content: bytes):
    assert REDACTOR.content(content) == content or b"sk-" in content
    assert REDACTOR.content(b"\xff" + SECRET.encode()) == b"\xff[REDACTED]"


def test_escapes_hide_nothing():
    redactor = Redactor([r'pass"word', "Schlüssel"])
    assert redactor.json(json.dumps({"a": 'pass"word', "b": "Schlüssel"})) == json.dumps(
        {"a": "[REDACTED]", "b": "[REDACTED]"}
    )


def test_numbers_match_as_they_are_written():
    redactor = Redactor([r"\b\d{4}\b"])
    assert redactor.value([1234, 12345, True, 1.5]) == ["[REDACTED]", 12345, True, 1.5]
