"""Anchors, aliases and merges of YAML, which must not be mistaken for keys given twice, nor blow up."""

import pytest

from tracegauge.config.errors import ConfigError
from tracegauge.config.yaml_file import parse_yaml


def test_own_keys_go_over_merged_ones() -> None:
    text = "base: &base {a: 1, b: 2}\none:\n  <<: *base\n  b: 3\ntwo:\n  b: 4\n  <<: *base\n"
    document = parse_yaml(text, "x.yaml")
    assert document.data == {"base": {"a": 1, "b": 2}, "one": {"a": 1, "b": 3}, "two": {"a": 1, "b": 4}}
    assert document.position(("one", "b"), of_key=True).line == 4
    assert document.position(("one", "a"), of_key=True).line == 1


def test_a_mapping_with_merged_keys_can_be_used_again() -> None:
    text = "base: &base {a: 1}\none: &one\n  <<: *base\n  a: 2\ntwo: *one\nthree: {<<: *one, c: 3}\n"
    assert parse_yaml(text, "x.yaml").data["three"] == {"a": 2, "c": 3}
    assert parse_yaml(text, "x.yaml").data["two"] == {"a": 2}


def test_a_key_given_twice_beside_a_merge_is_still_an_error() -> None:
    with pytest.raises(ConfigError, match="the key 'b' is given twice") as caught:
        parse_yaml("base: &base {a: 1}\none:\n  <<: *base\n  b: 3\n  b: 4\n", "x.yaml")
    assert (caught.value.line, caught.value.column) == (5, 3)


def test_aliases_of_aliases_do_not_blow_up() -> None:
    lines = ["l0: &l0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]" for i in range(1, 9)]  # 9 ** 9 values
    with pytest.raises(ConfigError, match="stands for more than"):
        parse_yaml("\n".join(lines), "x.yaml")
