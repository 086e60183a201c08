"""The store that judges work on: named, there, and answering, before anything else is asked of it."""

from contextlib import closing
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from tracegauge.config.errors import ConfigError
from tracegauge.tracking.destination import Destination, resolve_destination
from tracegauge.tracking.server_check import check_server, without_password

_PATIENCE_S: Final = 10.0


def usable_store(named: str | None) -> str:
    """The tracking URI of a store, as it was named; without a name, the one that MLflow takes here.

    MLflow by itself makes its tables wherever it is led, and tries a server for minutes. Raises ConfigError for a file
    store, a database that is not there or not MLflow's, and a server or database server that does not answer.
    """
    found = resolve_destination(named)
    shown = without_password(named or found.uri)
    if found.is_file_store:
        raise ConfigError(
            f"{shown} is a file store, which judges can't work on",
            hint=f"move it to a database first: tracegauge migrate {shown} sqlite:///mlflow.db",
        )
    if found.is_server:
        check = check_server(found.uri, _PATIENCE_S)
        if not check.ok:
            raise ConfigError(str(check), hint="start it, or correct the URI or the credentials")
    elif not found.uri.startswith("databricks"):
        _check_database(found, shown)
    return found.uri


def _check_database(found: Destination, shown: str) -> None:
    try:
        url = make_url(found.uri)
        if url.get_backend_name() == "sqlite":
            _check_file(url.database, shown, chosen=found.chosen_by != "default")
        with closing(sa.create_engine(url, poolclass=sa.pool.NullPool).connect()) as connection:
            is_mlflow_s = sa.inspect(connection).has_table("alembic_version")
    except (sa.exc.SQLAlchemyError, ImportError, ValueError) as error:
        said = without_password(" ".join(str(getattr(error, "orig", None) or error).split()))
        raise ConfigError(
            f"{shown} can't be opened: {said}",
            hint="write it like sqlite:///mlflow.db, postgresql+psycopg2://user@host/db or http://host:5000",
        ) from None
    if not is_mlflow_s:
        raise ConfigError(f"{shown} is not an MLflow database: it has no schema version")


def _check_file(database: str | None, shown: str, *, chosen: bool) -> None:
    if not database or database == ":memory:":
        raise ConfigError(f"{shown} is no file", hint="name a file: sqlite:///mlflow.db")
    if not Path(database).exists():
        hint = "sqlite:///x.db is relative, sqlite:////x.db starts at /" if chosen else "name the store: --store"
        raise ConfigError(f"there is no file {database}", hint=hint)
