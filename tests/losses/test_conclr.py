"""ConCLR's views and the weights of its terms; tests/nn/test_contrast.py has the formula."""

from __future__ import annotations

import pytest
import torch

from bench.core.types import Batch, FeatureDims, Features, Targets
from bench.losses.ce import CE
from bench.losses.conclr import ConCLR
from bench.nn.contrast import character_contrast

FEATURES, CLASSES, STEPS = 3, 6, 7


def words(*targets):
    """Return a batch of clips of eight frames."""
    width = max(map(len, targets))
    return Batch(
        torch.arange(len(targets)).view(-1, 1, 1, 1, 1).expand(-1, 8, 1, 2, 2).float(),
        torch.full((len(targets),), 8),
        torch.tensor([[*target, *[0] * (width - len(target))] for target in targets]),
        torch.tensor([len(target) for target in targets]),
        torch.full((len(targets), width), -1),
        tuple(map(str, range(len(targets)))),
    )


def made(loss, rows, seed=0, spread=1.0):
    torch.manual_seed(seed)
    head = loss.head(FeatureDims(FEATURES), CLASSES)
    return head, (spread * torch.randn(rows, STEPS, FEATURES)).requires_grad_()


def make_targets(batch, room=STEPS):
    return Targets(torch.full_like(batch.lengths, room), batch.targets, batch.target_lengths)


def test_every_view_after_the_first_has_a_word_beside_the_word():
    torch.manual_seed(3)
    batch = words([1], [2], [3], [4])
    sides = set()
    for _ in range(20):
        found = ConCLR().augmented_views(batch)
        assert torch.equal(found.targets[:4, :1], batch.targets)
        for view in (1, 2):
            rows = found.targets[4 * view : 4 * view + 4]
            (left,) = [side for side in (0, 1) if rows[:, side].tolist() == [1, 2, 3, 4]][:1]
            assert sorted(rows[:, 1 - left].tolist()) == [1, 2, 3, 4]
            sides.add((view, left))
    assert sides == {(1, 0), (1, 1), (2, 0), (2, 1)}


def test_views_are_drawn_from_the_global_generator():
    batch = words([1], [2], [3], [4])

    def drawn(seed):
        torch.manual_seed(seed)
        return ConCLR().augmented_views(batch).targets.tolist()

    assert drawn(1) == drawn(1)
    assert len({str(drawn(seed)) for seed in range(5)}) > 1


def test_the_terms_and_their_weights():
    loss = ConCLR(original=0.9, augmented=0.4, contrast=0.3, tau=0.5, embedding=4)
    torch.manual_seed(0)
    views = loss.augmented_views(words([1, 2], [3, 3]))
    head, features = made(loss, 6)
    found = loss.objective(head, Features(features), make_targets(views))
    parts = [
        (features[rows], Targets(*(part[rows] for part in make_targets(views))))
        for rows in (slice(0, 2), slice(2, 4), slice(4, 6))
    ]
    recognition = [CE().objective(head, Features(part), known) for part, known in parts]
    labels = torch.cat([torch.nn.functional.pad(known.labels, (0, 3)) for _, known in parts[1:]], 1)
    contrast = character_contrast(
        torch.cat([head.embed(part) for part, _ in parts[1:]], 1), labels, 0.5
    ).mean()
    expected = 0.9 * recognition[0] + 0.4 * (recognition[1] + recognition[2]) + 0.3 * contrast
    torch.testing.assert_close(found, expected)


def test_without_its_views_weights_it_is_cross_entropy():
    loss = ConCLR(augmented=0.0, contrast=0.0, original=1.0)
    views = loss.augmented_views(words([1, 2], [3, 3]))
    head, features = made(loss, 6)
    plain = Targets(*(part[:2] for part in make_targets(views)))
    torch.testing.assert_close(
        loss.objective(head, Features(features), make_targets(views)),
        CE().objective(head, Features(features[:2]), plain),
    )


def test_a_joined_word_that_does_not_fit_adds_nothing():
    loss = ConCLR(embedding=4)
    views = loss.augmented_views(words([1, 2, 3], [4, 5, 4]))
    head, features = made(loss, 6)
    found = loss.objective(head, Features(features), make_targets(views, room=6))
    (gradient,) = torch.autograd.grad(found, features)
    assert gradient[:2].any()
    assert not gradient[2:].any()


def test_padding_has_no_say():
    loss = ConCLR(embedding=4)
    views = loss.augmented_views(words([1, 2], [3]))
    head, features = made(loss, 6)
    taken = views.target_lengths + 1
    changed = features.detach().clone()
    for n, steps in enumerate(taken.tolist()):
        changed[n, steps:] = 100.0
    torch.testing.assert_close(
        loss.objective(head, Features(changed), make_targets(views)),
        loss.objective(head, Features(features), make_targets(views)),
    )


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("spread", [0.0, 1.0, 1e4])
def test_it_is_finite(kind, spread):
    loss = ConCLR(tau=0.1)
    for batch in (words([1, 2], [3, 3], [5]), words([4])):
        views = loss.augmented_views(batch)
        head, features = made(loss, len(views.ids), spread=spread)
        with torch.autocast("cpu", kind, enabled=kind != torch.float32):
            found = loss.objective(head, Features(features), make_targets(views))
        gradients = torch.autograd.grad(found, [features, *head.parameters()])
        assert found.isfinite()
        assert all(gradient.isfinite().all() for gradient in gradients)


def test_the_projection_has_the_size_of_its_paper_s_reproductions():
    for embedding, expected in [(128, 328_320), (256, 393_984)]:
        head = ConCLR(embedding=embedding).head(FeatureDims(512), 37)
        assert sum(weight.numel() for weight in head.auxiliary.parameters()) == expected
