"""The verb `data show`: the card and the samples of a data set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.path_option import LOCAL_PATH
from bench.cli.terminal import Load, print_text
from bench.cli.verbs.dataset_argument import dataset_argument, find_dataset
from bench.core.errors import BenchError
from bench.core.printable import shortened
from bench.core.text_table import Table

if TYPE_CHECKING:
    from bench.core.types import Split

_MAX_SHOWN = 120
"""Characters of an id or a transcript in a table."""


@click.command()
@dataset_argument
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
    dataset = find_dataset(config, name)
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
