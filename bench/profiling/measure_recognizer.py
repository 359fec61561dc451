"""The profile of a recognizer from outside, from the stored bytes of images to texts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.core.hashing import digest
from bench.core.recognition import TextReader, Workplace
from bench.data.reading.encoded_samples import encoded_samples
from bench.profiling import method
from bench.profiling.instruments import find_instruments
from bench.profiling.latency import measure_latency
from bench.profiling.machine_load import MIN_OWN_OF_PROGRAMS
from bench.training.accelerator import describe_device
from bench.training.device import configure_torch
from bench.trials import provenance
from bench.trials.records import Parameters, Profile

if TYPE_CHECKING:
    from bench.data.reading.encoded_samples import EncodedSample
    from bench.profiling.hardware import Hardware
    from bench.trials.records import Latency
    from bench.trials.specs import RecognizerEvaluation
    from bench.trials.store import Store

MAX_SECONDS = 180.0
"""The longest time per batch size: a valid result needs 64 batches, and a batch of 24 may take
seconds on a CPU."""


def measure_recognizer(
    evaluation: RecognizerEvaluation, store: Store, hardware: Hardware, final: Collection[str] = ()
) -> Profile:
    """Measure a recognizer on a test set, and return its profile; an earlier valid one is reused.

    Args:
        evaluation: The evaluation, with recognizer and test set.
        store: The store of profiles.
        hardware: The hardware of this process.
        final: Keys of profiles that are not measured again even if they are invalid.

    Raises:
        BenchError: The recognizer cannot be used, or the data cannot be read.
    """
    spec = method.recognizer_profile_spec(evaluation, hardware)
    earlier = store.profile(digest(spec))
    if earlier and (earlier.valid or earlier.key in final):
        return earlier
    configure_torch(hardware.threads)
    samples = encoded_samples(evaluation.test)[: max(method.BATCH_SIZES)]
    workplace = Workplace(hardware.device, hardware.threads, store.answers)
    with evaluation.recognizer.open(workplace) as reader:
        reader.begin([sample.id for sample in samples])
        latencies = _latencies(reader, samples, hardware.device)
        weights = reader.parameters
    return Profile(
        key=digest(spec),
        spec=spec,
        labels={"recognizer": evaluation.recognizer.label},
        tests=[method.reading_conditions(evaluation.spec, None)],
        hardware=hardware.line,
        parameters=None if weights is None else Parameters(weights, 0),
        macs=None,
        weights=None,
        latencies=latencies,
        provenance=provenance.collect(
            evaluation.components,
            device=describe_device(hardware.device),
            threads=hardware.threads,
            seed=evaluation.seed,
            gpus=1.0,
        ),
    )


def _latencies(reader: TextReader, samples: Sequence[EncodedSample], device: str) -> list[Latency]:
    instruments = find_instruments(device)
    measured = [
        measure_latency(
            _reading_function(reader, samples, size),
            instruments,
            batch=size,
            decoded=True,
            max_seconds=MAX_SECONDS,
            min_own=MIN_OWN_OF_PROGRAMS,
        )
        for size in method.BATCH_SIZES
    ]
    # The peak memory is that of torch tensors, which recognizers from outside need not use.
    return [replace(latency, peak_memory=None) for latency in measured]


def _reading_function(
    reader: TextReader, samples: Sequence[EncodedSample], size: int
) -> Callable[[], object]:
    batch = [samples[index % len(samples)] for index in range(size)]
    return lambda: reader.read(batch)
