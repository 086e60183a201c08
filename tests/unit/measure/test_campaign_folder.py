"""Which folder `--resume` goes on with."""

import pytest

from tracegauge.config.campaign import Campaign
from tracegauge.config.errors import ConfigError
from tracegauge.measure import build_cells, start_folder, unfinished_folder

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
