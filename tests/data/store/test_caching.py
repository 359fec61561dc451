"""The pre-decoded cache: complete, or missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.core.errors import BenchError
from bench.core.types import InputShape
from bench.data.inputs import images
from bench.data.store import caching
from bench.data.store.partition import Partition, cache_file
from bench.data.store.prepared import Prepared

from ..conftest import jpeg, listed

Prepare = Callable[..., Prepared]
SHAPE = InputShape(1, 32, 100)


def test_every_partition_gets_a_cache(prepare: Prepare) -> None:
    prepare(listed(6))
    told: dict[str, int] = {}

    def advance(part: str, done: int) -> None:
        told[part] = told.get(part, 0) + done

    caching.write_decoded_cache("words", SHAPE, advance)
    assert told == {"train": 6, "test": 6}
    for place, part in enumerate(("train", "test")):
        found = Partition("words", part).decoded(SHAPE)
        assert found is not None
        assert (found.shape, found.dtype) == ((6, 32, 100, 1), np.uint8)
        for row in range(6):
            pixels = images.decode_image(jpeg(100 * place + row, 40 + 3 * row), 1)
            np.testing.assert_array_equal(
                found[row, :, :, 0], images.resize_pixels(pixels, 100, 32)
            )


def test_an_existing_cache_is_not_written_again(prepare: Prepare, folder: Path) -> None:
    prepare(listed(2))
    caching.write_decoded_cache("words", SHAPE, lambda *_: None)
    file = cache_file(folder / "words" / "train", SHAPE)
    written = file.stat().st_mtime_ns
    told: list[str] = []
    caching.write_decoded_cache("words", SHAPE, lambda part, _: told.append(part))
    assert not told
    assert file.stat().st_mtime_ns == written


def test_caches_of_several_shapes_coexist(prepare: Prepare, folder: Path) -> None:
    prepare(listed(2, ["train"]))
    for shape in (SHAPE, InputShape(3, 32, 100), InputShape(1, 16, 50)):
        caching.write_decoded_cache("words", shape, lambda *_: None)
    partition = Partition("words", "train")
    shapes = [InputShape(3, 32, 100), InputShape(1, 16, 50), InputShape(1, 8, 8)]
    found = [partition.decoded(shape) for shape in shapes]
    assert [None if one is None else one.shape for one in found] == [
        (2, 32, 100, 3),
        (2, 16, 50, 1),
        None,
    ]


def test_an_interruption_leaves_no_incomplete_cache(prepare: Prepare, folder: Path) -> None:
    prepare(listed(6, ["train"]))

    def stop(part: str, done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        caching.write_decoded_cache("words", SHAPE, stop)
    assert Partition("words", "train").decoded(SHAPE) is None
    caching.write_decoded_cache("words", SHAPE, lambda *_: None)
    found = Partition("words", "train").decoded(SHAPE)
    assert found is not None
    assert found[5].any()
    assert not list((folder / "words" / "train").glob("*.partial"))


def test_a_cache_that_does_not_fit_on_the_disk_is_not_started(
    prepare: Callable[..., Prepared], folder: Path
) -> None:
    prepare(listed(3, ["train"]))
    with pytest.raises(BenchError, match=r"3 words of 9000000×9000000 take 243,000\.0 GB"):
        caching.write_decoded_cache("words", InputShape(1, 9_000_000, 9_000_000), lambda *_: None)
    assert not list(folder.rglob("*.partial"))
