"""The names of the decoder families, spelled once for all decoders of bench."""

from __future__ import annotations

from typing import Final

from bench.core.types import DecoderFamily

CTC: Final[DecoderFamily] = "ctc"
"""Repeated labels are merged, then blanks are removed."""
ACE: Final[DecoderFamily] = "ace"
"""Blanks are removed; a repeated label is two labels."""
SEQ2SEQ: Final[DecoderFamily] = "seq2seq"
"""One label per step, up to the first end of sequence."""
