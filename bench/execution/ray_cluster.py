"""The Ray cluster that this process is connected to: start or join it, watch it, and leave it.

Ray is started and stopped in a thread of its own, for two reasons: the system ends Ray's processes
together with the thread that started them, and in the main thread Ray would replace the handler of
SIGTERM. The main thread reacts to signals at once and waits for Ray no longer than the limits here.
"""

from __future__ import annotations

import atexit
import logging
import os
import secrets
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

# Ray reads these when it is imported. Its uv hook would build a new environment for each worker;
# the workers of bench run in the environment of the driver.
os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray
from ray._common.utils import get_ray_address_file
from ray._private import services, worker
from ray._private.authentication import authentication_token_setup

from bench.core import plugin_files
from bench.core.errors import BenchError, Exit
from bench.core.marked_processes import VARIABLE, kill_marked, new_mark
from bench.core.printable import in_one_line
from bench.core.short_folder import make_short_folder
from bench.core.signals import held_signals, resume_sentence
from bench.data.store import data_dir
from bench.execution.ray_address import ClusterAddress, find, probe
from bench.execution.ray_output import quiet

Result = TypeVar("Result")

# What tasks send is small, and a dashboard would be one more open port.
_OWN_CLUSTER: dict[str, Any] = {
    "include_dashboard": False,
    "object_store_memory": 128 * 2**20,
}
START_SECONDS = 180.0
"""Seconds that Ray may take to start on this machine, which may be busy or slow."""
_JOIN_SECONDS = 30.0
_JOIN_ATTEMPTS = 5
"""How often Ray asks, once a second, a GCS that answers but does not accept this process."""
_LEAVE_SECONDS = 30.0
_PROBE_EVERY = 1.0
LOST_SECONDS = 10.0
"""After so many seconds without an answer of the GCS, the cluster counts as lost. Ray itself would
end this process after 60 s, from native code."""
_NOTICE_SECONDS = 10.0
"""Seconds that the main thread may take to notice a lost cluster and to leave it."""
_SLICE_SECONDS = 0.2
_START_SLICE_SECONDS = 0.02
_LEAVE_SLICE_SECONDS = 0.002
_NO_TOKEN = "InvalidAuthToken"  # noqa: S105 (Ray's word for an error)
_MAX_REASON = 300
_TOKEN = secrets.token_hex(32)


