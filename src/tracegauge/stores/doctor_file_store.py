"""What is wrong with a file store: dirt, and artifacts that its URIs no longer lead to."""

from collections import defaultdict

import mlflow
from packaging.version import Version

from tracegauge.stores.artifacts import Artifacts
from tracegauge.stores.diagnosis import Diagnosis
from tracegauge.stores.findings import Finding, Findings
from tracegauge.stores.identities import Identities
from tracegauge.stores.reading import Reading
from tracegauge.stores.staging import read_only
from tracegauge.stores.survey import find_file_store, survey_store


def diagnose_file_store(uri: str) -> Diagnosis:
    """Read a file store as a migration would. Raises ConfigError if there is none."""
    root = find_file_store(uri)
    findings = Findings()
    survey = survey_store(root, findings)
    artifacts = Artifacts("keep", None, root, findings)
    tally = read_only(survey, Reading(str(root), artifacts, findings, Identities()), lambda _: None)
    migrate = f"tracegauge migrate {root} sqlite:///mlflow.db"
    diagnosis = Diagnosis(uri=str(root), kind="file store", holds=tally.counts())
    if Version(mlflow.__version__) >= Version("3.13"):
        diagnosis.note(
            "file store",
            f"MLflow {mlflow.__version__} opens file stores only with MLFLOW_ALLOW_FILE_STORE=true",
            f"move it to a database: {migrate}",
        )
    if artifacts.totals.uris_rewritten:
        diagnosis.problem(
            "artifacts",
            f"{artifacts.totals.uris_rewritten} artifact URIs don't lead to where the files are: the store was moved, "
            "or was written with file://./mlruns, which means /mlruns",
            f"a migration rewrites them: {migrate}",
        )
    by_kind: defaultdict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings.items:
        by_kind[finding.action, finding.kind].append(finding)
    for (action, kind), found in by_kind.items():
        message = f"a migration would have {action} this: {found[0].reason}"
        add = diagnosis.note if action == "noted" else diagnosis.problem
        add(kind, message, f"see what would become of each: {migrate} --dry-run", [one.path for one in found])
    return diagnosis
