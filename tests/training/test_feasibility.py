from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bench.core.types import Annotation
from bench.losses.ctc import CTC
from bench.training import feasibility as check

annotations = st.lists(
    st.builds(
        Annotation,
        id=st.uuids().map(str),
        length=st.integers(1, 12),
        target=st.lists(st.integers(1, 3), max_size=6).map(tuple),
    ),
    max_size=20,
)


@given(annotations)
def test_what_fits_is_what_has_a_frame_a_label_and_one_a_repeat(several):
    def needed(truth):
        pairs = zip(truth.target, truth.target[1:], strict=False)
        return len(truth.target) + sum(one == other for one, other in pairs)

    samples, found = check.unalignable(iter(several), CTC(), lambda lengths: lengths // 2)
    assert samples == len(several)
    assert found == [truth for truth in several if truth.length // 2 < needed(truth)]


def test_many_samples_are_checked_bit_by_bit(monkeypatch):
    monkeypatch.setattr(check, "_AT_ONCE", 2)
    several = (Annotation(str(number), 3, (1,) * number) for number in range(5))
    sizes = []

    def room(lengths):
        sizes.append(len(lengths))
        return lengths

    samples, found = check.unalignable(several, CTC(), room)
    assert sizes == [2, 2, 1]
    assert samples == 5
    assert [truth.id for truth in found] == ["3", "4"]
