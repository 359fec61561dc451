"""EsCTC and EnEsCTC: their terms and factors; tests/nn/test_spacing.py has the recursion."""

from __future__ import annotations

from math import log

import pytest
import torch
from all_paths import alignments, spaced

from bench.core import registry
from bench.core.schema import SchemaError
from bench.core.types import FeatureDims, Features, Targets
from bench.losses.ctc import CTC
from bench.losses.enctc import EnCTC
from bench.losses.enesctc import EnEsCTC
from bench.losses.esctc import EsCTC

# At τ = 1 the limits are 3, 4, the 4 frames of no label, and that of what does not fit.
SAMPLES = [(6, [1, 2, 2]), (6, [3, 1]), (4, []), (2, [1, 1])]
TRUTH = Targets(
    torch.tensor([6, 6, 4, 2]),
    torch.tensor([[1, 2, 2], [3, 1, 0], [0, 0, 0], [1, 1, 0]]),
    torch.tensor([3, 2, 0, 2]),
)
LIMITS = [3, 4, 4, 2]


@pytest.fixture
def head():
    torch.manual_seed(0)
    return CTC().head(FeatureDims(3), 4)


@pytest.fixture
def features():
    return torch.randn(4, 7, 3, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("beta", [0.0, 0.25, 2.0])
def test_the_objective_is_that_of_all_spaced_paths(head, features, beta):
    probabilities = head(features).double().softmax(-1).detach().numpy()
    likelihoods = entropies = 0.0
    for n, ((frames, target), limit) in enumerate(zip(SAMPLES, LIMITS, strict=True)):
        paths = alignments(probabilities[n, :frames], tuple(target))
        weights = list(spaced(paths, limit).values())
        if not weights:
            continue
        shares = [weight / sum(weights) for weight in weights]
        labels = max(len(target), 1)
        likelihoods += log(sum(weights)) / labels / len(SAMPLES)
        entropies -= sum(share * log(share) for share in shares) / labels / len(SAMPLES)
    found = EnEsCTC(tau=1.0, beta=beta).objective(head, Features(features), TRUTH).item()
    assert found == pytest.approx(-likelihoods - beta * entropies, rel=1e-5)
    alone = EsCTC(tau=1.0).objective(head, Features(features), TRUTH).item()
    assert alone == pytest.approx(-likelihoods, rel=1e-5)


@pytest.mark.parametrize(
    ("spaced", "free"), [(EsCTC(tau=100.0), CTC()), (EnEsCTC(tau=100.0, beta=0.5), EnCTC(beta=0.5))]
)
def test_a_large_tau_leaves_every_path(head, features, spaced, free):
    found, expected = (loss.objective(head, Features(features), TRUTH) for loss in (spaced, free))
    torch.testing.assert_close(found, expected)


def test_fewer_paths_are_less_likely(head, features):
    few, many = (
        EsCTC(tau=tau).objective(head, Features(features), TRUTH).item() for tau in (1.0, 9.0)
    )
    assert few > many


def test_a_tau_that_could_leave_no_path_is_refused():
    with pytest.raises(SchemaError, match="`float` >= 1"):
        registry.make("loss", "esctc", {"tau": 0.9})
    assert registry.make("loss", "enesctc", {"tau": 1}) == EnEsCTC(tau=1.0)
