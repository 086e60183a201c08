"""The check of a tracking server, against real sockets."""

import datetime
import ipaddress
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tracegauge.tracking.server_check import check_server, without_password

TIMEOUT_S = 5.0


class FakeMlflow(BaseHTTPRequestHandler):
    """Answers like a tracking server with nothing in it."""

    status = 200
    body = b'{"experiments": []}'
    credentials: str | None = None
    health = (200, b"OK")

    def do_GET(self) -> None:
        if self.path == "/health":
            self._answer(*self.health)
        elif self.credentials and self.headers.get("Authorization") != self.credentials:
            self._answer(401, b"")
        else:
            self._answer(self.status, self.body)

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def http_server(
    handler: type[BaseHTTPRequestHandler], host: str = "127.0.0.1", tls: Path | None = None
) -> Iterator[int]:
    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        daemon_threads = True

    with Server((host, 0), handler) as server:
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def raw_server(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A TCP server that does with each connection what `answer` does."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def outcome(uri: str, timeout_s: float = TIMEOUT_S) -> str:
    started = time.monotonic()
    check = check_server(uri, timeout_s)
    assert time.monotonic() - started < timeout_s + 1
    assert check.ok == (check.outcome == "ok")
    return check.outcome


def test_a_server_that_answers():
    with http_server(FakeMlflow) as port:
        assert outcome(f"http://127.0.0.1:{port}") == "ok"
        assert outcome(f"http://127.0.0.1:{port}/") == "ok"


def test_a_server_without_health_endpoint_is_judged_by_the_authenticated_call():
    class Managed(FakeMlflow):
        health = (404, b"nothing here")

    with http_server(Managed) as port:
        assert outcome(f"http://127.0.0.1:{port}") == "ok"


def test_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            pass
    except OSError:
        pytest.skip("this machine has no IPv6")
    with http_server(FakeMlflow, "::1") as port:
        assert outcome(f"http://[::1]:{port}") == "ok"


def test_a_name_with_several_addresses_of_which_one_answers():
    # `localhost` is ::1 and 127.0.0.1 on most machines; nothing listens on the first.
    with http_server(FakeMlflow) as port:
        assert outcome(f"http://localhost:{port}") == "ok"


def test_a_closed_port():
    check = check_server(f"http://127.0.0.1:{closed_port()}", TIMEOUT_S)
    assert check.outcome == "refused"
    assert "refused the connection" in str(check)


def test_an_unknown_host():
    assert outcome("http://no-such-host.invalid:5000") == "unreachable"


def test_a_black_hole():
    """Takes the connection and never answers."""
    with raw_server(lambda connection: time.sleep(30)) as port:
        assert outcome(f"http://127.0.0.1:{port}", 0.5) == "timeout"


def test_a_server_that_does_not_even_take_the_connection():
    """With its backlog full, a listening socket leaves further connections waiting."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        address = server.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        assert outcome(f"http://127.0.0.1:{address[1]}", 0.5) == "timeout"
        for one in waiting:
            one.close()


def test_a_server_that_dribbles():
    """Each byte is in time for a socket's timeout; the answer as a whole never comes."""

    def dribble(connection: socket.socket) -> None:
        connection.recv(1000)
        try:
            for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1000:
                connection.send(bytes([byte]))
                time.sleep(0.1)
        except OSError:
            pass

    with raw_server(dribble) as port:
        assert outcome(f"http://127.0.0.1:{port}", 0.7) == "timeout"


@pytest.mark.parametrize(
    ("status", "body"),
    [(404, b"not found"), (200, b"<html>Welcome!</html>"), (200, b"[]"), (200, b'{"experiments": "none"}'), (302, b"")],
)
def test_another_web_service(status: int, body: bytes):
    class Other(FakeMlflow):
        pass

    Other.status, Other.body = status, body
    with http_server(Other) as port:
        assert outcome(f"http://127.0.0.1:{port}") == "wrong_service"


def test_another_kind_of_service():
    def ssh(connection: socket.socket) -> None:
        connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
        connection.close()

    with raw_server(ssh) as port:
        assert outcome(f"http://127.0.0.1:{port}") in ("wrong_service", "unreachable")


@pytest.mark.parametrize(("breaks", "expected"), [(1, "ok"), (2, "unreachable")])
def test_a_connection_that_breaks_is_asked_for_anew_once(breaks: int, expected: str):
    """MLflow's client keeps connections: a server that closes an idle one just as it is used again is not down."""

    class Breaking(FakeMlflow):
        left = breaks

        def do_GET(self) -> None:
            if type(self).left == 0:
                return super().do_GET()
            type(self).left -= 1
            at_once = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
            self.connection.close()  # with SO_LINGER at 0 s: by a reset
            self.close_connection = True
            return None

    with http_server(Breaking) as port:
        assert outcome(f"http://127.0.0.1:{port}") == expected
    assert Breaking.left == 0


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials(status: int):
    class Guarded(FakeMlflow):
        pass

    Guarded.status = status
    with http_server(Guarded) as port:
        check = check_server(f"http://127.0.0.1:{port}", TIMEOUT_S)
    assert check.outcome == "unauthorized"
    assert str(status) in check.detail


@pytest.mark.parametrize(
    ("variables", "header"),
    [
        ({"MLFLOW_TRACKING_USERNAME": "me", "MLFLOW_TRACKING_PASSWORD": "pw"}, "Basic bWU6cHc="),
        ({"MLFLOW_TRACKING_TOKEN": "tok"}, "Bearer tok"),
    ],
)
def test_credentials_are_those_of_mlflow(variables: dict[str, str], header: str, monkeypatch: pytest.MonkeyPatch):
    class Guarded(FakeMlflow):
        credentials = header

    with http_server(Guarded) as port:
        assert outcome(f"http://127.0.0.1:{port}") == "unauthorized"
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        assert outcome(f"http://127.0.0.1:{port}") == "ok"


def test_a_broken_server():
    class Broken(FakeMlflow):
        status = 500

    with http_server(Broken) as port:
        assert outcome(f"http://127.0.0.1:{port}") == "server_error"


def test_tls_where_there_is_none():
    with http_server(FakeMlflow) as port:
        assert outcome(f"https://127.0.0.1:{port}") == "tls_failure"


def self_signed_certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody vouches for, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    key_bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "server.pem"
    path.write_bytes(key_bytes + certificate.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_a_certificate_that_nobody_vouches_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    with http_server(FakeMlflow, tls=self_signed_certificate(tmp_path)) as port:
        uri = f"https://127.0.0.1:{port}"
        assert outcome(uri) == "tls_failure"
        monkeypatch.setenv("MLFLOW_TRACKING_INSECURE_TLS", "true")
        assert outcome(uri) == "ok"


def test_through_a_proxy(monkeypatch: pytest.MonkeyPatch):
    """The proxy is asked for a name that only it could know."""
    asked = []

    class Proxy(FakeMlflow):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.path = self.path.removeprefix("http://inside.invalid")
            super().do_GET()

    with http_server(Proxy) as port:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        assert outcome("http://inside.invalid") == "ok"
    assert asked[0] == "http://inside.invalid/health"


def test_a_dead_proxy_is_named(monkeypatch: pytest.MonkeyPatch):
    proxy = f"http://me:secret@127.0.0.1:{closed_port()}"
    monkeypatch.setenv("HTTP_PROXY", proxy)
    monkeypatch.setenv("http_proxy", proxy)
    check = check_server("http://inside.invalid", TIMEOUT_S)
    assert check.outcome in ("refused", "unreachable")
    assert "through the proxy" in check.detail
    assert "secret" not in str(check)


def test_no_password_is_shown():
    assert without_password("http://me:pw@host:1/x") == "http://me:…@host:1/x"
    assert without_password("http://host") == "http://host"
    assert without_password("http://host:5000/mail@home") == "http://host:5000/mail@home"
    assert without_password("sqlite:////srv/a:b@c/mlflow.db") == "sqlite:////srv/a:b@c/mlflow.db"
    assert (
        without_password("postgresql://host/db?user=me&password=pw&x=1")
        == "postgresql://host/db?user=me&password=…&x=1"
    )
    assert without_password("request to http://me:pw@host:1/x failed") == "request to http://me:…@host:1/x failed"


@pytest.mark.parametrize("uri", ["postgresql//me:pw@host/db", "postgresql://me:p@w@host:port/db", "http://me:p/w@host"])
def test_no_password_is_shown_of_a_uri_with_a_mistake(uri):
    shown = without_password(uri)
    assert (":…@host" in shown, "pw" in shown, "p@w" in shown, "p/w" in shown) == (True, False, False, False)


def test_a_uri_that_is_none():
    assert not check_server("http://", TIMEOUT_S).ok
    assert not check_server("http://host:port", TIMEOUT_S).ok
