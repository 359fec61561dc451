"""The profile of a trained network on samples of its test set."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import torch

from bench.core.errors import BenchError
from bench.core.hashing import digest
from bench.data.opening import open_test, training_encoder
from bench.data.reading.loading import read_batch
from bench.profiling import cost, latency, method
from bench.profiling.instruments import find_instruments
from bench.profiling.throughput import measure_throughput
from bench.recognizers.networks import network as networks
from bench.tasks.evaluate import restore_network
from bench.training.accelerator import describe_device
from bench.training.device import configure_torch
from bench.trials import provenance
from bench.trials.records import Latency, Parameters, Profile, Throughput

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from torch import Tensor

    from bench.core.types import Batch, InputPipeline
    from bench.decoding.algorithms.decoded import Decode
    from bench.profiling.hardware import Hardware
    from bench.profiling.instruments import Instruments
    from bench.recognizers.networks.network import RecognitionNetwork
    from bench.trials.provenance import Provenance
    from bench.trials.records import TrainingRecord
    from bench.trials.specs import TrainedEvaluation
    from bench.trials.store import Store


class _Weights(NamedTuple):
    """A network, and the key of the training of its weights; None for untrained weights."""

    network: RecognitionNetwork
    training: str | None


def measure_network(
    evaluation: TrainedEvaluation, store: Store, hardware: Hardware, final: Collection[str] = ()
) -> Profile:
    """Measure the network of an evaluation, and return its profile.

    Valid results of an earlier profile with the same package versions are reused. If all are
    valid, nothing is measured, and the test set is added to the profile. Weights are untrained if
    the training is not done.

    Args:
        evaluation: The evaluation, with model, loss, decoder, input and test set.
        store: The store of trainings and profiles.
        hardware: The hardware of this process.
        final: Keys of profiles that are not measured again even if they are invalid.

    Raises:
        BenchError: The data or the weights cannot be read.
    """
    record = store.record(evaluation.training)
    pipeline = _pipeline(evaluation, record)
    batch = _first_batch(evaluation, pipeline)
    classes = len(pipeline.vocabulary) + 1
    spec = method.profile_spec(evaluation, batch.inputs.shape[1:], classes, hardware)
    earlier = store.profile(digest(spec))
    tests = earlier.tests if earlier else []
    conditions = method.reading_conditions(evaluation.spec, evaluation.training.spec)
    if conditions not in tests:
        tests = [*tests, conditions]
    if earlier and (earlier.valid or earlier.key in final):
        return replace(earlier, tests=tests)
    _configure_torch(hardware)
    network, weights = _network(evaluation, pipeline, store, record)
    profile = Profile(
        key=digest(spec),
        spec=spec,
        labels={name: evaluation.labels[name] for name in ("model", "loss", "decoder")},
        tests=tests,
        hardware=hardware.line,
        parameters=Parameters(*networks.count_parameters(network)),
        macs=cost.count_macs(network, *fill_batch(batch, 1)),
        weights=weights,
        latencies=[],
        provenance=_provenance(evaluation, hardware),
    )
    decode = evaluation.decoder.build(evaluation.training.loss.decoder, pipeline.vocabulary)
    measured = MeasuredNetwork(network.to(hardware.device), decode, batch, hardware.device)
    return _with_measurements(profile, measured, earlier)


def _with_measurements(
    profile: Profile, measured: MeasuredNetwork, earlier: Profile | None
) -> Profile:
    """Return `profile` with latencies and throughput, reusing valid ones of an earlier profile."""
    if earlier and earlier.provenance.packages != profile.provenance.packages:
        earlier = None
    instruments = find_instruments(measured.device)
    return replace(
        profile,
        latencies=measure_latencies(measured, instruments, earlier.latencies if earlier else ()),
        throughput=gpu_throughput(measured, instruments, earlier.throughput if earlier else None),
    )


def _provenance(evaluation: TrainedEvaluation, hardware: Hardware) -> Provenance:
    return provenance.collect(
        evaluation.components,
        device=describe_device(hardware.device),
        threads=hardware.threads,
        seed=evaluation.seed,
        gpus=1.0,
    )


def measure_latencies(
    measured: MeasuredNetwork, instruments: Instruments, earlier: Iterable[Latency] = ()
) -> list[Latency]:
    """Return a latency up to the logits and one up to the labels, for each batch size.

    Args:
        measured: The network on the device.
        instruments: The instruments for the device.
        earlier: Earlier latencies; valid ones are returned instead of measured again.
    """
    reusable = {(each.batch, each.decoded): each for each in earlier if each.valid}
    return [
        reusable.get((size, decoded))
        or latency.measure_latency(
            measured.reader(size, decoded=decoded), instruments, batch=size, decoded=decoded
        )
        for size, decoded in itertools.product(method.BATCH_SIZES, (False, True))
    ]


def gpu_throughput(
    measured: MeasuredNetwork, instruments: Instruments, earlier: Throughput | None = None
) -> Throughput | None:
    """Return the throughput on a GPU; None on a CPU, because a batch of 24 already fills it.

    Args:
        measured: The network on the device.
        instruments: The instruments for the device.
        earlier: The earlier throughput, which is returned if it is valid.
    """
    if measured.device == "cpu" or (earlier and earlier.valid):
        return earlier
    return measure_throughput(measured.reader, instruments)


class MeasuredNetwork:
    """A network, its decoder, and samples of a test set, ready to be measured on a device.

    Args:
        network: The network, on the device.
        decode: The decoder, from logits and lengths to labels.
        batch: Samples of the test set.
        device: "cpu" or "cuda".
    """

    def __init__(
        self, network: RecognitionNetwork, decode: Decode, batch: Batch, device: str
    ) -> None:
        self.device = device
        self._network = network
        self._decode = decode
        self._batch = batch.to(device)

    def reader(self, size: int, *, decoded: bool = False) -> Callable[[], object]:
        """Return a function that computes logits, or labels if `decoded`, of `size` samples."""
        inputs, lengths = fill_batch(self._batch, size)

        @torch.inference_mode()
        def read() -> object:
            logits, frames = self._network(inputs, lengths)
            return self._decode(logits, frames) if decoded else logits

        return read


def fill_batch(batch: Batch, size: int) -> tuple[Tensor, Tensor]:
    """Return inputs and lengths of `size` samples, the longest first, repeated if too few.

    The longest sample fills the shape, so that a batch of one has no padding.
    """
    order = batch.lengths.argsort(descending=True, stable=True)
    rows = order[torch.arange(size, device=order.device) % len(order)]
    return batch.inputs[rows], batch.lengths[rows]


def _configure_torch(hardware: Hardware) -> None:
    """Set up torch as for an evaluation, in strict float32, but with the fastest algorithms."""
    configure_torch(hardware.threads)
    torch.use_deterministic_algorithms(mode=False)


def _pipeline(evaluation: TrainedEvaluation, record: TrainingRecord | None) -> InputPipeline:
    """Open the test set with the classes of the network, trained or not."""
    training = evaluation.training
    if record:
        vocabulary = tuple(record.vocabulary)
    else:
        vocabulary = training_encoder(training.data, training.alphabet).vocabulary
    encoder = replace(evaluation.test.label_encoder(training.alphabet), vocabulary=vocabulary)
    return open_test(evaluation.test, training.input, encoder)


def _first_batch(evaluation: TrainedEvaluation, pipeline: InputPipeline) -> Batch:
    """Return the first samples of the test split; raises BenchError if it is empty."""
    batches = pipeline.batches("test", max(method.BATCH_SIZES))
    if not len(batches):
        raise BenchError(
            f"dataset '{evaluation.test.label}' has no sample in split 'test'; prepare a data "
            "set with samples, or change its parameters"
        )
    return read_batch(pipeline, batches, 0)


def _network(
    evaluation: TrainedEvaluation,
    pipeline: InputPipeline,
    store: Store,
    record: TrainingRecord | None,
) -> _Weights:
    """Return the network with the weights of its training, or with untrained weights."""
    training = evaluation.training
    if record:
        return _Weights(
            restore_network(training.model, training.loss, store.folder(training), record),
            training.key,
        )
    torch.manual_seed(training.named_seed("weights"))
    classes = len(pipeline.vocabulary) + 1
    network = networks.build_network(
        training.model, training.loss, pipeline.input_shape, classes
    ).eval()
    # The memory layout of trainings and evaluations.
    return _Weights(network.to(memory_format=torch.channels_last), None)
