"""Mappings of the networks of a master's thesis on lines of handwriting."""

from __future__ import annotations

import string
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.recognizers.networks.mappings.mapping import WeightMapping

if TYPE_CHECKING:
    from torch import Tensor

_SOURCE = "github.com/resolator/diploma-master"
_SYMBOLS = " !\"#&'()*+,-./:;?"
_REST = string.digits + string.ascii_letters
_EOS = 1 + len(_SYMBOLS)
"""The class of é, which is the EOS there; class 0 is the start of sequence."""
_GATES = 8
"""The number of gates in the table, which is more than any of its experiments has."""

_CONVOLUTIONS = {
    f"fe.fe.{4 * stage}": f"model.convolutions.stages.{stage}.convolution" for stage in range(6)
}
_NORMS = {f"fe.fe.{4 * stage + 1}": f"model.convolutions.stages.{stage}.norm" for stage in range(6)}
_SEPARABLE = {
    f"{there}.{part}": f"{here}.{number}"
    for there, here in _CONVOLUTIONS.items()
    for number, part in enumerate(("dep_conv", "point_conv"))
}
_GATED = {
    f"fe.gates.{gate}.0.{part}": f"model.convolutions.stages.{6 + gate}.convolution.{number}"
    for gate in range(_GATES)
    for number, part in enumerate(("dep_conv", "point_conv"))
}
_BACKBONE = _CONVOLUTIONS | _NORMS | _SEPARABLE | _GATED
_DECODER = (
    {
        "decoder.emb": "model.decoder.embedding",
        "decoder.attention.encoder_conv": "model.decoder.keys",
        "decoder.attention.decoder_linear": "model.decoder.query",
        "decoder.attention.decoder_linear.1": "model.decoder.query",
        "decoder.attention.energy_layer": "model.decoder.energy",
        "decoder.linear": "head",
    }
    | {
        f"decoder.rnn.{part}_l0": f"model.decoder.cell.{part}"
        for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    }
    | {"encoder.rnn": "model.encoder.row.lstm"}
)


def _eos_first(name: str, weight: Tensor) -> Tensor:
    """Return a weight; embedding and classifier get a class 0 that is both start and EOS.

    The start is never predicted and EOS is never fed back. So row 0 of the embedding is that of
    the start, and row 0 of the classifier that of EOS.
    """
    if name not in {"model.decoder.embedding.weight", "head.weight", "head.bias"}:
        return weight
    others = [number for number in range(1, len(weight)) if number != _EOS]
    return weight[[0 if name.startswith("model.") else _EOS, *others]]


_SEQ2SEQ = WeightMapping(
    name="htr-thesis-seq2seq",
    source=f"{_SOURCE}, seq2seq",
    layers=_BACKBONE | _DECODER,
    model="htr-seq2seq",
    loss="ce",
    input="htr-thesis",
    alphabet=(*_SYMBOLS, *_REST),
    ignored=("pe",),
    convert=_eos_first,
)

MAPPINGS = (
    _SEQ2SEQ,
    replace(
        _SEQ2SEQ,
        name="htr-thesis-seq2seq-light",
        source=f"{_SOURCE}, seq2seq_light",
        model="htr-seq2seq-light",
    ),
    WeightMapping(
        name="htr-thesis-ctc",
        source=f"{_SOURCE}, baseline; its é is the EOS, which is left out of texts",
        layers=_BACKBONE | {"rnn": "model.encoder.lstm", "conv": "head"},
        model="htr-ctc",
        input="htr-thesis",
        alphabet=(*_SYMBOLS, "", *_REST),
    ),
)
