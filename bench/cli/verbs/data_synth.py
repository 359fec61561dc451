"""The verb `data synth`: render a synthetic data set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.path_option import LOCAL_PATH
from bench.cli.render.split_bars import split_bars
from bench.cli.terminal import print_text
from bench.cli.verbs.dataset_argument import dataset_argument

if TYPE_CHECKING:
    from bench.synthetic import Difficulty


@click.command()
@dataset_argument
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
