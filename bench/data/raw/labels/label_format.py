"""The base class of label formats, which find the labels in a folder and read them as rows.

To add a format, write a module with a `LabelFormat` in this package and list it in
`formats.FORMATS`. Modules import lmdb, pyarrow and cv2 inside functions, because all formats are
imported to check the names and options in bench.toml.
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
"""The `gives` of formats whose paths may be images or folders of frames."""


class ImageSource(Protocol):
    """The source of the images of one sample: files, part of a page, a key of an LMDB, or bytes."""

    def exists(self) -> bool:
        """Return whether the images exist, without decoding them."""
        ...

    def load(self) -> Sequence[bytes]:
        """Return the encoded images: one, or every frame of a clip in order, in any thread.

        Raises:
            SampleError: They are missing or unusable.
        """
        ...


class Row(NamedTuple):
    """One sample as listed by labels.

    Attributes:
        id: Unique in the data set and independent of the location of the folder; for an image file,
            its path in the folder.
        text: The unchanged transcript in logical order; glosses are separated by spaces.
        images: The source of its images.
        columns: Other values in the labels, such as `split`, `writer` or `page`. The keys `splits`
            and `group` of `[dataset.NAME]` may refer to these columns.
    """

    id: str
    text: str
    images: ImageSource
    columns: Mapping[str, str] = {}


@dataclass(frozen=True)
class LabelFormat(ABC):
    """A label format.

    The fields of a subclass are its options: `format = "csv"` in bench.toml takes the defaults,
    `format = { name = "csv", text = "words" }` sets one.

    Attributes:
        name: The name in bench.toml.
        about: An example as a phrase for messages: `lines such as 1.jpg<TAB>two words`.
        gives: The kinds of samples that it can list: images, clips or both.
        certainty: How likely files that `find` returns are of this format. `CERTAIN`: they cannot
            be anything else, such as an LMDB with these keys. `SPECIFIC`: no other format looks
            like it, such as `1.jpg, "word"`. `GENERAL`: other formats might read the same file. If
            several formats fit, those of the highest certainty are compared; if they read
            different rows, the user has to choose.
        grouped_by: The column whose values should not be divided between splits, such as `page` or
            `writer`; empty for none.
    """

    name: ClassVar[str]
    about: ClassVar[str]
    gives: ClassVar[frozenset[InputKind]] = frozenset({"image"})
    certainty: ClassVar[int] = GENERAL
    grouped_by: ClassVar[str] = ""

    @abstractmethod
    def find(self, data: DataFolder) -> Sequence[Path]:
        """Return the sorted files or folders in `data.root` that may have labels of this format.

        Each is read separately, and its path may name a split (`train.txt`, `val/data.mdb`). If
        every sample has its own label file (`x.gt.txt`), their folders are returned. Only names
        (`data.files`) and the first bytes of files are read.
        """

    @abstractmethod
    def rows(self, labels: Path, data: DataFolder) -> Iterator[Row | Rejected]:
        """Yield the rows of a label file or folder, in the same order each time.

        Pixels are not read. A row that cannot be a sample is a `Rejected`, whose id is that of the
        row or its position (`gt.txt:12`), and whose reason is a clause. Blank lines are skipped.
        `data` resolves the paths in labels.

        Raises:
            BenchError: The file cannot be read, or is not of this format.
        """

    def database(self, labels: Path) -> Path | None:  # noqa: ARG002 (few formats are LMDBs)
        """Return the LMDB (a folder or a file) in which the images of `labels` can stay.

        Its keys have to be numbered in the order of `rows`, from 1. None: images are copied.
        """
        return None
