"""The file of a pack: a zip with reproducible bytes, whose reader trusts nothing in it.

pack.json                            the manifest (`Manifest`)
evaluations/<key>/evaluation.json    records, and the files that they name
evaluations/<key>/predictions.parquet
trainings/<key>/training.json
trainings/<key>/weights.safetensors  only with --weights, as is last.safetensors

Entries are stored without compression: predictions are compressed already, and unpacking cannot
take more space than the file. Only these names are allowed, so none leads out of a folder.
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
PACK_SCHEMA = 1
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
"""The largest size of one file in a pack, by suffix."""
_MAX_TOTAL = 2**32
_DATE = (1980, 1, 1, 0, 0, 0)
_PERSON = re.compile(r"[\w .,'@()+-]+")
_REMEDY = "ask whoever made it to pack again"


@dataclass(frozen=True)
class Manifest:
    """The manifest of a pack.

    Attributes:
        suite: The suite of its rows.
        by: The person who ran the rows; empty if it is not named.
        bench: The version of bench that wrote the pack.
        files: The SHA-256 of each other file, by name.
        schema: The version of the file format.
    """

    suite: str
    by: str
    bench: str
    files: dict[str, str]
    schema: int = PACK_SCHEMA


@dataclass(frozen=True)
class Pack:
    """A pack whose files have the checksums of its manifest.

    Attributes:
        path: The path of the pack.
        manifest: Its manifest.
        digest: The SHA-256 of the file.
        files: The content of each file, by name.
    """

    path: Path
    manifest: Manifest
    digest: str
    files: Mapping[str, bytes]

    def keys(self, kind: Kind) -> list[str]:
        """Return the keys of the records of a kind, sorted."""
        return sorted({name.split("/")[1] for name in self.files if name.startswith(f"{kind}s/")})

    def record_files(self, kind: Kind, key: str) -> dict[str, bytes]:
        """Return the files of one record by name, without the folder."""
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
    """Return the name of a person. Raises BenchError if boards cannot print it."""
    if len(name) > MAX_NAME or not _PERSON.fullmatch(name):
        raise BenchError(
            f"{quoted(name)} is not a name that boards can print; use at most {MAX_NAME} letters, "
            "digits, spaces and .,'@()+-"
        )
    return name


def pack_bytes(manifest: Manifest, files: Mapping[str, bytes]) -> bytes:
    """Return the bytes of a pack; the same records give the same bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, content in [(MANIFEST, documents.encode(manifest)), *sorted(files.items())]:
            info = zipfile.ZipInfo(name, _DATE)
            info.create_system = 3
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(info, content)
    return stream.getvalue()


def check_replaceable(path: Path) -> None:
    """Raise BenchError if something with this path exists that is not a pack."""
    # Reading a device might never end.
    if path.exists() and not (path.is_file() and _has_manifest(path)):
        raise BenchError(f"{path}: this file exists and is not a pack; choose another with --out")


def _has_manifest(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return MANIFEST in archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return False


def read_pack(path: Path) -> Pack:
    """Read a pack.

    Raises:
        BenchError: It is not a pack, is damaged, or has unexpected files (unverified).
    """
    if not path.is_file():
        raise BenchError(f"{path}: there is no such file; give one that `bench pack` wrote")
    if path.stat().st_size > _MAX_TOTAL:
        raise _refusal(path, f"it is larger than {_MAX_TOTAL // 2**30} GiB")
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            _check_entries(path, entries)
            files = {entry.filename: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError, OSError) as error:
        raise _refusal(path, f"it is not a zip file that can be read ({error})") from None
    if MANIFEST not in files:
        raise _refusal(path, f"it has no {MANIFEST}")
    manifest = documents.parse(
        files.pop(MANIFEST),
        Manifest,
        PACK_SCHEMA,
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
    """Raise BenchError if an entry of the zip is not one that `pack_bytes` writes."""
    if len(entries) > _MAX_ENTRIES:
        raise _refusal(path, f"it has {len(entries):,} files, more than {_MAX_ENTRIES:,}")
    names = set()
    for entry in entries:
        name = entry.orig_filename
        if not _NAMES.fullmatch(name) or entry.filename != name:
            raise _refusal(path, f"it has a file {quoted(name)}, which packs never have")
        if name in names:
            raise _refusal(path, f"it has two files '{name}'")
        names.add(name)
        mode = stat.S_IFMT(entry.external_attr >> 16)
        if mode not in {0, stat.S_IFREG}:
            raise _refusal(path, f"'{name}' is a link or another special file")
        if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
            raise _refusal(path, f"'{name}' is compressed, which packs are not")
        if entry.flag_bits & 1:
            raise _refusal(path, f"'{name}' is encrypted")
        if entry.file_size > (largest := _MAX_BYTES[Path(name).suffix]):
            raise _refusal(path, f"'{name}' is larger than {largest // 2**20:,} MiB")


def _check_checksums(path: Path, manifest: Manifest, files: Mapping[str, bytes]) -> None:
    if differing := sorted(files.keys() ^ manifest.files.keys()):
        where = "its manifest" if differing[0] in files else "it"
        raise _refusal(path, f"{where} lacks {quoted(differing[0])}")
    for name, content in files.items():
        if hashlib.sha256(content).hexdigest() != manifest.files[name]:
            raise _refusal(path, f"'{name}' does not have the checksum of its manifest")


def _refusal(path: Path, fault: str) -> BenchError:
    return BenchError(f"{path}: this pack is refused: {fault}; {_REMEDY}", Exit.UNVERIFIED)
