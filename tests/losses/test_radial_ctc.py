from __future__ import annotations

from itertools import groupby, product
from math import cos, floor, pi

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bench.core.errors import BenchError
from bench.core.types import FeatureDims, Features, Targets
from bench.losses.radial_ctc import RadialCTC
from bench.nn.ctc_functions import posteriors
from bench.nn.heads import unit

CLASSES = 4
etas = st.sampled_from([0.0, 0.2, 0.5, 1.0])
seeds = st.integers(0, 2**32)
targets_of_clips = st.lists(st.integers(1, CLASSES - 1), min_size=1, max_size=4)
clips = st.lists(st.tuples(st.integers(1, 12), targets_of_clips), min_size=1, max_size=3)


def random(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def padded(samples, extra=0):
    """Return the targets of (frames, target) pairs."""
    width = max(len(target) for _, target in samples) + extra
    return Targets(
        torch.tensor([length for length, _ in samples]),
        torch.tensor([target + [0] * (width - len(target)) for _, target in samples]),
        torch.tensor([len(target) for _, target in samples]),
    )


def cosines_of(seed, samples, dimensions, extra=0):
    """Return the cosines (N, T, C), in double, of random features and random weights."""
    frames = max(length for length, _ in samples) + extra
    vectors = random(seed, len(samples) * frames + CLASSES, dimensions).double()
    vectors = vectors / vectors.norm(dim=1, keepdim=True)
    cosines = vectors[CLASSES:] @ vectors[:CLASSES].T
    return cosines.unflatten(0, (len(samples), frames))


def labelled_frames(eta, samples, seed, dimensions):
    """Return how many frames are no closer to blank than to a label, and how many should be."""
    loss = RadialCTC(eta=eta)
    perturbed = loss.perturbed(cosines_of(seed, samples, dimensions, 2), padded(samples, 1))
    angles = (perturbed / loss.scale).clamp(-1, 1).arccos()
    found, wanted = [], []
    for n, (length, target) in enumerate(samples):
        nearest = angles[n, :length, target].amin(1)
        found.append(int((angles[n, :length, 0] >= nearest - 1e-9).sum()))
        spare = max(length - len(target), 0)
        wanted.append(min(length, len(target) + floor(spare * eta)))
    return found, wanted


@settings(max_examples=60)
@given(etas, clips, seeds)
def test_eta_decides_how_many_frames_are_labelled(eta, samples, seed):
    found, wanted = labelled_frames(eta, samples, seed, dimensions=64)
    assert found == wanted


@settings(max_examples=60)
@given(etas, clips, seeds)
@example(0.0, [(1, [1]), (9, [1, 2])], 0)
def test_eta_decides_how_many_frames_are_labelled_in_three_dimensions(eta, samples, seed):
    # Wide angles: blank's, shifted, may leave 0…π.
    found, wanted = labelled_frames(eta, samples, seed, dimensions=3)
    assert found == wanted


@settings(max_examples=30)
@given(etas, clips, seeds)
def test_perturbing_shifts_the_blank_angles_of_a_sequence_by_one_amount(eta, samples, seed):
    loss = RadialCTC(eta=eta, scale=8.0)
    cosines = cosines_of(seed, samples, 64)
    perturbed = loss.perturbed(cosines, padded(samples))
    assert perturbed.shape == cosines.shape
    torch.testing.assert_close(perturbed[..., 1:], 8 * cosines[..., 1:])
    shifts = (perturbed[..., 0] / 8).arccos() - cosines[..., 0].arccos()
    for n, (length, _) in enumerate(samples):
        mine = shifts[n, :length]
        torch.testing.assert_close(mine, mine[:1].expand(length), atol=1e-6, rtol=0)


@settings(max_examples=30)
@given(etas, clips, seeds, st.integers(1, CLASSES - 1))
def test_padding_has_no_say_in_perturbing(eta, samples, seed, label):
    loss = RadialCTC(eta=eta)
    cosines = cosines_of(seed, samples, 3, extra=1)
    truth = padded(samples, extra=1)
    expected = loss.perturbed(cosines, truth)
    changed, other = cosines.clone(), truth.labels.clone()
    for n, (length, target) in enumerate(samples):
        changed[n, length:] = torch.tensor([-1.0] + [1.0] * (CLASSES - 1), dtype=torch.float64)
        other[n, len(target) :] = label
    found = loss.perturbed(changed, truth._replace(labels=other))
    for n, (length, target) in enumerate(samples):
        torch.testing.assert_close(found[n, :length], expected[n, :length])
        alone = loss.perturbed(cosines[n : n + 1, :length], padded([(length, target)]))
        torch.testing.assert_close(alone[0], expected[n, :length])


@pytest.mark.parametrize("beyond", [1 + 2e-7, -1 - 2e-7])
def test_cosines_rounded_beyond_one_are_angles_still(beyond):
    cosines = torch.full((1, 3, CLASSES), 0.5)
    cosines[0, 0, 0] = cosines[0, 1, 1] = beyond
    assert RadialCTC().perturbed(cosines, padded([(3, [1])])).isfinite().all()


def head_and_features(loss, samples, seed=0, dimensions=3, extra=0):
    torch.manual_seed(seed)
    head = loss.head(FeatureDims(dimensions), CLASSES)
    frames = max(length for length, _ in samples) + extra
    # Another seed: the same would draw features that are the head's own weights.
    return head, random(seed + 1, len(samples), frames, dimensions)


def log_softmax(logits):
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def paths_of(target, log_probs):
    """Return every path of the target with its log-probability, by trying all there are."""
    frames = np.arange(len(log_probs))
    return {
        path: log_probs[frames, path].sum()
        for path in product(range(CLASSES), repeat=len(log_probs))
        if [label for label, _ in groupby(path) if label] == target
    }


def slow_perturbed(loss, cosines, target):
    angles = np.arccos(cosines)
    frames, labels = len(cosines), len(target)
    differences = sorted(row[0] - min(row[label] for label in target) for row in angles)[::-1]
    kept = min(frames, labels + floor(max(frames - labels, 0) * loss.eta))
    shift = -(differences[kept - 1] + differences[min(kept, frames - 1)]) / 2
    blank = angles[:, 0] + shift
    # The formula check is about angles that stay angles.
    assert (blank >= 0).all()
    assert (blank <= pi).all()
    return loss.scale * np.hstack([np.cos(blank)[:, None], cosines[:, 1:]])


def slow_pseudo_labels(logits, target):
    shares = np.zeros_like(logits)
    paths = {path: np.exp(value) for path, value in paths_of(target, log_softmax(logits)).items()}
    for path, weight in paths.items():
        shares[np.arange(len(path)), path] += weight / sum(paths.values())
    return shares


def slow_center(vectors, weights, log_probs, target, power):
    paths = paths_of(target, log_probs)
    if not paths:
        return 0.0
    path = max(paths, key=paths.__getitem__)
    total, start = 0.0, 0
    for label, run in groupby(path):
        segment = range(start, start := start + len(list(run)))
        if label:
            key = max(segment, key=lambda t: log_probs[t, label])
            total += np.linalg.norm(vectors[key] - weights[label]) ** power
    return total


def slow_objective(loss, weight, features, samples):
    """Return the objective as the docstring of RadialCTC defines it, sample by sample."""
    weights = weight / np.linalg.norm(weight, axis=1, keepdims=True)
    radial = center = 0.0
    for sequence, (length, target) in zip(features, samples, strict=True):
        vectors = sequence[:length] / np.linalg.norm(sequence[:length], axis=1, keepdims=True)
        cosines = vectors @ weights.T
        log_probs = log_softmax(loss.scale * cosines)
        pseudo_labels = slow_pseudo_labels(slow_perturbed(loss, cosines, target), target)
        radial -= (pseudo_labels * log_probs).sum()
        power = {"distance": 1, "square": 2}[loss.center]
        center += slow_center(vectors, weights, log_probs, target, power)
    angle = sum((row @ weights[0] - cos(loss.beta * pi)) ** 2 for row in weights[1:])
    labels = sum(len(target) for _, target in samples)
    return (radial + loss.lambda2 * center) / labels + loss.lambda1 * angle


def slow_authors_objective(loss, weight, features, samples):
    """Return the objective of the first author's code, from its description, path by path."""
    weights = weight / np.linalg.norm(weight, axis=1, keepdims=True)
    radial, squares = 0.0, []
    for sequence, (length, target) in zip(features, samples, strict=True):
        vectors = sequence[:length] / np.linalg.norm(sequence[:length], axis=1, keepdims=True)
        cosines = vectors @ weights.T
        log_probs = log_softmax(loss.scale * cosines)
        pseudo_labels = slow_pseudo_labels(slow_perturbed(loss, cosines, target), target)
        radial -= (pseudo_labels * log_probs).sum()
        paths = paths_of(target, log_probs)
        start = 0
        for label, run in groupby(max(paths, key=paths.__getitem__) if paths else ()):
            segment = range(start, start := start + len(list(run)))
            key = max(segment, key=lambda t: cosines[t, label])
            square = ((vectors[key] - weights[label]) ** 2).sum()
            squares.append(min(max(loss.lambda2 * square, 1e-12), 1e12))
    deviations = [(row @ weights[0] - cos(loss.beta * pi)) ** 2 for row in weights[1:]]
    labels = sum(len(target) for _, target in samples)
    center = np.mean(squares) if squares else 0.0
    return radial / labels + loss.lambda1 * np.mean(deviations) + center


SAMPLES = [
    [(5, [1, 2])],
    [(5, [2, 2])],
    [(1, [3])],
    [(2, [3, 1])],
    [(5, [1, 2]), (3, [3]), (4, [2, 2]), (2, [1])],
    [(5, [1, 3]), (2, [1, 1]), (4, [2]), (1, [2, 3])],  # two that do not fit
]


@pytest.mark.parametrize("eta", [0.0, 0.2, 0.5, 1.0])
@pytest.mark.parametrize("samples", SAMPLES)
@pytest.mark.parametrize("center", ["distance", "square"])
def test_objective_is_that_of_the_slow_implementation(samples, eta, center):
    loss = RadialCTC(scale=5.0, eta=eta, beta=0.3, lambda1=0.7, lambda2=1.3, center=center)
    head, features = head_and_features(loss, samples, dimensions=32, extra=1)
    objective = loss.objective(head, Features(features), padded(samples, extra=1))
    assert objective.shape == ()
    weight = head.weight.detach().double().numpy()
    expected = slow_objective(loss, weight, features.double().numpy(), samples)
    assert objective.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("eta", [0.0, 0.2, 0.5, 1.0])
@pytest.mark.parametrize("samples", SAMPLES)
@pytest.mark.parametrize("seed", [0, 5])
def test_the_authors_objective_is_that_of_their_description(samples, eta, seed):
    loss = RadialCTC(scale=5.0, eta=eta, beta=0.3, lambda1=0.7, lambda2=1.3, variant="authors")
    head, features = head_and_features(loss, samples, seed, dimensions=32, extra=1)
    objective = loss.objective(head, Features(features), padded(samples, extra=1))
    assert objective.shape == ()
    weight = head.weight.detach().double().numpy()
    expected = slow_authors_objective(loss, weight, features.double().numpy(), samples)
    assert objective.item() == pytest.approx(expected, rel=1e-5)


def test_at_the_same_weight_the_authors_angle_term_is_smaller_by_the_number_of_classes():
    classes, values = 6, []
    features, targets = random(1, 1, 4, 8), padded([(4, [1, 2])])
    for variant in ("paper", "authors"):
        torch.manual_seed(0)
        terms = []
        for lambda1 in (1.0, 0.0):
            loss = RadialCTC(lambda1=lambda1, lambda2=0.0, variant=variant)
            torch.manual_seed(0)
            head = loss.head(FeatureDims(8), classes)
            terms.append(loss.objective(head, Features(features), targets).item())
        values.append(terms[0] - terms[1])
    assert values[0] == pytest.approx((classes - 1) * values[1], rel=1e-4)


def test_a_center_that_nothing_reads_is_refused():
    with pytest.raises(BenchError, match="center is read with variant = 'paper' only"):
        RadialCTC(center="square", variant="authors")


@pytest.mark.parametrize("without", ["lambda1", "lambda2"])
def test_a_term_with_factor_zero_is_gone(without):
    samples = SAMPLES[4]
    loss = RadialCTC(scale=5.0, **{without: 0.0})
    head, features = head_and_features(loss, samples, dimensions=32)
    weight = head.weight.detach().double().numpy()
    expected = slow_objective(loss, weight, features.double().numpy(), samples)
    found = loss.objective(head, Features(features), padded(samples))
    assert found.item() == pytest.approx(expected, rel=1e-5)
    printed = RadialCTC(scale=5.0).objective(head, Features(features), padded(samples))
    assert found.item() < printed.item()


@pytest.mark.parametrize("scale", [16.0, 64.0])
def test_certain_pseudo_labels_pull_frames_from_blank(scale):
    # Both labels are closer to blank until it is shifted; then no other path is likely at all.
    loss = RadialCTC(scale=scale, eta=0.0, lambda1=0.0, lambda2=0.0)
    head = loss.head(FeatureDims(3), CLASSES)
    weight = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [-1, 0, 0]])
    with torch.no_grad():
        head.weight.copy_(weight)
    features = torch.tensor([[[1.0, 0, 0], [1, 0.6, 0], [1, 0, 0], [1, 0, 0.6], [1, 0, 0]]])
    samples = [(5, [1, 2])]
    expected = slow_objective(loss, weight.double().numpy(), features.double().numpy(), samples)
    objective = loss.objective(head, Features(features), padded(samples))
    assert objective.item() == pytest.approx(expected, rel=1e-4)


