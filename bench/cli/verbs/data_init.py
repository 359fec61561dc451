"""The verb `data init`: a folder of a person's own to a table of bench.toml."""

from __future__ import annotations

import os
import re
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
    from bench.data.datasets.own import Samples
    from bench.data.inspection.survey import Survey
    from bench.data.raw.labels.data_folder import DataFolder
    from bench.data.raw.labels.format_detection import DetectedFormat

_MAX_LABELS = 8
"""Files of labels that a table lists; of more, the format finds them each time."""
_SPLIT_COLUMNS = ("split", "set", "subset", "partition")
_RATIO = 'splits = { train = 0.8, validation = 0.1, test = 0.1, seed = "v1" }'
_SHOWN = 60
_MAX_REASONS = 5


@click.command()
@click.argument("folder", type=LOCAL_PATH)
@click.option("--name", help="What to call the data set; else as the folder.")
@click.option("--kind", type=click.Choice(["words", "lines", "clips"]), help="What it holds.")
@click.option("--format", "format_name", help="The label format, where several or none fit.")
@click.option("--labels", multiple=True, help="A file of labels in FOLDER; may be repeated.")
@click.option("--images", default="", help="What paths in labels are relative to.")
@click.option("--force", is_flag=True, help="Replace how a data set of this name is read.")
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
    """Look at a FOLDER of images and labels, and declare it as a data set in bench.toml.

    What was found is printed: the label format, samples, splits, characters and sizes. bench.toml
    is created in this folder where there is none at or above it. `bench docs own-data` has the
    formats.
    """
    from bench.config import bench_toml, datasets
    from bench.config.new_dataset import with_dataset
    from bench.core.documents import write_bytes
    from bench.core.toml_text import encoded

    config = load()
    name = name or _name_of(folder)
    datasets.check_name(name)
    if name in config.datasets and not force:
        raise BenchError(
            f"{config.path}: there is a data set '{name}' already; take another --name, or replace "
            "how it is read with --force"
        )
    file, text = _file(config)
    found, data = _found(folder, kind, format_name, labels, images)
    keys, counted = _keys(folder, file.parent, found, data, kind, labels, images)
    comments = [f"Every sample is tested on. To train on some: {_RATIO}"]
    if column := found.format.grouped_by:
        comments.append(f'with all samples of a {column} in one split: group.column = "{column}"')
    added = with_dataset(text, name, keys, comments if keys.get("splits") == "test" else ())
    try:
        content = encoded(added, file) if text else added.encode()
    except UnicodeEncodeError:
        raise BenchError(
            f"{folder}: a name in its path is not UTF-8, and bench.toml holds nothing else; rename "
            "it, or make a link to it with another name"
        ) from None
    write_bytes(file, content)
    # Only now, because whoever reads the first lines of it may close the pipe.
    verb = "added to" if text else "written to a new"
    print_text(
        [
            _found_table(found, data, counted),
            f"[dataset.{name}] was {verb} {file}; next: bench data prepare {name}",
        ]
    )
    bench_toml.load(file)


def _name_of(folder: Path) -> str:
    """Return the name of a folder in letters, digits and hyphens."""
    name = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")
    if not name:
        raise BenchError(f"{folder} has no name to call a data set by; give one with --name")
    return name


def _file(config: Config) -> tuple[Path, str]:
    """Return the bench.toml to write, and its text; bench's own file is not changed."""
    home = config.leaderboards.parent
    if home.absolute() == config.path.parent.absolute():
        return config.path, config.text
    return home / config.path.name, ""


