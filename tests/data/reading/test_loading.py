from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch

from bench.core.errors import BenchError, Exit
from bench.core.model_input import FrameInput
from bench.data.datasets.seq_digits import SeqDigits
from bench.data.reading.loading import BatchLoader, ReadingThread, read_batch

from ..conftest import same

OPEN = Path("/proc/self/fd")
DIGITS = SeqDigits(digits=2, rounds=1)
PIPELINE = DIGITS.open(FrameInput(), DIGITS.label_encoder(None))


class Unfinished:
    """A pipeline that returns stored inputs unchanged."""

    def finish(self, inputs):
        return inputs


@pytest.fixture(scope="module")
def batches():
    return PIPELINE.batches("train", 100, seed=3, epoch=2)


@pytest.fixture(scope="module")
def expected(batches):
    return [read_batch(PIPELINE, batches, index) for index in range(len(batches))]


@pytest.fixture
def loader():
    with BatchLoader(PIPELINE, 2, "cpu") as made:
        yield made


@pytest.fixture
def troubled(faulty, monkeypatch):
    """Return a function that makes an epoch whose third batch cannot be read in any process."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    return faulty.Troubled


def workers_of():
    """Return the process ids of the workers of this process."""
    return sorted(child.pid for child in multiprocessing.active_children())


def assert_ended(workers):
    ends = time.monotonic() + 20
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < ends, "a worker has outlived its loader"
        time.sleep(0.05)


@pytest.mark.parametrize("workers", [0, 1, 3, 99])
def test_all_batches_are_read_in_order_and_no_random_number_is_drawn(batches, expected, workers):
    before = torch.get_rng_state()
    with BatchLoader(PIPELINE, workers, "cpu") as loader:
        for first in (0, 3, 7, 8):
            found = list(loader.read(batches, first))
            assert len(found) == max(7 - first, 0)
            assert all(map(same, found, expected[first:]))
    assert torch.equal(torch.get_rng_state(), before)


def test_batches_are_kept_when_the_next_ones_are_read(loader, batches, expected):
    found = list(loader.read(batches))
    assert len({batch.inputs.data_ptr() for batch in found}) == 7
    raw = [batches[index] for index in range(7)]
    with BatchLoader(Unfinished(), 2, "cpu") as plain:
        assert all(map(same, list(plain.read(batches)), raw))
    assert all(map(same, found, expected))


def test_workers_are_kept_between_epochs(loader):
    passes = [("train", 1), ("validation", 0), ("train", 2), ("validation", 0), ("test", 0)]
    seen = set()
    for split, epoch in passes:
        batches = PIPELINE.batches(split, 100, seed=3, epoch=epoch)
        for index, batch in enumerate(loader.read(batches)):
            assert same(batch, read_batch(PIPELINE, batches, index))
        seen.add(tuple(workers_of()))
    assert len(seen) == 1
    assert len(workers_of()) == 2


def test_an_epoch_continues_after_another_was_read_during_it(loader, batches, expected):
    outer, other = loader.read(batches), PIPELINE.batches("validation", 20)
    for number, batch in enumerate(outer):
        assert same(batch, expected[number])
        if number in {1, 4}:
            inner = list(loader.read(other))
            assert all(same(one, read_batch(PIPELINE, other, n)) for n, one in enumerate(inner))
            assert len(inner) == len(other)
    assert number == 6


def test_an_epoch_can_be_pickled(batches):
    again = pickle.loads(pickle.dumps(batches))  # noqa: S301
    assert same(again[3], batches[3])


@pytest.mark.skipif(not OPEN.is_dir(), reason="open files are listed by Linux")
def test_epochs_that_are_closed_early_leave_no_files_open(loader, batches, expected):
    counts = []
    for _ in range(6):
        reader = loader.read(batches)
        assert same(next(reader), expected[0])
        reader.close()
        counts.append(sum(1 for _ in OPEN.iterdir()))
    # Requested batches still arrive, in memory that is reused.
    assert max(counts[2:]) - min(counts[2:]) <= 4
    assert all(map(same, loader.read(batches), expected))


@pytest.mark.skipif(not OPEN.is_dir(), reason="processes are listed by Linux")
@pytest.mark.parametrize("way", ["closed", "dropped"])
def test_workers_end_with_their_loader(batches, way):
    loader = BatchLoader(PIPELINE, 2, "cpu")
    reader = loader.read(batches)
    next(reader)
    workers = workers_of()
    assert len(workers) == 2
    if way == "closed":
        loader.close()
        # A closed loader can be used again; an epoch that was open at its close cannot.
        with pytest.raises(BenchError):
            list(reader)
    del loader, reader
    gc.collect()
    assert_ended(workers)


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_of_bench_is_the_same_in_a_worker(troubled, workers):
    with BatchLoader(Unfinished(), workers, "cpu") as loader:
        for _ in range(2):
            reader = loader.read(troubled("sentence"))
            assert [len(batch.ids) for batch in (next(reader), next(reader))] == [1, 1]
            with pytest.raises(BenchError) as caught:
                next(reader)
            assert str(caught.value) == "the third batch is gone; take another"
            assert caught.value.code == Exit.UNVERIFIED


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(("trouble", "kind"), [("fault", RuntimeError), ("missing", OSError)])
def test_another_exception_keeps_its_type_and_message(troubled, workers, trouble, kind):
    with (
        BatchLoader(Unfinished(), workers, "cpu") as loader,
        pytest.raises(kind, match="the disk is on fire"),
    ):
        list(loader.read(troubled(trouble)))


def test_an_exception_that_cannot_be_pickled_is_reported_with_its_stack(troubled):
    with (
        BatchLoader(Unfinished(), 1, "cpu") as loader,
        pytest.raises(RuntimeError, match=r"StubbornError: the disk is on fire"),
    ):
        list(loader.read(troubled("stubborn")))


@pytest.mark.slow
def test_a_killed_worker_is_one_error_and_is_replaced(troubled, batches, expected):
    with BatchLoader(PIPELINE, 2, "cpu") as loader:
        for _ in range(2):
            with pytest.raises(BenchError, match="prefetches batches has ended") as caught:
                list(loader.read(troubled("killed")))
            assert len(str(caught.value).splitlines()) == 1
        assert all(map(same, loader.read(batches), expected))
        os.kill(workers_of()[0], signal.SIGKILL)
        with pytest.raises(BenchError, match="prefetches batches has ended"):
            list(loader.read(batches))


@pytest.mark.slow
def test_workers_end_with_a_killed_reader(tmp_path):
    file = tmp_path / "reader.py"
    file.write_text(
        "from bench.data.reading.loading import BatchLoader\n"
        "from bench.core.model_input import FrameInput\n"
        "from bench.data.datasets.seq_digits import SeqDigits\n"
        "import multiprocessing, time\n"
        "if __name__ == '__main__':\n"
        "    digits = SeqDigits()\n"
        "    pipeline = digits.open(FrameInput(), digits.label_encoder(None))\n"
        "    loader = BatchLoader(pipeline, 2, 'cpu')\n"
        "    reader = loader.read(pipeline.batches('train', 1))\n"
        "    next(reader)\n"
        "    print(*(child.pid for child in multiprocessing.active_children()), flush=True)\n"
        "    time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, file], stdout=subprocess.PIPE, text=True) as process:
        workers = [int(word) for word in process.stdout.readline().split()]
        process.send_signal(signal.SIGKILL)
    assert len(workers) == 2
    assert_ended(workers)


def counted(values, stopped, wait=None):
    """Yield values and record the close; raise an error at the value None."""
    try:
        for value in values:
            if wait:
                wait.wait(20)
            if value is None:
                raise BenchError("a batch is gone; take another")
            yield value
    finally:
        stopped.append(threading.current_thread())


def test_a_thread_prefetches_one_value_of_several_epochs():
    thread, stopped, prepared = ReadingThread(), [], []

    def prepare(value):
        prepared.append(value)
        return value + 100

    outer = thread.read(counted(range(1, 5), stopped), prepare)
    assert next(outer) == 101
    assert list(thread.read(counted([7, 8], stopped), prepare)) == [107, 108]
    assert prepared == [1, 2, 7, 8]
    assert list(outer) == [102, 103, 104]
    assert len(stopped) == 2
    assert threading.current_thread() not in stopped
    thread.close()


def test_an_error_in_the_thread_is_raised_in_order():
    thread, stopped = ReadingThread(), []
    reader = thread.read(counted([1, None], stopped), float)
    assert next(reader) == 1
    with pytest.raises(BenchError, match="a batch is gone; take another"):
        next(reader)
    assert len(stopped) == 1
    thread.close()


def test_an_epoch_that_a_thread_prefetches_can_be_closed():
    thread, stopped, go = ReadingThread(), [], threading.Event()
    go.set()
    reader = thread.read(counted([1, 2, 3], stopped, go), float)
    assert next(reader) == 1
    go.clear()
    threading.Timer(0.1, go.set).start()
    reader.close()
    assert len(stopped) == 1
    assert list(thread.read(counted([4], stopped), float)) == [4]
    left = thread.read(counted([5, 6], stopped), float)
    next(left)
    thread.close()
    left.close()


@pytest.mark.gpu
@pytest.mark.parametrize("workers", [0, 2])
def test_a_gpu_gets_the_batches_of_a_cpu(workers):
    expected = BatchLoader(PIPELINE, 0, "cpu")
    with BatchLoader(PIPELINE, workers, "cuda") as loader:
        for epoch in range(2):
            batches = PIPELINE.batches("train", 16, epoch=epoch)
            for mine, other in zip(loader.read(batches), expected.read(batches), strict=True):
                assert mine.inputs.is_cuda
                assert not mine.targets.is_cuda
                assert not mine.lengths.is_cuda
                torch.testing.assert_close(mine.inputs.cpu(), other.inputs, rtol=0, atol=1e-6)
                assert torch.equal(mine.targets, other.targets)
