"""What a user gets who installs the package without the repository and without the lock."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import tracegauge

REPOSITORY = Path(__file__).parents[3]
SHIPPED = ("examples", "bench", "judges")

# Installing takes one to three minutes, the demo three.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command that knows nothing of the repository; its whole output is shown when it fails."""
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "MLFLOW_"))
    }
    result = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{command}:\n{result.stdout}\n{result.stderr}"
    return result


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, REPOSITORY, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def scripts(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of an environment that holds the wheel and what it requires, no extras, nothing locked."""
    environment = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", environment, cwd=environment)
    run(environment / "bin" / "python", "-m", "pip", "install", "--quiet", wheel, cwd=environment)
    return environment / "bin"


@pytest.mark.parametrize("kind", SHIPPED)
def test_examples_campaigns_and_judges_are_in_the_wheel(wheel: Path, kind: str):
    listing = ["git", "-c", "safe.directory=*", "ls-files", "-z", kind]
    listed = subprocess.run(listing, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    tracked = {name for name in listed.split("\0") if name}
    assert tracked, f"the repository has no {kind}"

    prefix = "tracegauge/shipped/"
    in_wheel = {name.removeprefix(prefix) for name in zipfile.ZipFile(wheel).namelist() if name.startswith(prefix)}

    assert tracked <= in_wheel


def test_the_wheel_carries_nothing_else(wheel: Path):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"tracegauge", f"tracegauge-{tracegauge.__version__}.dist-info"}
    assert not [name for name in names if "__pycache__" in name or name.endswith((".pyc", ".db"))]
    assert "tracegauge/py.typed" in names


def test_the_command_is_there(scripts: Path, tmp_path: Path):
    result = run(scripts / "tracegauge", "--version", cwd=tmp_path)
    assert result.stdout.split() == ["tracegauge", tracegauge.__version__]


def test_importing_loads_no_mlflow(scripts: Path, tmp_path: Path):
    result = run(scripts / "python", "-X", "importtime", "-c", "import tracegauge", cwd=tmp_path)
    assert "tracegauge" in result.stderr
    assert "mlflow" not in result.stderr


def test_the_environment_is_consistent(scripts: Path, tmp_path: Path):
    run(scripts / "python", "-m", "pip", "check", cwd=tmp_path)


def test_the_demo_measures_and_reports_from_any_folder(scripts: Path, tmp_path: Path):
    result = run(scripts / "tracegauge", "demo", cwd=tmp_path)

    (report,) = tmp_path.glob("reports/*/index.html")
    assert report.stat().st_size > 10_000
    assert {"samples.jsonl", "environment.json", "verdict.json"} <= {file.name for file in report.parent.iterdir()}
    assert str(report.relative_to(tmp_path)) in result.stdout
