"""One profile: a recognizer with its trained weights, on samples of its test set."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import torch

from bench.core.hashing import digest
from bench.data.opening import open_test, training_encoder
from bench.profiling import cost, latency, load, method
from bench.recognizers import network as networks
from bench.tasks.evaluate import restore_network
from bench.trials import provenance
from bench.trials.records import Latency, Parameters, Profile

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from torch import Tensor

    from bench.core.types import Batch, InputPipeline
    from bench.decoding.algorithms.decoded import Decode
    from bench.profiling.hardware import Hardware
    from bench.recognizers.network import Recognizer
    from bench.trials.records import TrainingRecord
    from bench.trials.specs import Evaluation
    from bench.trials.store import Store


class _Weights(NamedTuple):
    """A network, and the key of the training that its weights are from; None: untrained."""

    network: Recognizer
    training: str | None


def measure(
    evaluation: Evaluation, store: Store, hardware: Hardware, final: Collection[str] = ()
) -> Profile:
    """Return the profile of what an evaluation runs: measured, or an earlier one completed.

    Valid latencies of an earlier profile by the same packages are kept. Where all are valid, only
    the test set is added to it. The weights are those of the training where it is done, else
    untrained.

    Args:
        evaluation: Its model, loss, decoder, input and test set.
        store: Where trainings and profiles are.
        hardware: The hardware of this process.
        final: Keys of profiles that are not measured again, valid or not.

    Raises:
        BenchError: The data or the weights cannot be read.
    """
    record = store.record(evaluation.training)
    pipeline = _pipeline(evaluation, record)
    batch = pipeline.batches("test", max(method.BATCHES))[0]
    classes = len(pipeline.vocabulary) + 1
    spec = method.spec(evaluation, batch.inputs.shape[1:], classes, hardware)
    earlier = store.profile(digest(spec))
    tests = earlier.tests if earlier else []
    conditions = method.reading_conditions(evaluation.spec, evaluation.training.spec)
    if conditions not in tests:
        tests = [*tests, conditions]
    if earlier and (earlier.valid or earlier.key in final):
        return replace(earlier, tests=tests)
    _configure_torch(hardware)
    network, weights = _network(evaluation, pipeline, store, record)
    origin = provenance.collect(
        evaluation.components,
        device=hardware.device,
        gpu=hardware.name if hardware.device == "cuda" else None,
        threads=hardware.threads,
        seed=evaluation.seed,
    )
    same_packages = earlier is not None and earlier.provenance.packages == origin.packages
    kept = [each for each in earlier.latencies if each.valid] if earlier and same_packages else []
    decode = evaluation.decoder.build(evaluation.training.loss.decoder, pipeline.vocabulary)
    return Profile(
        key=digest(spec),
        spec=spec,
        labels={name: evaluation.labels[name] for name in ("model", "loss", "decoder")},
        tests=tests,
        hardware=hardware.line,
        parameters=Parameters(*networks.count_parameters(network)),
        macs=cost.macs(network, *fill_batch(batch, 1)),
        weights=weights,
        latencies=latencies(network.to(hardware.device), decode, batch, hardware.device, kept),
        provenance=origin,
    )


def latencies(
    network: Recognizer, decode: Decode, batch: Batch, device: str, kept: list[Latency]
) -> list[Latency]:
    """Return a latency for each batch size, to the logits and to the labels.

    Args:
        network: The recognizer, on `device`.
        decode: From logits and lengths to labels.
        batch: Samples of the test set.
        device: "cpu" or "cuda".
        kept: Latencies that are not measured again.
    """
    measured = {(each.batch, each.decoded): each for each in kept}
    wanted = itertools.product(method.BATCHES, (False, True))
    return [
        measured.get((size, decoded))
        or _latency(network, decode if decoded else None, batch, device, size)
        for size, decoded in wanted
    ]


def _latency(
    network: Recognizer, decode: Decode | None, batch: Batch, device: str, size: int
) -> Latency:
    inputs, lengths = fill_batch(batch, size)
    return latency.measure_latency(
        _reading(network, inputs.to(device), lengths, decode),
        batch=size,
        decoded=decode is not None,
        clock=time.perf_counter,
        synchronize=torch.cuda.synchronize if device == "cuda" else _no_wait,
        usage=load.usage,
    )


def fill_batch(batch: Batch, size: int) -> tuple[Tensor, Tensor]:
    """Return inputs and lengths of `size` samples: the longest first, repeated where too few.

    The longest fills the shape, so that one sample alone has no padding.
    """
    order = batch.lengths.argsort(descending=True, stable=True)
    rows = order[torch.arange(size) % len(order)]
    return batch.inputs[rows], batch.lengths[rows]


def _configure_torch(hardware: Hardware) -> None:
    """Undo what training in this process may have set, and set the threads."""
    torch.set_num_threads(hardware.threads)
    torch.use_deterministic_algorithms(mode=False)


def _pipeline(evaluation: Evaluation, record: TrainingRecord | None) -> InputPipeline:
    """Open the test set with the classes that the network has or would have."""
    training = evaluation.training
    if record:
        vocabulary = tuple(record.vocabulary)
    else:
        vocabulary = training_encoder(training.data, training.alphabet).vocabulary
    encoder = replace(evaluation.test.label_encoder(training.alphabet), vocabulary=vocabulary)
    return open_test(evaluation.test, training.input, encoder)


def _network(
    evaluation: Evaluation, pipeline: InputPipeline, store: Store, record: TrainingRecord | None
) -> _Weights:
    """Return the network with the weights of its training, or with untrained ones."""
    training = evaluation.training
    if record:
        return _Weights(
            restore_network(training.model, training.loss, store.folder(training), record),
            training.key,
        )
    torch.manual_seed(training.named_seed("weights"))
    classes = len(pipeline.vocabulary) + 1
    network = networks.build(training.model, training.loss, pipeline.input_shape, classes).eval()
    # The memory layout of trainings and evaluations.
    return _Weights(network.to(memory_format=torch.channels_last), None)


def _reading(
    network: Recognizer, inputs: Tensor, lengths: Tensor, decode: Decode | None
) -> Callable[[], object]:

    @torch.inference_mode()
    def read() -> object:
        logits, frames = network(inputs, lengths)
        return decode(logits, frames) if decode else logits

    return read


def _no_wait() -> None:
    """Wait for the CPU, which is done when a call returns."""
