"""What a label format is: how the labels of a folder are found, and read as rows.

To add a format, write a module with a `LabelFormat` in this package and list it in
`formats.FORMATS`. Modules import lmdb, pyarrow, cv2 and the like inside functions, as bench.toml is
checked against the names and options of all formats.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple, Protocol

from bench.core.types import InputKind
from bench.data.raw.entries import Rejected
from bench.data.raw.labels.data_folder import DataFolder

GENERAL, SPECIFIC, CERTAIN = range(3)
BOTH_KINDS: frozenset[InputKind] = frozenset({"image", "frames"})
"""Of formats whose paths may name images, or folders of frames."""


class ImageSource(Protocol):
    """Where the pixels of one sample are: files, a part of a page, a key of an LMDB, bytes."""

    def exists(self) -> bool:
        """Return whether the pixels are there, without decoding them."""
        ...

    def load(self) -> Sequence[bytes]:
        """Return the encoded images: one, or every frame of a clip in order.

        It may run in any thread. Raises SampleError where they are missing or unusable.
        """
        ...


class Row(NamedTuple):
    """One sample as its labels list it.

    Attributes:
        id: Unique in the data set and the same wherever the folder lies: for an image file, its
            path in the folder.
        text: The transcript in logical order, as it is; glosses are separated by spaces.
        images: Where its pixels are.
        columns: What else the labels say of it, such as `split`, `writer` or `page`. The keys
            `splits` and `group` of `[dataset.NAME]` may name any of them.
    """

    id: str
    text: str
    images: ImageSource
    columns: Mapping[str, str] = {}


@dataclass(frozen=True)
class LabelFormat(ABC):
    """A way in which labels are written.

    The fields of a subclass are its options: `format = "csv"` in bench.toml takes the defaults,
    `format = { name = "csv", text = "words" }` sets one.

    Attributes:
        name: What bench.toml calls it.
        about: What it looks like, in a phrase for messages: `lines such as 1.jpg<TAB>two words`.
        gives: The kinds of sample that it can list: images, clips or both.
        certainty: How much it says that `find` has found labels and every row can be read.
            `CERTAIN`: what was found can be nothing else, such as an LMDB with its keys.
            `SPECIFIC`: nothing but this format looks so, such as `1.jpg, "word"`. `GENERAL`: other
            formats might read the same file too. Where several formats fit, those of the highest
            certainty are compared; if they read different rows, a person has to choose.
        grouped_by: The column of what should not be divided between splits, such as `page` or
            `writer`; empty: there is none.
    """

    name: ClassVar[str]
    about: ClassVar[str]
    gives: ClassVar[frozenset[InputKind]] = frozenset({"image"})
    certainty: ClassVar[int] = GENERAL
    grouped_by: ClassVar[str] = ""

    @abstractmethod
    def find(self, data: DataFolder) -> Sequence[Path]:
        """Return the files or folders in `data.root` that may hold labels of this format, sorted.

        Each is read by itself, and its path may name a split (`train.txt`, `val/data.mdb`). Where
        every sample has a file of its own (`x.gt.txt`), their folders are returned. It looks at
        names (`data.files`) and at most at the first bytes.
        """

    @abstractmethod
    def rows(self, labels: Path, data: DataFolder) -> Iterator[Row | Rejected]:
        """Yield what one of these files or folders lists, in the same order each time.

        It is cheap: pixels are not read. A row that cannot be a sample is a `Rejected` whose id is
        that of the row, or its place (`gt.txt:12`), and whose reason is a clause. Blank lines are
        no rows. `data` resolves the paths in labels.

        Raises:
            BenchError: The file cannot be read, or is not of this format at all.
        """

    def database(self, labels: Path) -> Path | None:  # noqa: ARG002 (few formats are LMDBs)
        """Return the LMDB, a folder or a file, in which the images of labels can stay.

        Its keys are then numbered by the order of `rows`, from 1. None: images are copied.
        """
        return None
