"""Checks of readings from outside bench."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from bench.core.errors import BenchError
from bench.core.printable import quoted
from bench.core.recognition import Reading

NOT_UNICODE = "characters that are not Unicode"
"""The remark on a text in which lone surrogates were replaced, because UTF-8 cannot encode them."""
_ROUNDING = 1e-6
"""A probability in float32 may exceed 1 by so much, and is then set to 1."""


def checked_readings(read: object, ids: Sequence[str], user: str) -> list[Reading]:
    """Check what a user's code returned for a batch, and return its readings.

    Args:
        read: The returned value, which must be a list with a text or a `Reading` per image.
        ids: The ids of the samples of the batch.
        user: The recognizer, for messages.

    Raises:
        BenchError: The value is not such a list.
    """
    if isinstance(read, str) or not isinstance(read, Sequence):
        raise BenchError(
            f"{user} returned a value of type {type(read).__name__}; return a list of one text per "
            "image"
        )
    if len(read) != len(ids):
        raise BenchError(
            f"{user} returned {len(read)} texts for {len(ids)} images; return one per image, in "
            "their order"
        )
    return [_checked_item(item, sample, user) for item, sample in zip(read, ids, strict=True)]


def _checked_item(item: object, sample: str, user: str) -> Reading:
    if not isinstance(item, Reading):
        return checked_reading(item, sample, user)
    return checked_reading(
        item.text,
        sample,
        user,
        confidence=item.confidence,
        seconds=item.seconds,
        price=item.price,
        remark=item.remark,
    )


def checked_reading(
    text: object,
    sample: str,
    user: str,
    *,
    confidence: Any = None,  # noqa: ANN401 (any value of a library or a file)
    seconds: Any = None,  # noqa: ANN401
    price: Any = None,  # noqa: ANN401
    remark: Any = "",  # noqa: ANN401
) -> Reading:
    """Check the values of a reading and return it.

    Control characters are kept, because they are part of what was read.

    Args:
        text: The text read.
        sample: The id of the sample, for messages.
        user: The recognizer or the file, for messages.
        confidence: A number in 0…1, or None.
        seconds: A number of at least 0, or None.
        price: A number of at least 0, or None.
        remark: A text, which may be empty.

    Raises:
        BenchError: A value has a wrong type or is out of range.
    """
    if not isinstance(text, str):
        raise BenchError(
            f"{user} returned {_kind(text)} for sample {quoted(sample)}; return a text, "
            "which is empty if nothing is read"
        )
    if not isinstance(remark, str):
        raise BenchError(
            f"{user} has a remark of type {type(remark).__name__} for sample {quoted(sample)}; "
            "return a text, or no remark"
        )
    clean = _unicode(text)
    return Reading(
        text=clean,
        confidence=_number(confidence, "confidence", sample, user, largest=1),
        seconds=_number(seconds, "seconds", sample, user),
        price=_number(price, "price", sample, user),
        remark=_unicode(remark) or (NOT_UNICODE if clean != text else ""),
    )


def _number(
    value: Any,  # noqa: ANN401 (as `checked_reading`)
    name: str,
    sample: str,
    user: str,
    largest: float = math.inf,
) -> float | None:
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if largest < number <= largest + _ROUNDING:
        number = largest
    if not 0 <= number <= largest or math.isinf(number):
        span = "between 0 and 1" if largest == 1 else "of at least 0"
        raise BenchError(
            f"{user} has {name} = {quoted(str(value))} for sample {quoted(sample)}; return a "
            f"number {span}, or none"
        )
    return number


def _unicode(text: str) -> str:
    return "".join("\N{REPLACEMENT CHARACTER}" if _is_surrogate(c) else c for c in text)


def _is_surrogate(letter: str) -> bool:
    return "\ud800" <= letter <= "\udfff"


def _kind(value: object) -> str:
    return "None" if value is None else f"a value of type {type(value).__name__}"
