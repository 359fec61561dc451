"""What prepared data are: a folder of LMDBs with a document that says what they hold."""

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
"""Told of a partition and of how many more of its entries are done."""

SCHEMA = 1
DOCUMENT = "prepared.json"
SAMPLES = "samples.arrow"
REJECTED = "rejected.tsv"
SYNTHETIC = "-synthetic"


@dataclass(frozen=True)
class PreparedPartition:
    """A partition as it was prepared.

    `fingerprint` is the digest of identities, transcripts and encoded pixels of all samples in
    their order. `rejected` counts what was left out, by reason; the file `REJECTED` names each.
    `table` is the checksum of the file `SAMPLES`, empty where there is none.
    """

    samples: int
    fingerprint: str
    pixels_bytes: int
    rejected: dict[str, int]
    table: str = ""
    schema: int = SCHEMA


@dataclass(frozen=True)
class Prepared:
    """The document of prepared data: what they were prepared from, by which release of bench."""

    name: str
    layout: str
    parts: dict[str, PreparedPartition]
    bench: str
    schema: int = SCHEMA


def read_prepared(folder: Path) -> Prepared | None:
    """Return what was prepared in `folder`, None where nothing was, or not to its end.

    Raises BenchError (unverified) where the document is none of bench.
    """
    file = folder / DOCUMENT
    if not file.exists():
        return None
    remedy = f"run: bench data prepare {folder.name.removesuffix(SYNTHETIC)} --force --source …"
    return documents.read(file, Prepared, SCHEMA, noun="document of prepared data", remedy=remedy)


def require_prepared(name: str) -> Prepared:
    """Return what was prepared under `name`. Raises BenchError with what to run where nothing was.

    `name` is that of the folder: of a synthetic data set it ends with "-synthetic".
    """
    folder = home.data_folder() / name
    found = read_prepared(folder)
    if found is not None:
        return found
    plain = name.removesuffix(SYNTHETIC)
    first = f"bench data synth {plain} --out DIR, then " if plain != name else ""
    raise BenchError(
        f"dataset '{name}' is not prepared: there is no {folder / DOCUMENT}; run: {first}"
        f"bench data prepare {plain} --source DIR (`bench data show {plain}` tells where to get it)"
    )


def combined_fingerprint(fingerprints: Iterable[str]) -> str:
    """Return one fingerprint of several, in their order."""
    return f"sha256:{sha256(' '.join(fingerprints).encode()).hexdigest()}"


def missing_partition(name: str, part: str, there: Iterable[str]) -> BenchError:
    """Return the error of a partition that was not prepared."""
    return BenchError(
        f"prepared data '{name}' have no partition '{part}', only {', '.join(there)}; prepare them "
        "from a source that has it"
    )
