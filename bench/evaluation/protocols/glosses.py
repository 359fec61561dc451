"""Protocol of sign language: glosses, cleaned and aligned as for RWTH-PHOENIX-Weather 2014.

The official evaluation runs a chain of sed, perl and awk over a CTM, which has one gloss per line,
then NIST's sclite. `clean_gloss` has the rules that apply to a single gloss; those for two glosses
in a row never match in a CTM.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby

from bench.evaluation.protocols.protocol import Protocol

EMPTY = "[EMPTY]"
"""Stands for a hypothesis without a gloss, as in the official evaluation."""

_PREFIXES = ("loc-", "cl-", "qu-", "poss-", "lh-")
_SPELLINGS = {"S0NNE": "SONNE", "HABEN2": "HABEN"}
_ERASED = ("__EMOTION__", "__PU__", "__LEFTHAND__")
_REMOVED = ("__LEFTHAND__", "__EPENTHESIS__", "__EMOTION__")
_RAUM = re.compile(r"([A-Z][A-Z])RAUM")


@dataclass(frozen=True)
class Phoenix(Protocol):
    """Both texts are cleaned gloss by gloss; immediate repetitions of a hypothesis are merged.

    Cleaning does not change the references that are shipped as STM files: no two glosses of a
    reference are joined or merged.
    """

    def normalize(self, text: str) -> str:
        """Return the cleaned glosses, with one space between."""
        return super().normalize(" ".join(filter(None, map(clean_gloss, text.split()))))

    def pair_normalized(self, reference: str, hypothesis: str) -> tuple[str, str]:
        """Return both as glosses; a hypothesis without any is `EMPTY`."""
        cleaned = filter(None, map(clean_gloss, hypothesis.split()))
        merged = " ".join(gloss for gloss, _ in groupby(cleaned))
        return reference, super().normalize(merged) or EMPTY


def clean_gloss(gloss: str) -> str:
    """Return `gloss` as the official rules leave it, or "" if they remove it."""
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


GLOSS_PHOENIX14 = Phoenix(
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
