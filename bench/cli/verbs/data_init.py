"""The verb `data init`: declare a folder of images and labels as a data set in bench.toml."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import click

from bench.cli.path_option import LOCAL_PATH
from bench.cli.terminal import Load, print_text
from bench.core.errors import BenchError
from bench.core.text_table import Table

if TYPE_CHECKING:
    from bench.config.bench_toml import Config
    from bench.data.datasets.own import OwnDataset, Samples
    from bench.data.inspection.survey import Survey
    from bench.data.raw.labels.data_folder import DataFolder
    from bench.data.raw.labels.format_detection import DetectedFormat

_MAX_LABELS = 8
"""A table lists at most this many files of labels; of more, the format finds them again."""
_SPLIT_COLUMNS = ("split", "set", "subset", "partition")
_RATIO = 'splits = { train = 0.8, validation = 0.1, test = 0.1, seed = "v1" }'
_MAX_LETTERS = 60
_MAX_REASONS = 5


@click.command()
@click.argument("folder", type=LOCAL_PATH)
@click.option("--name", help="The name of the data set. [default: the name of FOLDER]")
@click.option(
    "--kind",
    type=click.Choice(["words", "lines", "clips"]),
    help="What each sample is. [default: as the files suggest]",
)
@click.option(
    "--format",
    "format_name",
    help="The label format, if none or several fit (`bench docs own-data`).",
)
@click.option(
    "--labels",
    multiple=True,
    help="A file of labels in FOLDER; may be repeated. [default: all that the format finds]",
)
@click.option("--images", default="", help="The folder that paths in labels are relative to.")
@click.option("--force", is_flag=True, help="Replace the table of a data set with this name.")
@click.pass_obj
def init(
    load: Load,
    folder: Path,
    name: str | None,
    kind: Samples | None,
    format_name: str | None,
    labels: tuple[str, ...],
    images: str,
    *,
    force: bool,
) -> None:
    """Declare FOLDER, with images and labels, as a data set in bench.toml.

    It examines the files, prints label format, samples, splits, characters and sizes, and writes
    the table [dataset.NAME]. bench.toml is created in the current folder if there is none here
    or above. `bench docs own-data` lists the label formats.

    Examples:
      bench data init photos
      bench data init ~/scans --name my-words --labels gt.txt
    """
    from bench.config import bench_toml, datasets
    from bench.config.new_dataset import with_dataset
    from bench.core.documents import write_bytes
    from bench.core.toml_text import encoded

    config = load()
    name = name or _name_of(folder)
    datasets.check_name(name)
    if name in config.datasets and not force and _is_used(config.datasets[name]):
        raise BenchError(
            f"{config.path}: there is a data set '{name}' already; choose another --name, or "
            "replace its table with --force"
        )
    file, text = _file(config)
    reading, data = _read_folder(folder, kind, format_name, labels, images)
    keys, counted = _keys(folder, file.parent, reading, data, kind, labels, images)
    declared = tomllib.loads(text).get("dataset", {}).get(name, {})
    if keys["splits"] == "test" and isinstance(declared.get("splits"), dict):
        # The folder names no splits; those that the table draws or lists stay.
        del keys["splits"]
    comments = [f"All samples are for testing. To train on some: {_RATIO}"]
    if column := reading.format.grouped_by:
        comments.append(f'with all samples of a {column} in one split: group.column = "{column}"')
    added = with_dataset(text, name, keys, comments if keys.get("splits") == "test" else ())
    try:
        content = encoded(added, file) if text else added.encode()
    except UnicodeEncodeError:
        raise BenchError(
            f"{folder}: its path is not UTF-8, and bench.toml has to be; rename it, or link to it "
            "by another name"
        ) from None
    write_bytes(file, content)
    # Printed after writing, because a reader such as `head` may close the pipe.
    verb = "added to" if text else "written to a new"
    print_text(
        [
            _reading_table(reading, data, counted),
            f"[dataset.{name}] was {verb} {file}; next: bench data prepare {name}",
        ]
    )
    bench_toml.load(file)


def _is_used(dataset: OwnDataset) -> bool:
    """Return whether a data set has its folder or is prepared; a template's has neither."""
    from bench.data.store.prepared import read_prepared

    exists = dataset.labels is not None and dataset.labels.folder.exists()
    return exists or read_prepared(dataset.folder) is not None


def _name_of(folder: Path) -> str:
    """Return the name of a folder in letters, digits and hyphens."""
    name = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")
    if not name:
        raise BenchError(
            f"{folder} has no letters to name a data set by; choose a name with --name"
        )
    return name


def _file(config: Config) -> tuple[Path, str]:
    """Return the bench.toml to write, and its text; never that of bench itself."""
    home = config.leaderboards.parent
    if home.absolute() == config.path.parent.absolute():
        return config.path, config.text
    return home / config.path.name, ""


