"""VAC against its three terms, each computed frame by frame."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from all_paths import alignments, cases, feasible
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.errors import BenchError
from bench.core.types import FeatureDims, Features, Targets
from bench.losses.ctc import CTC
from bench.losses.radial_ctc import RadialCTC
from bench.losses.vac import VAC

FEATURES = 3


def likelihood(case, logits, n):
    """Return -log p(target) of sample n by all its paths, 0 where it has none."""
    paths = alignments(*case._replace(logits=logits).sample(n))
    return -math.log(sum(paths.values())) if paths else 0.0


def softened(frame, temperature):
    weights = np.exp(frame[1:] / temperature - np.max(frame[1:] / temperature))
    return weights / weights.sum()


def naive_divergence(case, visual, sequence, temperature, n):
    frames, target = int(case.lengths[n]), case.sample(n)[1]
    if not feasible(frames, target):
        return 0.0
    total = 0.0
    for student, teacher in zip(visual[n, :frames], sequence[n, :frames], strict=True):
        p, q = softened(teacher, temperature), softened(student, temperature)
        total += temperature**2 * float((p * np.log(p / q)).sum())
    return total / frames


def made(loss, case, seed):
    torch.manual_seed(seed)
    samples, frames, classes = case.logits.shape
    head = loss.head(FeatureDims(FEATURES, FEATURES), classes)
    sequence, visual = torch.randn(2, samples, frames, FEATURES).unbind(0)
    return head, Features(sequence.requires_grad_(), visual.requires_grad_())


@settings(max_examples=40)
@given(cases(), st.integers(0, 99), st.sampled_from([1.0, 8.0]), st.sampled_from([0.0, 0.5, 10.0]))
def test_the_sum_of_the_three_terms(case, seed, temperature, alignment):
    loss = VAC(enhancement=0.7, alignment=alignment, temperature=temperature)
    head, features = made(loss, case, seed)
    sequence = head.classifier(features.sequence).detach()
    visual = head.auxiliary(features.visual).detach()
    expected = np.mean(
        [
            likelihood(case, sequence, n)
            + 0.7 * likelihood(case, visual, n)
            + alignment
            * naive_divergence(
                case, visual.double().numpy(), sequence.double().numpy(), temperature, n
            )
            for n in range(len(sequence))
        ]
    )
    found = loss.objective(head, features, case.targets)
    assert found.item() == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_the_alignment_moves_the_visual_features_alone():
    loss = VAC(enhancement=0.0)
    truth = Targets(torch.tensor([5]), torch.tensor([[1, 2]]), torch.tensor([2]))
    torch.manual_seed(0)
    head = loss.head(FeatureDims(FEATURES, FEATURES), 4)
    features = Features(*torch.randn(2, 1, 5, FEATURES).requires_grad_().unbind(0))
    plain = VAC(enhancement=0.0, alignment=0.0).objective(head, features, truth)
    aligned = loss.objective(head, features, truth)
    (wanted,) = torch.autograd.grad(plain, features.sequence, retain_graph=True)
    moved, visual = torch.autograd.grad(aligned, features)
    torch.testing.assert_close(moved, wanted)
    assert visual.any()


def test_a_test_reads_the_sequence_features_alone():
    head = VAC().head(FeatureDims(FEATURES, 2), 4)
    frames = torch.randn(1, 5, FEATURES)
    torch.testing.assert_close(head(frames), head.classifier(frames))


def test_without_its_constraint_it_is_ctc_counted_a_sample():
    truth = Targets(torch.tensor([6, 6]), torch.tensor([[1, 2], [3, 3]]), torch.tensor([2, 2]))
    head, features = made(VAC(), torch_case(truth), 0)
    alone = VAC(enhancement=0.0, alignment=0.0).objective(head, features, truth)
    torch.testing.assert_close(alone, 2 * CTC().objective(head.classifier, features, truth))


def test_the_auxiliary_loss_may_be_radial_ctc():
    truth = Targets(torch.tensor([6, 6]), torch.tensor([[1, 2], [3, 0]]), torch.tensor([2, 1]))
    loss = VAC(alignment=0.0, auxiliary="radial-ctc", eta=0.4, lambda2=0.1)
    head, features = made(loss, torch_case(truth), 0)
    plain = VAC(enhancement=0.0, alignment=0.0).objective(head, features, truth)
    radial = RadialCTC(eta=0.4, lambda2=0.1)
    auxiliary = radial.objective(head.auxiliary, Features(features.visual), truth)
    found = loss.objective(head, features, truth)
    torch.testing.assert_close(found, plain + 1.5 * auxiliary)


def torch_case(truth):
    from all_paths import Case

    return Case(torch.zeros(len(truth.lengths), int(truth.lengths.max()), 4), *truth)


def test_a_parameter_of_radial_ctc_asks_for_radial_ctc():
    with pytest.raises(BenchError, match="lambda2 is a parameter of radial-ctc; set auxiliary"):
        VAC(lambda2=0.1)


def test_one_classifier_may_be_shared_by_both_features():
    truth = Targets(torch.tensor([6, 6]), torch.tensor([[1, 2], [3, 3]]), torch.tensor([2, 2]))
    loss = VAC(shared=True)
    head, features = made(loss, torch_case(truth), 0)
    assert [tuple(weight.shape) for weight in head.parameters()] == [(4, FEATURES)]
    twin = VAC().head(FeatureDims(FEATURES, FEATURES), 4)
    for part in (twin.classifier, twin.auxiliary):
        part.weight.data = head.classifier.weight / head.classifier.weight.norm(dim=1, keepdim=True)
        part.bias.data.zero_()
    expected = VAC().objective(twin, features, truth)
    torch.testing.assert_close(loss.objective(head, features, truth), expected)


def test_a_shared_classifier_needs_features_of_one_size_and_ctc_for_both():
    with pytest.raises(BenchError, match="have one size, not 3 and 2; set shared = false"):
        VAC(shared=True).head(FeatureDims(3, 2), 4)
    with pytest.raises(BenchError, match="classifier of radial-ctc cannot be shared"):
        VAC(shared=True, auxiliary="radial-ctc")
