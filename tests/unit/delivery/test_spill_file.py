"""The file of texts that wait on disk: nothing that was appended is lost, whatever happens to its end."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracegauge.tracking.delivery.spill_file import SpillFile

# Any text without a line break and without halves of surrogate pairs: what a line of JSON is.
texts = st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=("Cs",))), max_size=20)


def file_with(folder: Path, lines: list[str]) -> SpillFile:
    file = SpillFile.create(folder / "a.spill")
    for line in lines:
        file.append(line)
    return file


def waiting(file: SpillFile) -> list[str | None]:
    return [line.text for line in file.read(1000)]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory):
    """Makes a new folder for each example that hypothesis tries."""
    base = tmp_path_factory.mktemp("spill")
    return lambda: Path(tempfile.mkdtemp(dir=base))


@given(lines=texts, first=st.integers(0, 20))
def test_lines_come_out_as_they_went_in_and_outlive_the_process(fresh, lines, first):
    file = file_with(fresh(), lines)
    head = file.read(first)
    assert [line.text for line in head] == lines[:first]
    if head:
        file.remove(head)
    assert waiting(file) == lines[first:]
    assert file.count == len(lines[first:])
    file.close()
    assert file.path.exists() == bool(lines[first:]), "an empty file is removed, any other stays"
    if lines[first:]:
        # What was removed before is in the file still: it comes a second time rather than never.
        assert waiting(SpillFile.take_over(file.path)) == lines


@given(lines=texts.filter(bool), cut=st.integers(0))
def test_a_file_cut_anywhere_keeps_the_lines_before_the_cut(fresh, lines, cut):
    """A line is 9 characters of checksum and space, its text, and a line break."""
    file = file_with(fresh(), lines)
    file.close()
    data = file.path.read_bytes()
    cut %= len(data)
    file.path.write_bytes(data[:cut])
    ends, end = [], 0
    for line in lines:
        end += 9 + len(line.encode()) + 1
        ends.append(end)
    intact = [line for line, end in zip(lines, ends, strict=True) if end <= cut]
    again = SpillFile.take_over(file.path)
    assert waiting(again) == intact
    assert again.count == len(intact)
    again.append("after")
    assert waiting(again) == [*intact, "after"], "a torn line does not spoil the next one"


@given(lines=texts.filter(bool), where=st.integers(0), bit=st.integers(0, 7))
def test_one_flipped_bit_costs_at_most_the_lines_it_touches(fresh, lines, where, bit):
    file = file_with(fresh(), lines)
    file.close()
    data = bytearray(file.path.read_bytes())
    data[where % len(data)] ^= 1 << bit
    file.path.write_bytes(data)
    found = waiting(SpillFile.take_over(file.path))
    # A flipped line break joins two lines; a flip that makes one splits a line in two. Neither passes the checksum.
    assert set(found) <= set(lines)
    assert len(found) >= len(lines) - 2


@given(garbage=st.binary(max_size=300))
def test_any_bytes_are_a_file_of_no_lines(fresh, garbage):
    path = fresh() / "a.spill"
    path.write_bytes(garbage)
    assert waiting(SpillFile.take_over(path)) == []


def test_only_one_holder_at_a_time(tmp_path: Path):
    """The lock belongs to the open file: a second opening is refused in the same process as in another one."""
    file = file_with(tmp_path, ["a"])
    assert SpillFile.take_over(file.path) is None
    file.close()
    assert waiting(SpillFile.take_over(file.path)) == ["a"]


def test_a_file_that_is_gone_is_nobodys(tmp_path: Path):
    assert SpillFile.take_over(tmp_path / "gone.spill") is None