def test_pseudo_labels_are_constants_to_the_gradient():
    samples = SAMPLES[4]
    loss = RadialCTC(lambda1=0.0, lambda2=0.0)
    head, features = head_and_features(loss, samples)
    features.requires_grad_()
    found = torch.autograd.grad(
        loss.objective(head, Features(features), padded(samples)), [features, head.weight]
    )
    cosines = unit(features) @ unit(head.weight).T
    pseudo = posteriors(loss.perturbed(cosines.detach(), padded(samples)), *padded(samples))
    radial = -(pseudo * (loss.scale * cosines).log_softmax(-1)).sum()
    labels = sum(len(target) for _, target in samples)
    expected = torch.autograd.grad(radial / labels, [features, head.weight])
    torch.testing.assert_close(found, expected)


@settings(max_examples=25)
@given(etas, clips, seeds, st.integers(1, CLASSES - 1), st.sampled_from(["paper", "authors"]))
def test_padding_changes_neither_loss_nor_gradient(eta, samples, seed, label, variant):
    loss = RadialCTC(eta=eta, variant=variant)
    head, features = head_and_features(loss, samples, seed=seed % 100, extra=2)
    features.requires_grad_()
    truth = padded(samples, extra=1)
    objective = loss.objective(head, Features(features), truth)
    (gradient,) = torch.autograd.grad(objective, features)
    changed, other = features.detach().clone(), truth.labels.clone()
    for n, (length, target) in enumerate(samples):
        assert not gradient[n, length:].any()
        changed[n, length:] = 100 * head.weight[label].detach()
        other[n, len(target) :] = label
    truth = truth._replace(labels=other)
    torch.testing.assert_close(loss.objective(head, Features(changed), truth), objective)


