"""Pictures of single samples, from prepared data."""

from __future__ import annotations

import base64
import io
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from PIL import Image

from bench.core.errors import BenchError, Exit
from bench.core.restoring import restored_component
from bench.data.datasets.base import StoredDataset
from bench.data.datasets.own import own_dataset_of_record as restored_own

if TYPE_CHECKING:
    from bench.core.components import Dataset
    from bench.data.inputs.images import Pixels

_HEIGHT, _WIDTH = 96, 480
_FRAMES = 8
"""Number of frames of a clip that are put side by side."""
_BATCH = 64


def sample_pictures(spec: dict[str, Any], ids: Collection[str]) -> dict[str, str]:
    """Return small pictures of samples of a test set, as data URLs by id.

    Args:
        spec: The spec of the test set in the record of an evaluation.
        ids: The ids of the samples.

    Raises:
        BenchError: The data set is not prepared, or has changed since the evaluation.
    """
    remedy = "prepare the earlier data, or evaluate again"
    component = restored_own(spec) or restored_component("dataset", spec, "a record", remedy)
    dataset = cast("Dataset", component)
    if dataset.fingerprint("test") != spec["fingerprints"]["test"]:
        raise BenchError(
            f"test set '{dataset.label}' has changed since this evaluation; {remedy}",
            Exit.UNVERIFIED,
        )
    if isinstance(dataset, StoredDataset):
        pixels = _stored_pictures(dataset, ids)
    else:
        pixels = _composed_pictures(dataset, ids)
    return {identity: _data_url(each) for identity, each in pixels}


def _stored_pictures(dataset: StoredDataset, ids: Collection[str]) -> Iterator[tuple[str, Pixels]]:
    """Yield ids and pixels of samples that are stored as images."""
    import pyarrow as pa
    from pyarrow import compute

    from bench.data.inputs.images import decode_image

    selection = dataset.selection("test")
    partition = selection.partition
    selected = compute.is_in(partition.column("id"), value_set=pa.array([*ids], pa.string()))
    for row in np.flatnonzero(selected.to_numpy()).tolist():
        encoded = partition.encoded(row)
        count = min(len(encoded), _FRAMES)
        middles = [(2 * n + 1) * len(encoded) // (2 * count) for n in range(count)]
        frames = [decode_image(encoded[middle], 3) for middle in middles]
        yield str(partition.value("id", row)), np.concatenate(frames, 1)


def _composed_pictures(dataset: Dataset, ids: Collection[str]) -> Iterator[tuple[str, Pixels]]:
    """Yield ids and pixels of samples that a data set composes when it is read."""
    from bench.data.inspection import contact_sheet
    from bench.data.inspection.native_input import native_input
    from bench.data.reading.loading import read_batch

    pipeline = dataset.open(native_input(dataset), dataset.label_encoder(None))
    batches = pipeline.batches("test", _BATCH)
    missing = {*ids}
    for index in range(len(batches)):
        batch = read_batch(pipeline, batches, index)
        for row, identity in enumerate(batch.ids):
            if identity in missing:
                missing.remove(identity)
                yield identity, contact_sheet.batch_pixels(batch, row, _FRAMES)
        if not missing:
            return


def _data_url(pixels: Pixels) -> str:
    picture = Image.fromarray(pixels)
    picture.thumbnail((_WIDTH, _HEIGHT))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}"
