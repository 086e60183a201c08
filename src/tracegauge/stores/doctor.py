"""Looks at a whole store, changes nothing, and says what it is and what is wrong with it."""

from tracegauge.config.errors import ConfigError
from tracegauge.stores.diagnosis import Diagnosis
from tracegauge.stores.doctor_database import diagnose_database
from tracegauge.stores.doctor_file_store import diagnose_file_store
from tracegauge.tracking.destination import resolve_destination
from tracegauge.tracking.server_check import check_server, without_password

_CHECK_TIMEOUT_S = 10.0


def diagnose(uri: str | None = None) -> Diagnosis:
    """Look at the store of a tracking URI; without one, at that which the tracker would use here.

    Raises ConfigError if there is no store there, StoreError if it can't be read.
    """
    destination = resolve_destination(uri)
    if destination.is_file_store and uri is not None and without_password(uri) != uri:
        raise ConfigError(f"{without_password(uri)} is not a tracking URI", hint="is there a colon before the //?")
    if destination.is_server:
        diagnosis = _diagnose_server(destination.uri)
    elif destination.is_file_store:
        diagnosis = diagnose_file_store(destination.uri)
    else:
        diagnosis = diagnose_database(destination.uri)
    if uri is None:
        diagnosis.facts["chosen by"] = destination.chosen_by
    if destination.notice:
        diagnosis.note("tracking URI", destination.notice, "write the path as it is meant")
    return diagnosis


def _diagnose_server(uri: str) -> Diagnosis:
    check = check_server(uri, _CHECK_TIMEOUT_S)
    diagnosis = Diagnosis(uri=without_password(uri), kind="server")
    diagnosis.facts["answer"] = f"{check.outcome} ({check.detail}) after {check.elapsed_s:.1f} s"
    if not check.ok:
        diagnosis.problem("server", str(check), "start it, or correct the URI or the credentials")
    return diagnosis