@settings(max_examples=25)
@given(etas, clips, st.integers(0, 99), st.sampled_from([0.01, 3.0, 1e4]))
def test_the_length_of_features_does_not_matter(eta, samples, seed, factor):
    loss = RadialCTC(eta=eta)
    head, features = head_and_features(loss, samples, seed=seed)
    one, other = (
        loss.objective(head, Features(frames), padded(samples))
        for frames in (features, factor * features)
    )
    torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3)


def assert_finite(loss, head, features, samples):
    features = features.clone().requires_grad_()
    objective = loss.objective(head, Features(features), padded(samples))
    gradients = torch.autograd.grad(objective, [features, head.weight])
    assert objective.isfinite()
    assert all(gradient.isfinite().all() for gradient in gradients)


@pytest.mark.parametrize("eta", [0.0, 0.2, 1.0])
@pytest.mark.parametrize(
    "samples",
    [
        [(1, [1])],
        [(2, [1, 2])],
        [(3, [1, 2, 3]), (3, [2])],
        [(3, [1, 1]), (7, [2, 2, 2])],
        [(4, [3, 3, 1])],
        [(1, [1, 2])],
        [(2, [1, 1]), (1, [1, 2, 3])],
    ],
    ids=str,
)
@pytest.mark.parametrize("features", ["random", "large", "equal", "zero", "one zero"])
@pytest.mark.parametrize("variant", ["paper", "authors"])
def test_hard_cases_have_a_finite_loss_and_gradients(variant, features, samples, eta):
    loss = RadialCTC(eta=eta, variant=variant)
    head, drawn = head_and_features(loss, samples)
    frames = {
        "random": drawn,
        "large": drawn * 1e4,
        "equal": torch.ones_like(drawn),
        "zero": torch.zeros_like(drawn),
        "one zero": drawn * (torch.arange(drawn.shape[1]) != 0).unsqueeze(-1),
    }[features]
    assert_finite(loss, head, frames, samples)