class LostClusterError(BenchError):
    """The cluster was lost during a run."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}; {resume_sentence()}", Exit.FAILED)


class RayCluster:
    """A cluster that this process is connected to.

    Attributes:
        own: Whether this process starts it, on this machine.
        failed_to_start: Whether this process could not start it; its logs are then kept.
    """

    def __init__(self, address: ClusterAddress | None, folder: str) -> None:
        self.own = address is None
        self._address, self._folder = address, folder
        self._mark = new_mark()
        self._stop = threading.Event()
        self.failed_to_start = False
        self._started: Future[str] = Future()
        self._lost: LostClusterError | None = None
        self._answered = 0.0
        self._thread = threading.Thread(target=self._live, name="bench-ray", daemon=True)

    def start(self) -> None:
        """Start the cluster, or join it.

        Raises:
            BenchError: It does not start, or does not accept this process.
        """
        self._thread.start()
        patience = START_SECONDS if self.own else _JOIN_SECONDS
        ends = time.monotonic() + patience
        while not self._started.done():
            if time.monotonic() >= ends:
                raise BenchError(self._fault(f"it took more than {patience:.0f} s"))
            wait([self._started], _START_SLICE_SECONDS)
            _restore_handler()
        if error := self._started.exception():
            # Ray raises a plain Exception where a machine is too slow for it.
            raise BenchError(self._fault(_reason(error)))
        threading.Thread(target=self._watch, daemon=True).start()

    def check(self) -> None:
        """Raise LostClusterError if the cluster is lost."""
        if self._lost:
            raise self._lost

    @property
    def is_lost(self) -> bool:
        """Whether the cluster is lost."""
        return self._lost is not None

    def confirm(self) -> None:
        """After the loss of a process or node, wait until the cluster has answered a probe.

        Raises:
            LostClusterError: The cluster is lost too.
        """
        with suppress(OSError):
            self._probe()
            return
        asked = time.monotonic()
        while self._answered < asked:
            self.check()
            time.sleep(_SLICE_SECONDS)

    def call(self, function: Callable[[], Result]) -> Result:
        """Call a function of Ray in a thread, and return its result.

        Called directly, it might wait forever for a cluster that is lost.

        Raises:
            LostClusterError: The cluster is lost.
        """
        future: Future[Result] = Future()

        def run() -> None:
            try:
                future.set_result(function())
            except BaseException as error:  # noqa: BLE001 (it is raised in the thread that waits)
                future.set_exception(error)

        threading.Thread(target=run, daemon=True).start()
        while not future.done():
            self.check()
            wait([future], _SLICE_SECONDS)
        return future.result()

    def nodes(self) -> list[dict[str, Any]]:
        """Return the nodes that are alive, as Ray describes them.

        Raises:
            LostClusterError: The cluster is lost.
        """
        nodes: list[dict[str, Any]] = self.call(ray.nodes)
        alive = [node for node in nodes if node["Alive"]]
        if self.own and not alive:
            raise LostClusterError("Ray has ended on this machine: its raylet is gone")
        return alive

    def leave(self) -> None:
        """Stop the cluster if it is this process's own, else disconnect from it."""
        self._stop.set()
        # A process that has not joined leaves nothing to wait for.
        waits = self.own or self._started.done()
        ends = time.monotonic() + (_LEAVE_SECONDS if waits else 0.0)
        while self._thread.is_alive() and time.monotonic() < ends:
            self._thread.join(_LEAVE_SLICE_SECONDS)
            _restore_handler()
        if self._thread.is_alive():
            # At its exit, this process would wait for a lock of Ray that the thread holds.
            atexit.unregister(worker.shutdown)
        # Some of Ray's processes stay if its raylet did not shut down in order.
        kill_marked(self._mark)

    def _live(self) -> None:
        """Connect, wait until this process leaves, and disconnect."""
        try:
            with _startup(self.own, self._mark):
                ray.init(
                    address=str(self._address) if self._address else "local",
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                    **self._options(),
                )
            node: Any = worker._global_node  # noqa: SLF001
            self._started.set_result(node.gcs_address)
        except BaseException as error:  # noqa: BLE001 (it is raised in the main thread)
            self._started.set_exception(error)
        else:
            self._stop.wait()
        with suppress(Exception):
            ray.shutdown()

    def _options(self) -> dict[str, Any]:
        if self.own:
            return {**_OWN_CLUSTER, "_temp_dir": self._folder}
        # Workers that this process does not start do not have its environment.
        handed = {data_dir.VARIABLE: str(data_dir.data_folder())}
        if plugin_files.VARIABLE in os.environ:
            handed[plugin_files.VARIABLE] = os.environ[plugin_files.VARIABLE]
        return {"runtime_env": {"env_vars": handed}}

    def _fault(self, reason: str) -> str:
        """Return the error message for a cluster that was not started or joined."""
        if self.own:
            self.failed_to_start = True
            return (
                f"Ray does not start on this machine ({reason}; its logs are in {self._folder}); "
                "try again when it is less busy, or run with --executor inline"
            )
        cluster = f"the Ray cluster at '{self._address}'"
        if _NO_TOKEN in reason or "authentication token" in reason:
            return (
                f"{cluster} takes no process without its token; copy ~/.ray/auth_token from its "
                "head to this machine, and `export RAY_AUTH_MODE=token`"
            )
        return (
            f"{cluster} cannot be joined ({reason}); where this machine is not a node of it, run "
            f"`ray start --address {self._address}` first"
        )

    def _probe(self) -> None:
        host, _, port = self._started.result().rpartition(":")
        probe(host.strip("[]"), int(port))

    def _watch(self) -> None:
        """Probe the GCS every second until this process leaves the cluster or it is lost."""
        silent_since = None
        while not self._stop.wait(_PROBE_EVERY):
            try:
                self._probe()
                self._answered, silent_since = time.monotonic(), None
            except OSError as error:
                silent_since = silent_since or time.monotonic()
                if time.monotonic() - silent_since >= LOST_SECONDS:
                    self._lose(error)
                    return

    def _lose(self, error: OSError) -> None:
        where = "Ray's GCS on this machine" if self.own else f"the Ray cluster at '{self._address}'"
        reason = error.strerror or str(error)
        self._lost = LostClusterError(
            f"{where} is gone: it has not answered for {LOST_SECONDS:.0f} s ({reason})"
        )
        if self._stop.wait(_NOTICE_SECONDS):
            return
        # The main thread is in a call of Ray, which would end this process without a message.
        show_cursor = "\x1b[?25h" if sys.stderr.isatty() else ""
        sys.stderr.write(f"{show_cursor}bench: {self._lost}\n")
        sys.stderr.flush()
        kill_marked(self._mark)
        shutil.rmtree(self._folder, ignore_errors=True)
        os._exit(self._lost.code)


