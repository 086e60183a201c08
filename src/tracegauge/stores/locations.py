"""Where things are: file URIs as MLflow reads them, and database URIs."""

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from tracegauge.config.errors import ConfigError
from tracegauge.tracking.server_check import without_password

_DATABASE_URIS = "write it like sqlite:///mlflow.db or postgresql+psycopg2://user@host/database"


def local_path(uri: str) -> Path | None:
    """The path that a local artifact or store URI means to MLflow; None for a remote one such as `s3://…`.

    MLflow takes the path part of a `file:` URI and ignores its host: `file://./mlruns` means `/mlruns`.
    """
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return Path(url2pathname(parts.path))
    if parts.scheme == "":
        return Path(uri)
    return None


def has_dot_host(uri: str) -> bool:
    """Whether this is a `file://./…` or `file://../…` URI, which looks relative and means a path below `/`."""
    parts = urlsplit(uri)
    return parts.scheme == "file" and parts.netloc in (".", "..")


def database_url(uri: str) -> URL:
    """Parse a database URI. Raises ConfigError for what is no database URI."""
    try:
        url = make_url(uri)
        url.get_dialect()
    except NoSuchModuleError as error:
        raise ConfigError(f"{without_password(uri)!r} names no kind of database", hint=_DATABASE_URIS) from error
    except (ArgumentError, ValueError) as error:
        raise ConfigError(f"{without_password(uri)!r} is not a database URI", hint=_DATABASE_URIS) from error
    return url


def shown(url: URL) -> str:
    """A database URI without its password."""
    return without_password(url.render_as_string(hide_password=True))


def sqlite_path(url: URL) -> Path | None:
    """The absolute path of an SQLite database; None for other databases. Raises ConfigError for one in memory."""
    if url.get_backend_name() != "sqlite":
        return None
    if not url.database or url.database == ":memory:":
        raise ConfigError(f"{shown(url)} is a database in memory", hint="name a file: sqlite:///mlflow.db")
    return Path(url.database).absolute()


def sqlite_url(path: Path) -> URL:
    """The URI of an SQLite file; safe for any characters in the path."""
    return URL.create("sqlite", database=str(path))
