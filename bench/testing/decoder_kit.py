"""The contract of decoders."""

from __future__ import annotations

import string
from collections.abc import Callable
from functools import cached_property
from typing import Any, get_args

import numpy as np
import torch
from torch import Tensor

from bench.core.components import Decoder
from bench.core.types import DecoderFamily
from bench.decoding.algorithms.decoded import Decoded
from bench.testing.component_kit import ComponentKit, component_of
from bench.testing.contract import (
    Check,
    CheckResult,
    ContractError,
    informs,
    requires,
)
from bench.testing.emulated_cuda import EmulatedCuda, MixedDevicesError
from bench.testing.timing import milliseconds

_VOCABULARY = tuple(string.ascii_lowercase)
_CLASSES = 1 + len(_VOCABULARY)
_LENGTHS = (12, 7, 1, 9)
_ALMOST_EQUAL = 1e-5


def decoder_checks(
    decoder: Decoder | str, vocabulary: tuple[str, ...] = _VOCABULARY
) -> list[Check]:
    """Return the checks of a decoder, for `pytest.mark.parametrize`.

    Args:
        decoder: The decoder, or its name, with default parameters.
        vocabulary: The tokens of the classes from 1; the lowercase letters by default.
    """
    return DecoderKit(component_of("decoder", decoder), vocabulary).tests()


def check_decoder(
    decoder: Decoder | str, vocabulary: tuple[str, ...] = _VOCABULARY
) -> list[CheckResult]:
    """Check a decoder; return the result of each check. Arguments are as in `decoder_checks`."""
    return DecoderKit(component_of("decoder", decoder), vocabulary).run()


