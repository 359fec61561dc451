"""Protocol of sign language: glosses, cleaned and aligned as for RWTH-PHOENIX-Weather 2014.

The official evaluation runs sed, perl and awk scripts on a CTM file, which has one gloss per line,
then NIST's sclite. `clean_gloss` has those of their rules that apply to a single gloss; rules for
two consecutive glosses never match in a CTM file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby

from bench.evaluation.protocols.protocol import Protocol

EMPTY = "[EMPTY]"
"""The gloss of an empty hypothesis, as in the official evaluation."""

_PREFIXES = ("loc-", "cl-", "qu-", "poss-", "lh-")
_SPELLINGS = {"S0NNE": "SONNE", "HABEN2": "HABEN"}
_ERASED = ("__EMOTION__", "__PU__", "__LEFTHAND__")
_REMOVED = ("__LEFTHAND__", "__EPENTHESIS__", "__EMOTION__")
_RAUM = re.compile(r"([A-Z][A-Z])RAUM")


@dataclass(frozen=True)
class PhoenixProtocol(Protocol):
    """Rules that clean both texts gloss by gloss and merge repeated glosses of the hypothesis.

    Repeated glosses of a reference are not merged. The references in the STM files of the data set
    do not change.
    """

    def normalize(self, text: str) -> str:
        """Return the cleaned glosses, separated by single spaces."""
        return super().normalize(" ".join(filter(None, map(clean_gloss, text.split()))))

    def pair_normalized(self, reference: str, hypothesis: str) -> tuple[str, str]:
        """Return both texts as compared; a hypothesis without glosses becomes `EMPTY`."""
        cleaned = filter(None, map(clean_gloss, hypothesis.split()))
        merged = " ".join(gloss for gloss, _ in groupby(cleaned))
        return reference, super().normalize(merged) or EMPTY


def clean_gloss(gloss: str) -> str:
    """Return a gloss after the official rules of cleaning, or "" if they remove it."""
    for prefix in _PREFIXES:
        gloss = gloss.replace(prefix, "")
    for misspelled, spelling in _SPELLINGS.items():
        gloss = gloss.replace(misspelled, spelling)
    for mark in _ERASED:
        gloss = gloss.replace(mark, "")
    if gloss.endswith("ZEIGEN"):
        gloss += "-BILDSCHIRM"
    gloss = _RAUM.sub(r"\1", gloss).replace("-PLUSPLUS", "")
    return "" if any(mark in gloss for mark in _REMOVED) else gloss


GLOSS_PHOENIX14 = PhoenixProtocol(
    name="gloss-phoenix14",
    version=2,
    about=(
        "Glosses after the official clean-up, repetitions in the hypothesis merged, aligned at the "
        "costs of sclite."
    ),
    charset="",
    unit="gloss",
    case="upper",
    costs=(3, 3, 4),
    metrics=("wer", "sequence-accuracy"),
    ranked_by="wer",
)
