"""Words prepared and read, beside plain pipelines of Pillow in the same run.

`nox -s speed -- reading` prints two tables. Preparing: files to an LMDB, beside the loop of most
code for scene text, which commits every 1,000. Reading: a shuffled pass over words in batches of
64, as JPEGs, from the cache of decoded images and from memory in a second epoch, beside what most
code does with the same LMDB and beside what bench did before it read bytes; and the memory of this
process that no file backs, a quarter through the pass and at its end. Turns go round all of them,
so that a machine that slows down slows them alike; a ratio is one of medians.

"Bytes" is what a worker or the thread beside a GPU does; "finished" is what a training on a CPU
waits for.
"""

from __future__ import annotations

import io
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import zip_longest
from pathlib import Path

import cv2
import lmdb
import numpy as np
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from bench.core.model_input import ImageInput
from bench.core.types import Batch
from bench.data.inputs import images
from bench.data.inputs.image_transform import ImageTransform, resize_image
from bench.data.raw.entries import Entry
from bench.data.reading import shared_image_cache
from bench.data.reading.label_encoder import LabelEncoder, encoder_of_alphabet
from bench.data.reading.loading import BatchLoader
from bench.data.reading.pipeline import PreparedPipeline
from bench.data.reading.samples import SampleRef, Samples, Selection
from bench.data.store import caching, preparing
from bench.data.store import data_dir as home
from bench.data.store.partition import Partition
from bench.evaluation import protocols

WORDS = 20_000
PREPARED = 4_000
SIZE = 64
TRANSFORM = ImageTransform(ImageInput())
SHAPE = TRANSFORM.shape
CLOCKS = {0: time.process_time, 2: time.perf_counter}
"""By workers. Where there are none, the time that others have the processor does not count."""
TURNS = 8
TURN = WORDS // SIZE // TURNS
"""Batches."""
READ_AHEAD = 8
"""Batches of a turn before its clock starts: workers have made them beforehand."""
AT_LEAST = {
    ("JPEG, bytes", 0): ("before", 1.2),
    ("JPEG, finished", 0): ("Pillow", 4),
    ("cache, finished", 0): ("Pillow", 15),
}
"""Ratios: to which reading, and the least."""


class Tree:
    """A reader of JPEGs in a folder, each named by its number."""

    parts = ("train",)
    columns = ()

    def __init__(self, folder: Path, count: int) -> None:
        self.folder = folder
        self.count = count

    def entries(self, part: str) -> Iterator[Entry]:  # noqa: ARG002 (there is but one)
        for number in range(self.count):
            file = self.folder / f"{number}.jpg"
            yield Entry(file.name, f"Word{number}", lambda file=file: (file.read_bytes(),))

    def database(self, part: str) -> None:  # noqa: ARG002
        return None


def render(folder: Path) -> None:
    """Write colored JPEGs, 31 pixels high as Synth90k's are, 60 to 200 wide, of 1 to 2 kB."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(WORDS):
        width = int(rng.integers(60, 201))
        coarse = rng.integers(0, 256, (6, width // 6, 3), np.uint8)
        pixels = cv2.resize(coarse, (width, 31), interpolation=cv2.INTER_LINEAR)
        (folder / f"{number}.jpg").write_bytes(images.encode_jpeg(pixels, 75))


class Plain(Dataset[tuple[torch.Tensor, str]]):
    """The same LMDB as most code for scene text reads it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment: lmdb.Environment | None = None
        self.tensor = transforms.ToTensor()

    def __len__(self) -> int:
        return WORDS

    def __getitem__(self, index: int) -> tuple[torch.Tensor, str]:
        if self.environment is None:
            self.environment = lmdb.open(
                str(self.folder), readonly=True, lock=False, readahead=False, meminit=False
            )
        with self.environment.begin() as transaction:
            text = transaction.get(f"label-{index + 1:09d}".encode()).decode()
            encoded = transaction.get(f"image-{index + 1:09d}".encode())
        size = (SHAPE.width, SHAPE.height)
        image = Image.open(io.BytesIO(encoded)).convert("L").resize(size, Image.Resampling.BICUBIC)
        return self.tensor(image).sub_(0.5).div_(0.5), text


