"""How evenly N points on a sphere can lie at best, as a quadrature rule for the cosines from one of them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

# Beyond, `floors.best_bound` has what every degree together gives, which then differs by nothing.
MOST_NODES = 200


def rule(n: int, d: int) -> tuple[Float64, Float64] | None:
    r"""Return Levenshtein's nodes $\alpha_i$ and weights $\rho_i > 0$ of n points in d dimensions.

    $$\mathbb{E}\,f(s) = \frac{f(1)}{n} + \sum_i\rho_i f(\alpha_i)$$

    for s the cosine of random directions and every polynomial f up to a degree m: 1, or the largest for
    which n points are more than a design of degree m needs at least,

    $$D_{2k-1} = 2\binom{d+k-2}{d-1}, \qquad D_{2k} = \binom{d+k-1}{d-1} + \binom{d+k-2}{d-1}.$$

    For odd m = 2k - 1 the k nodes are inside, for even m = 2k there is one more at -1. Times 1 - s, or
    $1 - s^2$, the terms at the ends vanish: what is left is a rule of Gauss for a Jacobi weight, but for
    the last diagonal entry of its matrix J, which the weight 1/n fixes: $[(I - J)^{-1}]_{11}$ is
    $1 - 1/n$ for odd m and $(1 - 2/n)/(1 - 1/d)$ for even.

    Args:
        n: points, >= 2.
        d: dimension, >= 2.

    Returns:
        Nodes in [-1, 1) and weights; None where there would be more than `MOST_NODES`.

    Source:
        Levenshtein (1998), Universal bounds for codes and designs, in the Handbook of coding theory.
    """
    degree = next((m for m in range(1, 2 * MOST_NODES) if n <= _fewest(m + 1, d)), None)
    if degree is None:
        return None
    even, k = degree % 2 == 0, (degree + 1) // 2
    j = np.arange(1.0, k)
    diagonal = np.zeros(k)
    if even:
        mass, last = 1.0 - 1.0 / d, (2 * d - n) / (d * (n - 2))
        squares = j * (j + d - 1) / ((2 * j + d) * (2 * j + d - 2))
    else:
        mass, last = 1.0, 1.0 / (n - 1)
        squares = j * (j + d - 2) / (2 * j + d - 2) ** 2
        diagonal[0] = -1.0 / d
        diagonal[1:] = -(d - 2) / ((2 * j + d - 2) * (2 * j + d))
    for a, square in zip(diagonal, squares, strict=False):  # 1 + last is a tail of the continued fraction
        last = square / (-a - last) - 1.0
    diagonal[-1] = -last
    off = np.sqrt(squares)
    nodes, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(off, 1) + np.diag(off, -1))
    weights = mass * vectors[0] ** 2
    if not even:
        return nodes, weights / (1 - nodes)
    weights /= (1 - nodes) * (1 + nodes)
    return np.append(nodes, -1.0), np.append(weights, max(0.0, 1 - 1 / n - float(weights.sum())))


def _fewest(degree: int, d: int) -> int:
    """Points that a spherical design of that degree has at least (Delsarte, Goethals, Seidel 1977)."""
    k = (degree + 1) // 2
    if degree % 2:
        return 2 * math.comb(d + k - 2, k - 1)
    return math.comb(d + k - 1, k) + math.comb(d + k - 2, k - 1)