def _read_folder(
    folder: Path,
    kind: Samples | None,
    format_name: str | None,
    labels: tuple[str, ...],
    images: str,
) -> tuple[DetectedFormat, DataFolder]:
    """Return how the labels of a folder are read, as images or else as clips, and its files.

    Raises:
        BenchError: No label format fits, or several do.
    """
    from bench.config.datasets import label_format
    from bench.data.raw.labels.divisions import WholeSplit
    from bench.data.raw.labels.format_detection import choose_format, detect_formats
    from bench.data.raw.labels.own_labels import OwnLabels

    kinds = [kind == "clips"] if kind else [False, True]
    candidates = []
    for clips in kinds:
        own = OwnLabels(folder, WholeSplit("test"), labels=labels, images=images, clips=clips)
        data = own.data(folder)
        formats = [label_format(format_name, clips=clips)] if format_name else []
        readings = detect_formats(data, formats, own.label_paths(data))
        candidates.append((readings, data))
        if format_name and readings:
            return readings[0], data
    readings, data = next((each for each in candidates if each[0]), candidates[0])
    return choose_format(readings, data), data


def _keys(
    folder: Path,
    home: Path,
    reading: DetectedFormat,
    data: DataFolder,
    kind: Samples | None,
    labels: tuple[str, ...],
    images: str,
) -> tuple[dict[str, Any], Survey]:
    """Return the keys of the table, and a survey of the samples that they describe."""
    from bench.data.inspection.survey import survey_labels
    from bench.data.raw.labels.own_reader import OwnReader

    splits, division = _splits(reading, data)
    counted = survey_labels(OwnReader(data, reading.labels, reading.format, division))
    if kind is None:
        several = 2 * counted.spaced > counted.samples.total()
        kind = "clips" if data.clips else "lines" if several else "words"
    keys: dict[str, Any] = {
        "kind": kind,
        "folder": _path(folder, home),
        "format": reading.format.name,
    }
    listed = [*labels] or [data.relative(each) for each in reading.labels]
    if labels or len(listed) <= _MAX_LABELS:
        keys["labels"] = listed[0] if len(listed) == 1 else listed
    if images:
        keys["images"] = images
    return keys | {"splits": splits}, counted


def _splits(reading: DetectedFormat, data: DataFolder) -> tuple[Any, Any]:
    """Return the value of `splits` and its division: by names, by a column, or all for testing."""
    from bench.data.raw.labels.divisions import (
        ColumnSplits,
        NamedSplits,
        WholeSplit,
        named_split,
    )

    for column in _SPLIT_COLUMNS:
        if all(named_split(row.columns.get(column, "")) for row in reading.rows):
            return {"column": column}, ColumnSplits(column)
    names = NamedSplits()
    by_labels = [names.split_of_labels(data.relative(each)) for each in reading.labels]
    if any(by_labels) or any(names.split_of(row, ".", None) for row in reading.rows):
        return "names", names
    return "test", WholeSplit("test")


def _path(folder: Path, home: Path) -> str:
    """Return the path of a folder, relative to bench.toml if it is beside or below it."""
    whole = folder.resolve()
    home = home.resolve()
    return os.path.relpath(whole, home) if whole.is_relative_to(home) else str(whole)


def _reading_table(reading: DetectedFormat, data: DataFolder, counted: Survey) -> Table:
    """Return a table of what a folder contains."""
    total = counted.samples.total()
    named = ", ".join(map(data.relative, reading.labels[:_MAX_LABELS]))
    more = (
        f" and {len(reading.labels) - _MAX_LABELS:,} more" if reading.labels[_MAX_LABELS:] else ""
    )
    splits = ", ".join(f"{split} {count:,}" for split, count in counted.samples.items())
    letters = "".join(sorted(each for each in counted.characters if each.isprintable()))
    sample = letters[:_MAX_LETTERS] + ("…" if len(letters) > _MAX_LETTERS else "")
    scripts = ", ".join(counted.scripts) or "no letters"
    rows = [
        ("format", f"{reading.format.name}: {reading.format.about}"),
        ("labels", f"{named}{more}"),
        ("samples", f"{total:,}, of which {counted.existing:,} have their images"),
        *([("", f"missing: {counted.missing!r}")] if counted.missing else []),
        *(
            ("left out", f"{count:,} {reason}")
            for reason, count in counted.rejected.most_common(_MAX_REASONS)
        ),
        ("splits", splits),
        ("characters", f"{len(counted.characters):,} ({scripts}): {sample}"),
    ]
    if counted.right_to_left:
        order = (
            "right to left: transcripts have to be in logical order, which begins with the letter "
            "that is read first"
        )
        rows.append(("direction", order))
    if sizes := counted.sizes():
        widths, heights = ([size[axis] for size in sizes] for axis in (0, 1))
        extremes = (
            f"{min(widths)} to {max(widths)} wide, {min(heights)} to {max(heights)} high, "
            f"median {median(widths):g}×{median(heights):g} ({len(sizes):,} images)"
        )
        rows.append(("sizes", extremes))
    return Table(["", ""], rows)
