"""Prefix beam search with an n-gram language model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.core.components import Decoder
from bench.core.files import InputFile
from bench.core.schema import NonNegativeFloat, PositiveInt
from bench.core.types import DecoderFamily
from bench.decoding.families import CTC

if TYPE_CHECKING:
    from bench.decoding.algorithms.decoded import Decode

MAX_LISTED = 10


@dataclass(frozen=True)
class NGramDecoder(Decoder):
    """CTC prefix beam search with a language model of characters (or glosses) in ARPA format.

    It looks for the labels l with the largest log p(l) + weight · log p_LM(l) + insertion · |l|, in
    natural logarithms. p_LM(l) begins after <s> and includes </s>, where the model has them.

    Args:
        arpa: An ARPA file whose tokens are those of the vocabulary: single characters for text,
            with `space` for the space, and glosses for sign language. Case matters. A character
            that the model does not have is scored as its <unk>; without <unk> it is practically
            never read (log10 p = -99). See `notes`.
        weight: Weight of the language model, without unit; 0 leaves it out. Tune it on the
            validation split: the default of 0.5 is a start between 0 and the 1 of Bayes' rule,
            because CTC already learns a part of what the language model knows.
        insertion: Bonus per label in natural logarithms, for the language model prefers short
            texts. 0 leaves it out; tune it with `weight`.
        width: Number of prefixes kept after each frame; the time grows in proportion to it.
        space: The token of the ARPA file that stands for the space character.

    Source:
        Hannun et al., "First-Pass Large Vocabulary Continuous Speech Recognition using
        Bi-Directional Recurrent DNNs" (arXiv:1408.2873), algorithm 1 and eq. 3, with the language
        model at every label instead of every word; Graves and Jaitly, "Towards End-to-End Speech
        Recognition with Recurrent Neural Networks" (ICML 2014), § 4.
    """

    name: ClassVar[str] = "ngram"
    families: ClassVar[frozenset[DecoderFamily]] = frozenset({CTC})

    arpa: InputFile
    weight: NonNegativeFloat = 0.5
    insertion: float = 0.0
    width: PositiveInt = 10
    space: str = "<space>"

    def build(self, family: DecoderFamily, vocabulary: tuple[str, ...]) -> Decode:  # noqa: ARG002
        """Return the search. Raises BenchError if the file is missing or malformed."""
        from bench.decoding.algorithms.arpa import read_arpa
        from bench.decoding.algorithms.language_model import LanguageModel
        from bench.decoding.algorithms.ngram_search import NGramSearch

        model = LanguageModel(read_arpa(self.arpa, self._parameter), vocabulary, self.space)
        return NGramSearch(model, self.weight, self.insertion, self.width)

    def notes(self, vocabulary: tuple[str, ...]) -> tuple[str, ...]:
        """Return the tokens of the vocabulary that the language model does not have."""
        from bench.decoding.algorithms.arpa import read_arpa
        from bench.decoding.algorithms.language_model import LanguageModel

        # The 1-grams come first and have every token; the rest of the file is not read.
        model = LanguageModel(read_arpa(self.arpa, self._parameter, 1), vocabulary, self.space)
        if not model.missing:
            return ()
        effect = "are scored as its <unk>" if model.has_unknown else "are practically never read"
        listed = ", ".join(f"'{each}'" for each in model.missing[:MAX_LISTED])
        more = " …" if len(model.missing) > MAX_LISTED else ""
        note = (
            f"{self.label}: {len(model.missing)} tokens of the vocabulary are not in the language "
            f"model and {effect}: {listed}{more}"
        )
        return (note,)

    @property
    def _parameter(self) -> str:
        return f"arpa of decoder '{self.name}'"