@pytest.mark.parametrize("eta", [0.0, 0.2, 0.5, 1.0])
@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("path", [[0, 1, 0, 2, 0], [0, 0, 0, 0, 0], [1, 1, 1, 2, 2], [3] * 5])
def test_cosines_of_exactly_one_have_a_finite_loss_and_gradients(path, sign, eta):
    loss = RadialCTC(eta=eta)
    head = loss.head(FeatureDims(CLASSES), CLASSES)
    with torch.no_grad():
        head.weight.copy_(torch.eye(CLASSES))
    features = sign * torch.eye(CLASSES)[path].unsqueeze(0)
    assert head(features).abs().max() == loss.scale
    assert_finite(loss, head, features, [(5, [1, 2])])


def test_equal_weights_have_a_finite_loss_and_gradients():
    loss = RadialCTC()
    head, features = head_and_features(loss, [(5, [1, 2])])
    with torch.no_grad():
        head.weight.fill_(1.0)
    assert_finite(loss, head, features, [(5, [1, 2])])


@pytest.mark.parametrize("variant", ["paper", "authors"])
def test_a_target_without_labels_has_a_finite_loss_and_gradients(variant):
    loss = RadialCTC(variant=variant)
    samples = [(5, [1, 2]), (4, [])]
    assert_finite(loss, *head_and_features(loss, samples), samples)