_current: list[RayCluster] = []


def current() -> RayCluster:
    """Return the cluster that this process is connected to."""
    return _current[-1]


@contextmanager
def connected(address: str | None = None) -> Iterator[RayCluster]:
    """Start a Ray cluster on this machine, or join the one at `address`; leave it at the end.

    Raises:
        BenchError: No cluster answers at `address` or accepts this process, or none starts.
    """
    server = _find(address) if address else None
    if server:
        server.require()
    folder = make_short_folder()
    cluster = RayCluster(server, folder)
    _current.append(cluster)
    try:
        with quiet(Path(folder) / "driver.log"):
            try:
                cluster.start()
                yield cluster
            finally:
                with held_signals():
                    cluster.leave()
    finally:
        _current.remove(cluster)
        if not cluster.failed_to_start:
            shutil.rmtree(folder, ignore_errors=True)


def _find(address: str) -> ClusterAddress | None:
    if address == "auto":
        logging.getLogger("ray").setLevel(logging.ERROR)
        # Ray does this only for `auto`, because that cluster is likely one of the same user.
        authentication_token_setup.maybe_enable_token_auth_if_token_available(
            warn_if_disabled=False
        )
    return find(address, get_ray_address_file(None), services.find_gcs_addresses)


def _restore_handler() -> None:
    """Install this process's handler of SIGTERM again.

    When Ray starts, its native code installs one that ends the process with a stack trace; when it
    stops, it removes that.
    """
    handler = signal.getsignal(signal.SIGTERM)
    if handler is not None and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)


@contextmanager
def _startup(own: bool, mark: str) -> Iterator[None]:  # noqa: FBT001 (a flag of the cluster)
    """Mark the processes that Ray starts, and change how long it waits for them.

    It waits longer than its 30 s for a cluster of this process, and less than its 20 s for a GCS
    that answers but does not accept this process.
    """
    get_node, before = services.get_node, dict(os.environ)
    seconds = START_SECONDS if own else _JOIN_ATTEMPTS
    variables = {"RAY_gcs_server_port_wait_time_s": f"{seconds:.0f}", VARIABLE: mark}
    if own and not _has_token():
        variables["RAY_AUTH_TOKEN"] = _TOKEN
    os.environ.update(variables)

    def get_node_patiently(gcs: str, node: str) -> Any:  # noqa: ANN401 (a dictionary of Ray's)
        ends = time.monotonic() + START_SECONDS
        while True:
            try:
                return get_node(gcs, node)  # type: ignore[no-untyped-call]
            except RuntimeError:
                if time.monotonic() >= ends:
                    raise
                time.sleep(_SLICE_SECONDS)

    if own:
        services.get_node = get_node_patiently
    try:
        yield
    finally:
        services.get_node = get_node
        for name in variables:
            del os.environ[name]
            if name in before:
                os.environ[name] = before[name]


def _has_token() -> bool:
    """Return whether Ray has a token for clusters of this user, or can write one to ~/.ray."""
    if {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & os.environ.keys():
        return True
    with suppress(OSError, RuntimeError):
        folder = Path.home() / ".ray"
        folder.mkdir(exist_ok=True)
        return (folder / "auth_token").exists() or os.access(folder, os.W_OK)
    return False


def _reason(error: BaseException) -> str:
    """Return an error of Ray in one line; `_NO_TOKEN` if a missing token has caused it."""
    cause: BaseException | None = error
    while cause is not None:
        if _NO_TOKEN in str(cause):
            return _NO_TOKEN
        cause = cause.__cause__
    return in_one_line(str(error), _MAX_REASON) or type(error).__name__
