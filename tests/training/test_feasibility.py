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
    def needed(annotation):
        pairs = zip(annotation.target, annotation.target[1:], strict=False)
        return len(annotation.target) + sum(one == other for one, other in pairs)

    samples, found = check.infeasible_samples(iter(several), CTC(), lambda lengths: lengths // 2)
    assert samples == len(several)
    assert found == [
        annotation for annotation in several if annotation.length // 2 < needed(annotation)
    ]


def test_many_samples_are_checked_bit_by_bit(monkeypatch):
    monkeypatch.setattr(check, "_CHUNK", 2)
    several = (Annotation(str(number), 3, (1,) * number) for number in range(5))
    sizes = []

    def output_lengths(lengths):
        sizes.append(len(lengths))
        return lengths

    samples, found = check.infeasible_samples(several, CTC(), output_lengths)
    assert sizes == [2, 2, 1]
    assert samples == 5
    assert [annotation.id for annotation in found] == ["3", "4"]
