"""Decoding restricted to the words of a lexicon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from bench.core.components import Decoder
from bench.core.errors import BenchError
from bench.core.files import InputFile
from bench.core.printable import quoted
from bench.core.schema import NonNegativeInt
from bench.core.types import DecoderFamily
from bench.decoding.families import CTC

if TYPE_CHECKING:
    from bench.decoding.algorithms.decoded import Decode
    from bench.decoding.algorithms.word_list import WordList


@dataclass(frozen=True)
class LexiconDecoder(Decoder):
    """One word of a lexicon: the most probable of all, or of those near the greedy reading.

    The probability of a word is the CTC sum over all of its paths, computed exactly.

    Args:
        words: A UTF-8 file of one word per line. The order decides between equals. Words with
            characters outside the vocabulary are left out; see `notes`.
        by: "edits" chooses among the words near the greedy reading, "probability" among all words.
        edits: For "edits": a word is near if this many edits (insertions, deletions,
            substitutions) turn it into the greedy reading; where no word is, the nearest words are.
            3 is δ of CRNN; 0 always takes the nearest words.

    Source:
        Shi, Bai and Yao, "An End-to-End Trainable Neural Network for Image-based Sequence
        Recognition" (TPAMI 2017), § 2.3.3.
    """

    name: ClassVar[str] = "lexicon"
    families: ClassVar[frozenset[DecoderFamily]] = frozenset({CTC})

    words: InputFile
    by: Literal["edits", "probability"] = "edits"
    edits: NonNegativeInt = 3

    def __post_init__(self) -> None:
        """Raise BenchError if a parameter would change nothing."""
        if self.by == "probability" and "edits" in self.changed():
            raise BenchError(
                "decoder 'lexicon': edits has no effect with by = \"probability\"; "
                'remove it or set by = "edits"'
            )

    def build(self, family: DecoderFamily, vocabulary: tuple[str, ...]) -> Decode:  # noqa: ARG002
        """Return the search among the words that the vocabulary can spell.

        Raises BenchError if the file is missing, malformed or has no such word.
        """
        from bench.decoding.algorithms.lexicon_search import MostProbableWord, NearbyWord

        words = self._read(vocabulary).words
        return (
            MostProbableWord(words) if self.by == "probability" else NearbyWord(words, self.edits)
        )

    def notes(self, vocabulary: tuple[str, ...]) -> tuple[str, ...]:
        """Return how many words have characters outside the vocabulary and are left out."""
        listed = self._read(vocabulary)
        if not listed.left_out:
            return ()
        note = (
            f"{self.label}: {listed.left_out:,} words with characters outside the vocabulary are "
            f"left out, such as {quoted(listed.example)}; {len(listed.words):,} words remain"
        )
        return (note,)

    def _read(self, vocabulary: tuple[str, ...]) -> WordList:
        from bench.decoding.algorithms.word_list import read_word_list

        return read_word_list(self.words, vocabulary, f"words of decoder '{self.name}'")
