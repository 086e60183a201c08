"""What a tracker can be configured with, and what it says of what it can't use."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tracegauge.config.errors import ConfigError
from tracegauge.tracking.settings import mlflow_config

SECTION = {"enabled": True, "use_autolog": True, "experiment_name": "letters"}
YAML = """\
flow: {name: anything else that the file holds}
config:
  observability:
    mlflow:
      enabled: true
      autolog_enabled: true
      experiment_name: letters
"""


@pytest.mark.parametrize(
    "config",
    [
        SECTION,
        SimpleNamespace(**SECTION, tracking_uri=None),
        {"observability": {"mlflow": SECTION}},
        {"config": {"observability": {"mlflow": SECTION}, "llm": {"model": "any"}}},
    ],
    ids=["section", "object", "top", "under config"],
)
def test_a_section_or_what_holds_it(config: object):
    assert (mlflow_config(config).autolog_enabled, mlflow_config(config).experiment_name) == (True, "letters")


@pytest.mark.parametrize("kind", [str, Path])
def test_a_yaml_file(tmp_path: Path, kind: type):
    (tmp_path / "app.yaml").write_text(YAML)
    assert mlflow_config(kind(tmp_path / "app.yaml")) == mlflow_config(SECTION)


@pytest.mark.parametrize("whole", [False, True])
def test_all_faults_of_a_mapping_are_told_at_once(whole: bool):
    section = {"enabled": "yes please", "autolog_enabeld": True, "server_check_timeout_s": -1}
    with pytest.raises(ConfigError) as caught:
        mlflow_config({"observability": {"mlflow": section}} if whole else section)
    told = str(caught.value)
    assert "enabled: true or false is needed here (given: 'yes please')" in told
    assert "unknown key 'autolog_enabeld'" in told
    assert "did you mean 'autolog_enabled'" in told
    assert "server_check_timeout_s: this is not greater than 0.0 (given: -1)" in told


def test_a_fault_of_a_file_has_its_place(tmp_path: Path):
    (tmp_path / "app.yaml").write_text(YAML.replace("experiment_name", "experiment"))
    with pytest.raises(ConfigError, match=r"app\.yaml:7:7: unknown key 'experiment'\n  did you mean 'experiment_name'"):
        mlflow_config(tmp_path / "app.yaml")
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: there is no such file"):
        mlflow_config(tmp_path / "nowhere.yaml")


def test_two_places_at_once_are_refused():
    with pytest.raises(ConfigError, match="at the top level or under `config`, not in both"):
        mlflow_config({"observability": {}, "config": {"observability": {"mlflow": {"enabled": True}}}})
