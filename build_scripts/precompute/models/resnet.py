"""ResNet-18 and ResNet-50 without their last layer, for small and for usual images.

Parameters bear the names that torchvision gives them, so that published weights can be read.
"""

from __future__ import annotations

from torch import Tensor, nn

from build_scripts.precompute.models.encoder import Encoder

__all__ = ["LARGE", "BasicBlock", "Bottleneck", "ResNet"]

# From this side on, in pixels, the images get the stem of ImageNet.
LARGE = 64


def _conv(n_in: int, n_out: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    # The batch norm that follows removes a bias.
    return nn.Conv2d(n_in, n_out, kernel, stride=stride, padding=kernel // 2, bias=False)


def _shortcut(n_in: int, n_out: int, stride: int) -> nn.Sequential | None:
    if n_in == n_out and stride == 1:
        return None
    return nn.Sequential(_conv(n_in, n_out, 1, stride), nn.BatchNorm2d(n_out))


class BasicBlock(nn.Module):
    """Two 3 × 3 convolutions beside a shortcut (He et al. 2016, figure 5, left)."""

    expansion = 1

    def __init__(self, n_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = _conv(n_in, width, 3, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _conv(width, width, 3)
        self.bn2 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.downsample = _shortcut(n_in, width, stride)

    @property
    def last_norm(self) -> nn.BatchNorm2d:
        """The batch norm before the sum."""
        return self.bn2

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, width, H / stride, W / stride)."""
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out: Tensor = self.relu(y + (x if self.downsample is None else self.downsample(x)))
        return out


class Bottleneck(nn.Module):
    """1 × 1, 3 × 3 and 1 × 1 convolutions beside a shortcut (He et al. 2016, figure 5, right).

    The stride is that of the 3 × 3 convolution, as in SimCLR's code and torchvision.
    """

    expansion = 4

    def __init__(self, n_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = _conv(n_in, width, 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _conv(width, width, 3, stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = _conv(width, 4 * width, 1)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.relu = nn.ReLU()
        self.downsample = _shortcut(n_in, 4 * width, stride)

    @property
    def last_norm(self) -> nn.BatchNorm2d:
        """The batch norm before the sum."""
        return self.bn3

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, 4 width, H / stride, W / stride)."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(self.relu(self.bn2(self.conv2(y)))))
        out: Tensor = self.relu(y + (x if self.downsample is None else self.downsample(x)))
        return out


class ResNet(Encoder):
    """Four groups of residual blocks, then the mean over pixels.

    Args:
        block: `BasicBlock` or `Bottleneck`.
        depths: blocks of each group: (2, 2, 2, 2) for ResNet-18, (3, 4, 6, 3) for ResNet-50.
        channels: of the images.
        size: side of the images in pixels. From 64 on the stem is that of ImageNet, 7 × 7 with
            stride 2 and a max-pool; below it is 3 × 3 with stride 1 and no pool, SimCLR's on CIFAR-10.
        width: channels of the first group; the paper's is 64. h has 8 · width · expansion features.
        zero_init: whether every block starts as its shortcut: the gain of its last batch norm is 0,
            as in SimCLR's code.

    Source:
        He et al. (2016), arXiv:1512.03385, table 1; Chen et al. (2020), arXiv:2002.05709,
        appendix B.9, for the small stem. The weights are drawn as in He et al. (2015),
        arXiv:1502.01852, equation 14 (from the outputs of a layer, as torchvision does).
    """

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        depths: tuple[int, int, int, int],
        *,
        channels: int,
        size: int,
        width: int = 64,
        zero_init: bool = True,
    ) -> None:
        super().__init__(channels, 8 * width * block.expansion)
        large = size >= LARGE
        self.conv1 = _conv(channels, width, 7, 2) if large else _conv(channels, width, 3)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1) if large else nn.Identity()
        groups, n_in = [], width
        for i, depth in enumerate(depths):
            blocks = []
            for j in range(depth):
                blocks.append(block(n_in, width * 2**i, 2 if i and not j else 1))
                n_in = width * 2**i * block.expansion
            groups.append(nn.Sequential(*blocks))
        self.layer1, self.layer2, self.layer3, self.layer4 = groups
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif zero_init and isinstance(module, BasicBlock | Bottleneck):
                nn.init.zeros_(module.last_norm.weight)

    def forward(self, images: Tensor) -> Tensor:
        """Return h (n, features)."""
        self.check(images)
        x = self.maxpool(self.relu(self.bn1(self.conv1(images))))
        h: Tensor = self.layer4(self.layer3(self.layer2(self.layer1(x)))).mean(dim=(2, 3))
        return h
