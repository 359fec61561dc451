"""Batch normalization over the global batch of a data-parallel training."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm

from bench.nn.global_batch import global_sum, ranks

if TYPE_CHECKING:
    from torch.autograd.function import BackwardCFunction


def convert_batch_norms(network: nn.Module) -> nn.Module:
    """Make the batch normalizations of `network` normalize over the global batch, and return it.

    Parameters, buffers and their names stay. With one rank nothing changes. On GPUs they become
    torch's `SyncBatchNorm`, whose fused kernels read and write activations once; it synchronizes
    in each layer. It does not run on CPUs, where they become `GlobalBatchNorm`.
    """
    if ranks() == 1:
        return network
    if any(weight.is_cuda for weight in network.parameters()):
        convert: Callable[[nn.Module], nn.Module] = nn.SyncBatchNorm.convert_sync_batchnorm
        return convert(network)
    for module in [*network.modules()]:
        for name, child in module.named_children():
            if isinstance(child, _BatchNorm) and not isinstance(child, GlobalBatchNorm):
                setattr(module, name, GlobalBatchNorm.like(child))
    return network


class GlobalBatchNorm(_BatchNorm):
    """Batch normalization by the statistics of all ranks, in plain torch operations.

    In training, mean and variance of each channel, and the running statistics, are those of the
    global batch, however uneven the ranks' shares are. The running variance is unbiased over the
    global count. In evaluation it is torch's batch normalization.
    """

    @classmethod
    def like(cls, norm: _BatchNorm) -> GlobalBatchNorm:
        """Return a normalization with the parameters and buffers of `norm`."""
        new = cls(
            norm.num_features, norm.eps, norm.momentum, affine=False, track_running_stats=False
        )
        new.affine, new.track_running_stats = norm.affine, norm.track_running_stats
        new.weight, new.bias = norm.weight, norm.bias
        for name, buffer in norm.named_buffers(recurse=False):
            setattr(new, name, buffer)
        new.training = norm.training
        return new

    def forward(self, inputs: Tensor) -> Tensor:
        """Normalize (N, C, …)."""
        if not self.training or ranks() == 1:
            return super().forward(inputs)
        outputs: Tensor
        with torch.autocast(inputs.device.type, enabled=False):
            outputs, mean, variance, count = _Normalized.apply(
                inputs, self.weight, self.bias, self.eps
            )
        if self.track_running_stats:
            self._track(mean, variance * count / (count - 1).clamp(min=1))
        return outputs

    @torch.no_grad()
    def _track(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running statistics toward those of this batch."""
        assert self.running_mean is not None  # noqa: S101
        assert self.running_var is not None  # noqa: S101
        assert self.num_batches_tracked is not None  # noqa: S101
        self.num_batches_tracked.add_(1)
        share = 1 / self.num_batches_tracked if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), share)
        self.running_var.lerp_(variance.to(self.running_var.dtype), share)

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002 (torch's name)
        """Accept inputs of any dimension, because one class replaces three."""


class _Normalized(torch.autograd.Function):
    """y = (x - mean) / √(variance + ε) · w + b over n values per channel on all ranks.

    With g = ∂L/∂y · w and x̂ the normalized values, ∂L/∂x = (g - mean g - x̂ · mean (g x̂)) / √(…).
    """

    @staticmethod
    def forward(
        ctx: BackwardCFunction,
        inputs: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        epsilon: float,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        # At least in float32, also where a network computes in half precision.
        values = inputs.to(torch.promote_types(inputs.dtype, torch.float32))
        mean, variance, count = _statistics(values)
        deviation = (variance + epsilon).rsqrt_()
        normalized = (values - _channels(mean, values)).mul_(_channels(deviation, values))
        ctx.save_for_backward(normalized, deviation, count, *([] if weight is None else [weight]))
        ctx.mark_non_differentiable(mean, variance, count)
        outputs = normalized if weight is None else normalized * _channels(weight, values)
        if bias is not None:
            outputs = outputs + _channels(bias, values)
        return outputs.to(inputs.dtype), mean, variance, count

    @staticmethod
    def backward(
        ctx: BackwardCFunction, *gradients: Tensor
    ) -> tuple[Tensor, Tensor | None, Tensor | None, None]:
        normalized, deviation, count, *weights = tuple(ctx.saved_tensors)
        gradient = gradients[0].to(normalized.dtype)
        sums = torch.stack([_sum(gradient), _sum(gradient * normalized)])
        bias_gradient, weight_gradient = (sums[0], sums[1]) if weights else (None, None)
        means = global_sum(sums) / count
        scale = deviation * weights[0] if weights else deviation
        projected = normalized * _channels(means[1], gradient)
        centered = gradient - _channels(means[0], gradient) - projected
        inputs = centered.mul_(_channels(scale, gradient)).to(gradients[0].dtype)
        return inputs, weight_gradient, bias_gradient, None


def _statistics(values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return mean and biased variance (C,) over all ranks, and the number of values per channel.

    Ranks exchange means and variances, because sums of squares would lose precision.
    """
    count = values.new_full((1,), values.numel() // values.shape[1])
    mean = _sum(values) / count.clamp(min=1)
    variance = _sum((values - _channels(mean, values)).square()) / count.clamp(min=1)
    own = torch.cat([mean, variance, count])
    gathered = [torch.empty_like(own) for _ in range(ranks())]
    distributed.all_gather(gathered, own)
    means, variances, counts = torch.stack(gathered).tensor_split([len(mean), 2 * len(mean)], 1)
    total = counts.sum()
    mean = (means * counts).sum(0) / total
    return mean, ((variances + (means - mean).square()) * counts).sum(0) / total, total


def _sum(values: Tensor) -> Tensor:
    """Return the sums (C,) of (N, C, …)."""
    return values.sum([axis for axis in range(values.dim()) if axis != 1])


def _channels(values: Tensor, inputs: Tensor) -> Tensor:
    """Shape values (C,) like inputs (N, C, …)."""
    return values.view(-1, *[1] * (inputs.dim() - 2))
