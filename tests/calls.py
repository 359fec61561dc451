"""Calls for processes of their own to import: not a test module."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from bench.trials.events import Event, Finished, Started


def reports(*words: str) -> Iterator[Event]:
    """Report each word, then that all is done."""
    for word in words:
        yield Started(word)
    yield Finished("", 0.0)


def looks() -> Iterator[Event]:
    """Report what this process sees of its client."""
    yield Started(os.environ.get("SEEN", "nothing"))
    yield Started(os.environ["CUDA_VISIBLE_DEVICES"])
    yield Started(str(Path.cwd()))
    yield Started(str([*sys.path]))
    yield Finished("", 0.0)


def computes(threads: int) -> Iterator[Event]:
    """Report a matrix product by so many threads, and those that this process had before."""
    import torch

    torch.set_num_threads(threads)
    matrix = torch.ones(512, 512)
    yield Started(f"{(matrix @ matrix).sum().item():.0f} {torch.cuda.is_initialized()}")
    yield Finished("", 0.0)


def sums_on_gpu() -> Iterator[Event]:
    """Report a sum that a GPU made, and how many of them this process sees."""
    import torch

    yield Started(f"{torch.ones(8, device='cuda').sum().item():.0f} {torch.cuda.device_count()}")
    yield Finished("", 0.0)


def imported(*modules: str) -> Iterator[Event]:
    """Report of each module whether it has been imported."""
    yield Started(" ".join(str(module in sys.modules) for module in modules))
    yield Finished("", 0.0)


def writes(text: str) -> Iterator[Event]:
    """Write to standard output."""
    print(text, flush=True)  # noqa: T201
    yield Finished("", 0.0)


def loads() -> Iterator[Event]:
    """Report whether a process that would prefetch batches has torch from its beginning."""
    context = multiprocessing.get_context("forkserver")
    receives, sends = context.Pipe(duplex=False)
    process = context.Process(target=_tell_of_torch, args=(sends,))
    process.start()
    yield Started(receives.recv())
    process.join()
    yield Finished("", 0.0)


def _tell_of_torch(sends: Connection) -> None:
    same_group = os.getpgid(0) == os.getpgid(os.getppid())
    sends.send(f"{'torch' in sys.modules} {same_group}")


def ends(how: str) -> Iterator[Event]:
    """End this process without a report."""
    yield Started(str(os.getpid()))
    if how == "exit":
        os._exit(7)
    if how == "system exit":
        sys.exit(3)
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    raise RuntimeError("the disk is on fire")


def hangs(file: str) -> Iterator[Event]:
    """Start a process below this one, write both ids into a file, and hang."""
    below = subprocess.Popen(["sleep", "600"])
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
    Path(file).write_text(f"{os.getpid()} {below.pid}")
    yield Started("")
    below.wait()
    yield Finished("", 0.0)
