"""Figures of boards, and pictures of finished trainings and evaluations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.api.boards import Board
from bench.api.html import html, output
from bench.api.workspace import PathLike, open_workspace, readable_errors
from bench.core.errors import BenchError, did_you_mean

if TYPE_CHECKING:
    from bench.leaderboards.board import Board as BoardData

_TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".gif": "image/gif"}


@dataclass(frozen=True, repr=False)
class Figure:
    """One figure. A notebook shows it.

    Attributes:
        name: The name of its file, such as `ranks.svg`.
        content: The content of the file: SVG, PNG or GIF.
    """

    name: str
    content: bytes

    def save(self, file: PathLike) -> Path:
        """Write it to a file, and return the file."""
        from bench.core.documents import write_bytes

        with readable_errors():
            write_bytes(Path(file), self.content)
        return Path(file)

    def __repr__(self) -> str:
        return f"<bench.Figure {self.name}>"

    def _repr_mimebundle_(
        self,
        include: object = None,  # noqa: ARG002 (IPython's signature)
        exclude: object = None,  # noqa: ARG002
    ) -> dict[str, str | bytes]:
        kind = _TYPES[Path(self.name).suffix]
        text = self.content.decode() if kind == "image/svg+xml" else self.content
        return {"text/plain": repr(self), kind: text}


class Figures(Mapping[str, Figure]):
    """Figures by name. A notebook shows them all."""

    def __init__(self, figures: Sequence[Figure]) -> None:
        self._figures = {Path(figure.name).stem: figure for figure in figures}

    def __getitem__(self, name: str) -> Figure:
        if name not in self._figures:
            raise KeyError(f"there is no figure '{name}'{did_you_mean(name, self._figures)}")
        return self._figures[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._figures)

    def __len__(self) -> int:
        return len(self._figures)

    def __repr__(self) -> str:
        return f"<bench.Figures {', '.join(self)}>"

    def _repr_html_(self) -> str:
        return output(*(f"{html([name])}\n{_image(each)}" for name, each in self.items()))


def figures(
    source: Board | str,
    pictures: Sequence[str] = (),
    *,
    samples: Sequence[str] = (),
    out: PathLike | None = None,
    config: PathLike | None = None,
    results: PathLike | None = None,
    data: PathLike | None = None,
) -> Figures:
    """Return the figures of a board, or draw pictures of a finished training or evaluation.

    Args:
        source: A board, as an object or as `load_board` takes it; or the beginning of the key of a
            training or an evaluation, or its folder.
        pictures: Names of figures of a board, all by default; or what to draw of a training or an
            evaluation, as `bench show` has it: `curves` (the default), `worst`, `alignment`,
            `attention`, `features`.
        samples: The ids of the samples in pictures of single samples; by default three of them,
            from a low to a high error.
        out: The folder for the files of pictures; by default `figures` in the folder of the record.
            Figures of a board are only written by `Figure.save`.
        config: The bench.toml; by default the nearest one at or above the working folder.
        results: The folder of records; by default `results` beside bench.toml.
        data: The folder of prepared data; by default `data` beside bench.toml.

    Raises:
        BenchError: There is no such board, record or picture.

    Examples:
        >>> drawn = bench.figures("quick")
        >>> drawn["ranks"]
        <bench.Figure ranks.svg>
        >>> drawn["ranks"].save("ranks.svg").name
        'ranks.svg'
    """
    if isinstance(source, Board):
        return _chosen(source.figures, pictures)
    from bench.leaderboards import board as boards
    from bench.leaderboards import versions

    workspace = open_workspace(config, results, data)
    home = workspace.config
    if folder := versions.find_board_or_none(source, home.leaderboards, home.results):
        return _chosen(board_figures(boards.read_board(folder)), pictures)
    from bench import diagnostics

    for name in pictures:
        if name not in diagnostics.PICTURES:
            hint = did_you_mean(name, diagnostics.PICTURES)
            raise BenchError(f"there is no picture '{name}' of a training or evaluation{hint}")
    folder = None if out is None else Path(out)
    with readable_errors():
        drawn = diagnostics.draw_pictures(
            workspace.store, source, pictures or ["curves"], samples, folder
        )
        return Figures([Figure(file.name, file.read_bytes()) for file in drawn])


def board_figures(board: BoardData) -> Figures:
    """Return the figures that a board has the numbers for."""
    from bench.leaderboards import charts

    drawn = charts.board_figures(board).items()
    return Figures([Figure(f"{name}.svg", svg.encode()) for name, svg in drawn])


def _chosen(drawn: Figures, names: Sequence[str]) -> Figures:
    for name in names:
        if name not in drawn:
            raise BenchError(f"the board has no figure '{name}'{did_you_mean(name, drawn)}")
    return Figures([drawn[name] for name in names or drawn])


def _image(figure: Figure) -> str:
    import base64

    kind = _TYPES[Path(figure.name).suffix]
    content = base64.b64encode(figure.content).decode()
    # As an image, so that styles and names within one SVG do not reach the others.
    return f'<img alt="" src="data:{kind};base64,{content}">'
