"""The file of a pack: a zip that is written to the same bytes, and read as if it were hostile.

pack.json                            the manifest (`Manifest`)
evaluations/<key>/evaluation.json    records, and the files that they name
evaluations/<key>/predictions.parquet
trainings/<key>/training.json
trainings/<key>/weights.safetensors  with --weights only; so is last.safetensors

Entries are stored without compression: predictions are compressed already, and nothing can grow as
it is unpacked. Every name has to be one of these, so that none leads out of a folder.
"""

from __future__ import annotations

import hashlib
import io
import re
import stat
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.core import documents
from bench.core.errors import BenchError, Exit
from bench.core.printable import quoted
from bench.trials.store import EVALUATION, LAST_WEIGHTS, PREDICTIONS, TRAINING, WEIGHTS

if TYPE_CHECKING:
    from bench.trials.specs import Kind

MANIFEST = "pack.json"
SCHEMA = 1
MAX_NAME = 80
"""Characters of the name of a person."""
_KEY = "[0-9a-f]{16}"
_EVALUATION_FILES = (EVALUATION, PREDICTIONS)
_TRAINING_FILES = (TRAINING, WEIGHTS, LAST_WEIGHTS)
_NAMES = re.compile(
    rf"{re.escape(MANIFEST)}|"
    rf"evaluations/{_KEY}/(?:{'|'.join(map(re.escape, _EVALUATION_FILES))})|"
    rf"trainings/{_KEY}/(?:{'|'.join(map(re.escape, _TRAINING_FILES))})"
)
_MAX_ENTRIES = 20_000
_MAX_BYTES = {".json": 2**24, ".parquet": 2**28, ".safetensors": 2**31}
"""Of one file in a pack, by its suffix."""
_MAX_TOTAL = 2**32
_DATE = (1980, 1, 1, 0, 0, 0)
_PERSON = re.compile(r"[\w .,'@()+-]+")
_REMEDY = "ask whoever made it to pack again"


@dataclass(frozen=True)
class Manifest:
    """What a pack says of itself.

    Attributes:
        suite: The suite whose rows it has.
        by: Who ran them; empty where that is not said.
        bench: The version of bench that packed them.
        files: The SHA-256 of each other file in it, by name.
        schema: The version of this document.
    """

    suite: str
    by: str
    bench: str
    files: dict[str, str]
    schema: int = SCHEMA


@dataclass(frozen=True)
class Pack:
    """A pack whose files are those that its manifest names.

    Attributes:
        path: Where it was read.
        manifest: What it says of itself.
        digest: The SHA-256 of the file.
        files: The content of each file, by name.
    """

    path: Path
    manifest: Manifest
    digest: str
    files: Mapping[str, bytes]

    def keys(self, kind: Kind) -> list[str]:
        """Return the keys of its records of a kind, sorted."""
        return sorted({name.split("/")[1] for name in self.files if name.startswith(f"{kind}s/")})

    def of(self, kind: Kind, key: str) -> dict[str, bytes]:
        """Return the files of one record by their own names."""
        folder = f"{kind}s/{key}/"
        return {
            name.removeprefix(folder): content
            for name, content in self.files.items()
            if name.startswith(folder)
        }


def entry_name(kind: Kind, key: str, file: str) -> str:
    """Return the name of a record's file in a pack."""
    return f"{kind}s/{key}/{file}"


def check_person(name: str) -> str:
    """Return the name of a person. Raises BenchError where boards cannot print it."""
    if len(name) > MAX_NAME or not _PERSON.fullmatch(name):
        raise BenchError(
            f"{quoted(name)} is not a name that boards can print; give letters, digits and "
            f".,'@()+- of at most {MAX_NAME} characters"
        )
    return name


def to_bytes(manifest: Manifest, files: Mapping[str, bytes]) -> bytes:
    """Return the bytes of a pack; the same records give the same."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, content in [(MANIFEST, documents.encode(manifest)), *sorted(files.items())]:
            info = zipfile.ZipInfo(name, _DATE)
            info.create_system = 3
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(info, content)
    return stream.getvalue()


def check_replaceable(path: Path) -> None:
    """Raise BenchError where a file is in the way that is not a pack itself."""
    # A device may have no end.
    if path.exists() and not (path.is_file() and zipfile.is_zipfile(path)):
        raise BenchError(
            f"{path}: it is there already and not a pack; name another file with --out"
        )


def read(path: Path) -> Pack:
    """Read a pack.

    Raises:
        BenchError: (unverified) It is not a pack, is damaged, or has what no pack has.
    """
    if not path.is_file():
        raise BenchError(f"{path}: there is no such file; name a pack that `bench pack` wrote")
    if path.stat().st_size > _MAX_TOTAL:
        raise _refused(path, f"it is larger than {_MAX_TOTAL // 2**30} GiB")
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            _check_entries(path, entries)
            files = {entry.filename: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError, OSError) as error:
        raise _refused(path, f"it is not a zip file that can be read ({error})") from None
    if MANIFEST not in files:
        raise _refused(path, f"it has no {MANIFEST}")
    manifest = documents.parse(
        files.pop(MANIFEST),
        Manifest,
        SCHEMA,
        source=f"{path}: {MANIFEST}",
        noun="manifest",
        remedy=_REMEDY,
    )
    _check_checksums(path, manifest, files)
    if manifest.by:
        check_person(manifest.by)
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return Pack(path, manifest, digest, files)


def _check_entries(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    """Raise BenchError on anything that `to_bytes` does not write, before any of it is read."""
    if len(entries) > _MAX_ENTRIES:
        raise _refused(path, f"it has {len(entries):,} files, more than {_MAX_ENTRIES:,}")
    names = set()
    for entry in entries:
        name = entry.orig_filename
        if not _NAMES.fullmatch(name) or entry.filename != name:
            raise _refused(path, f"it has a file {quoted(name)}, which no pack has")
        if name in names:
            raise _refused(path, f"it has two files '{name}'")
        names.add(name)
        mode = stat.S_IFMT(entry.external_attr >> 16)
        if mode not in {0, stat.S_IFREG}:
            raise _refused(path, f"'{name}' is a link or another special file")
        if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
            raise _refused(path, f"'{name}' is compressed, which packs are not")
        if entry.flag_bits & 1:
            raise _refused(path, f"'{name}' is encrypted")
        if entry.file_size > (largest := _MAX_BYTES[Path(name).suffix]):
            raise _refused(path, f"'{name}' is larger than {largest // 2**20:,} MiB")


def _check_checksums(path: Path, manifest: Manifest, files: Mapping[str, bytes]) -> None:
    if odd := sorted(files.keys() ^ manifest.files.keys()):
        where = "its manifest" if odd[0] in files else "it"
        raise _refused(path, f"{where} lacks {quoted(odd[0])}")
    for name, content in files.items():
        if hashlib.sha256(content).hexdigest() != manifest.files[name]:
            raise _refused(path, f"'{name}' is not what its manifest says")


def _refused(path: Path, fault: str) -> BenchError:
    return BenchError(f"{path}: this pack is refused: {fault}; {_REMEDY}", Exit.UNVERIFIED)
