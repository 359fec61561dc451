"""Evaluation protocols: the named, versioned rules by which texts are compared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import msgspec

from bench.core.errors import BenchError, Exit, did_you_mean
from bench.core.printable import quoted
from bench.evaluation.protocols.declared import declare_protocol
from bench.evaluation.protocols.glosses import GLOSS_PHOENIX14
from bench.evaluation.protocols.lines import HTR_IAM, HTR_RAW, HTR_THESIS
from bench.evaluation.protocols.protocol import Protocol
from bench.evaluation.protocols.word_rules import RULES
from bench.evaluation.protocols.words import DIGITS, STR_36, STR_62, STR_94

__all__ = ["PROTOCOLS", "Protocol", "declare_protocol", "find_protocol", "protocol_from_spec"]

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
"""The protocols of bench itself, by name."""


def find_protocol(name: str) -> Protocol:
    """Return the protocol of bench called `name`.

    Raises:
        BenchError: No protocol has the name; the message has the nearest one.
    """
    if name not in PROTOCOLS:
        raise BenchError(f"there is no protocol '{name}'{did_you_mean(name, PROTOCOLS)}")
    return PROTOCOLS[name]


def protocol_from_spec(spec: dict[str, Any], metrics: Iterable[str]) -> Protocol:
    """Return the protocol under which an evaluation was scored.

    Args:
        spec: `Protocol.spec()` from the record; it has all rules of a declared protocol.
        metrics: The names of the metrics that were reported.

    Raises:
        BenchError: The rules of a protocol of bench have changed, or are not those of a protocol;
            the exit code is `Exit.UNVERIFIED`.
    """
    name = spec["name"]
    if name in PROTOCOLS:
        if PROTOCOLS[name].spec() != spec:
            raise BenchError(
                f"the rules of protocol '{name}' have changed since this was scored; run the "
                "suite again",
                Exit.UNVERIFIED,
            )
        return replace(PROTOCOLS[name], metrics=tuple(metrics))
    names = [*metrics]
    values = {**spec, "about": "declared in bench.toml", "metrics": names}
    try:
        protocol = msgspec.convert(values, Protocol)
    except msgspec.ValidationError as error:
        raise _not_a_protocol(spec, str(error)) from None
    unknown = protocol.spec() != spec or protocol.word_rule not in {"", *RULES}
    if unknown or (names and protocol.ranked_by not in names):
        raise _not_a_protocol(spec, "it has rules that this version of bench does not have")
    return protocol


def _not_a_protocol(spec: dict[str, Any], reason: str) -> BenchError:
    return BenchError(
        f"the rules of {quoted(str(spec['name']))} are not a protocol of bench ({reason}); run the "
        "suite again",
        Exit.UNVERIFIED,
    )
