"""Records and boards held against what they were computed from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bench.core.errors import BenchError, Exit
from bench.core.hashing import digest
from bench.evaluation.protocols import PROTOCOLS
from bench.leaderboards import board_samples as samples
from bench.leaderboards import rebuild as check
from bench.leaderboards import versions
from bench.trials.store import PREDICTIONS, RECORD, Failure, Record, content, read

if TYPE_CHECKING:
    from bench.evaluation.protocols import Protocol
    from bench.trials.store import Store


@dataclass(frozen=True)
class Verified:
    """How many trials and which boards were held against what they follow from, and the faults."""

    trials: int
    boards: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def verify(store: Store, boards: Path, words: Sequence[str] = ()) -> Verified:
    """Verify the trials that `words` mean; without any, all under `store`, and all `boards`.

    Raises BenchError (nothing) where there is nothing to verify.
    """
    if words:
        folders = [_folder(word, store) for word in words]
        return Verified(len(folders), faults=[fault for f in folders for fault in _faults(f)])
    folders = [file.parent for file in sorted(store.root.glob(f"*/*/*/seed*/{RECORD}"))]
    faults = [fault for folder in folders for fault in _faults(folder)]
    names = [versions.name(folder) for folder in versions.everything(boards)]
    if not (folders or names):
        raise BenchError(
            f"{store.root}: there is no record to verify, and no board in {boards}; run: bench run",
            Exit.NOTHING,
        )
    if names:
        faults += _fault_of(lambda: check.check(boards))
        by_key = {folder.name.partition("-")[2]: folder for folder in folders}
        for board in versions.everything(boards):
            faults += _strangers(board, by_key)
    return Verified(len(folders), names, faults)


def text(found: Verified) -> str:
    """Say what was verified to a person."""
    trials = f"{found.trials} trial{'s' * (found.trials != 1)}"
    listed = f", boards {', '.join(found.boards)}" if found.boards else ""
    count = len(found.faults)
    said = f"{count} fault{'s' * (count != 1)}" if count else "all as their predictions give it"
    return f"{trials}{listed}: {said}"


def _folder(word: str, store: Store) -> Path:
    folder, found = store.find(word)
    if isinstance(found, Failure):
        raise BenchError(f"{folder}: this trial failed, so there is nothing to verify")
    return folder


def _faults(folder: Path) -> list[str]:
    """Return what of the record in `folder` is not as its neighbours give it."""
    try:
        record = read(folder / RECORD, Record)
    except BenchError as error:
        return [str(error)]
    return [*_of_record(folder, record)]


def _of_record(folder: Path, record: Record) -> Iterator[str]:
    file = folder / RECORD
    if digest(record.spec) != record.key:
        # Of a spec that is not the one it was run by, nothing else can be relied on.
        yield f"{file}: its key is {record.key}, its spec gives {digest(record.spec)}"
        return
    if not folder.name.endswith(f"-{record.key}"):
        yield f"{file}: its key is {record.key}, which is not that of its folder"
    altered = [
        fault
        for name in record.files
        for fault in _fault_of(partial(content, folder, record, name))
    ]
    yield from altered
    named = record.spec["protocol"]["name"]
    protocol = PROTOCOLS.get(named)
    if protocol is None or protocol.spec() != record.spec["protocol"]:
        yield f"{file}: protocol '{named}' is no longer what it was, so nothing can be scored again"
    elif not altered:
        yield from _recomputed(folder, record, protocol)


def _recomputed(folder: Path, record: Record, protocol: Protocol) -> Iterator[str]:
    """Score the predictions of `record` again, sample by sample and in sum."""
    from bench.evaluation import predictions

    file = folder / RECORD
    table = predictions.parse(content(folder, record, PREDICTIONS))
    again = predictions.recounted(table, protocol)
    for name in again.column_names:
        before, after = table[name].to_pylist(), again[name].to_pylist()
        pairs = enumerate(zip(before, after, strict=True))
        # Null is a count that an earlier bench did not make; of `excluded` it says: scored.
        kept = {None} if name != "excluded" else set()
        moved = [n for n, (one, other) in pairs if one != other and one not in kept]
        if moved:
            sample = table["id"][moved[0]].as_py()
            yield (
                f"{folder / PREDICTIONS}: {name} of sample '{sample}' is {before[moved[0]]}, its "
                f"texts give {after[moved[0]]}; so for {len(moved)} of {len(before)} samples"
            )
    split = [*record.metrics][-1]
    given, found = asdict(record.metrics[split]), asdict(predictions.score(again))
    for name, value in found.items():
        # What an earlier bench did not count yet is no fault.
        if given[name] not in (value, None):
            yield f"{file}: {split} {name} is {given[name]}, the predictions give {value}"


def _strangers(board: Path, by_key: Mapping[str, Path]) -> Iterator[str]:
    """Say which samples of a board are not those of the records at hand, folders by their key."""
    try:
        held = samples.read(board)
    except BenchError:
        return  # Told of already, as a fault of the board.
    for dataset, known in held.items():
        for key in [key for key in known.edits if key in by_key]:
            try:
                found = samples.of_record(read(by_key[key] / RECORD, Record), by_key[key])
            except BenchError:
                continue  # Told of already, as a fault of the record.
            told = (known.ids, known.lengths, known.edits[key])
            if (found.ids, found.lengths, found.edits.get(key)) != told:
                yield (
                    f"{board / samples.FILE}: the column {key} of {dataset} is not what the "
                    "predictions of that trial give; `bench board` writes it again"
                )


def _fault_of(checked: Callable[[], object]) -> list[str]:
    try:
        checked()
    except BenchError as error:
        return [str(error)]
    return []
