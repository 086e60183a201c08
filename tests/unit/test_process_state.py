"""The fixtures of tests/conftest.py: the second of two tests must find nothing of the first."""

import os
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"

LEAVES_EVERYTHING_BEHIND = """
import os, sys
import pytest

def test_mlflow_is_not_imported_for_tests_that_do_not_use_it():
    assert "mlflow" not in sys.modules

def test_leave_everything_behind(tmp_path):
    import mlflow, mlflow.langchain
    os.chdir(tmp_path)
    os.environ["MLFLOW_ENABLE_ASYNC_TRACE_LOGGING"] = "false"
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    mlflow.set_registry_uri(f"sqlite:///{tmp_path}/registry.db")
    mlflow.set_experiment("left behind")
    mlflow.start_run()
    mlflow.langchain.autolog()
    with mlflow.start_span("left behind"):
        pass

def test_find_nothing(pytestconfig):
    import mlflow
    from mlflow.tracking import fluent
    from mlflow.tracking._tracking_service import utils
    from mlflow.utils.autologging_utils import autologging_is_disabled
    assert utils._tracking_uri is None
    assert mlflow.get_registry_uri() == mlflow.get_tracking_uri()
    assert fluent._active_experiment_id is None
    assert mlflow.active_run() is None
    assert autologging_is_disabled("langchain")
    assert "MLFLOW_ENABLE_ASYNC_TRACE_LOGGING" not in os.environ
    assert "MLFLOW_TRACKING_URI" not in os.environ
    assert "MLFLOW_EXPERIMENT_ID" not in os.environ
    assert os.getcwd() == str(pytestconfig.rootpath)

@pytest.fixture(scope="module")
def tracked_module(tmp_path_factory):
    import mlflow
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path_factory.mktemp('module')}/mlflow.db")
    yield mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(None)

@pytest.mark.parametrize("use", [1, 2])
def test_what_a_wider_fixture_has_set_stays(use, tracked_module):
    import mlflow
    assert mlflow.get_tracking_uri() == tracked_module
    mlflow.set_tracking_uri("file:elsewhere")
"""


@pytest.mark.slow  # a second pytest that imports MLflow and makes a database
def test_a_test_finds_nothing_of_the_one_before(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    for name in [name for name in os.environ if name.startswith("MLFLOW_TRACKING")]:
        monkeypatch.delenv(name)
    pytester.makeconftest(CONFTEST.read_text())
    pytester.makepyfile(LEAVES_EVERYTHING_BEHIND)

    result = pytester.runpytest_subprocess("-p", "no:xdist", "-p", "no:langsmith_plugin", "-q")

    result.assert_outcomes(passed=5)


def test_mlflow_is_silent_and_offline():
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert os.environ["MLFLOW_MODEL_CATALOG_URI"] == ""


def test_workdir_is_the_current_directory_and_empty(workdir: Path):
    assert Path.cwd() == workdir
    assert not list(workdir.iterdir())
