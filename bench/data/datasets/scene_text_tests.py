"""The test sets of scene text; variants are named by their number of words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from bench.data.datasets.scene_text import SceneText

if TYPE_CHECKING:
    from bench.data.raw.entries import Reader


@dataclass(frozen=True)
class _TestSet(SceneText):
    """A test set in an LMDB of clovaai or PARSeq, or in a folder with annotation files."""

    folders: ClassVar[tuple[str, ...]]
    """The folder names of its LMDBs in releases."""

    def reader(self, source: Path) -> Reader:
        """Return the reader of the annotation files or of the LMDB in `source`."""
        from bench.data.raw.word_images import tree_or_lmdb

        folders = [
            f"{above}{name}" for name in self.folders for above in ("evaluation/", "test/", "")
        ]
        return tree_or_lmdb(self.name, source, {"test": tuple(folders)})


@dataclass(frozen=True)
class IIIT5K(_TestSet):
    """3,000 words from photographs on the web, and 2,000 to train on.

    The split `train` exists if it was prepared from a source with training words.

    Source: Mishra, Alahari and Jawahar, "Scene Text Recognition using Higher Order Language Priors"
    (BMVC 2012).
    """

    name: ClassVar[str] = "iiit5k"
    folders: ClassVar[tuple[str, ...]] = ("IIIT5k_3000", "IIIT5k", "IIIT5K")


@dataclass(frozen=True)
class SVT(_TestSet):
    """647 words of Street View (Wang, Babenko and Belongie, ICCV 2011)."""

    name: ClassVar[str] = "svt"
    folders: ClassVar[tuple[str, ...]] = ("SVT",)


@dataclass(frozen=True)
class SVTP(_TestSet):
    """645 words of Street View in perspective (Phan et al., ICCV 2013)."""

    name: ClassVar[str] = "svtp"
    folders: ClassVar[tuple[str, ...]] = ("SVTP",)


@dataclass(frozen=True)
class IC03x860(_TestSet):
    """ICDAR 2003, 860 of its words (Lucas et al., ICDAR 2003)."""

    name: ClassVar[str] = "ic03-860"
    folders: ClassVar[tuple[str, ...]] = ("IC03_860",)


@dataclass(frozen=True)
class IC03x867(_TestSet):
    """ICDAR 2003, 867 of its words (Lucas et al., ICDAR 2003)."""

    name: ClassVar[str] = "ic03-867"
    folders: ClassVar[tuple[str, ...]] = ("IC03_867",)


@dataclass(frozen=True)
class IC13x857(_TestSet):
    """ICDAR 2013, 857 of its words (Karatzas et al., ICDAR 2013)."""

    name: ClassVar[str] = "ic13-857"
    folders: ClassVar[tuple[str, ...]] = ("IC13_857",)


@dataclass(frozen=True)
class IC13x1015(_TestSet):
    """ICDAR 2013, 1,015 of its words (Karatzas et al., ICDAR 2013)."""

    name: ClassVar[str] = "ic13-1015"
    folders: ClassVar[tuple[str, ...]] = ("IC13_1015", "IC13")


@dataclass(frozen=True)
class IC15x1811(_TestSet):
    """ICDAR 2015, 1,811 of its words (Karatzas et al., ICDAR 2015)."""

    name: ClassVar[str] = "ic15-1811"
    folders: ClassVar[tuple[str, ...]] = ("IC15_1811",)


@dataclass(frozen=True)
class IC15x2077(_TestSet):
    """ICDAR 2015, 2,077 of its words (Karatzas et al., ICDAR 2015)."""

    name: ClassVar[str] = "ic15-2077"
    folders: ClassVar[tuple[str, ...]] = ("IC15_2077", "IC15")


@dataclass(frozen=True)
class CUTE80(_TestSet):
    """288 words, many of them curved (Risnumawan et al., Expert Systems with Applications 2014)."""

    name: ClassVar[str] = "cute80"
    folders: ClassVar[tuple[str, ...]] = ("CUTE80",)