def stacked(samples: list[tuple[torch.Tensor, str]]) -> tuple[torch.Tensor, list[str]]:
    return torch.stack([pixels for pixels, _ in samples]), [text for _, text in samples]


def through_pillow(folder: Path, workers: int) -> Iterator[object]:
    loader = DataLoader(Plain(folder), SIZE, shuffle=True, collate_fn=stacked, num_workers=workers)
    return iter(loader)


def before(name: str) -> Iterator[object]:
    """Yield batches of float32 as bench read them at first, one word after the other."""
    partition, encoder = (
        Partition(name, "train"),
        encoder_of_alphabet(protocols.find_protocol("str-36")),
    )
    order = np.random.default_rng([0, 0]).permutation(WORDS)
    for start in range(0, WORDS, SIZE):
        references = [SampleRef(partition, row) for row in order[start : start + SIZE].tolist()]
        pixels = np.stack([stretched_before(reference) for reference in references])
        inputs = torch.from_numpy(pixels).movedim(-1, -3).float().div_(127.5).sub_(1)
        texts = tuple(reference.text for reference in references)
        classes = [encoded_before(encoder, text) for text in texts]
        columns = np.array([*zip_longest(*classes, fillvalue=0)], np.int64)
        targets = torch.from_numpy(np.ascontiguousarray(columns.T))
        yield Batch(
            inputs,
            torch.from_numpy(np.full(len(references), SHAPE.width)),
            targets,
            torch.tensor([len(target) for target in classes]),
            torch.full_like(targets, -1),
            tuple(reference.id for reference in references),
            texts,
        )


def stretched_before(reference: SampleRef) -> np.ndarray:
    assert reference.partition.decoded(TRANSFORM.shape) is None
    return resize_image(reference.partition.pixels(reference.row, 1), TRANSFORM.shape)


def encoded_before(encoder: LabelEncoder, text: str) -> tuple[int, ...]:
    return tuple(filter(None, map(encoder._classes.get, encoder.tokens(text))))


def opened(name: str, held: int = 0) -> PreparedPipeline:
    """Return the pipeline of prepared words, of which so many bytes may be held in memory."""
    shared_image_cache.MAX_BYTES = held
    return PreparedPipeline(
        {"train": Samples([Selection(Partition(name, "train"))])},
        encoder_of_alphabet(protocols.find_protocol("str-36")),
        TRANSFORM,
    )


def as_bytes(pipeline: PreparedPipeline) -> Iterator[object]:
    return iter(pipeline.batches("train", SIZE))


def finished(pipeline: PreparedPipeline, workers: int) -> Iterator[object]:
    return BatchLoader(pipeline, workers, "cpu").read(pipeline.batches("train", SIZE))


def second_epoch(name: str, workers: int) -> Iterator[object]:
    """Yield the batches of an epoch whose images are all in memory."""
    pipeline = opened(name, WORDS * SHAPE.height * SHAPE.width)
    for _ in pipeline.batches("train", SIZE):
        pass
    return finished(pipeline, workers)


