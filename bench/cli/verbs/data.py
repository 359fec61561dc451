"""The verbs of data sets: data prepare, verify, check, show and synth."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from bench.cli.completion import complete_component, complete_dataset
from bench.cli.path_option import LOCAL_PATH
from bench.cli.render.split_bars import split_bars
from bench.cli.terminal import Load, as_json_option, print_text, report, say
from bench.cli.verbs.data_fetch import fetch
from bench.cli.verbs.data_init import init
from bench.core.errors import BenchError, Exit
from bench.core.printable import shortened
from bench.core.text_table import Styled, Table

if TYPE_CHECKING:
    from bench.config.bench_toml import Config
    from bench.core.components import Dataset, Loss, Model
    from bench.core.types import Split
    from bench.data.datasets.base import PreparedDataset
    from bench.data.datasets.own import OwnDataset
    from bench.data.inspection.check import Finding
    from bench.data.reading.label_encoder import LabelEncoder
    from bench.evaluation.protocols import Protocol
    from bench.synthetic import Difficulty

name_argument = click.argument("name", shell_complete=complete_dataset)
_MAX_SHOWN = 120
"""Characters of an id or a transcript in a table."""


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


@click.group()
def data() -> None:
    """Declare, download, prepare, verify, check and show data sets, or render synthetic ones.

    `bench ls datasets` lists data sets. `bench docs datasets` explains how to get each of them,
    `bench docs own-data` how to use data of your own. Prepared data are in the folder `data` beside
    bench.toml, or in that of `bench --data`.
    """


data.add_command(init)
data.add_command(fetch)


@data.command()
@name_argument
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
    dataset = _prepared(config, name)
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
        dataset = _prepared(config, name, synthetic=is_synthetic)
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


@data.command()
@name_argument
@click.pass_obj
def verify(load: Load, name: str) -> int:
    """Read every sample of prepared data NAME again, and compare it with its checksum."""
    config = load()
    with split_bars() as advance:
        faults = _prepared(config, name).verify(advance)
    for fault in faults:
        say(fault, fg="red")
    print_text(f"{name}: {f'faults: {len(faults)}' if faults else 'no fault'}")
    return Exit.UNVERIFIED if faults else Exit.DONE


@data.command()
@name_argument
@click.option(
    "-m",
    "--model",
    shell_complete=complete_component("model"),
    help="Also check that targets are not longer than the output of this model.",
)
@click.option(
    "-l",
    "--loss",
    default="ctc",
    show_default=True,
    shell_complete=complete_component("loss"),
    help="With --model: the loss, which decides how long the output has to be.",
)
@click.option(
    "--protocol",
    metavar="PROTOCOL",
    help="Count the characters that this protocol drops. [default: that of the data set's card]",
)
@click.option(
    "--alphabet",
    metavar="PROTOCOL",
    help="Count the characters of labels that this protocol does not have. [default: those outside "
    "the data set's own alphabet]",
)
@as_json_option
@click.pass_obj
def check(
    load: Load,
    name: str,
    model: str | None,
    loss: str,
    protocol: str | None,
    alphabet: str | None,
    *,
    as_json: bool,
) -> int:
    """Check a data set: broken images, labels, leaks between splits, counts.

    If a check fails, the exit code is 5. Notes are printed too, and do not change the exit code.
    """
    from bench.core import registry
    from bench.core.components import incompatibility

    config = load()
    dataset = _dataset(config, name)
    architecture = cast("Model", registry.make("model", model, {})) if model else None
    objective = cast("Loss", registry.make("loss", loss, {}))
    if architecture and (fault := incompatibility(dataset, architecture, objective)):
        raise BenchError(f"{fault}; name another with -m or -l")
    scored = _protocol(config, dataset, protocol)
    letters = config.protocol(alphabet) if alphabet else None
    # Imports torch, so wrong names are reported before.
    from bench.data.inspection.check import check_dataset

    encoder = dataset.label_encoder(letters)
    with split_bars() as advance:
        findings = list(check_dataset(dataset, encoder, scored, advance))
    if architecture:
        findings += _infeasible(dataset, architecture, objective, encoder)
    rows = [
        (
            each.split,
            each.check,
            Styled(each.verdict, "failed") if each.verdict == "failed" else each.verdict,
            each.found,
        )
        for each in findings
    ]
    table = Table(("split", "check", "verdict", "found"), rows)
    report(table, findings, as_json=as_json)
    failed = any(each.verdict == "failed" for each in findings)
    return Exit.UNVERIFIED if failed else Exit.DONE


def _protocol(config: Config, dataset: Dataset, name: str | None) -> Protocol | None:
    """Return the protocol of a name, else that of the data set's card, where it has one."""
    from bench.data import cards

    if name is None:
        card = cards.find_card(dataset.name)
        name = card.protocol if card else None
    return config.protocol(name) if name else None


def _infeasible(
    dataset: Dataset, model: Model, loss: Loss, encoder: LabelEncoder
) -> Iterator[Finding]:
    """Yield the samples of each split whose targets are longer than the output of a network."""
    from bench.data.inspection.check import Finding, name_samples
    from bench.training.feasibility import infeasible_targets

    for split, names in infeasible_targets(dataset, model, loss, encoder).items():
        text = f"{name_samples(names)} (model {model.label}, loss {loss.label})"
        yield Finding(split, "target longer than output", text, "failed" if names else "ok")


