"""What `bench init` writes: a bench.toml per purpose, and the commands that follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from bench.core.documents import write_bytes
from bench.core.errors import BenchError
from bench.core.regular_files import is_there

_BENCH_TOML = "bench.toml"
_GITIGNORE = ".gitignore"
_IGNORED = "/data/\n/results/\n/exports/\n"
"""Folders beside bench.toml that bench writes and that do not belong into a repository."""


@dataclass(frozen=True)
class Starter:
    """A way to begin with bench.

    Attributes:
        kind: What `bench init --kind` calls it.
        about: What it is for.
        next: The commands that follow, each with its purpose.
        more: Further files: the name of each and that of its template.
    """

    kind: str
    about: str
    next: Mapping[str, str]
    more: Mapping[str, str] = field(default_factory=dict)


def _own_data(dataset: str, *, trained: bool = True) -> dict[str, str]:
    return {
        f"bench data init FOLDER --name {dataset}": "look at your data in FOLDER, and declare them",
        f"bench data prepare {dataset}": "read them once",
        f"bench data check {dataset}": "find broken images and labels",
        "bench run mine --dry-run": "see what will be run",
        "bench run mine": f"{'train all rows, ' if trained else 'let all rows read, '}"
        "and print the board",
    }


STARTERS = {
    starter.kind: starter
    for starter in (
        Starter(
            "try",
            "a board in about three minutes, without data of your own",
            {"bench run try": "train all rows, and print the board", "bench view": "browse it"},
        ),
        Starter("words", "train and rank recognizers on your own words", _own_data("my-words")),
        Starter("lines", "train and rank recognizers on your own lines", _own_data("my-lines")),
        Starter("clips", "train and rank recognizers on your own clips", _own_data("my-clips")),
        Starter(
            "losses",
            "compare losses, also one of your own",
            {
                "bench run mine": "train all rows, and print the board",
                "bench new loss NAME": "write a loss of your own",
            },
        ),
        Starter(
            "readers",
            "rank pretrained readers on your own words",
            _own_data("my-words", trained=False),
            {"my_reader.py": "my_reader.py.txt"},
        ),
    )
}
"""Each starter by its kind."""


def write_starter(folder: Path, starter: Starter) -> list[Path]:
    """Write the files of a starter, and a .gitignore where there is none; return what was written.

    Args:
        folder: Where to; it is made if need be.
        starter: What to write.

    Raises:
        BenchError: One of the files is there already; nothing was written.
    """
    contents = {
        _BENCH_TOML: _template(f"{starter.kind}.toml"),
        **{name: _template(template) for name, template in starter.more.items()},
    }
    for name in contents:
        if is_there(folder / name):
            raise BenchError(
                f"{folder / name} is there already, and `bench init` replaces no file; name "
                "another folder, or move it away"
            )
    if not is_there(folder / _GITIGNORE):
        contents[_GITIGNORE] = _IGNORED.encode()
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        write_bytes(folder / name, content)
    return [folder / name for name in contents]


def _template(name: str) -> bytes:
    return (files("bench.scaffolding") / "templates" / name).read_bytes()
