"""A protocol: the rules by which a reference and a hypothesis are compared."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from functools import cached_property
from typing import Any, Literal, cast

from bench.evaluation.protocols.word_rules import RULES

Unit = Literal["character", "grapheme", "byte", "gloss"]
UnicodeForm = Literal["", "NFC", "NFD", "NFKC", "NFKD"]
Case = Literal["", "lower", "upper"]
Whitespace = Literal["", "collapse"]
Outside = Literal["exclude", "drop"]
Costs = tuple[int, int, int]

_ALWAYS = ("name", "version", "charset", "unit")
_NEVER = ("about", "metrics")


@dataclass(frozen=True)
class Protocol:
    """How a reference and a hypothesis are normalized, cut into units, excluded and ranked.

    Normalization applies `unicode`, `case`, `outside` and `whitespace` in this order to both texts.
    A subclass adds rules that need code.

    Attributes:
        name: The name in bench.toml, `bench score` and boards.
        version: Raise it when a rule changes; it is part of every key.
        about: One sentence for `bench score` and the documentation; not part of a key.
        charset: The characters that are compared. If empty, all characters are.
        unit: The unit in which edits are counted: code points ("character"); grapheme clusters,
            which a reader sees as one character; bytes of UTF-8; or glosses.
        unicode: The Unicode normal form; "" leaves the text unchanged.
        case: The case that letters are converted to; "" leaves them unchanged.
        whitespace: "collapse" replaces runs of white space by one space and strips both ends.
        outside: The treatment of characters outside the charset: "exclude" excludes a sample whose
            reference has one, "drop" removes them from both texts.
        word_rule: The rule by which words are split, a key of `word_rules.RULES`. If empty, the
            protocol has no words.
        spacing: Which of the two transcriptions of IAM is the reference; "" for other data.
        costs: The costs of an insertion, a deletion and a substitution in the alignment. The
            number of edits counts each of them as one.
        batch: If above 0, `bench score` also prints the mean of the ranking metric over batches of
            this size, in the order of the samples.
        metrics: The names of the metrics that are reported, in the order of their columns. They
            are not in `spec`, because the key of an evaluation has them with their versions and
            sources.
        ranked_by: The metric by which boards rank, one of `metrics`.
    """

    name: str
    version: int
    about: str
    charset: str
    unit: Unit = "character"
    unicode: UnicodeForm = ""
    case: Case = ""
    whitespace: Whitespace = ""
    outside: Outside = "exclude"
    word_rule: str = ""
    spacing: str = ""
    costs: Costs = (1, 1, 1)
    batch: int = 0
    metrics: tuple[str, ...] = ()
    ranked_by: str = ""

    def spec(self) -> dict[str, Any]:
        """Return the rules as JSON values, for keys.

        Rules with their default values are left out, so that a new rule in bench changes no key.
        """
        spec = {}
        for field in fields(self):
            value = getattr(self, field.name)
            changed = field.default is MISSING or value != field.default
            if field.name not in _NEVER and (changed or field.name in _ALWAYS):
                spec[field.name] = list(value) if isinstance(value, tuple) else value
        return spec

    @property
    def compares_characters(self) -> bool:
        """Whether the unit is a character: a code point or a grapheme cluster."""
        return self.unit in {"character", "grapheme"}

    @property
    def separator(self) -> str:
        """The string between two units of a text."""
        return " " if self.unit == "gloss" else ""

    def normalize(self, text: str) -> str:
        """Return one text of a sample after normalization."""
        text = self._convert(text)
        if self.outside == "drop" and not self._charset.issuperset(text):
            text = "".join(character for character in text if character in self._charset)
        return " ".join(text.split()) if self.whitespace else text

    def pair(self, reference: str, hypothesis: str) -> tuple[str, str]:
        """Return both texts of a sample as they are compared, normalized."""
        return self.pair_normalized(self.normalize(reference), hypothesis)

    def pair_normalized(self, reference: str, hypothesis: str) -> tuple[str, str]:
        """Return both texts of a sample as they are compared; `reference` is already normalized."""
        # Most hypotheses are correct, and normalizing a normalized text does not change it.
        same = hypothesis == reference
        return reference, reference if same else self.normalize(hypothesis)

    def excludes(self, reference: str, normalized: str | None = None) -> str | None:
        """Return why a sample is not scored, or None if it is.

        Args:
            reference: The reference, not normalized.
            normalized: `normalize(reference)`, if the caller has it.
        """
        if normalized is None:
            normalized = self.normalize(reference)
        if not normalized:
            dropped = reference and not reference.isspace() and self.outside == "drop"
            return "nothing of the reference in the charset" if dropped else "empty reference"
        if not self.charset or self.outside == "drop":
            return None
        foreign = sorted(set(normalized) - self._charset)
        return f"outside the charset: {''.join(foreign)}" if foreign else None

    def dropped(self, reference: str) -> str:
        """Return the characters of a reference that the protocol drops, in their order.

        A letter that only loses its accent, such as "é" that becomes "e", is not dropped.
        """
        if self.outside != "drop" or self._charset.issuperset(reference):
            return ""
        composed = reference if reference.isascii() else unicodedata.normalize("NFC", reference)
        return "".join(character for character in composed if self._drops(character))

    def tokens(self, text: str) -> Sequence[str]:
        """Return the units of a normalized text; each byte is returned as one character."""
        if self.unit == "gloss":
            return text.split()
        if self.unit == "grapheme" and not text.isascii():
            import regex

            return cast("list[str]", regex.findall(r"\X", text))
        return text.encode().decode("latin-1") if self.unit == "byte" else text

    def words(self, text: str) -> list[str]:
        """Return the words of a normalized text: glosses, or the words by the word rule.

        Raises:
            KeyError: The protocol has no word rule.
        """
        return text.split() if self.unit == "gloss" else RULES[self.word_rule](text)

    def _convert(self, text: str) -> str:
        """Apply the Unicode form and the case."""
        if self.unicode and not text.isascii():
            text = unicodedata.normalize(self.unicode, text)
        if self.case:
            text = text.lower() if self.case == "lower" else text.upper()
        return text

    def _drops(self, character: str) -> bool:
        dropped = self._dropped.get(character)
        if dropped is None:
            dropped = self._dropped[character] = self._charset.isdisjoint(self._convert(character))
        return dropped

    @cached_property
    def _charset(self) -> frozenset[str]:
        return frozenset(self.charset)

    @cached_property
    def _dropped(self) -> dict[str, bool]:
        return {}
