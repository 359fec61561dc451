"""A finished trial as it was tested: its data and its network, made again from its record."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from bench.core import registry
from bench.core.errors import BenchError, Exit
from bench.core.schema import SchemaError
from bench.evaluation import predictions
from bench.trials.store import PREDICTIONS, WEIGHTS, content

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa

    from bench.core.components import Component, Dataset, Loss, Model
    from bench.core.registry import Kind
    from bench.core.types import Batch, InputPipeline, Split
    from bench.evaluation.protocols import Protocol
    from bench.recognizers.network import Recognizer
    from bench.trials.store import Record


class Sample(NamedTuple):
    """A sample in the batch that it was tested in, whose padding a network may see."""

    batch: Batch
    row: int


@dataclass(frozen=True)
class FinishedTrial:
    """What `record` tells of a trial, and what lies beside it in `folder`.

    Whatever is asked for is made when it is first asked for. Raises BenchError where it cannot be
    what it was in the test: a component has another version by now, data or weights are gone or
    are others.
    """

    folder: Path
    record: Record

    @property
    def title(self) -> str:
        """What a person calls the trial."""
        return f"{' · '.join(self.record.labels.values())} · seed {self.record.seed}"

    @property
    def split(self) -> Split:
        """The split that was read last, whose predictions were kept."""
        return cast("Split", [*self.record.metrics][-1])

    @cached_property
    def loss(self) -> Loss:
        """The loss, whose decoder family says what there is to draw."""
        return cast("Loss", self._component("loss"))

    @cached_property
    def protocol(self) -> Protocol:
        """The protocol that it was scored under."""
        from bench.evaluation import protocols

        return protocols.find(self.record.spec["protocol"]["name"])

    @cached_property
    def source(self) -> InputPipeline:
        """The data, which have to be those of the record."""
        dataset = cast("Dataset", self._component("dataset"))
        there, then = dataset.fingerprint(), self.record.spec["dataset"]["fingerprint"]
        if there != then:
            raise BenchError(
                f"{self.folder}: dataset '{dataset.name}' is not what this trial was tested on: "
                f"its fingerprint is {there}, and was {then}; prepare those data again, or run "
                "the trial again",
                Exit.UNVERIFIED,
            )
        return dataset.build()

    @cached_property
    def network(self) -> Recognizer:
        """The network with the weights that were tested, on the CPU."""
        import torch
        from safetensors.torch import load

        from bench.recognizers import network as recognizer

        weights = load(content(self.folder, self.record, WEIGHTS))
        network = recognizer.build(cast("Model", self._component("model")), self.loss, self.source)
        try:
            network.load_state_dict(weights)
        except RuntimeError:
            raise BenchError(
                f"{self.folder / WEIGHTS}: these weights do not fit into model "
                f"'{self.record.spec['model']['name']}' as it is by now; run the trial again with "
                "--force",
                Exit.UNVERIFIED,
            ) from None
        # As it was tested: other kernels round otherwise.
        return (
            network.to(memory_format=torch.channels_last).eval().requires_grad_(requires_grad=False)
        )

    @cached_property
    def predictions(self) -> pa.Table:
        """The predictions per sample in the order of the test (`bench.evaluation.predictions`)."""
        return predictions.parse(content(self.folder, self.record, PREDICTIONS))

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """The predictions as a mapping a sample."""
        return cast("list[dict[str, Any]]", self.predictions.to_pylist())

    def chosen(self, identities: Sequence[str]) -> list[dict[str, Any]]:
        """Return the predictions of the samples named; of none, of one read well, so-so and badly.

        These are the first, the middle and the last of all that were scored, ranked by edits a
        unit. Raises BenchError on a name that no sample has.
        """
        if not identities:
            scored = [row for row in self.rows if row["excluded"] is None]
            ranked = sorted(scored, key=lambda row: row["edits"] / max(row["length"], 1))
            places = {0, len(ranked) // 2, len(ranked) - 1}
            return [ranked[place] for place in sorted(places)]
        known = {row["id"]: row for row in self.rows}
        for identity in identities:
            if identity not in known:
                raise BenchError(
                    f"{self.folder / PREDICTIONS}: no sample of {self.split} is called "
                    f"'{identity}'; the first one is called '{self.rows[0]['id']}'"
                )
        return [known[identity] for identity in identities]

    def sample(self, identity: str) -> Sample:
        """Return a sample in its batch."""
        place = next(n for n, row in enumerate(self.rows) if row["id"] == identity)
        size = self.record.spec["training"]["batch_size"]
        found = Sample(self.source.batches(self.split, size)[place // size], place % size)
        if found.batch.ids[found.row] != identity:
            raise BenchError(
                f"{self.folder}: sample '{identity}' is not where it was in the test; run the "
                "trial again with --force",
                Exit.UNVERIFIED,
            )
        return found

    def _component(self, kind: Kind) -> Component:
        """Make a component again. Raises BenchError where it would not be the one of the record."""
        told = self.record.spec[kind]
        try:
            found = registry.make(kind, told["name"], told["parameters"])
        except SchemaError as error:
            raise BenchError(
                f"{self.folder}: {kind} '{told['name']}' has other parameters by now ({error}); "
                "run the trial again"
            ) from None
        if found.version != told["version"]:
            raise BenchError(
                f"{self.folder}: {kind} '{told['name']}' is version {found.version} by now, and "
                f"was {told['version']} in this trial; run it again"
            )
        return found
