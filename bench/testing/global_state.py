"""Global state of a process that a component must leave as it was."""

from __future__ import annotations

import os
import random
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

_SEEDS = (11, 12)


def global_state() -> dict[str, object]:
    """Return settings of this process that decide what others compute, by a name for messages."""
    state: dict[str, object] = {
        "torch's default dtype": torch.get_default_dtype(),
        "torch's default device": str(torch.get_default_device()),
        "torch's number of threads": torch.get_num_threads(),
        "torch's gradient mode": torch.is_grad_enabled(),
        "torch's inference mode": torch.is_inference_mode_enabled(),
        "torch's anomaly detection": torch.is_anomaly_enabled(),
        "torch's deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
        "torch's benchmarking of cuDNN": torch.backends.cudnn.benchmark,
        "autocast": torch.is_autocast_enabled("cpu"),
        "the working folder": os.getcwd(),  # noqa: PTH109 (the text)
        "the filters of warnings": tuple(map(str, warnings.filters)),
        "NumPy's handling of errors": tuple(sorted(np.geterr().items())),
    }
    if threading.current_thread() is threading.main_thread():
        state["the handler of SIGINT"] = signal.getsignal(signal.SIGINT)
    variables = {f"the environment variable {name}": value for name, value in os.environ.items()}
    # pytest sets this variable before each phase of a test.
    variables.pop("the environment variable PYTEST_CURRENT_TEST", None)
    return state | variables


def changes(before: dict[str, object], after: dict[str, object]) -> list[str]:
    """Return the names of settings that differ."""
    names = [*before, *(name for name in after if name not in before)]
    return [name for name in names if before.get(name) != after.get(name)]


def reseeded_generators(call: Callable[[], object]) -> list[str]:
    """Return which global random generators a call leaves in the same state for every seed."""
    states = []
    for seed in _SEEDS:
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002 (the global generator is what is examined)
        random.seed(seed)
        call()
        states.append(_generator_states())
    before, after = states
    return [name for name in before if before[name] == after[name]]


def drawn_generators(call: Callable[[], object]) -> list[str]:
    """Return which global random generators a call advances or seeds."""
    before = _generator_states()
    call()
    after = _generator_states()
    return [name for name in before if before[name] != after[name]]


def _generator_states() -> dict[str, object]:
    _, numbers, position, *_ = np.random.get_state()  # noqa: NPY002
    return {
        "torch": torch.get_rng_state().numpy().tobytes(),
        "NumPy": (np.asarray(numbers).tobytes(), position),
        "Python": random.getstate(),
    }


@contextmanager
def preserved_state() -> Iterator[None]:
    """Restore the global state of this process, random generators included, when a block ends."""
    numbers, numpy_numbers, drawn = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    dtype, threads, gradients = (
        torch.get_default_dtype(),
        torch.get_num_threads(),
        torch.is_grad_enabled(),
    )
    errors, folder, variables = np.geterr(), Path.cwd(), dict(os.environ)
    try:
        with warnings.catch_warnings():
            yield
    finally:
        random.setstate(numbers)
        np.random.set_state(numpy_numbers)  # noqa: NPY002
        torch.set_rng_state(drawn)
        torch.set_default_dtype(dtype)
        torch.set_grad_enabled(gradients)
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        np.seterr(**errors)
        os.chdir(folder)
        if dict(os.environ) != variables:
            os.environ.clear()
            os.environ.update(variables)
