"""The contract of models: of those that compute features of frames, and of output steps."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from bench.core.components import FrameModel, Loss, Model
from bench.core.errors import BenchError
from bench.core.model_input import ImageInput
from bench.core.types import FeatureDims, Features, InputShape
from bench.recognizers.networks.network import build_network
from bench.testing.component_kit import ComponentKit, component_of
from bench.testing.contract import (
    Check,
    CheckResult,
    ContractError,
    informs,
    requires,
)
from bench.testing.differences import are_close, relative_difference
from bench.testing.model_batches import TARGETS, Labels, make_model_batch, rows
from bench.testing.restored_state import restore_state
from bench.testing.timing import milliseconds
from bench.testing.two_devices import compare_with_gpu
from bench.training.step import TrainingStep

if TYPE_CHECKING:
    from bench.core.types import Batch, FrameNetwork, Seq2SeqNetwork
    from bench.testing.emulated_cuda import EmulatedCuda

_CLASSES = 6
_SMALL_FRAMES = InputShape(3, 16, 16)
_MIN_WIDTH = 128
_TOLERANCE = 1e-3


class _Output(NamedTuple):
    features: Features
    lengths: Tensor


def model_checks(model: Model | str, shape: InputShape | None = None) -> list[Check]:
    """Return the checks of a model, for `pytest.mark.parametrize`.

    Args:
        model: The model, or its name, with default parameters.
        shape: The shape of the frames or images that it is built for; None: the height and color of
            its default input, or 16×16 pixels for frames.
    """
    return ModelKit(component_of("model", model), shape).tests()


def check_model(model: Model | str, shape: InputShape | None = None) -> list[CheckResult]:
    """Check a model; return the result of each check. Arguments are those of `model_checks`."""
    return ModelKit(component_of("model", model), shape).run()


class ModelKit(ComponentKit[Model]):
    """What training and evaluation require of a model.

    Args:
        component: The model.
        shape: The shape of its frames or images; None: as `model_checks` states.
    """

    seeded = True

    def __init__(self, component: Model, shape: InputShape | None = None) -> None:
        super().__init__(component)
        self._shape = shape

    def exercise(self) -> None:
        """Build the network, and compute features and a gradient."""
        network = self._construct(self._input_shape)
        output = self._features(network, self._batch)
        torch.autograd.grad(output.features.sequence.sum(), [*network.parameters()][:1])

    @requires("Features have the shapes and dimensions that the network states, and are finite.")
    def features(self) -> None:
        """Compare the features of two samples with `feature_dims` and `output_lengths`."""
        network = self._network
        dims = getattr(network, "feature_dims", None)
        if not isinstance(dims, FeatureDims):
            raise ContractError(
                f"the network has feature_dims = {dims!r}; set it in __init__: "
                "self.feature_dims = FeatureDims(D)"
            )
        features, lengths = self._features(network, self._batch)
        for name, values, dimension in zip(Features._fields, features, dims, strict=True):
            size = None if values is None else values.shape[-1]
            if size != dimension:
                raise ContractError(
                    f"features.{name} have dimension {size}, and feature_dims.{name} is "
                    f"{dimension}; state the dimension of the features"
                )
            if values is not None and (values.dim() != 3 or len(values) != len(TARGETS)):  # noqa: PLR2004
                raise ContractError(
                    f"features.{name} of {len(TARGETS)} samples have shape "
                    f"{tuple(values.shape)}; return (N, T, D)"
                )
            if values is not None and not values.isfinite().all():
                raise ContractError(
                    f"features.{name} are not finite for inputs between 0 and 1; check divisions, "
                    "logarithms and the initialization"
                )
        if self.component.visual is not (features.visual is not None):
            raise ContractError(
                f"visual = {self.component.visual}, and features.visual is "
                f"{'None' if features.visual is None else 'there'}; set visual to what it returns"
            )
        self._compare_lengths(network, features, lengths)

    def _compare_lengths(self, network: nn.Module, features: Features, lengths: Tensor) -> None:
        steps = features.sequence.shape[1]
        if not isinstance(self.component, FrameModel):
            limit = cast("Seq2SeqNetwork", network).steps
            if steps > limit:
                raise ContractError(f"it returned {steps} steps, and `steps` is {limit}; raise it")
            return
        stated = cast("FrameNetwork", network).output_lengths(self._batch.lengths)
        if not torch.equal(stated, lengths):
            raise ContractError(
                f"output_lengths() is {stated.tolist()} for inputs of "
                f"{self._batch.lengths.tolist()}, and forward() returned lengths "
                f"{lengths.tolist()}; compute both by one method"
            )
        if lengths.dtype != torch.int64 or not 0 < lengths.min() <= lengths.max() <= steps:
            raise ContractError(
                f"the lengths of the features are {lengths.tolist()} ({lengths.dtype}), and there "
                f"are {steps} frames; return int64 numbers from 1 to T"
            )

    @requires("Every weight has a finite gradient in a training step.")
    def gradients(self) -> None:
        """Train one step under a plain loss."""
        step = self._step()
        output = step(self._batch)
        if output.infeasible:
            raise ContractError(
                f"{output.infeasible} of {len(TARGETS)} targets of at most 3 labels are longer "
                "than the output; the network reduces the number of frames too much"
            )
        weights = {name: each for name, each in step.named_parameters() if each.requires_grad}
        gradients = torch.autograd.grad(output.loss, [*weights.values()], allow_unused=True)
        for name, gradient in zip(weights, gradients, strict=True):
            weight = name.removeprefix("network.")
            if gradient is None:
                raise ContractError(
                    f"the weight {weight} has no gradient, so it is not trained; use it in "
                    "forward(), remove it, or set requires_grad = False"
                )
            if not gradient.isfinite().all():
                raise ContractError(
                    f"the gradient of the weight {weight} is not finite; check divisions, square "
                    "roots and logarithms of zero"
                )

    @requires("Padding has no influence: neither its content nor its length.")
    def padding(self) -> str | None:
        """Compare features with those under other values and more columns in the padding."""
        network, batch = self._network, self._batch
        before = self._features(network, batch)
        axis = 1 if self.component.accepts == "frames" else 3
        changed, (longest, length) = batch.inputs.clone(), batch.lengths.tolist()
        changed[1].narrow(axis - 1, length, longest - length).fill_(7)
        after = self._features(network, batch._replace(inputs=changed))
        difference = _largest_difference(after, before)
        if difference <= _TOLERANCE:
            return None
        sentence = f"features differ by {difference:.1%} with other values in the padding"
        if self.component.reads_padding:
            return f"{sentence}, as its property reads_padding states"
        raise ContractError(
            f"{sentence}; mask frames or columns from `lengths` on, before each operation that "
            "mixes neighbors (bench.nn.convolutions, bench.nn.fixed_width), or override the "
            "property reads_padding"
        )

    @requires("A sample has the same features alone and in any batch, in evaluation mode.")
    def batch_size(self) -> None:
        """Compare the features of a batch with those of its samples alone and in another order."""
        network, batch = self._network, self._batch
        together = self._features(network, batch)
        alone = self._features(network, rows(batch, [0]))
        swapped = self._features(network, rows(batch, [1, 0]))
        for what, output, row in (("alone", alone, 0), ("in another order", swapped, 1)):
            length = int(together.lengths[0])
            first = output.features.sequence[row, :length]
            second = together.features.sequence[0, :length]
            if not are_close(first, second, _TOLERANCE):
                raise ContractError(
                    f"the features of a sample differ by {relative_difference(first, second):.1%} "
                    f"{what}; in evaluation mode, no sample may depend on others: normalize by "
                    "running statistics, and mask padding"
                )

    @requires("The same seed gives the same weights and features; another seed, other weights.")
    def determinism(self) -> None:
        """Build the network twice from one seed, and once from another."""
        first, second = self._build(), self._build()
        outputs = []
        for network in (first, second):
            torch.manual_seed(1)
            outputs.append(self._features(network.train(), self._batch).features.sequence)
        if not _equal_states(first, second) or not torch.equal(*outputs):
            raise ContractError(
                "two networks from one seed differ; draw weights and dropout from torch's global "
                "generator alone"
            )
        if _equal_states(first, self._build(seed=1)):
            raise ContractError(
                "networks of two seeds have the same weights, so that seeds do not measure "
                "variance; do not set a seed in build()"
            )

    @requires("The weights are restored from a checkpoint, to the same bits.")
    def checkpoint(self) -> None:
        """Save and load the state with weights_only=True."""
        network = self._network
        restored = self._build(seed=1)
        restore_state(network, restored, "network")
        outputs = [
            self._features(each.eval(), self._batch).features.sequence
            for each in (network, restored)
        ]
        if not torch.equal(*outputs):
            raise ContractError(
                "a restored network has other features; keep all of its state in parameters and "
                "buffers"
            )

    @requires("A training step mixes no tensors of two devices; lengths are on the host.")
    def devices(self) -> str | None:
        """Train one step on an emulated GPU, and compare its loss with that on the CPU."""
        step = self._step()
        torch.manual_seed(1)
        expected = step(self._batch).loss.detach()
        step = self._step()

        def on_gpu(cuda: EmulatedCuda) -> Tensor:
            cuda.move(step)
            batch = self._batch.to("cuda:0")
            torch.manual_seed(1)
            loss: Tensor = step(batch).loss
            return loss

        return compare_with_gpu(
            on_gpu,
            expected,
            "the loss of a step",
            "make constants on inputs.device or as buffers, and move lengths by "
            ".to(inputs.device, non_blocking=True)",
            _TOLERANCE,
        )

    @requires("Attention maps sum to 1 and cover the image, where the network returns maps.")
    def attention(self) -> None:
        """Check the maps of a network with `attend`."""
        network: Any = self._network
        if not hasattr(network, "attend"):
            return
        batch = self._batch
        _, maps = network.attend(batch.inputs, batch.lengths, Labels())
        if not are_close(maps.sum((2, 3)), torch.ones(maps.shape[:2])):
            raise ContractError("attention maps do not sum to 1; normalize each map by a softmax")
        for cells, cell, side in zip(
            maps.shape[2:], network.cell, batch.inputs.shape[2:], strict=True
        ):
            if abs(cells * cell - side) >= cell:
                raise ContractError(
                    f"{cells} cells of {cell} pixels are not the {side} pixels of the image; set "
                    "`cell` to the pixels of one cell (rows, columns)"
                )

    @informs("How many weights the network has, and how long a training step takes.")
    def speed(self) -> str:
        """Count the weights and time a training step of two samples."""
        step = self._step()
        weights = sum(each.numel() for each in self._network.parameters())

        def train() -> None:
            torch.autograd.grad(step(self._batch).loss, [*step.parameters()], allow_unused=True)

        size = "×".join(map(str, self._batch.inputs.shape[1:]))
        return (
            f"{weights:,} weights; a training step of 2 samples of {size} takes "
            f"{milliseconds(train):,.0f} ms on this CPU"
        )

    @cached_property
    def _input_shape(self) -> InputShape:
        """The shape that the network is built for: small, unless the model refuses it."""
        if self._shape is not None:
            return self._shape
        default = self.component.default_input
        if isinstance(default, ImageInput):
            return InputShape(default.channels, default.height, default.width or _MIN_WIDTH)
        side = default.crop or default.size
        if not side:
            return _SMALL_FRAMES
        try:
            self._build(shape=_SMALL_FRAMES)
        except BenchError:
            return InputShape(_SMALL_FRAMES.channels, side, side)
        return _SMALL_FRAMES

    @cached_property
    def _network(self) -> nn.Module:
        return self._build().eval()

    @cached_property
    def _batch(self) -> Batch:
        """Two samples of three labels and two, the second of which is padded."""
        return make_model_batch(self._input_shape, clips=self.component.accepts == "frames")

    def _build(self, seed: int = 0, shape: InputShape | None = None) -> nn.Module:
        shape = shape or self._input_shape
        torch.manual_seed(seed)
        return self._construct(shape)

    def _construct(self, shape: InputShape) -> nn.Module:
        """Build the network with draws from torch's global generator as it is."""
        model: Any = self.component
        network = model.build(shape) if self._is_frame_model else model.build(shape, _CLASSES)
        if not isinstance(network, nn.Module):
            raise ContractError(
                f"build() returned a value of type {type(network).__name__}; return a "
                "torch.nn.Module"
            )
        return network

    @property
    def _is_frame_model(self) -> bool:
        return isinstance(self.component, FrameModel)

    def _step(self) -> TrainingStep:
        """Return a training step under CTC or cross-entropy, with the weights of seed 0."""
        loss = cast("Loss", component_of("loss", "ctc" if self._is_frame_model else "ce"))
        torch.manual_seed(0)
        network = build_network(self.component, loss, self._input_shape, _CLASSES)
        return TrainingStep(network, loss).train()

    def _features(self, network: nn.Module, batch: Batch) -> _Output:
        """Return the features of a batch and their lengths."""
        if self._is_frame_model:
            features, lengths = network(batch.inputs, batch.lengths)
        else:
            features = network(batch.inputs, batch.lengths, Labels(len(batch.ids)))
            steps = features.sequence.shape[1] if isinstance(features, Features) else 0
            lengths = batch.lengths.new_full(batch.lengths.shape, steps)
        if not isinstance(features, Features) or not isinstance(lengths, Tensor):
            raise ContractError(
                "forward() does not return bench.core.types.Features"
                f"{' and their lengths' if self._is_frame_model else ''}; return "
                f"{'Features(sequence), lengths' if self._is_frame_model else 'Features(sequence)'}"
            )
        return _Output(features, lengths)


def _largest_difference(after: _Output, before: _Output) -> float:
    """Return the largest relative difference between the valid features of two outputs."""
    differences = [
        relative_difference(first[sample, :length], second[sample, :length])
        for first, second in zip(after.features, before.features, strict=True)
        if first is not None and second is not None
        for sample, length in enumerate(before.lengths.tolist())
    ]
    return max(differences)


def _equal_states(first: nn.Module, second: nn.Module) -> bool:
    """Return whether the states of two networks have the same bits."""
    states = (first.state_dict(), second.state_dict())
    return all(torch.equal(each, states[1][name]) for name, each in states[0].items())
