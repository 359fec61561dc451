"""Data sets that bench.toml declares: `[dataset.NAME]` tables."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, cast

from bench.core import registry
from bench.core.errors import BenchError, did_you_mean, nearest
from bench.core.local_paths import local_path
from bench.core.names import name_fault
from bench.core.schema import SchemaError, fill
from bench.core.types import SPLITS, Split
from bench.data import cards
from bench.data.datasets.own import OwnDataset, Samples, character_rules
from bench.data.raw.labels.divisions import (
    ColumnSplits,
    Division,
    Group,
    LabelFileSplits,
    ListedSplits,
    NamedSplits,
    RatioSplits,
    WholeSplit,
)
from bench.data.raw.labels.formats import FORMATS
from bench.data.raw.labels.label_format import LabelFormat
from bench.data.raw.labels.own_labels import OwnLabels
from bench.data.store.prepared import SYNTHETIC
from bench.evaluation.protocols import PROTOCOLS, Protocol

BY_NAMES = "names"
DEFAULT_SEED = "v1"
FindProtocol = Callable[[str], Protocol]
_TYPO = 0.6
"""Similarity to the name of a protocol above which a text is a typo, not a list of characters."""
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class DatasetTable:
    """The keys of `[dataset.NAME]`.

    Attributes:
        kind: What its samples are.
        folder: The folder, tar or zip; relative to the folder of bench.toml.
        format: The label format, or a table of its `name` and options. Empty: the one that fits.
        labels: A file of labels in the folder, a list of files, or a table of files by split.
            Empty: all that the format finds.
        images: The folder that paths in labels are relative to. Empty: the one by which most images
            exist.
        splits: How samples are divided. `names`: by the names of files and folders; the name of a
            split: all samples are in it; or a table: a `column` of the labels, a file of ids for
            each split, or a fraction for each split and a `seed`.
        group: Samples that stay in one split: a table of `column`, `folder` or `pattern`.
        alphabet: The characters that networks learn: the name of a protocol, the characters
            themselves, or a table of `characters`. Empty: those of the training transcripts.
        about: One sentence for people.
    """

    kind: Samples
    folder: str
    format: str | dict[str, Any] = ""
    labels: str | list[str] | dict[str, Any] = ""
    images: str = ""
    splits: str | dict[str, Any] = BY_NAMES
    group: dict[str, Any] = field(default_factory=dict)
    alphabet: str | dict[str, Any] = ""
    about: str = ""


def declare(
    name: str, table: dict[str, Any], home: Path, find_protocol: FindProtocol
) -> OwnDataset:
    """Return the data set that a table declares.

    Args:
        name: What bench.toml calls it.
        table: The keys of `DatasetTable`.
        home: The folder of bench.toml.
        find_protocol: Returns the protocol of a name, or raises BenchError.

    Raises:
        SchemaError: The name, a key or a value is wrong.
    """
    check_name(name)
    values = fill(DatasetTable, table)
    if not values.folder:
        raise SchemaError("folder", "'folder' is empty; set it to the folder of the data")
    files, of_files = _labels(values.labels)
    if of_files and "splits" in table:
        fault = "'splits' and a table of 'labels' both define the splits; remove one"
        raise SchemaError("splits", fault)
    clips = values.kind == "clips"
    labels = OwnLabels(
        # `/` takes the right side where that is absolute.
        folder=home / _folder(values.folder),
        division=of_files or _division(values.splits),
        format=label_format(values.format, clips=clips) if values.format else None,
        labels=files,
        images=values.images,
        group=_group(values.group) if values.group else None,
        clips=clips,
    )
    alphabet = _alphabet(values.alphabet, find_protocol) if values.alphabet else None
    if clips and alphabet:
        raise SchemaError("alphabet", "clips have glosses, not characters; remove 'alphabet'")
    return OwnDataset(
        name=name, samples=values.kind, alphabet=alphabet, labels=labels, about=values.about
    )


def _folder(path: str) -> Path:
    try:
        return local_path(path)
    except BenchError as error:
        raise SchemaError("folder", str(error)) from None


def check_name(name: str) -> None:
    """Raise SchemaError if a data set cannot have this name."""
    if fault := name_fault("dataset", name):
        raise SchemaError("", fault)
    if name.endswith(SYNTHETIC):
        fault = f"a data set cannot be called '{name}'; choose another ending than {SYNTHETIC}"
        raise SchemaError("", fault)
    if name in registry.builtin("dataset") or cards.find_card(name):
        raise SchemaError("", f"bench has a data set '{name}' already; rename this one")


def label_format(value: str | dict[str, Any], *, clips: bool) -> LabelFormat:
    """Return the format of a name, or of a table of a name and options.

    Raises:
        SchemaError: There is no such format or option, or it does not list such samples.
    """
    options = dict(value) if isinstance(value, dict) else {"name": value}
    name = options.pop("name", None)
    if not isinstance(name, str) or name not in FORMATS:
        hint = did_you_mean(str(name), FORMATS)
        raise SchemaError("format", f"there is no label format '{name}'{hint}", str(name))
    try:
        format_ = fill(FORMATS[name], options)
    except SchemaError as error:
        raise SchemaError("format", f"format '{name}': {error}", error.key) from None
    if ("frames" if clips else "image") not in format_.gives:
        kind = "clips" if clips else "words or lines"
        raise SchemaError("format", f"format '{name}' does not list {kind}", name)
    return format_


def _labels(
    value: str | list[str] | dict[str, Any],
) -> tuple[tuple[str, ...], LabelFileSplits | None]:
    """Return the files of labels, and their splits if the value is a table."""
    if isinstance(value, str):
        return ((value,) if value else ()), None
    if isinstance(value, list):
        return tuple(value), None
    files: dict[str, Split] = {}
    for split, listed in value.items():
        _require_split("labels", split)
        for file in listed if isinstance(listed, list) else [listed]:
            if not isinstance(file, str) or not file:
                raise SchemaError(
                    "labels", f"labels of '{split}' must be a file, or a list of files"
                )
            if PurePosixPath(file).as_posix() in files:
                raise SchemaError("labels", f"'{file}' is listed for two splits; remove one", file)
            files[PurePosixPath(file).as_posix()] = cast("Split", split)
    return tuple(files), LabelFileSplits(files)


def _division(value: str | dict[str, Any]) -> Division:
    """Return the division into splits that the value of `splits` in bench.toml describes."""
    if isinstance(value, str):
        if value == BY_NAMES:
            return NamedSplits()
        _require_split("splits", value, BY_NAMES)
        return WholeSplit(cast("Split", value))
    if "column" in value:
        if len(value) > 1 or not isinstance(value["column"], str) or not value["column"]:
            fault = 'splits by a column must be { column = "NAME" } and nothing else'
            raise SchemaError("splits", fault)
        return ColumnSplits(value["column"])
    shares = {key: each for key, each in value.items() if key != "seed"}
    for split in shares:
        _require_split("splits", split)
    if shares and all(isinstance(each, str) for each in shares.values()) and "seed" not in value:
        return ListedSplits(cast("dict[Split, str]", shares))
    return _ratio(shares, value.get("seed", DEFAULT_SEED))


def _ratio(shares: Mapping[str, Any], seed: object) -> RatioSplits:
    """Return a division by fractions that add up to 1."""
    numbers = {
        split: share
        for split, share in shares.items()
        if isinstance(share, int | float) and not isinstance(share, bool) and 0 < share <= 1
    }
    if not shares or len(numbers) < len(shares):
        raise SchemaError(
            "splits",
            "splits must be a table of fractions above 0 such as { train = 0.8, validation = 0.1, "
            'test = 0.1, seed = "v1" }, of lists such as { test = "test.txt" }, or of a column',
        )
    if not math.isclose(sum(numbers.values()), 1, abs_tol=_TOLERANCE):
        fault = (
            f"the fractions of splits add up to {sum(numbers.values()):g}; they must add up to 1"
        )
        raise SchemaError("splits", fault)
    if not isinstance(seed, str) or not seed:
        raise SchemaError("splits", "the seed of splits must be a text, such as 'v1'", "seed")
    return RatioSplits({cast("Split", split): float(each) for split, each in numbers.items()}, seed)


def _require_split(key: str, split: str, *others: str) -> None:
    if split not in {*SPLITS, *others}:
        hint = did_you_mean(split, [*SPLITS, *others])
        raise SchemaError(key, f"'{split}' is not a split{hint}", split)


def _group(table: dict[str, Any]) -> Group:
    try:
        group = fill(Group, table)
    except SchemaError as error:
        raise SchemaError("group", f"group: {error}", error.key) from None
    if sum(map(bool, (group.column, group.folder, group.pattern))) != 1:
        fault = "group must have one of the keys column, folder (from 1) and pattern"
        raise SchemaError("group", fault)
    try:
        re.compile(group.pattern)
    except re.error as error:
        fault = f"pattern '{group.pattern}' is not a regular expression ({error})"
        raise SchemaError("group", fault, "pattern") from None
    return group


def _alphabet(value: str | dict[str, Any], find_protocol: FindProtocol) -> Protocol:
    """Return the protocol of a name, else one of the characters."""
    if isinstance(value, dict):
        match value:
            case {"characters": str(text)} if text and len(value) == 1:
                return _characters(text)
            case _:
                fault = 'a table of alphabet must be { characters = "…" }'
                raise SchemaError("alphabet", fault)
    try:
        protocol = find_protocol(value)
    except BenchError as error:
        # A mistyped name could be a list of characters.
        if nearest(value, PROTOCOLS, _TYPO):
            fault = f'{error}; for characters, write alphabet = {{ characters = "…" }}'
            raise SchemaError("alphabet", fault, value) from None
        return _characters(value)
    if not protocol.charset:
        fault = f"protocol '{value}' lists no characters, so it cannot be an alphabet"
        raise SchemaError("alphabet", fault, value)
    return protocol


def _characters(text: str) -> Protocol:
    """Return the rules of an alphabet. Raises SchemaError if a character is there twice."""
    charset = character_rules().normalize(text)
    for index, character in enumerate(charset):
        if character in charset[:index]:
            raise SchemaError("alphabet", f"alphabet has {character!r} twice; remove one")
    return character_rules(charset)