@data.command()
@name_argument
@click.option(
    "--split",
    type=click.Choice(["train", "validation", "test"]),
    help="The split. [default: test; with --augment train]",
)
@click.option(
    "--count",
    type=click.IntRange(1, 400),
    default=20,
    show_default=True,
    help="The number of samples.",
)
@click.option(
    "--out",
    type=LOCAL_PATH,
    help="The picture to write. [default: samples.png in the folder of prepared data]",
)
@click.option(
    "--augment",
    metavar="RECIPE",
    help="Draw samples beside their augmented versions, by this recipe or augmentation.",
)
@click.option(
    "--epochs",
    type=click.IntRange(1, 40),
    default=4,
    show_default=True,
    help="With --augment: the number of augmented versions, one per epoch of a training.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="With --augment: the seed of that training.",
)
@click.pass_obj
def show(
    load: Load,
    name: str,
    split: Split | None,
    count: int,
    out: Path | None,
    augment: str | None,
    epochs: int,
    seed: int,
) -> None:
    """Show the card of data set NAME: description, license, how to get it, files.

    If it is prepared, also list samples and draw them into a picture.
    """
    from bench.cli.render.card_text import card_text
    from bench.config.recipe_layers import augmentation_of
    from bench.data import cards
    from bench.data.datasets.base import PreparedDataset
    from bench.data.store.prepared import DOCUMENT, SYNTHETIC, read_prepared
    from bench.trials.specs import named_seed

    config = load()
    augmentation = augmentation_of(config, augment) if augment else None
    dataset = _dataset(config, name)
    card = cards.find_card(name.removesuffix(SYNTHETIC))
    print_text(card_text(card) if card else f"{dataset.name}: {dataset.summary()}")
    if isinstance(dataset, PreparedDataset) and read_prepared(dataset.folder) is None:
        print_text(f"\nNot prepared: there is no {dataset.folder / DOCUMENT}.")
        return
    from bench.data.inspection import contact_sheet as sheets

    split = split or ("train" if augmentation else "test")
    if split not in dataset.splits():
        raise BenchError(
            f"data set '{name}' has no split '{split}'; set --split to "
            f"{' or '.join(dataset.splits())}"
        )
    if augmentation:
        batches = named_seed(seed, "batches")
        drawn = sheets.augmented_samples(dataset, split, count, augmentation, epochs, batches)
        samples, columns = drawn[:: epochs + 1], epochs + 1
    else:
        drawn, columns = sheets.first_samples(dataset, split, count), 4
        samples = drawn
    rows = [
        (
            shortened(each.id, _MAX_SHOWN),
            f"{each.pixels.shape[1]}×{each.pixels.shape[0]}",
            shortened(each.text, _MAX_SHOWN),
        )
        for each in samples
    ]
    print_text(["", Table(("sample", "pixels", "transcript"), rows)])
    folder = dataset.folder if isinstance(dataset, PreparedDataset) else Path()
    file = out or folder / ("augmented.png" if augmentation else "samples.png")
    try:
        sheets.draw_contact_sheet(drawn, columns).save(file)
    except ValueError:
        raise BenchError(
            f"{file}: this is not the name of a picture; choose one that ends with .png or .jpg"
        ) from None
    print_text(f"\n{file}")


@data.command()
@name_argument
@click.option(
    "--count",
    type=click.IntRange(1),
    default=2000,
    show_default=True,
    help="The number of samples.",
)
@click.option("--out", type=LOCAL_PATH, required=True, help="A new or empty folder.")
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="The seed of all random choices.",
)
@click.option(
    "--difficulty",
    type=click.Choice(["easy", "hard"]),
    default="easy",
    show_default=True,
    help="For words: `easy` are short and clean, `hard` vary like words on signs.",
)
def synth(name: str, count: int, out: Path, seed: int, difficulty: Difficulty) -> None:
    """Render a synthetic data set in the file format of data set NAME, to test and time bench.

    It is marked as synthetic, and so is each trial on it. See `bench docs synthetic`.

    Examples:
      bench data synth iam --count 150 --out /tmp/iam
      bench data prepare iam --source /tmp/iam
    """
    from bench import synthetic

    with split_bars() as advance:
        synthetic.generate_dataset(
            name,
            out,
            count,
            seed=seed,
            difficulty=difficulty,
            advance=lambda done: advance(name, done),
        )
    print_text(
        f"{out}: {count:,} synthetic samples; next: bench data prepare {name} --source {out}"
    )


def _dataset(config: Config, name: str) -> Dataset:
    """Return the data set of a name, or of the name of its prepared folder, with its defaults."""
    from bench.core import registry
    from bench.data.datasets.base import PreparedDataset
    from bench.data.store.prepared import SYNTHETIC

    plain = name.removesuffix(SYNTHETIC)
    if (
        plain == name
        or plain in config.datasets
        or not issubclass(registry.find("dataset", plain), PreparedDataset)
    ):
        return config.dataset(name)
    return config.dataset(plain, {"synthetic": True})


def _prepared(config: Config, name: str, *, synthetic: bool = False) -> PreparedDataset:
    """Return a data set of a kind that is prepared. Raises BenchError for one that is not."""
    from bench.data.datasets.base import PreparedDataset
    from bench.data.store.prepared import SYNTHETIC

    dataset = _dataset(config, name.removesuffix(SYNTHETIC) + SYNTHETIC if synthetic else name)
    if not isinstance(dataset, PreparedDataset):
        raise BenchError(f"data set '{name}' comes with bench and needs no preparation")
    return dataset
