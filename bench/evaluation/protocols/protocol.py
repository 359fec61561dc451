"""What a protocol is: the rules by which a reference and a hypothesis are compared."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from functools import cached_property
from typing import Any, Literal

from bench.evaluation.protocols import word_rules as words

Unit = Literal["character", "byte", "gloss"]
ALWAYS = ("name", "version", "charset", "unit", "decoder")


@dataclass(frozen=True)
class Protocol:
    """How a reference and a hypothesis are compared.

    `charset` holds the characters that count; empty, every character does. `unit` is what an edit
    is counted in. `decoder` reads the classifier's output. Then, in the order they are applied to
    both texts: `unicode` is the normal form, `case` what letters are turned into, `whitespace`
    "collapse" makes one space of several and none at the ends, `outside` says what a character
    outside the charset costs: its sample ("exclude", where the reference has it) or only itself
    ("drop"). `word_rule` names how words are made (see `words.RULES`; empty: there is no WER),
    `spacing` which of two ground truths is meant. `costs` are those of an insertion, a deletion and
    a substitution where edits are aligned; edits are counted one each. A `batch` above 0 also tells
    the mean of the CERs of so many samples each, in order. Boards rank by `ranked_by` first.

    Subclasses are rules that only code can say. Raise `version` when a rule changes.
    """

    name: str
    version: int
    about: str
    charset: str
    unit: Unit = "character"
    decoder: str = "greedy"
    unicode: Literal["", "NFC", "NFKD"] = ""
    case: Literal["", "lower", "upper"] = ""
    whitespace: Literal["", "collapse"] = ""
    outside: Literal["exclude", "drop"] = "exclude"
    word_rule: str = ""
    spacing: str = ""
    costs: tuple[int, int, int] = (1, 1, 1)
    batch: int = 0
    ranked_by: Literal["sequence accuracy", "error rate"] = "sequence accuracy"

    def spec(self) -> dict[str, Any]:
        """Return the part of a trial's key that the protocol decides, as JSON values.

        A rule that is left at its default is left out: a new one moves no key.
        """
        found = {}
        for field in fields(self):
            value = getattr(self, field.name)
            said = field.name in ALWAYS or field.default is MISSING or value != field.default
            if said and field.name != "about":
                found[field.name] = list(value) if isinstance(value, tuple) else value
        return found

    @property
    def separator(self) -> str:
        """What stands between two units of a text."""
        return " " if self.unit == "gloss" else ""

    def normalise(self, text: str) -> str:
        """Return what is compared of a text by itself."""
        if self.unicode and not text.isascii():
            text = unicodedata.normalize(self.unicode, text)
        if self.case:
            text = text.lower() if self.case == "lower" else text.upper()
        if self.outside == "drop" and not self._known.issuperset(text):
            text = "".join(letter for letter in text if letter in self._known)
        return " ".join(text.split()) if self.whitespace else text

    def pair(self, reference: str, hypothesis: str) -> tuple[str, str]:
        """Return what is compared of a sample's two texts."""
        return self.paired(self.normalise(reference), hypothesis)

    def paired(self, normalised: str, hypothesis: str) -> tuple[str, str]:
        """Return what is compared of a sample whose reference is normalised."""
        # What is normalised stays as it is, and most of what is read is right.
        right = hypothesis == normalised
        return normalised, normalised if right else self.normalise(hypothesis)

    def excludes(self, reference: str) -> str | None:
        """Say why a sample is not scored, or None when it is. It is counted either way."""
        return self.reason(reference, self.normalise(reference))

    def reason(self, reference: str, left: str) -> str | None:
        """Say what `excludes` says, where what is `left` of the reference is known."""
        if not left:
            dropped = reference and not reference.isspace() and self.outside == "drop"
            return "nothing of the reference in the charset" if dropped else "empty reference"
        if not self.charset or self.outside == "drop":
            return None
        foreign = sorted(set(left) - self._known)
        return f"outside the charset: {''.join(foreign)}" if foreign else None

    def tokens(self, text: str) -> Sequence[str]:
        """Return the units of a normalised text: characters, bytes (as characters) or glosses."""
        if self.unit == "gloss":
            return text.split()
        return text.encode().decode("latin-1") if self.unit == "byte" else text

    def words(self, text: str) -> list[str]:
        """Return the words of a normalised text. Raises KeyError where there is no word rule."""
        return words.RULES[self.word_rule](text)

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.charset)
