"""ConCLR: contrastive learning of characters in different contexts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from bench.core.schema import NonNegativeFloat, PositiveFloat, PositiveInt
from bench.core.types import Targets
from bench.losses.ce import CE

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bench.core.types import Batch, FeatureDims, Features
    from bench.nn.heads import ProjectedHead


@dataclass(frozen=True)
class ConCLR(CE):
    """Cross-entropy on three views of a batch, and a contrast of the characters of two of them.

    The batch is concatenated twice with a permutation of itself, on the left or on the right, which
    puts its characters in other contexts. Characters of one class in the two views are pulled
    together, characters of different classes are pushed apart. A concatenated sample that is longer
    than the network's steps adds nothing. The defaults are those of a public reproduction; the
    paper's could not be checked.

    Args:
        teacher_forcing: As for `ce`.
        label_smoothing: As for `ce`.
        original: The weight of the cross-entropy of the batch itself.
        augmented: The weight of the cross-entropy of each concatenated view.
        contrast: λ, the weight of the contrastive term, averaged over samples.
        tau: τ, its temperature.
        embedding: The dimension of the projections that it compares.

    Source:
        Zhang et al., "Context-Based Contrastive Learning for Scene Text Recognition" (AAAI 2022).
    """

    name: ClassVar[str] = "conclr"

    original: NonNegativeFloat = 1.0
    augmented: NonNegativeFloat = 0.5
    contrast: NonNegativeFloat = 0.2
    tau: PositiveFloat = 2.0
    embedding: PositiveInt = 128

    def head(self, feature_dims: FeatureDims, classes: int) -> nn.Module:
        """Return a linear classifier, with the projection that only training needs."""
        from bench.nn.heads import ProjectedHead

        return ProjectedHead(feature_dims.sequence, classes, self.embedding)

    def augmented_views(self, batch: Batch) -> Batch:
        """Return the batch, and twice the batch concatenated with a permutation of itself."""
        import torch

        from bench.nn.batch_views import (
            concatenate_batches,
            concatenate_samples,
            gather_batch,
            permute_samples,
            select_rows,
        )
        from bench.nn.global_batch import from_rank_0

        # The partner of a sample may be on another rank.
        whole, own = gather_batch(batch)
        batch = select_rows(whole, own)
        views = [batch]
        for _ in range(2):
            order = from_rank_0(torch.randperm(len(whole.ids)))
            other = permute_samples(whole, order[own])
            on_the_right = bool(from_rank_0(torch.randint(2, ())))
            views.append(
                concatenate_samples(batch, other)
                if on_the_right
                else concatenate_samples(other, batch)
            )
        return concatenate_batches(views)

    def objective(self, head: nn.Module, features: Features, targets: Targets) -> Tensor:
        """Return the objective of the rows (3N) that `augmented_views` made."""
        views = [
            (rows, Targets(*parts))
            for rows, *parts in zip(
                features.sequence.chunk(3), *(tensor.chunk(3) for tensor in targets), strict=True
            )
        ]
        plain, *augmented = (self.recognition(head, *view) for view in views)
        contrast = self.contrasts(cast("ProjectedHead", head), views[1:])
        return self.original * plain + self.augmented * sum(augmented) + self.contrast * contrast

    def contrasts(self, head: ProjectedHead, views: list[tuple[Tensor, Targets]]) -> Tensor:
        """Return the mean over samples of the contrast between their characters in two views."""
        import torch

        from bench.nn.contrast import character_contrast
        from bench.nn.feedback import EOS, scored_steps, with_eos
        from bench.nn.global_batch import sample_mean

        labels, embeddings = [], []
        for features, targets in views:
            steps = features.shape[1]
            counted = scored_steps(targets, steps)
            labels.append(with_eos(targets, steps).masked_fill(~counted, EOS))
            embeddings.append(head.embed(features))
        return sample_mean(
            character_contrast(torch.cat(embeddings, 1), torch.cat(labels, 1), self.tau)
        )
