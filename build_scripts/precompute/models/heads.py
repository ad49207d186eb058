"""Projection heads, h to z, and the predictor of BYOL and SimSiam."""

from __future__ import annotations

from torch import nn

from build_scripts.precompute.models.encoder import he_normal

__all__ = ["HEADS", "head", "predictor"]

HEADS = ("none", "linear", "nonlinear", "nonlinear-bn")


def head(kind: str, n_in: int, d: int, hidden: int | None = None) -> nn.Module:
    r"""Return a projection head; its output is not normalised.

    $z = h$ for "none", $z = Wh + b$ for "linear" and $z = W_2\,\mathrm{ReLU}(\mathrm{BN}(W_1 h)) + b$
    for "nonlinear". SimCLR's paper writes the last without batch norm and bias; its code has batch norm
    after both maps, as have SimSiam and Barlow Twins: "nonlinear-bn" is
    $z = \mathrm{BN}(W_2\,\mathrm{ReLU}(\mathrm{BN}(W_1 h)))$.

    Args:
        kind: "none", "linear", "nonlinear" or "nonlinear-bn".
        n_in: length of h.
        d: length of z; n_in for "none".
        hidden: width between the two maps of the nonlinear heads; None takes n_in, as the paper's code does.

    Returns:
        (n, n_in) to (n, d).

    Raises:
        ValueError: an unknown kind, a number < 1, or "none" with d other than n_in.

    Source:
        Chen et al. (2020), arXiv:2002.05709, section 4.2; Chen, He (2021), arXiv:2011.10566, section 3,
        for batch norm at the end.

    Examples:
        >>> [type(layer).__name__ for layer in head("nonlinear", 128, 32)]
        ['Linear', 'BatchNorm1d', 'ReLU', 'Linear']
    """
    if kind not in HEADS:
        raise ValueError(f"there is no head {kind!r}; there are: {', '.join(HEADS)}")
    hidden = n_in if hidden is None else hidden
    _whole(n_in=n_in, d=d, hidden=hidden)
    if kind == "none":
        if d != n_in:
            raise ValueError(f"d must be {n_in}, the length of h, where there is no head, got {d}")
        return nn.Identity()
    if kind == "linear":
        linear = nn.Linear(n_in, d)
        he_normal(linear)
        return linear
    layers = _two_maps(n_in, hidden, d)
    return nn.Sequential(*layers, nn.BatchNorm1d(d)) if kind == "nonlinear-bn" else layers


def predictor(d: int, hidden: int) -> nn.Module:
    r"""Return a predictor, $q = W_2\,\mathrm{ReLU}(\mathrm{BN}(W_1 z)) + b$: one view's z to the other's.

    Args:
        d: length of z.
        hidden: width between; BYOL's is larger than d (4096 and 256), SimSiam's smaller (512 and 2048).

    Returns:
        (n, d) to (n, d).

    Raises:
        ValueError: a number < 1.

    Source:
        Grill et al. (2020), arXiv:2006.07733, section 3.3; Chen, He (2021), arXiv:2011.10566, section 3.

    Examples:
        >>> [layer.out_features for layer in predictor(32, 8) if isinstance(layer, nn.Linear)]
        [8, 32]
    """
    _whole(d=d, hidden=hidden)
    return _two_maps(d, hidden, d)


def _two_maps(n_in: int, hidden: int, n_out: int) -> nn.Sequential:
    # The batch norm removes a bias of the first map.
    layers = nn.Sequential(
        nn.Linear(n_in, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, n_out)
    )
    he_normal(layers)
    return layers


def _whole(**values: int) -> None:
    for name, value in values.items():
        if type(value) is not int or value < 1:
            raise ValueError(f"{name} must be a whole number >= 1, got {value!r}")