def test_descent_lowers_the_objective():
    loss = RadialCTC(eta=0.5)
    samples = [(5, [1, 2]), (4, [3])]
    head, features = head_and_features(loss, samples)
    values = []
    for _ in range(60):
        features.requires_grad_()
        objective = loss.objective(head, Features(features), padded(samples))
        gradients = torch.autograd.grad(objective, [features, head.weight])
        values.append(objective.item())
        with torch.no_grad():
            features = features - 0.05 * gradients[0]
            head.weight -= 0.05 * gradients[1]
    assert values[-1] < values[0] / 2


@pytest.mark.parametrize("variant", ["paper", "authors"])
def test_the_same_batch_gives_the_same_bits_on_several_threads(variant):
    loss, threads = RadialCTC(variant=variant), torch.get_num_threads()
    samples = [(26, [1 + (n + u) % 3 for u in range(8)]) for n in range(256)]
    head, features = head_and_features(loss, samples, dimensions=64)
    torch.set_num_threads(4)
    try:
        found = [
            torch.autograd.grad(
                loss.objective(head, Features(features), padded(samples)), head.weight
            )[0]
            for _ in range(6)
        ]
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(found[0], other) for other in found)


def test_head_has_no_bias_and_the_scale_of_the_loss():
    head = RadialCTC(scale=5.0).head(FeatureDims(3), CLASSES)
    assert [tuple(parameter.shape) for parameter in head.parameters()] == [(CLASSES, 3)]
    torch.testing.assert_close(head(head.weight).diagonal(), torch.full((CLASSES,), 5.0))
