"""Evaluation protocols: the named, versioned rules by which texts are compared."""

from __future__ import annotations

from bench.core.errors import BenchError, did_you_mean
from bench.evaluation.protocols.declared import declare
from bench.evaluation.protocols.glosses import GLOSS_PHOENIX14
from bench.evaluation.protocols.lines import HTR_IAM, HTR_RAW, HTR_THESIS
from bench.evaluation.protocols.protocol import Protocol
from bench.evaluation.protocols.words import DIGITS, STR_36, STR_62, STR_94

__all__ = ["PROTOCOLS", "Protocol", "declare", "find"]

PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        DIGITS,
        STR_36,
        STR_62,
        STR_94,
        HTR_RAW,
        HTR_IAM,
        HTR_THESIS,
        GLOSS_PHOENIX14,
    )
}
"""Those of bench itself, by name."""


def find(name: str) -> Protocol:
    """Return the protocol of bench called `name`.

    Raises:
        BenchError: There is none; the message has the nearest name.
    """
    if name not in PROTOCOLS:
        raise BenchError(f"there is no protocol '{name}'{did_you_mean(name, PROTOCOLS)}")
    return PROTOCOLS[name]
