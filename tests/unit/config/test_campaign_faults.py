"""What can be wrong with the shape of a campaign file, told with its line and column."""

from pathlib import Path

import pytest

from tracegauge.config.errors import ConfigError
from tracegauge.config.loading import load_campaign
from tracegauge.config.shipped import find_file

GOOD = """\
schema_version: "1.0"
name: small
matrix:
  workflows: [{workflow: examples/tools.yaml, name: tools}]
  instruments: [off, autolog]
measure: {blocks: 2}
criteria:
  - {kind: ratio, id: a, claim: c, metric: m, candidate: {instrument: autolog}, baseline: {instrument: off}, margin: 0}
  - {kind: count, id: b, claim: c, metric: m, candidate: {instrument: autolog}}
"""


def test_the_file_that_the_cases_change_is_good(tmp_path: Path) -> None:
    (tmp_path / "campaign.yaml").write_text(GOOD)
    assert load_campaign(tmp_path / "campaign.yaml").matrix.instruments == ("off", "autolog")
    assert load_campaign(find_file("bench/quick.yaml")).name == "quick"


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "message", "hint"),
    [
        ("blocks: 2", "blocks: 0", 6, 19, "measure.blocks", ""),
        ("blocks: 2", "blcks: 2", 6, 11, "unknown key 'blcks'", "'blocks'"),
        ("instruments: [off, autolog]", "instruments: []", 5, 16, "at least 1 is needed", ""),
        ("[{workflow: examples/tools.yaml, name: tools}]", "[]", 4, 14, "at least 1 is needed", ""),
        (
            "workflow: examples/tools.yaml",
            "workflwo: examples/tools.yaml",
            4,
            16,
            "unknown key 'workflwo'",
            "'workflow'",
        ),
        ("kind: count", "kind: cuont", 9, 12, "'cuont' is unknown", "'count'"),
        ("kind: count, ", "", 9, 5, "needs the key 'kind'", ""),
        ("id: b, claim", "id: b, margni: 1, claim", 9, 26, "unknown key 'margni'", "'margin'"),
        ("id: b, claim", "id: b, baseline: {}, claim", 9, 26, "unknown key 'baseline'", ""),
        (", margin: 0", "", 8, 5, "needs the key 'margin'", ""),
        ("name: small", "name: -small", 2, 7, "name", ""),
    ],
)
def test_fault_and_its_place(
    old: str, new: str, line: int, column: int, message: str, hint: str, tmp_path: Path
) -> None:
    assert GOOD.count(old) == 1, "the case changes one place"
    file = tmp_path / "campaign.yaml"
    file.write_text(GOOD.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        load_campaign(file)
    assert message in caught.value.message
    assert (caught.value.file, caught.value.line, caught.value.column) == (str(file), line, column), str(caught.value)
    assert hint in (caught.value.hint or "")
