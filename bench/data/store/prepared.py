"""Prepared data: a folder with one LMDB per partition and a document that describes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from bench.core import documents
from bench.core.errors import BenchError
from bench.data.store import data_dir as home

if TYPE_CHECKING:
    from pathlib import Path

Advance = Callable[[str, int], None]
"""Called with a partition and the number of its entries that were processed since the last call."""

SCHEMA = 1
DOCUMENT = "prepared.json"
SAMPLES = "samples.arrow"
REJECTED = "rejected.tsv"
SYNTHETIC = "-synthetic"


class NotPreparedError(BenchError):
    """A data set is not prepared, or was prepared in another way than it is declared now.

    Attributes:
        dataset: The name of its folder among the prepared data.
        command: What prepares it.
    """

    def __init__(self, message: str, dataset: str, command: str) -> None:
        super().__init__(message)
        self.dataset = dataset
        self.command = command


@dataclass(frozen=True)
class PreparedPartition:
    """A partition as it was prepared.

    Attributes:
        samples: The number of samples.
        fingerprint: The digest of ids, transcripts and encoded images of all samples in order.
        pixels_bytes: The size of the encoded images.
        rejected: The number of rejected entries by reason; the file `REJECTED` lists each.
        table: The checksum of the file `SAMPLES`; empty if there is no such file.
        schema: The version of this document.
    """

    samples: int
    fingerprint: str
    pixels_bytes: int
    rejected: dict[str, int]
    table: str = ""
    schema: int = SCHEMA


@dataclass(frozen=True)
class Prepared:
    """The document of prepared data.

    Attributes:
        name: The name of the folder: that of the data set, with "-synthetic" for a synthetic one.
        layout: The class of the reader of the raw data set.
        parts: The partitions by name.
        bench: The version of bench that prepared the data.
        schema: The version of this document.
    """

    name: str
    layout: str
    parts: dict[str, PreparedPartition]
    bench: str
    schema: int = SCHEMA


def read_prepared(folder: Path) -> Prepared | None:
    """Return the document of the prepared data in `folder`, None if preparation is not complete.

    Raises:
        BenchError: The document was not written by bench (`Exit.UNVERIFIED`).
    """
    file = folder / DOCUMENT
    if not file.exists():
        return None
    remedy = f"run: bench data prepare {folder.name.removesuffix(SYNTHETIC)} --force --source …"
    return documents.read(file, Prepared, SCHEMA, noun="document of prepared data", remedy=remedy)


def require_prepared(name: str) -> Prepared:
    """Return the document of prepared data.

    Args:
        name: The name of their folder; that of a synthetic data set ends with "-synthetic".

    Raises:
        NotPreparedError: Nothing was prepared under `name`; it has the command that does.
    """
    folder = home.data_folder() / name
    document = read_prepared(folder)
    if document is not None:
        return document
    plain = name.removesuffix(SYNTHETIC)
    first = f"bench data synth {plain} --out DIR, then " if plain != name else ""
    command = f"{first}bench data prepare {plain} --source DIR"
    raise NotPreparedError(
        f"dataset '{name}' is not prepared: there is no {folder / DOCUMENT}; run: {command} "
        f"(`bench data show {plain}` shows where to get it)",
        name,
        command,
    )


def combined_fingerprint(fingerprints: Iterable[str]) -> str:
    """Return one fingerprint for several, in order."""
    return f"sha256:{sha256(' '.join(fingerprints).encode()).hexdigest()}"


def missing_partition(name: str, part: str, parts: Iterable[str]) -> BenchError:
    """Return the error for a partition that was not prepared."""
    return BenchError(
        f"prepared data '{name}' have no partition '{part}', only {', '.join(parts)}; prepare them "
        "from a source that has it"
    )
