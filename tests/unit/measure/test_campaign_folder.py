"""Which folder `--resume` goes on with."""

import pytest

from tracegauge.config.campaign import Campaign
from tracegauge.config.errors import ConfigError
from tracegauge.measure import build_cells, start_folder, unfinished_folder
from tracegauge.results import Sample
from tracegauge.results.files import SAMPLES_FILE, VERDICT_FILE, append_samples, read_campaign

CAMPAIGN = Campaign.model_validate(
    {
        "schema_version": "1.0",
        "name": "quick",
        "matrix": {"workflows": [{"workflow": "w.yaml"}], "instruments": ["off"]},
    }
)


def test_a_campaign_whose_name_begins_alike_is_not_taken_for_this_one(tmp_path):
    cells = build_cells(CAMPAIGN.matrix)
    ours = start_folder(tmp_path, CAMPAIGN, cells, [], "x")
    for name in ("quick-against-main", "quick-2"):
        start_folder(tmp_path, CAMPAIGN.model_copy(update={"name": name}), cells, [], "x")
    assert unfinished_folder(CAMPAIGN, tmp_path) == ours
    again = start_folder(tmp_path, CAMPAIGN, cells, [], "x")  # perhaps within the same second
    assert unfinished_folder(CAMPAIGN, tmp_path) == again
    with pytest.raises(ConfigError, match="there is no campaign 'quic' to resume"):
        unfinished_folder(CAMPAIGN.model_copy(update={"name": "quic"}), tmp_path)
    with pytest.raises(ConfigError, match="the campaign file has changed"):
        unfinished_folder(CAMPAIGN.model_copy(update={"description": "another"}), tmp_path)


def test_a_verdict_between_two_looks_was_a_look(tmp_path):
    """Or else going on would spend the error rate of the next look a second time."""
    sequential = {"sequential": {"looks": [8, 12]}}
    campaign = Campaign.model_validate({**CAMPAIGN.model_dump(exclude_unset=True), "measure": sequential})
    cells = build_cells(campaign.matrix)
    folder = start_folder(tmp_path, campaign, cells, [], "x")
    for block in range(10):
        sample = Sample(block=block, position=0, cell=cells[0], started_at="", measurement=None)
        append_samples(folder / SAMPLES_FILE, [sample])
    unfinished_folder(campaign, tmp_path)
    assert read_campaign(folder).record.looks == (8, 12)
    (folder / VERDICT_FILE).write_text("{}")
    for _ in range(2):
        unfinished_folder(campaign, tmp_path)
        assert read_campaign(folder).record.looks == (8, 10, 12)
