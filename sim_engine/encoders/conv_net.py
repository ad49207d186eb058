"""A small convolutional encoder: enough for images of 8 to 32 pixels."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from sim_engine._check import whole
from sim_engine.encoders._layer import Layer
from sim_engine.encoders.batch_norm import BatchNorm
from sim_engine.encoders.conv import Conv
from sim_engine.encoders.pool import MaxPool, MeanPool
from sim_engine.encoders.relu import Relu
from sim_engine.encoders.sequential import Sequential


def conv_net(channels: Sequence[int], *, batch_norm: bool = True) -> Sequential:
    r"""Return 3 × 3 convolutions with a ReLU, halved between them, and the mean over pixels at the end.

    $$h_0 = \operatorname{relu}(\operatorname{conv}_0(x)), \qquad
    h_l = \operatorname{relu}(\operatorname{conv}_l(\operatorname{pool}(h_{l-1}))), \qquad
    h = \operatorname{mean}(h_L)$$

    Each side of the image must be a multiple of 2 to the number of halvings, one fewer than there
    are convolutions.

    Args:
        channels: from the image's to h's, at least two.
        batch_norm: whether batch norm comes before each ReLU; the convolution then has no bias.

    Returns:
        Layers `conv0`, `norm0`, `relu0`, `pool0`, `conv1`, ..., `mean`; images (N, H, W, channels)
        go in and h (N, channels) comes out.

    Raises:
        ValueError: fewer than two numbers of channels, or one is not a whole number >= 1.

    Source:
        Derived here: `Conv`, `BatchNorm`, `Relu`, `MaxPool` and `MeanPool`, each with a source, one after
        another; the same network of torch's layers in the tests.

    Examples:
        >>> list(conv_net([1, 16, 32], batch_norm=False).layers)
        ['conv0', 'relu0', 'pool0', 'conv1', 'relu1', 'mean']
    """
    if len(channels) < 2:
        raise ValueError(f"channels must hold the image's and h's at least, got {list(channels)}")
    for number in channels:
        whole("channels", number, least=1)
    layers: dict[str, Layer] = {}
    for i, (n_in, n_out) in enumerate(pairwise(channels)):
        if i:
            layers[f"pool{i - 1}"] = MaxPool()
        layers[f"conv{i}"] = Conv(n_in, n_out, bias=not batch_norm)
        if batch_norm:
            layers[f"norm{i}"] = BatchNorm(n_out)
        layers[f"relu{i}"] = Relu()
    return Sequential({**layers, "mean": MeanPool()})
