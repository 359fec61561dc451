"""The verb `data fetch`: downloads of raw data sets whose license allows it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from bench.cli.path_option import LOCAL_PATH
from bench.cli.render.split_bars import byte_bars
from bench.cli.terminal import Load, print_text, say
from bench.cli.verbs.dataset_argument import dataset_argument
from bench.core.errors import BenchError, Exit, did_you_mean
from bench.core.text_table import Table

if TYPE_CHECKING:
    from bench.data.cards import Card, Download

_MEGABYTE = 1e6


@click.command()
@dataset_argument
@click.option(
    "--out",
    type=LOCAL_PATH,
    help="The folder of the files; else downloads/NAME in the folder of prepared data.",
)
@click.option(
    "--split",
    type=click.Choice(["train", "validation", "test"]),
    help="Only the files that this split needs.",
)
@click.option("--yes", is_flag=True, help="Accept the license and the size without being asked.")
@click.pass_obj
def fetch(
    load: Load,
    name: str,
    out: Path | None,
    split: Literal["train", "validation", "test"] | None,
    *,
    yes: bool,
) -> None:
    """Download the raw data set NAME, where its license allows that.

    The license and the size are shown before anything is downloaded. An interrupted download
    resumes, mirrors are tried in order, and each file is compared with the SHA-256 of the card.
    For other data sets the command says how to get them.
    """
    from bench.data.download.downloading import download_file, is_complete
    from bench.data.store import data_dir

    # It also sets the folder of prepared data.
    load()
    card = _card(name)
    downloads = _downloads(card, split)
    folder = (out or data_dir.data_folder() / "downloads" / card.name).absolute()
    missing = [each for each in downloads if not is_complete(each, folder)]
    if missing:
        _ask(card, missing, folder, yes=yes)
        folder.mkdir(parents=True, exist_ok=True)
        with byte_bars({each.file: each.size for each in missing}) as advance:
            for each in missing:
                download_file(each, folder, advance)
                say(f"{each.file}: {_size(each.size)}, SHA-256 as on the card")
    _print_next(card, folder)


def _card(name: str) -> Card:
    from bench.data import cards

    card = cards.find_card(name)
    if card is None:
        hint = did_you_mean(name, cards.all_cards())
        raise BenchError(f"no card describes a data set '{name}'{hint}")
    return card


def _downloads(card: Card, split: str | None) -> list[Download]:
    """Return the files to download. Raises BenchError with how to get a data set without any."""
    source = card.source
    if source.registration:
        raise BenchError(
            f"'{card.name}' is given to registered users only, so bench does not download it. "
            f"{source.how_to_get}",
            Exit.NOTHING,
        )
    if not card.downloads:
        raise BenchError(
            f"the card of '{card.name}' lists no file to download (license: {source.licence}). "
            f"To get it from {source.page}: {source.how_to_get}",
            Exit.NOTHING,
        )
    downloads = [each for each in card.downloads if split is None or each.split in {split, None}]
    if not downloads:
        raise BenchError(f"no download of '{card.name}' is of the split '{split}'", Exit.NOTHING)
    return downloads


def _ask(card: Card, missing: list[Download], folder: Path, *, yes: bool) -> None:
    """Show the license and the size, and have the user agree."""
    rows = [
        ("data set", f"{card.name}: {card.source.title}"),
        ("license", card.source.licence),
        ("page", card.source.page),
        *(("file", f"{each.file}, {_size(each.size)}") for each in missing),
        ("together", _size(sum(each.size for each in missing))),
        ("folder", str(folder)),
    ]
    print_text(Table(["", ""], rows), err=True)
    if yes:
        return
    if not sys.stdin.isatty():
        raise BenchError("nobody can be asked here; add --yes to accept the license and the size")
    click.confirm("Download under this license?", abort=True, err=True)


def _print_next(card: Card, folder: Path) -> None:
    """Say what comes next: preparing, or the files of the other splits."""
    missing = [each.file for each in card.downloads if not (folder / each.file).exists()]
    if missing:
        print_text(
            f"{folder} does not have {', '.join(missing)}; next: bench data fetch {card.name}"
        )
    else:
        print_text(f"next: bench data prepare {card.name} --source {folder}")


def _size(size: int) -> str:
    return f"{size / _MEGABYTE:,.1f} MB" if size >= _MEGABYTE else f"{size:,} bytes"
