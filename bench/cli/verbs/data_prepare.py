"""The verbs `data prepare` and `data verify`: store a raw data set, and check it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.path_option import LOCAL_PATH
from bench.cli.render.split_bars import split_bars
from bench.cli.terminal import Load, print_text, say
from bench.cli.verbs.dataset_argument import dataset_argument, find_prepared
from bench.core.errors import BenchError, Exit

if TYPE_CHECKING:
    from bench.config.bench_toml import Config
    from bench.core.components import Dataset
    from bench.data.datasets.base import PreparedDataset
    from bench.data.datasets.own import OwnDataset


class Shape(click.ParamType["tuple[int, int, int]"]):
    """The click type of a shape in pixels: `32x100`, or `3x32x128` with three color channels."""

    name = "shape"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int, int]:
        """Return channels, height and width."""
        match = re.fullmatch(r"(?:([13])x)?([1-9]\d{0,4})x([1-9]\d{0,4})", value)
        if not match:
            self.fail(f"'{value}' is not a shape like 32x100 or 3x32x128", param, ctx)
        return int(match[1] or 1), int(match[2]), int(match[3])


@click.command()
@dataset_argument
@click.option(
    "--source",
    type=LOCAL_PATH,
    help="The folder, tar or zip of the raw data set. [default: for a data set that bench.toml "
    "declares, its folder there]",
)
@click.option(
    "--decoded",
    type=Shape(),
    help="For images of words: also store them decoded and scaled to this shape, like 32x100, for "
    "faster training.",
)
@click.option("--force", is_flag=True, help="Prepare again, and replace what was prepared.")
@click.pass_obj
def prepare(
    load: Load,
    name: str,
    source: Path | None,
    decoded: tuple[int, int, int] | None,
    *,
    force: bool,
) -> None:
    """Read the raw data set NAME into LMDB files, once.

    An interrupted command resumes when it is repeated. If the source is a synthetic data set of
    `bench data synth`, it is prepared as NAME-synthetic, beside the real data.

    Examples:
      bench data prepare iam --source ~/downloads/iam
      bench data prepare my-words
    """
    from bench.core.types import InputShape
    from bench.data.datasets.own import OwnDataset
    from bench.data.store.prepared import read_prepared

    config = load()
    dataset = find_prepared(config, name)
    if decoded and not _has_words(dataset):
        raise BenchError(f"--decoded is for images of words, and '{name}' has none; omit it")
    declared = dataset.labels if isinstance(dataset, OwnDataset) else None
    if declared and source is None and (force or read_prepared(dataset.folder) is None):
        source = declared.folder
    if force and source is None:
        raise BenchError("--force reads the raw data set again; name its folder with --source")
    if source is not None:
        dataset = _read_in(config, name, source, force=force)
    _print_prepared(dataset)
    if decoded:
        from bench.data.store import caching

        with split_bars() as advance:
            caching.write_decoded_cache(dataset.prepared_name, InputShape(*decoded), advance)


def _has_words(dataset: Dataset) -> bool:
    """Return whether its samples are words, which can be stored decoded."""
    from bench.data.datasets.own import OwnDataset
    from bench.data.datasets.scene_text import SceneText

    words = isinstance(dataset, OwnDataset) and dataset.samples == "words"
    return words or isinstance(dataset, SceneText)


def _read_in(config: Config, name: str, source: Path, *, force: bool) -> PreparedDataset:
    """Prepare a data set from `source`, unless it is prepared already."""
    from bench import synthetic
    from bench.data.raw.archives import unpacked
    from bench.data.store import data_dir as home
    from bench.data.store import prepared

    with unpacked(source, home.data_folder()) as folder:
        is_synthetic = name not in config.datasets and synthetic.is_marked(folder)
        dataset = find_prepared(config, name, synthetic=is_synthetic)
        if force:
            _clear(dataset, folder)
        elif prepared.read_prepared(dataset.folder):
            say(f"{dataset.prepared_name} is prepared already; --force prepares it again")
            return dataset
        with split_bars() as advance:
            dataset.prepare(folder, advance)
    return dataset


def _clear(dataset: PreparedDataset, source: Path) -> None:
    """Remove a prepared data set. Raises BenchError if `source` is another data set."""
    from bench.data.datasets.base import StoredDataset
    from bench.data.store.prepared import DOCUMENT

    # Other kinds of data sets replace their files after their source was checked.
    if isinstance(dataset, StoredDataset):
        dataset.reader(source)
        # First, so that an interrupted removal does not look prepared.
        (dataset.folder / DOCUMENT).unlink(missing_ok=True)
        shutil.rmtree(dataset.folder, ignore_errors=True)


def _print_prepared(dataset: PreparedDataset) -> None:
    """Print the splits of a prepared data set. Raises BenchError if it is not prepared."""
    from bench.data.datasets.own import OwnDataset
    from bench.data.store import prepared

    # Raises if its table in bench.toml has changed since.
    dataset.splits()
    for part, document in prepared.require_prepared(dataset.prepared_name).parts.items():
        left = sum(document.rejected.values())
        where = dataset.folder / part / prepared.REJECTED
        rest = f"; {left:,} left out, see {where}" if left else ""
        print_text(f"{dataset.prepared_name}/{part}: {document.samples:,} samples{rest}")
    if isinstance(dataset, OwnDataset) and dataset.samples != "clips":
        _print_alphabet(dataset)


def _print_alphabet(dataset: OwnDataset) -> None:
    """Print the size of the alphabet, and which characters of transcripts it does not have."""
    encoder = dataset.label_encoder(None)
    print_text(f"{dataset.name}: an alphabet of {len(encoder.vocabulary):,} characters")
    for split, covered in dataset.coverage(encoder).items():
        if covered.samples:
            print_text(
                f"{dataset.name}/{split}: {covered.samples:,} samples have characters outside the "
                f"alphabet: {covered.frequent}"
            )


@click.command()
@dataset_argument
@click.pass_obj
def verify(load: Load, name: str) -> int:
    """Read every sample of prepared data NAME again, and compare it with its checksum."""
    config = load()
    with split_bars() as advance:
        faults = find_prepared(config, name).verify(advance)
    for fault in faults:
        say(fault, fg="red")
    print_text(f"{name}: {f'faults: {len(faults)}' if faults else 'no fault'}")
    return Exit.UNVERIFIED if faults else Exit.DONE
