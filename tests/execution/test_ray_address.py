"""Which cluster an address means, and whether it answers: real sockets, and no Ray."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager

import pytest

from bench.core.errors import BenchError
from bench.execution import ray_address
from bench.execution.ray_address import ClusterAddress, find, probe

SETTINGS = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])


@contextmanager
def serving(greeting):
    """Accept connections, say one thing to each, and yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept = []

        def serve():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                connection.sendall(greeting)
                kept.append(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        for connection in kept:
            connection.close()


@pytest.fixture(autouse=True)
def no_address(monkeypatch):
    monkeypatch.delenv(ray_address.VARIABLE, raising=False)
    monkeypatch.setattr(ray_address, "_SECONDS", 0.3)


def test_what_greets_as_a_head_does_answers():
    with serving(SETTINGS) as port:
        probe("127.0.0.1", port)


@pytest.mark.parametrize(
    ("greeting", "reason"),
    [
        (b"", "it accepts connections, but does not answer"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "the server there is not the head of a Ray cluster"),
    ],
)
def test_what_does_not_is_no_cluster(greeting, reason):
    with serving(greeting) as port, pytest.raises(BenchError) as raised:
        ClusterAddress("127.0.0.1", port).require()
    assert str(raised.value) == (
        f"no Ray cluster answers at '127.0.0.1:{port}' ({reason}); start one with "
        "`ray start --head`, or leave --address out"
    )


def meant(address, file="nowhere", running=()):
    found = find(address, str(file), lambda: running)
    return found and str(found)


def test_addresses_mean_what_they_mean_to_ray(tmp_path, monkeypatch):
    file = tmp_path / "ray_current_cluster"
    file.write_text("10.0.0.2:6380\n")
    assert meant("local") is None
    assert meant("head:6379") == "head:6379"
    assert meant("[::1]:6379") == "[::1]:6379"
    assert meant("auto", file, ["10.0.0.3:1"]) == "10.0.0.2:6380"
    assert meant("auto", running=["10.0.0.3:1"]) == "10.0.0.3:1"
    monkeypatch.setenv(ray_address.VARIABLE, "10.0.0.4:6379")
    assert meant("auto", file) == "10.0.0.4:6379"


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("auto", "this machine is not a node of a Ray cluster; start one with `ray start --head`"),
        ("head", "'head' is not the HOST:PORT of a Ray cluster, nor `auto` or `local`"),
        ("head:\x1b[2J", r"'head:\x1b[2J' is not the HOST:PORT"),
        ("ray://head:10001", "is an address of Ray Client, which bench does not support"),
    ],
)
def test_what_is_no_address_is_said(address, sentence):
    with pytest.raises(BenchError) as raised:
        meant(address)
    assert sentence in str(raised.value)


@pytest.mark.parametrize("how", ["auto", "variable"])
def test_a_cluster_that_is_gone_is_blamed_on_what_names_it(home, bench, monkeypatch, how):
    with socket.create_server(("127.0.0.1", 0)) as server:
        gone = f"127.0.0.1:{server.getsockname()[1]}"
    words = ["run", "tiny", "--no-profile"]
    if how == "auto":
        (home / "ray").mkdir()
        (home / "ray/ray_current_cluster").write_text(gone)
        monkeypatch.setenv("TMPDIR", str(home))
        words += ["--address", "auto"]
        origin, remedy = f"has noted in {home}/ray/ray_current_cluster", "leave --address out"
    else:
        monkeypatch.setenv(ray_address.VARIABLE, gone)
        origin, remedy = "which RAY_ADDRESS names", "unset RAY_ADDRESS"
    answer = bench(*words)
    assert answer.code == 2
    last = answer.err.splitlines()[-1]
    assert last.startswith(f"bench: no Ray cluster answers at '{gone}' (Connection refused), ")
    assert f"{origin}; start one with `ray start --head`, or {remedy}" in last
