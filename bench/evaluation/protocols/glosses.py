"""Sign language: glosses, cleaned and aligned as the evaluation of RWTH-PHOENIX-Weather 2014 does.

That evaluation is a chain of sed, perl and awk over a CTM, then NIST's sclite. A CTM has one gloss
a line, so its rules for two words in a row never meet them there: `clean_gloss` is what is left.
`clean_line` is all of them, on glosses in a row; on the references as shipped it changes nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby

from bench.evaluation.protocols.protocol import Protocol

EMPTY = "[EMPTY]"
"""What stands for a hypothesis without a gloss."""

_PREFIXES = ("loc-", "cl-", "qu-", "poss-", "lh-")
_SPELLINGS = {"S0NNE": "SONNE", "HABEN2": "HABEN"}
_ERASED = ("__EMOTION__", "__PU__", "__LEFTHAND__")
_REMOVED = ("__LEFTHAND__", "__EPENTHESIS__", "__EMOTION__")
# Spelled letters are joined, A B to A+B. The third rule stands three times, as matches overlap.
_SPELLED = [
    (re.compile(pattern), joined)
    for pattern, joined in [
        (r"^([A-Z]) ([A-Z][+ ])", r"\1+\2"),
        (r"[ +]([A-Z]) ([A-Z]) ", r" \1+\2 "),
        *[(r"([ +][A-Z]) ([A-Z][ +])", r"\1+\2")] * 3,
        (r"([ +]SCH) ([A-Z][ +])", r"\1+\2"),
        (r"([ +]NN) ([A-Z][ +])", r"\1+\2"),
        (r"([ +][A-Z]) (NN[ +])", r"\1+\2"),
        (r"([ +][A-Z]) ([A-Z])$", r"\1+\2"),
    ]
]
_ROOM = re.compile(r"([A-Z][A-Z])RAUM")
_REPEAT = re.compile(r"(?<![\w-])(\b[A-Z]+(?![\w-])) \1(?![\w-])", re.ASCII)


@dataclass(frozen=True)
class Phoenix(Protocol):
    """Glosses: references cleaned in a row, hypotheses one by one, as in a CTM, repeats merged."""

    def normalise(self, text: str) -> str:
        """Return the glosses of a reference; on those of the shipped STM files nothing changes."""
        return super().normalise(clean_line(text))

    def paired(self, normalised: str, hypothesis: str) -> tuple[str, str]:
        """Return both as glosses with one space between; a hypothesis without any is `EMPTY`."""
        cleaned = [left for gloss in hypothesis.split() if (left := clean_gloss(gloss))]
        merged = " ".join(gloss for gloss, _ in groupby(cleaned))
        return normalised, super().normalise(merged) or EMPTY


def clean_gloss(gloss: str) -> str:
    """Return what the chain leaves of a gloss that is alone on its line of a CTM, or nothing."""
    gloss = _simplified(gloss)
    if gloss.endswith("ZEIGEN"):
        gloss += "-BILDSCHIRM"
    gloss = _ROOM.sub(r"\1", gloss).replace("-PLUSPLUS", "")
    return "" if any(mark in gloss for mark in _REMOVED) else gloss


def clean_line(line: str) -> str:
    """Return what the chain leaves of glosses in a row, one space between.

    In one respect milder: where the chain deletes a whole line for an __EPENTHESIS__ in it, only
    that gloss goes. A sample is never dropped silently.
    """
    line = _simplified(" ".join(line.split())).replace("WIE AUSSEHEN", "WIE-AUSSEHEN")
    line = re.sub(r"ZEIGEN(?= |$)", "ZEIGEN-BILDSCHIRM", line)
    for pattern, joined in _SPELLED:
        line = pattern.sub(joined, line)
    line = _ROOM.sub(r"\1", line).replace("-PLUSPLUS", "")
    for _ in range(4):
        line = _REPEAT.sub(r"\1", line)
    glosses = line.split()
    return " ".join(g for g in glosses if not any(mark in g for mark in _REMOVED))


def _simplified(text: str) -> str:
    for prefix in _PREFIXES:
        text = text.replace(prefix, "")
    for slip, spelling in _SPELLINGS.items():
        text = text.replace(slip, spelling)
    for mark in _ERASED:
        text = text.replace(mark, "")
    return text


GLOSS_PHOENIX14 = Phoenix(
    name="gloss-phoenix14",
    version=1,
    ranked_by="error rate",
    about=(
        "Glosses after the clean-up of the official evaluation, repeats of the hypothesis merged, "
        "aligned at the costs of sclite."
    ),
    charset="",
    unit="gloss",
    decoder="beam",
    case="upper",
    costs=(3, 3, 4),
)
