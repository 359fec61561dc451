"""Handwriting: lines of text, with their spaces and punctuation."""

from __future__ import annotations

import string
from dataclasses import dataclass

from bench.evaluation.protocols.protocol import Protocol

END = "é"
"""The thesis's end of sequence, which its CER counts: two bytes of UTF-8."""
BLANK = "_"


@dataclass(frozen=True)
class Thesis(Protocol):
    """The CER of github.com/resolator/diploma-master, of 2022.

    A line ends with `END`, and the hypothesis is cut to the length of the reference: what is read
    beyond is not seen. Bytes are compared, so the end counts twice. See docs/metrics.md.
    """

    def paired(self, normalised: str, hypothesis: str) -> tuple[str, str]:
        """Return both texts with their ends, the hypothesis cut to as many characters."""
        line = normalised + END
        return line, (hypothesis.replace(BLANK, "") + END)[: len(line)]


HTR_RAW = Protocol(
    name="htr-raw",
    version=1,
    ranked_by="error rate",
    about="Every character counts as it stands, spaces too, after Unicode NFC.",
    charset="",
    unicode="NFC",
    word_rule="spaces",
)

HTR_IAM = Protocol(
    name="htr-iam",
    version=1,
    ranked_by="error rate",
    about=(
        "Case and punctuation count, runs of spaces are one; marks of punctuation are words of "
        "their own; spaced as the XML of IAM."
    ),
    charset="",
    unicode="NFC",
    whitespace="collapse",
    word_rule="marks",
    spacing="xml",
)

HTR_THESIS = Thesis(
    name="htr-thesis",
    version=1,
    ranked_by="error rate",
    about=(
        "The CER of a thesis of 2022: bytes, the end of a line among them, and nothing that is "
        "read beyond the length of the reference."
    ),
    charset=""" !"#&'()*+,-./:;?""" + string.digits + string.ascii_letters,
    unit="byte",
    spacing="xml",
    batch=32,
)
