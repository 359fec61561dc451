"""Find the Ray cluster to join, and probe it without Ray, which would wait for minutes."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bench.core.errors import BenchError
from bench.core.printable import quoted
from bench.core.regular_files import read_regular

VARIABLE = "RAY_ADDRESS"
_SECONDS = 5.0
_SETTINGS = 4
# The connection preface of an HTTP/2 client (RFC 9113, 3.4), with empty settings.
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, _SETTINGS, 0, 0, 0, 0, 0])
_FRAME_HEAD = 9
_MAX_ADDRESS = 1000
_MAX_PORT_DIGITS = 5


@dataclass(frozen=True)
class ClusterAddress:
    """The address of a cluster's head.

    Attributes:
        host: The host name or IP address.
        port: The port of its GCS, Ray's global control service.
        origin: Where the address was given, as errors say it after the address.
        remedy: What to do instead, as errors say it.
    """

    host: str
    port: int
    origin: str = ""
    remedy: str = "leave --address out"

    def __str__(self) -> str:
        """Return HOST:PORT, as Ray writes it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def require(self) -> None:
        """Raise BenchError if no GCS answers."""
        try:
            probe(self.host, self.port)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise BenchError(
                f"no Ray cluster answers at '{self}' ({reason}){self.origin}; start one with "
                f"`ray start --head`, or {self.remedy}"
            ) from None


def find(address: str, file: str, running: Callable[[], Iterable[str]]) -> ClusterAddress | None:
    """Return the cluster that an address names; None: start one on this machine.

    Args:
        address: `HOST:PORT`, `auto` for the cluster that this machine is a node of, or `local`.
        file: Where `ray start` writes the address of its cluster.
        running: Returns the addresses of clusters whose processes run on this machine; called if
            there is no such file.

    Raises:
        BenchError: The address is malformed, or this machine is not a node of a cluster.
    """
    origin, remedy = "", "leave --address out"
    variable = os.environ.get(VARIABLE, "")
    if address == "auto" and variable:
        address = variable
    # What --address is where it is not given.
    if address == variable:
        origin, remedy = f", which {VARIABLE} names", f"unset {VARIABLE}"
    if address == "local":
        return None
    if address == "auto":
        address, origin = _own_cluster(file, running)
        remedy = "leave --address out"
    if address.startswith("ray://"):
        raise BenchError(
            f"{quoted(address)} is an address of Ray Client{origin}, which bench does not support; "
            "run bench on a machine of the cluster, with the HOST:PORT of its head"
        )
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or len(port) > _MAX_PORT_DIGITS:
        raise BenchError(
            f"{quoted(address)} is not the HOST:PORT of a Ray cluster{origin}, nor `auto` or "
            "`local`"
        )
    return ClusterAddress(host.removeprefix("[").removesuffix("]"), int(port), origin, remedy)


def _own_cluster(file: str, running: Callable[[], Iterable[str]]) -> tuple[str, str]:
    """Return the address of the cluster that this machine is a node of, and where it was found."""
    try:
        recorded = read_regular(file, _MAX_ADDRESS).decode(errors="replace").strip()
    except OSError:
        for address in running():
            return address, ""
        raise BenchError(
            "this machine is not a node of a Ray cluster; start one with `ray start --head`, give "
            "the HOST:PORT of another, or leave --address out"
        ) from None
    return recorded, f", the cluster that `ray start` has noted in {file}"


def probe(host: str, port: int) -> None:
    """Raise OSError unless a server at an address speaks HTTP/2, as a GCS does.

    A server that is stopped or hangs may still accept connections, but sends no HTTP/2 settings.
    """
    with socket.create_connection((host, port), timeout=_SECONDS) as connection:
        if os.environ.get("RAY_USE_TLS", "0").lower() in {"1", "true"}:
            return
        connection.sendall(_PREFACE)
        try:
            head = connection.recv(_FRAME_HEAD)
        except TimeoutError:
            raise OSError("it accepts connections, but does not answer") from None
        if len(head) < _FRAME_HEAD or head[3] != _SETTINGS:
            raise OSError("the server there is not the head of a Ray cluster")
