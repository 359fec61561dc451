"""Protocols of handwriting: lines of text, with their spaces and punctuation."""

from __future__ import annotations

import string
from dataclasses import dataclass

from bench.evaluation.protocols.protocol import Protocol

EOS = "é"
"""The end-of-sequence character of the thesis; it counts in the CER, as two bytes of UTF-8."""
BLANK = "_"

_LINES = ("cer", "wer", "sequence-accuracy")


@dataclass(frozen=True)
class ThesisProtocol(Protocol):
    """Rules of the CER of a master's thesis, which counts bytes.

    Each line ends with `EOS`. The hypothesis is cut to the length of the reference, so characters
    after that length do not count. See `bench docs metrics`.

    Source: github.com/resolator/diploma-master (2022).
    """

    def pair_normalized(self, reference: str, hypothesis: str) -> tuple[str, str]:
        """Return both texts with `EOS`, the hypothesis cut to the length of the reference."""
        line = reference + EOS
        return line, (hypothesis.replace(BLANK, "") + EOS)[: len(line)]


HTR_RAW = Protocol(
    name="htr-raw",
    version=1,
    about="Every character counts as it is, spaces too, after Unicode NFC.",
    charset="",
    unicode="NFC",
    word_rule="spaces",
    metrics=_LINES,
    ranked_by="cer",
)

HTR_IAM = Protocol(
    name="htr-iam",
    version=2,
    about=(
        "Case and punctuation count, runs of spaces are one; punctuation marks are words of their "
        "own; spaced as the XML of IAM."
    ),
    charset="",
    unicode="NFC",
    whitespace="collapse",
    word_rule="marks",
    spacing="xml",
    metrics=_LINES,
    ranked_by="cer",
)

HTR_THESIS = ThesisProtocol(
    name="htr-thesis",
    version=1,
    about=(
        "The CER of a thesis of 2022: bytes, including the end of a line, and nothing beyond the "
        "length of the reference."
    ),
    charset=""" !"#&'()*+,-./:;?""" + string.digits + string.ascii_letters,
    unit="byte",
    spacing="xml",
    batch=32,
    metrics=("cer", "sequence-accuracy"),
    ranked_by="cer",
)
