"""A multilayer perceptron: linear maps with a ReLU between them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from sim_engine._check import whole
from sim_engine.encoders._layer import Layer
from sim_engine.encoders.batch_norm import BatchNorm
from sim_engine.encoders.linear import Linear
from sim_engine.encoders.relu import Relu
from sim_engine.encoders.sequential import Sequential


def mlp(sizes: Sequence[int], *, batch_norm: bool = False, last_relu: bool = False) -> Sequential:
    r"""Return linear maps from each size to the next, with a ReLU after all but the last.

    $$h_0 = x, \qquad h_l = \max(0,\, W_l h_{l-1} + b_l), \qquad y = W_L h_{L-1} + b_L$$

    Encoders are used with `last_relu`, so that h is not negative, as after a ResNet's pooling;
    projection heads without, so that z can lie anywhere on the sphere.

    Args:
        sizes: lengths of a row, from the input's to the output's, at least two.
        batch_norm: whether batch norm comes before each ReLU; the linear map then has no bias.
        last_relu: whether the last map is followed by a ReLU (and batch norm) too.

    Returns:
        Layers `linear0`, `norm0`, `relu0`, `linear1`, ...

    Raises:
        ValueError: no list of sizes, fewer than two, or one is not a whole number >= 1.

    Source:
        Chen et al. (2020), arXiv:2002.05709, section 2.1: the projection head, with one hidden layer. The
        same network of torch's layers in the tests.

    Examples:
        >>> list(mlp([64, 128, 32]).layers)
        ['linear0', 'relu0', 'linear1']
    """
    try:
        sizes = list(sizes)
    except TypeError:
        raise ValueError(f"sizes must be a list of whole numbers, got {sizes!r}") from None
    if len(sizes) < 2:
        raise ValueError(f"sizes must hold the input's and the output's at least, got {sizes}")
    for size in sizes:
        whole("sizes", size, least=1)
    layers: dict[str, Layer] = {}
    last = len(sizes) - 2
    for i, (n_in, n_out) in enumerate(pairwise(sizes)):
        rectified = i < last or last_relu
        layers[f"linear{i}"] = Linear(n_in, n_out, bias=not (batch_norm and rectified))
        if rectified:
            if batch_norm:
                layers[f"norm{i}"] = BatchNorm(n_out)
            layers[f"relu{i}"] = Relu()
    return Sequential(layers)
