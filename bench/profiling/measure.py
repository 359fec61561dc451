"""One profile: a recognizer with its tested weights, on real samples of its dataset."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file

from bench.core.hashing import digest
from bench.decoding.decoders import DECODERS
from bench.profiling import cost, latency, load, method
from bench.recognizers import network as recognizer
from bench.trials import provenance
from bench.trials.store import WEIGHTS, Figure, Parameters, Profile

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from bench.core.types import Batch, InputPipeline
    from bench.decoding.decoders import Decode
    from bench.profiling.hardware import Hardware
    from bench.recognizers.network import Recognizer
    from bench.trials.grid import Trial
    from bench.trials.store import Store


def measure(trial: Trial, store: Store, hardware: Hardware) -> Profile:
    """Return the profile of the model, loss and input shape of `trial`, measured or completed.

    What an earlier profile has of valid figures, by the same packages, is kept; one that has
    nothing else is only told that it holds for this dataset too. Weights are those of the trial
    where it is done, else fresh.
    """
    source = trial.dataset.build()
    batch = source.batches("test", max(method.BATCHES))[0]
    spec = method.spec(trial, batch.inputs.shape[1:], len(source.vocabulary) + 1, hardware)
    earlier = store.profile(digest(spec))
    datasets = earlier.datasets if earlier else []
    if trial.spec["dataset"] not in datasets:
        datasets = [*datasets, trial.spec["dataset"]]
    if earlier and earlier.valid:
        return replace(earlier, datasets=datasets)
    _settle(hardware)
    network, weights = _network(trial, source, store)
    origin = provenance.collect(
        device=hardware.device,
        gpu=hardware.name if hardware.device == "cuda" else None,
        threads=hardware.threads,
        seed=trial.seed,
    )
    same = earlier is not None and earlier.provenance.packages == origin.packages
    kept = [figure for figure in earlier.figures if figure.valid] if earlier and same else []
    return Profile(
        key=digest(spec),
        spec=spec,
        labels={"model": trial.model.label, "loss": trial.loss.label},
        datasets=datasets,
        hardware=hardware.line,
        parameters=Parameters(*recognizer.count_parameters(network)),
        macs=cost.macs(network, *filled(batch, 1)),
        weights=weights,
        figures=figures(
            network.to(hardware.device),
            DECODERS[trial.protocol.decoder][trial.loss.decoder],
            batch,
            hardware.device,
            kept,
        ),
        provenance=origin,
    )


def figures(
    network: Recognizer, decode: Decode, batch: Batch, device: str, kept: list[Figure]
) -> list[Figure]:
    """Return a figure for each batch size, to the logits and to the labels; `kept` as they are."""
    done = {(figure.batch, figure.decoded): figure for figure in kept}
    wanted = itertools.product(method.BATCHES, (False, True))
    return [
        done.get((size, decoded))
        or _figure(network, decode if decoded else None, batch, device, size)
        for size, decoded in wanted
    ]


def _figure(
    network: Recognizer, decode: Decode | None, batch: Batch, device: str, size: int
) -> Figure:
    inputs, lengths = (tensor.to(device) for tensor in filled(batch, size))
    return latency.figure(
        _reader(network, inputs, lengths, decode),
        batch=size,
        decoded=decode is not None,
        clock=time.perf_counter,
        synchronise=torch.cuda.synchronize if device == "cuda" else _nothing,
        usage=load.usage,
    )


def filled(batch: Batch, size: int) -> tuple[Tensor, Tensor]:
    """Return inputs and lengths of `size` samples: the longest first, then round and round.

    The longest fills the shape, so that one sample alone has no padding.
    """
    order = batch.lengths.argsort(descending=True, stable=True)
    rows = order[torch.arange(size) % len(order)]
    return batch.inputs[rows], batch.lengths[rows]


def _settle(hardware: Hardware) -> None:
    """Undo what training in this process may have set, and set the threads."""
    torch.set_num_threads(hardware.threads)
    torch.use_deterministic_algorithms(mode=False)


def _network(trial: Trial, source: InputPipeline, store: Store) -> tuple[Recognizer, str | None]:
    """Return the recognizer, and the key of the trial that its weights are from."""
    torch.manual_seed(trial.named_seed("weights"))
    network = recognizer.build(trial.model, trial.loss, source).eval()
    trained = store.record(trial) is not None
    if trained:
        network.load_state_dict(load_file(store.folder(trial) / WEIGHTS))
    # The layout that trials train and test in.
    network.to(memory_format=torch.channels_last)
    return network, trial.key if trained else None


def _reader(
    network: Recognizer, inputs: Tensor, lengths: Tensor, decode: Decode | None
) -> Callable[[], object]:

    @torch.inference_mode()
    def read() -> object:
        logits, frames = network(inputs, lengths)
        return decode(logits, frames) if decode else logits

    return read


def _nothing() -> None:
    """Wait for the CPU, which is done when its call returns."""