def anonymous() -> float:
    """Return the MB of this process that no file backs."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("RssAnon:")[2].split()[0]) / 1024


class Reader:
    """A pass read in turns: images a second of each, and the memory after it in MB."""

    def __init__(self, batches: Iterator[object], clock: Callable[[], float]) -> None:
        self.batches = batches
        self.clock = clock
        self.rates: list[float] = []
        self.memory: list[float] = []

    def read(self) -> None:
        time.sleep(0.2)  # until workers have read ahead, also those of other readers
        for number in range(TURN):
            if number == READ_AHEAD:
                began = self.clock()
            next(self.batches)
        seconds = self.clock() - began
        self.rates.append((TURN - READ_AHEAD) * SIZE / seconds)
        self.memory.append(anonymous())


def prepared_by_pillow(source: Path, folder: Path, *, decodes: bool) -> None:
    """Write an LMDB as most code for scene text does, one file after the other."""
    environment = lmdb.open(str(folder), map_size=2**34)
    pending: dict[bytes, bytes] = {}

    def commit() -> None:
        with environment.begin(write=True) as transaction:
            for name, value in pending.items():
                transaction.put(name, value)
        pending.clear()

    for number in range(1, PREPARED + 1):
        encoded = (source / f"{number - 1}.jpg").read_bytes()
        image = Image.open(io.BytesIO(encoded))
        image.convert("RGB") if decodes else image.verify()
        pending[f"image-{number:09d}".encode()] = encoded
        pending[f"label-{number:09d}".encode()] = f"Word{number - 1}".encode()
        if number % 1000 == 0:
            commit()
    pending[b"num-samples"] = str(PREPARED).encode()
    commit()
    environment.close()


def prepared_by_bench(source: Path, folder: Path, count: int = PREPARED) -> None:
    preparing.prepare(Tree(source, count), source, folder, lambda *_: None, clips=False)


def preparing_table(source: Path, folder: Path) -> Table:
    calls: dict[str, Callable[[Path], None]] = {
        "Pillow, decoded": lambda to: prepared_by_pillow(source, to, decodes=True),
        "Pillow, only headers read": lambda to: prepared_by_pillow(source, to, decodes=False),
        "bench, decoded and hashed": lambda to: prepared_by_bench(source, to),
    }
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(TURNS):
        for place, (name, call) in enumerate(calls.items()):
            began = time.perf_counter()
            call(folder / f"{place}-{turn}")
            seconds[name].append(time.perf_counter() - began)
    table = Table("preparing", "samples/s", "×", title=f"{PREPARED:,} JPEG words to an LMDB")
    medians = {name: statistics.median(taken) for name, taken in seconds.items()}
    for name, taken in medians.items():
        ratio = medians["Pillow, decoded"] / taken
        table.add_row(name, f"{PREPARED / taken:,.0f}", f"{ratio:.2f}")
    return table


def reading_rows(folder: Path, workers: int) -> Iterator[list[str]]:
    passes = {
        "Pillow": through_pillow(folder / "plain" / "train", workers),
        "JPEG, finished": finished(opened("jpegs"), workers),
        "cache, finished": finished(opened("kept"), workers),
        "memory, finished": second_epoch("again", workers),
    }
    if not workers:
        passes |= {"before": before("earlier"), "JPEG, bytes": as_bytes(opened("bytes"))}
    readers = {name: Reader(batches, CLOCKS[workers]) for name, batches in passes.items()}
    for _ in range(TURNS):
        for reader in readers.values():
            reader.read()
    rates = {name: statistics.median(reader.rates) for name, reader in readers.items()}
    for name, reader in readers.items():
        ratio = f"{rates[name] / rates['Pillow']:.1f}"
        if limit := AT_LEAST.get((name, workers)):
            other, least = limit
            ratio += f" ({rates[name] / rates[other]:.2f} of {other}, at least {least})"
        early, late = reader.memory[TURNS // 4 - 1], reader.memory[-1]
        yield [name, str(workers), f"{rates[name]:,.0f}", ratio, f"{early:.0f}, {late:.0f}"]


def reading_table(folder: Path) -> Table:
    title = f"{WORDS:,} JPEG words in batches of {SIZE}"
    table = Table("reading", "workers", "images/s", "× Pillow", "MB at ¼, end", title=title)
    for workers in CLOCKS:
        for row in reading_rows(folder, workers):
            table.add_row(*row)
    return table


def main() -> None:
    """Print both tables."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        home.set_data_folder(root / "data")
        render(root / "words")
        Console().print(preparing_table(root / "words", root))
        first = home.data_folder() / "jpegs"
        prepared_by_bench(root / "words", first, WORDS)
        for name in (
            "plain",
            "kept",
            "again",
            "earlier",
            "bytes",
        ):  # LMDB opens a file but once in a process
            shutil.copytree(first, home.data_folder() / name)
        caching.write_decoded_cache("kept", SHAPE, lambda *_: None)
        Console().print(reading_table(home.data_folder()))


if __name__ == "__main__":
    main()
