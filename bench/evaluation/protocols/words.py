"""Scene text: words, compared by the characters of a charset; all others are dropped, as usual."""

from __future__ import annotations

import string

from bench.evaluation.protocols.protocol import Protocol

DIGITS = Protocol(
    name="digits",
    version=1,
    about="The ten digits, compared as they are, read by greedy CTC decoding.",
    charset=string.digits,
)

STR_36 = Protocol(
    name="str-36",
    version=1,
    about="Letters and digits, case ignored: the usual score of scene text.",
    charset=string.digits + string.ascii_lowercase,
    unicode="NFKD",
    case="lower",
    outside="drop",
)

STR_62 = Protocol(
    name="str-62",
    version=1,
    about="Letters of either case and digits.",
    charset=string.digits + string.ascii_letters,
    unicode="NFKD",
    outside="drop",
)

STR_94 = Protocol(
    name="str-94",
    version=1,
    about="The 94 printable characters of ASCII, without the space.",
    charset=string.digits + string.ascii_letters + string.punctuation,
    unicode="NFKD",
    outside="drop",
)
