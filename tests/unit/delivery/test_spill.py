"""The folder of texts that wait: bounded, in several files, shared with processes that have ended."""

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from tracegauge.tracking.delivery import spill as spill_module
from tracegauge.tracking.delivery.spill import Spill

URI = "sqlite:///somewhere.db"


def drain(spill: Spill, count: int = 3) -> list[str | None]:
    texts = []
    while found := spill.read(count):
        file, lines = found
        texts += [line.text for line in lines]
        spill.remove(file, lines)
    return texts


def test_texts_leave_in_the_order_in_which_they_came(tmp_path: Path):
    spill = Spill(tmp_path / "made" / "when-needed", URI, max_bytes=10_000)
    assert not (tmp_path / "made").exists()
    assert [spill.append(str(number)) for number in range(10)] == [None] * 10
    assert len(spill) == 10
    assert drain(spill) == [str(number) for number in range(10)]
    assert len(spill) == 0
    assert not list(spill._folder.iterdir()), "a drained file is removed"


def test_it_takes_no_more_than_it_may_and_more_again_once_drained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(spill_module, "FILE_BYTES", 300)
    spill = Spill(tmp_path, URI, max_bytes=1000)
    answers = [spill.append("x" * 90) for _ in range(20)]  # 100 bytes a line, and one more at the start of a file
    accepted = answers.count(None)
    assert answers == [None] * accepted + [answers[-1]] * (20 - accepted)
    assert "reached" in answers[-1]
    assert 8 <= accepted <= 10
    assert len(list(tmp_path.iterdir())) > 1
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 1000
    file, lines = spill.read(100)
    spill.remove(file, lines)
    assert spill.append("x" * 90) is None, "a drained file has made room"


def test_what_one_process_leaves_the_next_one_takes_over_once(tmp_path: Path):
    first = Spill(tmp_path, URI, max_bytes=1000)
    first.append("left")
    others = Spill(tmp_path, "http://another.store", max_bytes=1000)
    others.append("not for us")
    second = Spill(tmp_path, URI, max_bytes=1000)
    second.take_over()
    assert len(second) == 0, "the first one still has its file"
    first.close()
    others.close()
    second.take_over()
    second.take_over()
    third = Spill(tmp_path, URI, max_bytes=1000)
    third.take_over()
    assert (drain(second), drain(third)) == (["left"], [])
    assert len(list(tmp_path.iterdir())) == 1, "the other store's file is left alone"


def test_damaged_lines_are_counted(tmp_path: Path):
    spill = Spill(tmp_path, URI, max_bytes=1000)
    spill.append("a")
    spill.append("b")
    spill.close()
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes().replace(b" a\n", b" A\n"))
    again = Spill(tmp_path, URI, max_bytes=1000)
    assert again.take_over() == 1
    assert drain(again) == ["b"]


def test_the_names_of_files_give_no_password_away(tmp_path: Path):
    spill = Spill(tmp_path, "postgresql://user:secret@host/db", max_bytes=1000)
    spill.append("a")
    assert "secret" not in str(list(tmp_path.iterdir()))
    assert "secret" not in next(tmp_path.iterdir()).read_text()


def test_a_folder_that_cant_be_made_is_a_reason_not_an_error(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    assert str(tmp_path) in Spill(tmp_path / "file" / "spill", URI, max_bytes=1000).append("a")


@pytest.fixture
def files_of_at_most_1000_bytes() -> Iterator[None]:
    """A limit on the size of files ends writes as a full disk does: in the middle of a line."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("files_of_at_most_1000_bytes")
def test_a_full_disk_is_a_reason_and_spoils_nothing_before(tmp_path: Path):
    spill = Spill(tmp_path, URI, max_bytes=10_000)
    texts = [f"{number:090}" for number in range(12)]
    accepted = [text for text in texts if spill.append(text) is None]
    assert accepted == texts[:10]  # 100 bytes a line
    assert str(tmp_path) in spill.append("x" * 90)
    spill.close()
    again = Spill(tmp_path, URI, max_bytes=10_000)
    again.take_over()
    assert drain(again) == accepted
