from __future__ import annotations

import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from bench.core.errors import BenchError, Exit
from bench.core.model_input import FrameInput
from bench.data.datasets.seq_digits import SeqDigits
from bench.data.reading.loading import read

OPEN = Path("/proc/self/fd")


def opened(dataset):
    return dataset.open(FrameInput(), dataset.label_encoder(None))


@pytest.fixture(scope="module")
def batches():
    return opened(SeqDigits(digits=2, rounds=1)).batches("train", 100, seed=3, epoch=2)


@pytest.fixture
def troubled(faulty, monkeypatch):
    """Return a function that makes a pass whose third batch cannot be read, here or in a worker."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    return faulty.Troubled


def assert_alike(one, other):
    for left, right in zip(one, other, strict=True):
        equal = torch.equal if isinstance(left, torch.Tensor) else tuple.__eq__
        assert equal(left, right)


@pytest.mark.parametrize("workers", [0, 1, 3, 99])
def test_all_batches_are_read_in_order_and_no_random_number_is_drawn(batches, workers):
    before = torch.get_rng_state()
    found = list(read(batches, workers))
    assert torch.equal(torch.get_rng_state(), before)
    for index, batch in enumerate(found):
        assert_alike(batch, batches[index])
    assert len(found) == len(batches) == 7


def test_a_pass_survives_pickling(batches):
    again = pickle.loads(pickle.dumps(batches))  # noqa: S301
    assert_alike(again[3], batches[3])


@pytest.mark.skipif(not OPEN.is_dir(), reason="open files are listed by Linux")
def test_passes_that_are_left_early_leave_no_files_open(batches):
    counts = []
    for _ in range(5):
        reader = read(batches, 2)
        next(reader)
        reader.close()
        counts.append(sum(1 for _ in OPEN.iterdir()))
    # A queue closes its pipe in a thread of its own, a moment later.
    assert max(counts) - min(counts) < 2 * len(counts)


@pytest.mark.parametrize("workers", [0, 2])
def test_what_bench_says_of_a_batch_is_said_alike_wherever_it_is_read(troubled, workers):
    reader = read(troubled("sentence"), workers)
    assert [len(batch.ids) for batch in (next(reader), next(reader))] == [1, 1]
    with pytest.raises(BenchError) as caught:
        next(reader)
    assert str(caught.value) == "the third batch is gone; take another"
    assert caught.value.code == Exit.UNVERIFIED


@pytest.mark.parametrize("workers", [0, 2])
def test_any_other_fault_keeps_its_kind_and_its_words(troubled, workers):
    with pytest.raises(RuntimeError, match="the disk is on fire"):
        list(read(troubled("fault"), workers))


@pytest.mark.slow
def test_that_a_worker_was_killed_is_one_sentence(troubled):
    with pytest.raises(BenchError, match="reads batches ahead has ended") as caught:
        list(read(troubled("killed"), 2))
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.slow
def test_workers_end_with_a_killed_reader(tmp_path):
    file = tmp_path / "reader.py"
    file.write_text(
        "from bench.data.reading.loading import read\n"
        "from bench.core.model_input import FrameInput\n"
        "from bench.data.datasets.seq_digits import SeqDigits\n"
        "import multiprocessing, time\n"
        "if __name__ == '__main__':\n"
        "    digits = SeqDigits()\n"
        "    pipeline = digits.open(FrameInput(), digits.label_encoder(None))\n"
        "    reader = read(pipeline.batches('train', 1), 2)\n"
        "    next(reader)\n"
        "    print(*(child.pid for child in multiprocessing.active_children()), flush=True)\n"
        "    time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, file], stdout=subprocess.PIPE, text=True) as process:
        workers = [int(word) for word in process.stdout.readline().split()]
        process.send_signal(signal.SIGKILL)
    assert len(workers) == 2
    ends = time.monotonic() + 20
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < ends, "a worker has outlived its reader"
        time.sleep(0.1)
