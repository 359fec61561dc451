"""Protocols of scene text and digits: single words, compared by the characters of a charset."""

from __future__ import annotations

import string

from bench.evaluation.protocols.protocol import Protocol

_SCENE_TEXT = ("sequence-accuracy", "cer", "one-minus-ned", "ccr")

DIGITS = Protocol(
    name="digits",
    version=1,
    about="The ten digits as they are.",
    charset=string.digits,
    metrics=("sequence-accuracy", "cer", "map"),
    ranked_by="sequence-accuracy",
)

STR_36 = Protocol(
    name="str-36",
    version=1,
    about="Letters and digits, case ignored: the usual score of scene text.",
    charset=string.digits + string.ascii_lowercase,
    unicode="NFKD",
    case="lower",
    outside="drop",
    metrics=_SCENE_TEXT,
    ranked_by="sequence-accuracy",
)

STR_62 = Protocol(
    name="str-62",
    version=1,
    about="Letters of either case and digits.",
    charset=string.digits + string.ascii_letters,
    unicode="NFKD",
    outside="drop",
    metrics=_SCENE_TEXT,
    ranked_by="sequence-accuracy",
)

STR_94 = Protocol(
    name="str-94",
    version=1,
    about="The 94 printable characters of ASCII, without the space.",
    charset=string.digits + string.ascii_letters + string.punctuation,
    unicode="NFKD",
    outside="drop",
    metrics=_SCENE_TEXT,
    ranked_by="sequence-accuracy",
)
