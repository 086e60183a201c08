"""The one place in this room that knows MLflow's database schema from the inside.

MLflow has no public way to create a database of a given schema version. A file store is written in the schema of the
lowest MLflow that is supported, and MLflow's own upgrade then moves it to the installed one: whatever a newer schema
derives from the older (columns for sessions, tokens and names of traces, …) is derived by MLflow itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from mlflow.store.db.utils import _get_alembic_config
from mlflow.store.tracking.dbmodels.initial_models import Base as InitialBase

from tracegauge.config.errors import ConfigError
from tracegauge.stores.errors import StoreError
from tracegauge.stores.locations import shown

BASE_REVISION = "d3e4f5a6b7c8"
"""Schema of MLflow 3.9.0, the lowest supported; rows are written in this schema."""


@contextmanager
def open_engine(url: sa.URL, *, fast: bool = False) -> Iterator[sa.Engine]:
    """An engine that is disposed of at the end.

    With `fast`, an SQLite file is written without waiting for the disk: only for files that a crash may spoil because
    nobody looks at them before they are finished.
    """
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    if fast and url.get_backend_name() == "sqlite":
        sa.event.listen(engine, "connect", _write_fast)
    try:
        yield engine
    finally:
        engine.dispose()


def _write_fast(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=OFF")
    cursor.execute("PRAGMA journal_mode=MEMORY")
    cursor.execute("PRAGMA cache_size=-16384")
    cursor.close()


def create_base_schema(engine: sa.Engine) -> None:
    """Create the tables of `BASE_REVISION` in an empty database."""
    InitialBase.metadata.create_all(engine)
    _upgrade(engine, BASE_REVISION)


def upgrade_to_installed(engine: sa.Engine) -> None:
    """Upgrade a database to the schema of the installed MLflow, with MLflow's own steps."""
    _upgrade(engine, "heads")


def _upgrade(engine: sa.Engine, revision: str) -> None:
    config = _get_alembic_config(engine.url.render_as_string(hide_password=False))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def installed_revision() -> str:
    """The schema version that the installed MLflow works with."""
    head = _scripts().get_current_head()
    assert head is not None
    return head


def is_known_revision(revision: str) -> bool:
    """Whether the installed MLflow knows this schema version, so that it is not newer than itself."""
    return any(script.revision == revision for script in _scripts().walk_revisions())


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_get_alembic_config(""))


def database_revision(connection: sa.Connection) -> str | None:
    """The schema version of a database; None when it has none and so is no MLflow database."""
    return MigrationContext.configure(connection).get_current_revision()


def revision_at(url: sa.URL) -> str | None:
    """The schema version of the database at a URI; None when it has none.

    Raises ConfigError for a file that is no database and for a missing driver, StoreError if it can't be reached.
    """
    try:
        with open_engine(url) as engine, engine.connect() as connection:
            return database_revision(connection)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"there is no driver for {shown(url)}: {error}",
            hint="for PostgreSQL: pip install psycopg2-binary, and write postgresql+psycopg2://…",
        ) from error
    except sa.exc.DatabaseError as error:
        if url.get_backend_name() == "sqlite":
            raise ConfigError(f"{url.database} is not an SQLite database: {error.orig}") from error
        raise StoreError(f"{shown(url)} can't be reached: {' '.join(str(error.orig).split())}") from error


def reflect(engine: sa.Engine) -> sa.MetaData:
    """The tables that are really there."""
    metadata = sa.MetaData()
    metadata.reflect(engine)
    return metadata
