"""Evaluation protocols: what is compared, named, versioned and part of every trial's key."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from bench.errors import BenchError, did_you_mean


@dataclass(frozen=True)
class Protocol:
    """How a reference and a hypothesis are compared.

    `charset` holds the characters a reference may contain. `unit` is what an edit is counted in.
    `decoder` reads the classifier's output. Raise `version` when a rule changes.
    """

    name: str
    version: int
    about: str
    charset: str
    unit: str = "character"
    decoder: str = "greedy"

    def spec(self) -> dict[str, Any]:
        """Return the part of a trial's key that the protocol decides."""
        return {key: value for key, value in asdict(self).items() if key != "about"}

    def excludes(self, reference: str) -> str | None:
        """Say why a sample is not scored, or None when it is. It is counted either way."""
        if not reference:
            return "empty reference"
        foreign = sorted(set(reference) - set(self.charset))
        return f"outside the charset: {''.join(foreign)}" if foreign else None


PROTOCOLS = {
    protocol.name: protocol
    for protocol in [
        Protocol(
            name="digits",
            version=1,
            about="The ten digits, compared as they are, read by greedy CTC decoding.",
            charset="0123456789",
        )
    ]
}


def find(name: str) -> Protocol:
    """Return the protocol called `name`. Raises BenchError with the nearest name."""
    if name not in PROTOCOLS:
        raise BenchError(f"there is no protocol '{name}'{did_you_mean(name, PROTOCOLS)}")
    return PROTOCOLS[name]
