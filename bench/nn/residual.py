"""Residual networks over images: ABINet's, and torchvision's ResNet18.

He et al., "Deep Residual Learning for Image Recognition" (CVPR 2016).
"""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, hub, nn
from torch.nn import functional
from torchvision.models import ResNet18_Weights
from torchvision.models.resnet import BasicBlock

from bench.core.errors import BenchError


def resnet45(channels: int, width: int) -> nn.Sequential:
    """Return the residual network of ABINet, (N, channels, H, W) to (N, 16·width, H/4, W/4).

    A 3×3 convolution and five stages of `PairedBlock`s, each but the first twice as wide as the one
    before; the first and the third halve both sides, rounding up.
    """
    layers: list[nn.Module] = [_normalized(channels, width, 3), nn.ReLU(inplace=True)]
    before = width
    for power, (blocks, stride) in enumerate([(3, 2), (4, 1), (6, 2), (6, 1), (3, 1)]):
        after = width * 2**power
        layers.append(PairedBlock(before, after, stride))
        layers += [PairedBlock(after, after) for _ in range(blocks - 1)]
        before = after
    return _initialized(nn.Sequential(*layers))


class PairedBlock(nn.Module):
    """A 1×1 and a 3×3 convolution with a shortcut, a 1×1 convolution where shapes change."""

    def __init__(self, before: int, after: int, stride: int = 1) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            _normalized(before, after, 1),
            nn.ReLU(inplace=True),
            _normalized(after, after, 3, stride),
        )
        same = stride == 1 and before == after
        self.shortcut = nn.Identity() if same else _normalized(before, after, 1, stride)

    def forward(self, images: Tensor) -> Tensor:
        """Map (N, before, H, W) to (N, after, H/stride, W/stride), rounded up."""
        return functional.relu(self.residual(images) + self.shortcut(images), inplace=True)


def resnet18(channels: int, width: int) -> nn.Sequential:
    """Return torchvision's ResNet18 without its classifier, (N, channels, H, W) to (N, 8·width).

    torchvision's has a width of 64. Weights have the same names as there.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        conv1=nn.Conv2d(channels, width, 7, 2, padding=3, bias=False),
        bn1=nn.BatchNorm2d(width),
        relu=nn.ReLU(inplace=True),
        maxpool=nn.MaxPool2d(3, 2, padding=1),
    )
    before = width
    for power in range(4):
        after = width * 2**power
        stride = 1 if before == after else 2
        shortcut = None if stride == 1 else _normalized(before, after, 1, stride)
        first = BasicBlock(before, after, stride, shortcut)
        layers[f"layer{power + 1}"] = nn.Sequential(first, BasicBlock(after, after))
        before = after
    layers.update(avgpool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten())
    return _initialized(nn.Sequential(layers))


def imagenet_weights() -> dict[str, Tensor]:
    """Return torchvision's weights of `resnet18(3, 64)`, downloaded unless cached.

    Raises:
        BenchError: They cannot be downloaded.
    """
    weights = ResNet18_Weights.IMAGENET1K_V1
    try:
        state = weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except (OSError, RuntimeError) as error:
        raise BenchError(
            f"ResNet18's ImageNet weights cannot be downloaded ({error}); put {weights.url} into "
            f"{hub.get_dir()}/checkpoints by hand, or set pretrained = false"
        ) from None
    return {name: value for name, value in state.items() if not name.startswith("fc.")}


class SampledConv2d(nn.Conv2d):
    """A 1×1 convolution with stride `every`, without bias, as a convolution of sampled pixels.

    The backward pass of a strided one in oneDNN writes out of bounds for fewer than 16 channels in
    the memory format channels last (torch 2.15 on AVX-512).
    """

    def __init__(self, before: int, after: int, every: int) -> None:
        super().__init__(before, after, 1, bias=False)
        self.every = every

    def forward(self, images: Tensor) -> Tensor:
        """Map (N, before, H, W) to (N, after, H/every, W/every), rounded up."""
        return super().forward(images[:, :, :: self.every, :: self.every])


def _normalized(before: int, after: int, kernel: int, stride: int = 1) -> nn.Sequential:
    convolution = (
        SampledConv2d(before, after, stride)
        if kernel == 1 and stride > 1
        else nn.Conv2d(before, after, kernel, stride, padding=kernel // 2, bias=False)
    )
    return nn.Sequential(convolution, nn.BatchNorm2d(after))


def _initialized(network: nn.Sequential) -> nn.Sequential:
    """Initialize every convolution as He et al. (ICCV 2015) do, by its fan-out."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return network
