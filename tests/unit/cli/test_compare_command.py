"""`tracegauge compare` in a process of its own: exit codes, files for CI, and mistakes."""

import json
import subprocess
import sys

import pytest


def compare(*arguments, cwd):
    command = [sys.executable, "-m", "tracegauge", "compare", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=cwd)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files of pytest-benchmark: `slow` takes twice the time, `other` has nothing in common with `base`."""
    folder = tmp_path_factory.mktemp("runs")
    for name, ids, median, cores in (
        ("base", ["x", "y"], 0.01, 2),
        ("same", ["x", "y"], 0.01, 2),
        ("slow", ["x", "y"], 0.02, 2),
        ("fewer", ["x"], 0.01, 2),
        ("other", ["z"], 0.01, 2),
        ("elsewhere", ["x", "y"], 0.01, 64),
    ):
        benchmarks = [{"fullname": one, "stats": {"median": median, "iqr": 0.0001, "rounds": 50}} for one in ids]
        machine = {"node": "here", "cpu": {"brand_raw": "A CPU", "count": cores}}
        (folder / f"{name}.json").write_text(json.dumps({"machine_info": machine, "benchmarks": benchmarks}))
    (folder / "torn.json").write_text('{"benchmarks": [')
    return folder


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["same.json"], 0, "PASS"),
        (["slow.json"], 1, "REGRESSED"),
        (["fewer.json"], 2, "missing in the candidate: y"),
        (["elsewhere.json"], 3, "REFUSED"),
        (["elsewhere.json", "--allow-different-machines"], 0, "DIFFERENT MACHINES"),
        (["other.json"], 3, "nothing can be compared"),
        (["other.json", "--rename", "x=z"], 2, "z (was x)"),
        (["other.json", "--rename", "w=z"], 3, "the base has no 'w'"),
        (["torn.json"], 3, "no whole JSON file of pytest-benchmark"),
        (["nowhere"], 3, "there is no 'nowhere'"),
        (["same.json", "--margin", "-1"], 3, "is negative"),
        (["same.json", "--markdown", "no/such/folder.md"], 3, "can't be written"),
    ],
)
def test_exit_codes(folder, arguments, code, said):
    done = compare("base.json", *arguments, cwd=folder)
    assert (done.returncode, said in done.stdout + done.stderr) == (code, True), done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_files_for_ci(folder, tmp_path):
    files = ["--junit-xml", str(tmp_path / "junit.xml"), "--markdown", str(tmp_path / "summary.md")]
    done = compare("base.json", "slow.json", *files, "--json", cwd=folder)
    assert done.returncode == 1, done.stderr
    printed = json.loads(done.stdout)
    assert (printed["schema_version"], printed["verdict"], len(printed["rows"])) == (1, "REGRESSED", 2)
    assert "REGRESSED" in done.stderr
    assert '<testsuites name="tracegauge" tests="2" failures="2"' in (tmp_path / "junit.xml").read_text()
    assert (tmp_path / "summary.md").read_text().startswith("## REGRESSED")
