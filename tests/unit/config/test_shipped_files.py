"""Files are found in the current directory first, and then among those that come with tracegauge."""

from pathlib import Path

import pytest

from tracegauge.config.errors import ConfigError
from tracegauge.config.shipped import find_file, shipped_folder

ARTICLE = "examples/article_writer_sqlite.yaml"


def test_a_shipped_file_is_found_from_any_folder(workdir: Path) -> None:
    assert find_file(ARTICLE) == shipped_folder("examples") / "article_writer_sqlite.yaml"
    assert find_file(f"./{ARTICLE}").is_file()
    assert find_file("examples/own_graph/langgraph.json").is_file()
    assert find_file("bench/quick.yaml").is_file()


def test_the_user_s_own_file_goes_first(workdir: Path) -> None:
    (workdir / "examples").mkdir()
    (workdir / ARTICLE).write_text("mine")
    assert find_file(ARTICLE).read_text() == "mine"
    assert find_file("examples/tools.yaml").is_file(), "a folder of that name hides no other shipped file"


@pytest.mark.parametrize(
    ("reference", "hint"),
    [
        ("examples/article_writer_sqlit.yaml", ARTICLE),
        ("flwo.yaml", "flow.yaml"),
        ("nothing/at/all", "name a file that exists"),
    ],
)
def test_what_is_not_found_is_told_with_where_it_was_looked_for(reference: str, hint: str, workdir: Path) -> None:
    (workdir / "flow.yaml").touch()
    with pytest.raises(ConfigError) as caught:
        find_file(reference)
    assert str(workdir) in caught.value.message
    assert hint in (caught.value.hint or "")
