"""No password goes in clear text to a PostgreSQL server on another machine, unless it is said."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import contextmanager

import pytest

from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.postgresql import engine_options

ANYWHERE = "0.0.0.0"  # noqa: S104 - for a moment, in a test
"""No loopback address, and leads to this machine all the same."""
PASSWORD = "s3cr3t"
VARIABLES = ("SSLMODE", "HOST", "HOSTADDR", "SERVICE", "SERVICEFILE", "REQUIRESSL")


@pytest.fixture(autouse=True)
def _nothing_is_said(monkeypatch, tmp_path):
    for name in VARIABLES:
        monkeypatch.delenv(f"PG{name}", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@contextmanager
def greedy_server():
    """Refuses TLS and asks for the password in clear text; yields its port, and what it got."""
    got = []

    def serve():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                while data := connection.recv(1000):
                    got.append(data)
                    wants_tls = data[4:8] == struct.pack("!i", 80877103)
                    connection.sendall(b"N" if wants_tls else b"R" + struct.pack("!ii", 8, 3))
                    if data.startswith(b"p"):
                        break

    with socket.create_server((ANYWHERE, 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1], got
        server.shutdown(socket.SHUT_RDWR)


def test_a_server_that_refuses_tls_gets_no_password():
    with greedy_server() as (port, got):
        url = f"postgresql://ann:{PASSWORD}@{ANYWHERE}:{port}/x"
        with database.opened(url) as engine, pytest.raises(ConfigurationError) as refused:
            database.is_new(engine)
    assert "SSL was required; ask those who run" in str(refused.value)
    assert "?sslmode=prefer" in str(refused.value)
    assert PASSWORD not in str(refused.value)
    assert got
    assert PASSWORD.encode() not in b"".join(got)


def test_it_gets_the_password_where_that_is_said():
    with greedy_server() as (port, got):
        url = f"postgresql://ann:{PASSWORD}@{ANYWHERE}:{port}/x?sslmode=prefer"
        with database.opened(url) as engine, pytest.raises(ConfigurationError):
            database.is_new(engine)
    assert PASSWORD.encode() in b"".join(got)


def mode(url: str) -> str | None:
    return engine_options(database.database_url(url))["connect_args"].get("sslmode")


@pytest.mark.parametrize(
    "place",
    ["", "localhost", "127.0.0.1", "localhost:5433", "[::1]", "/x?host=/run/pg", "/x?host=::1",
     "far.example/x?hostaddr=127.0.0.1", "far.example/x?host=localhost",
     "far.example/x?sslmode=prefer"],
)  # fmt: skip
def test_on_this_machine_or_where_something_is_said_nothing_is_asked_for(place):
    assert mode(f"postgresql://{place}") is None


@pytest.mark.parametrize(
    "place",
    ["far.example/x", "10.0.0.7:5433", "[2001:db8::1]/x", "/x?host=far.example",
     "localhost,far.example/x", "/x?host=localhost:1&host=far.example:2",
     "localhost/x?hostaddr=10.0.0.7", "localhost/x?host=far.example"],
)  # fmt: skip
def test_tls_is_asked_for_on_another_machine(place):
    assert mode(f"postgresql://{place}") == "require"


def test_the_environment_and_a_service_file_count(monkeypatch, tmp_path):
    monkeypatch.setenv("PGHOST", "far.example")
    assert mode("postgresql:///x") == "require"
    monkeypatch.setenv("PGSSLMODE", "disable")
    assert mode("postgresql:///x") is None
    monkeypatch.delenv("PGSSLMODE")
    services = tmp_path / ".pg_service.conf"
    services.write_text("# ours\n[lab]\nhost=far.example\nsslmode=disable\n[near]\nhost=/run/pg\n")
    assert mode("postgresql:///x?service=lab") is None
    assert mode("postgresql:///x?service=near") is None
    monkeypatch.setenv("PGSERVICE", "lab")
    assert mode("postgresql:///x") is None