def _found(
    folder: Path,
    kind: Samples | None,
    format_name: str | None,
    labels: tuple[str, ...],
    images: str,
) -> tuple[DetectedFormat, DataFolder]:
    """Return the one reading of a folder: as images, else as clips."""
    from bench.config.datasets import label_format
    from bench.data.raw.labels.divisions import WholeSplit
    from bench.data.raw.labels.format_detection import choose_format, detect_formats
    from bench.data.raw.labels.own_labels import OwnLabels

    kinds = [kind == "clips"] if kind else [False, True]
    looked = []
    for clips in kinds:
        own = OwnLabels(folder, WholeSplit("test"), labels=labels, images=images, clips=clips)
        data = own.data(folder)
        formats = [label_format(format_name, clips=clips)] if format_name else []
        found = detect_formats(data, formats, own.label_paths(data))
        looked.append((found, data))
        if format_name and found:
            return found[0], data
    found, data = next((each for each in looked if each[0]), looked[0])
    return choose_format(found, data), data


def _keys(
    folder: Path,
    home: Path,
    found: DetectedFormat,
    data: DataFolder,
    kind: Samples | None,
    labels: tuple[str, ...],
    images: str,
) -> tuple[dict[str, Any], Survey]:
    """Return the keys of the table, and what it makes of the folder."""
    from bench.data.inspection.survey import survey_labels
    from bench.data.raw.labels.own_reader import OwnReader

    splits, division = _splits(found, data)
    counted = survey_labels(OwnReader(data, found.labels, found.format, division))
    if kind is None:
        several = 2 * counted.spaced > counted.samples.total()
        kind = "clips" if data.clips else "lines" if several else "words"
    keys: dict[str, Any] = {
        "kind": kind,
        "folder": _path(folder, home),
        "format": found.format.name,
    }
    listed = [*labels] or [data.relative(each) for each in found.labels]
    if labels or len(listed) <= _MAX_LABELS:
        keys["labels"] = listed[0] if len(listed) == 1 else listed
    if images:
        keys["images"] = images
    return keys | {"splits": splits}, counted


def _splits(found: DetectedFormat, data: DataFolder) -> tuple[Any, Any]:
    """Return how `splits` is written, and the division: by names, a column, or test alone."""
    from bench.data.raw.labels.divisions import (
        ColumnSplits,
        NamedSplits,
        WholeSplit,
        named_split,
    )

    for column in _SPLIT_COLUMNS:
        if all(named_split(row.columns.get(column, "")) for row in found.rows):
            return {"column": column}, ColumnSplits(column)
    names = NamedSplits()
    by_labels = [names.split_of_labels(data.relative(each)) for each in found.labels]
    if any(by_labels) or any(names.split_of(row, ".", None) for row in found.rows):
        return "names", names
    return "test", WholeSplit("test")


def _path(folder: Path, home: Path) -> str:
    """Return a folder relative to that of bench.toml where it is in it, else absolute."""
    whole = folder.resolve()
    home = home.resolve()
    return os.path.relpath(whole, home) if whole.is_relative_to(home) else str(whole)


def _found_table(found: DetectedFormat, data: DataFolder, counted: Survey) -> Table:
    """Return what was found in a folder."""
    total = counted.samples.total()
    named = ", ".join(map(data.relative, found.labels[:_MAX_LABELS]))
    more = f" and {len(found.labels) - _MAX_LABELS:,} more" if found.labels[_MAX_LABELS:] else ""
    splits = ", ".join(f"{split} {count:,}" for split, count in counted.samples.items())
    letters = "".join(sorted(each for each in counted.characters if each.isprintable()))
    shown = letters[:_SHOWN] + ("…" if len(letters) > _SHOWN else "")
    scripts = ", ".join(counted.scripts) or "no letters"
    rows = [
        ("format", f"{found.format.name}: {found.format.about}"),
        ("labels", f"{named}{more}"),
        ("samples", f"{total:,}, of which {counted.existing:,} have their images"),
        *([("", f"missing: {counted.missing!r}")] if counted.missing else []),
        *(
            ("left out", f"{count:,} {reason}")
            for reason, count in counted.rejected.most_common(_MAX_REASONS)
        ),
        ("splits", splits),
        ("characters", f"{len(counted.characters):,} ({scripts}): {shown}"),
    ]
    if counted.right_to_left:
        order = (
            "right to left: transcripts have to be in logical order, the first letter that is read "
            "first"
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