class DecoderKit(ComponentKit[Decoder]):
    """What evaluation requires of a decoder.

    Args:
        component: The decoder.
        vocabulary: The tokens of the classes from 1.
    """

    def __init__(self, component: Decoder, vocabulary: tuple[str, ...] = _VOCABULARY) -> None:
        super().__init__(component)
        self._vocabulary = vocabulary

    def exercise(self) -> None:
        """Build the decoding function of each family, and decode a batch."""
        for decode in self._functions.values():
            decode(self._logits, self._lengths)

    @requires("`families` lists families of losses that there are, and `notes` returns sentences.")
    def families(self) -> None:
        """Check the decoder's `families`, and the type of what `notes` returns."""
        families, names = self.component.families, get_args(DecoderFamily)
        if not families or not set(families) <= set(names):
            raise ContractError(
                f"families = {sorted(families)}; list at least one of {', '.join(names)}"
            )
        notes = self.component.notes(self._vocabulary)
        if not isinstance(notes, tuple) or not all(isinstance(note, str) for note in notes):
            raise ContractError("notes() does not return a tuple of texts; return () or sentences")

    @requires("Decoding returns labels, a path, scores and a confidence of the right shapes.")
    def results(self) -> None:
        """Check types and shapes of the result for a batch of random logits."""
        size = (len(_LENGTHS), max(_LENGTHS))
        for family, decoded in self._decoded(self._logits, self._lengths).items():
            if not isinstance(decoded, Decoded):
                raise ContractError(
                    f"for {family}, decoding returned {type(decoded).__name__}; return "
                    "bench.decoding.algorithms.decoded.Decoded"
                )
            if len(decoded.labels) != size[0]:
                raise ContractError(
                    f"for {family}, it returned {len(decoded.labels)} sequences of labels for "
                    f"{size[0]} samples; return one per sample, in their order"
                )
            shapes = {"path": size, "scores": size, "confidence": size[:1], "lengths": size[:1]}
            for name, shape in shapes.items():
                values = np.asarray(getattr(decoded, name))
                if values.shape != shape:
                    raise ContractError(
                        f"for {family}, {name} has shape {values.shape}; it has to be {shape}"
                    )
            if decoded.lengths.tolist() != list(_LENGTHS):
                raise ContractError(
                    f"for {family}, lengths are {decoded.lengths.tolist()}, not those given, "
                    f"{list(_LENGTHS)}; return the lengths of the logits"
                )
            confidence = decoded.confidence
            if not ((confidence >= 0) & (confidence <= 1 + _ALMOST_EQUAL)).all():
                raise ContractError(
                    f"for {family}, confidences are {confidence.tolist()}; return probabilities "
                    "from 0 to 1, not their logarithms"
                )

    @requires("Labels and paths are classes of the vocabulary; no label is class 0.")
    def vocabulary(self) -> None:
        """Compare the labels with the classes."""
        for family, decoded in self._decoded(self._logits, self._lengths).items():
            labels = [label for row in decoded.labels for label in row.tolist()]
            if outside := [label for label in labels if not 0 < label < self._classes]:
                raise ContractError(
                    f"for {family}, label {outside[0]} is not a class from 1 to "
                    f"{self._classes - 1}; drop blanks and the end of sequence (class 0)"
                )
            path = decoded.path
            if not ((path >= 0) & (path < self._classes)).all():
                raise ContractError(f"for {family}, the path has a class outside the vocabulary")

    @requires("Frames from a sample's length on are not read.")
    def lengths(self) -> None:
        """Compare what is decoded with other logits in the padding, and more of it."""
        padding = torch.arange(max(_LENGTHS)) >= self._lengths.unsqueeze(1)
        changed = self._logits.masked_fill(padding.unsqueeze(2), 0)
        changed[..., 1] += 50 * padding
        longer = torch.cat([changed, changed[:, :3]], 1)
        before = self._decoded(self._logits, self._lengths)
        for what, logits in (("other logits in", changed), ("three more frames of", longer)):
            for family, decoded in self._decoded(logits, self._lengths).items():
                self._require_equal(before[family], decoded, family, f"with {what} the padding")

    @requires("An output without any frame is decoded, to classes of the vocabulary.")
    def empty_input(self) -> None:
        """Decode a batch whose first sample has no frames."""
        lengths = torch.tensor([0, 5])
        for family, decoded in self._decoded(self._logits[:2, :5], lengths).items():
            labels = decoded.labels[0].tolist()
            if not all(0 < label < self._classes for label in labels):
                raise ContractError(
                    f"for {family}, a sample without frames was decoded to {labels}; return no "
                    "label for it"
                )

    @requires("The same logits give the same labels.")
    def determinism(self) -> None:
        """Decode a batch twice, and by a function that was built again."""
        first = self._decoded(self._logits, self._lengths)
        second = self._decoded(self._logits, self._lengths)
        for family, decoded in first.items():
            self._require_equal(decoded, second[family], family, "the second time")
            again = self.component.build(family, self._vocabulary)(self._logits, self._lengths)
            self._require_equal(decoded, again, family, "by a function that was built again")

    @requires("A sample is decoded alike alone and in any batch.")
    def batch_size(self) -> None:
        """Decode each sample alone, and the batch in reverse."""
        together = self._decoded(self._logits, self._lengths)
        reverse = torch.arange(len(_LENGTHS)).flip(0)
        backward = self._decoded(self._logits[reverse], self._lengths[reverse])
        for row in range(len(_LENGTHS)):
            part = slice(row, row + 1)
            alone = self._decoded(self._logits[part], self._lengths[part])
            for family, decoded in together.items():
                labels = decoded.labels[row].tolist()
                for what, other in (
                    ("alone", alone[family].labels[0]),
                    ("in another order", backward[family].labels[len(_LENGTHS) - 1 - row]),
                ):
                    if other.tolist() != labels:
                        raise ContractError(
                            f"for {family}, a sample is decoded to {labels} in a batch and to "
                            f"{other.tolist()} {what}; decode each sample by itself"
                        )

    @requires("Logits may be on a GPU; lengths are on the host.")
    def devices(self) -> None:
        """Decode a batch on an emulated GPU."""
        before = self._decoded(self._logits, self._lengths)
        for family, decode in self._functions.items():
            try:
                with torch.inference_mode(), EmulatedCuda():
                    decoded = decode(self._logits.to("cuda:0"), self._lengths)
            except (MixedDevicesError, TypeError) as error:
                raise ContractError(
                    f"for {family}, logits on a GPU cannot be decoded ({error}); copy them to the "
                    "host by .cpu() before you make arrays of them"
                ) from None
            self._require_equal(before[family], decoded, family, "on a GPU")

    @informs("How long decoding takes, relative to greedy decoding.")
    def speed(self) -> str:
        """Time the decoding of a batch."""
        generator = torch.Generator().manual_seed(0)
        logits = 3 * torch.randn(16, 50, self._classes, generator=generator)
        lengths = torch.full((16,), 50)
        greedy = component_of("decoder", "greedy")
        parts = []
        for family, decode in self._functions.items():
            plain = greedy.build(family, self._vocabulary)
            own = milliseconds(lambda decode=decode: decode(logits, lengths))  # type: ignore[misc]
            other = milliseconds(lambda plain=plain: plain(logits, lengths))  # type: ignore[misc]
            parts.append(f"{family}: {own / 16:.2f} ms per sample, {own / other:.1f} times greedy")
        return "; ".join(parts)

    @cached_property
    def _functions(self) -> dict[DecoderFamily, Callable[[Tensor, Tensor], Decoded]]:
        return {
            family: self.component.build(family, self._vocabulary)
            for family in sorted(self.component.families)
        }

    @property
    def _classes(self) -> int:
        return 1 + len(self._vocabulary)

    @cached_property
    def _logits(self) -> Tensor:
        generator = torch.Generator().manual_seed(0)
        size = (len(_LENGTHS), max(_LENGTHS), self._classes)
        return 3 * torch.randn(size, generator=generator)

    @cached_property
    def _lengths(self) -> Tensor:
        return torch.tensor(_LENGTHS)

    def _decoded(self, logits: Tensor, lengths: Tensor) -> dict[DecoderFamily, Any]:
        return {family: decode(logits, lengths) for family, decode in self._functions.items()}

    def _require_equal(self, before: Decoded, after: Decoded, family: str, what: str) -> None:
        pairs = zip(before.labels, after.labels, strict=True)
        for row, (first, second) in enumerate(pairs):
            if first.tolist() != second.tolist():
                raise ContractError(
                    f"for {family}, sample {row} is decoded to {first.tolist()}, and to "
                    f"{second.tolist()} {what}; labels may depend on the logits of its valid "
                    "frames alone"
                )
