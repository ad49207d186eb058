"""Two random directions in d dimensions: how their cosine is distributed.

The angle θ between them has density ∝ sin(θ)^(d-2) on [0, π]. All integrals below are in θ, where the
density is smooth in every dimension, by Gauss-Legendre panels around its mode.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim_engine._check import floats, whole

__all__ = ["cosine_cdf", "cosine_density", "cosine_quantiles", "log_mean_exp", "nodes"]

Float64 = NDArray[np.float64]

# Beyond so many standard deviations of the angle less than 1e-30 of the mass is left.
_REACH = 16.0
_PANELS = 64
_ORDER = 16


def _gauss_legendre(order: int) -> tuple[Float64, Float64]:
    """Nodes and weights on [-1, 1], by Golub & Welsch (1969); numpy.polynomial would cost the page time."""
    k = np.arange(1, order)
    off = k / np.sqrt(4.0 * k**2 - 1)
    x, vectors = np.linalg.eigh(np.diag(off, 1) + np.diag(off, -1))
    return x, 2 * vectors[0] ** 2


_X, _W = _gauss_legendre(_ORDER)


def cosine_density(s: ArrayLike, d: int) -> Float64:
    r"""Density of the cosine between two independent uniform directions.

    $$p(s) = \frac{\Gamma(d/2)}{\sqrt\pi\,\Gamma((d-1)/2)}\,(1 - s^2)^{(d-3)/2}$$

    Mean 0, variance 1/d: in many dimensions random directions are nearly orthogonal.

    Args:
        s: cosines, any shape; outside [-1, 1] the density is 0.
        d: dimension of the space, >= 2. (In one dimension the cosine is ±1 and has no density.)

    Returns:
        The density, of the shape of s; for d = 2 it is infinite at ±1.

    Raises:
        ValueError: s is not finite numbers, or d < 2.

    Source:
        The angle's density, $\propto \sin^{d-2}\theta$: Cai, Fan, Jiang (2013), Distributions of angles in
        random packing on spheres, arXiv:1306.0256; here of its cosine. It is SciPy's Beta distribution of (1
        + s)/2 with both parameters (d - 1)/2, to which the tests compare it.

    Examples:
        >>> cosine_density([0.0, 0.5], d=3).round(6).tolist()  # uniform, as Archimedes knew
        [0.5, 0.5]
        >>> cosine_density([0.0, 0.5], d=128).round(4).tolist()
        [4.487, 0.0]
    """
    s = floats("s", s).astype(np.float64)
    d = whole("d", d, least=2)
    log_scale = _log_scale(d)
    inside = np.abs(s) <= 1
    # (1 - s)(1 + s) keeps digits near the ends.
    with np.errstate(divide="ignore"):
        log_base = np.log(np.where(inside, (1 - s) * (1 + s), 1.0))
    exponent = (d - 3) / 2
    log_power = exponent * log_base if exponent else np.zeros_like(s)
    density: Float64 = np.where(inside, np.exp(log_scale + log_power), 0.0)
    return density


def cosine_cdf(s: ArrayLike, d: int) -> Float64:
    r"""Probability that the cosine of two random directions is at most s, $F(s) = \int_{-1}^{s} p(t)\,dt$.

    p is `cosine_density`; by symmetry F(-s) = 1 - F(s).

    Args:
        s: cosines, any shape.
        d: dimension, >= 2.

    Returns:
        Probabilities of the shape of s.

    Raises:
        ValueError: s is not finite numbers, or d < 2.

    Source:
        Derived here: the integral of `cosine_density`; SciPy's Beta distribution in the tests.

    Examples:
        >>> cosine_cdf([0.0, 0.5], d=3).round(6).tolist()
        [0.5, 0.75]
    """
    s = floats("s", s).astype(np.float64)
    edges, below = _table(whole("d", d, least=2))
    angle = np.clip(np.arccos(np.minimum(np.abs(s), 1.0)), edges[0], edges[-1])
    panel = np.clip(np.searchsorted(edges, angle, side="right") - 1, 0, _PANELS - 1)
    tail = np.minimum(below[panel] + _mass(edges[panel], angle, d), 0.5)
    probability: Float64 = np.where(s < 0, tail, 1.0 - tail)
    return probability


def cosine_quantiles(p: ArrayLike, d: int) -> Float64:
    """Cosine that a random pair of directions stays below with probability p, $F^{-1}(p)$.

    The inverse of `cosine_cdf`, F. `cosine_quantiles((arange(k) + 0.5) / k, d)` are k similarities that
    stand for k random negatives, the same at every call.

    Args:
        p: probabilities in [0, 1], any shape.
        d: dimension, >= 2.

    Returns:
        Cosines in [-1, 1], of the shape of p.

    Raises:
        ValueError: p leaves [0, 1], or d < 2.

    Source:
        Derived here: `cosine_cdf` inverted by Newton's method; SciPy's Beta distribution in the tests.

    Examples:
        >>> cosine_quantiles([0.5, 0.75, 1.0], d=3).round(6).tolist()
        [0.0, 0.5, 1.0]
    """
    p = floats("p", p).astype(np.float64)
    d = whole("d", d, least=2)
    if p.min() < 0 or p.max() > 1:
        raise ValueError(f"p must lie in [0, 1], got values from {p.min()} to {p.max()}")
    edges, below = _table(d)
    # The smaller tail, where a large cosine is a small angle; the other is its mirror image.
    wanted = np.minimum(p, 1.0 - p)
    panel = np.clip(np.searchsorted(below, wanted, side="right") - 1, 0, _PANELS - 1)
    low, high = edges[panel], edges[panel + 1]
    start = low
    share = (wanted - below[panel]) / np.maximum(below[panel + 1] - below[panel], 1e-300)
    angle = low + np.clip(share, 0.0, 1.0) * (high - low)
    # Newton, kept inside a bracket; it doubles the digits each time, so 1e-9 is followed by the last.
    for _ in range(60):
        excess = below[panel] + _mass(start, angle, d) - wanted
        low, high = np.where(excess < 0, angle, low), np.where(excess < 0, high, angle)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = angle - excess / _angle_density(angle, d)
        following = np.where((step >= low) & (step <= high), step, 0.5 * (low + high))
        moved = np.abs(following - angle).max()
        angle = following
        if moved < 1e-9:
            break
    cosines: Float64 = np.where(wanted == 0, 1.0, np.cos(angle)) * np.where(p < 0.5, -1.0, 1.0)
    return cosines


def log_mean_exp(kappa: float, d: int, *, below_most: bool = False) -> float:
    r"""$\log\mathbb{E}\,e^{\kappa s}$, s the cosine of two random directions in d dimensions.

    With $I_\nu$ the modified Bessel function and $\nu = d/2 - 1$ it is

    $$\log\Big[\Gamma(d/2)\,\Big(\frac2\kappa\Big)^{\nu} I_\nu(\kappa)\Big];$$

    about $\kappa^2/(2d)$ when κ is small beside d; $\log I_0(\kappa)$ for d = 2 and
    $\log(\sinh\kappa/\kappa)$ for d = 3.

    Args:
        kappa: >= 0, at most 1e301.
        d: dimension, >= 1.
        below_most: return $\log\mathbb{E}\,e^{\kappa(s - 1)}$, which keeps its digits when κ is large.

    Returns:
        nats, from 0 at κ = 0 to at most κ; with `below_most` at most 0.

    Raises:
        ValueError: kappa is negative, not finite or above 1e301, or d < 1.

    Source:
        Mardia & Jupp (2000), Directional statistics: the normalising constant of the von Mises-Fisher
        distribution. By an integral over the angle here, by Bessel functions in the tests.

    Examples:
        >>> round(log_mean_exp(2.0, d=3), 6), round(math.log(math.sinh(2.0) / 2.0), 6)
        (0.59522, 0.59522)
    """
    kappa = float(floats("kappa", kappa, ndim=0))
    if kappa < 0:
        raise ValueError(f"kappa must be >= 0, got {kappa}")
    if kappa > 1e301:
        raise ValueError(f"kappa must be at most 1e301, got {kappa}")
    d = whole("d", d, least=1)
    shift = 0.0 if below_most else kappa
    if d == 1:
        return shift + math.log1p(math.exp(-2 * kappa)) - math.log(2)
    angle, width = _panels(d, kappa, _PANELS)
    log_density = _log_angle_density(angle, d)
    # s - 1 = -2 sin²(θ/2) keeps its digits where it matters.
    exponent = log_density - 2 * kappa * np.sin(angle / 2) ** 2
    top = exponent.max()
    return shift + float(top + np.log(np.sum(width * np.exp(exponent - top))))


def nodes(d: int, panels: int = _PANELS) -> tuple[Float64, Float64]:
    r"""Cosines and weights that turn an expectation over random pairs into a sum, $\sum_k w_k f(s_k)$.

    Args:
        d: dimension, >= 1 (for 1 the cosine is ±1).
        panels: panels of 16 nodes each.

    Returns:
        Cosines (K,), falling, and weights (K,) that sum to 1.

    Raises:
        ValueError: d < 1 or panels < 1.

    Source:
        Golub & Welsch (1969), Calculation of Gauss quadrature rules: their nodes on panels of the angle,
        times its density.

    Examples:
        >>> s, weight = nodes(8)
        >>> round(float(weight @ s**2), 12)  # the variance, 1/d
        0.125
    """
    d = whole("d", d, least=1)
    if d == 1:
        return np.array([1.0, -1.0]), np.array([0.5, 0.5])
    angle, width = _panels(d, 0.0, whole("panels", panels, least=1))
    weights = width * np.exp(_log_angle_density(angle, d))
    return np.cos(angle), weights / weights.sum()


def _range(d: int, kappa: float) -> tuple[float, float]:
    """Angles that hold all but 1e-30 of exp(kappa cos θ) sin(θ)^(d-2)."""
    m = d - 2
    # The mode solves kappa sin²θ = m cos θ; without a tilt it is a right angle.
    cosine = 2 * kappa / (m + math.hypot(m, 2 * kappa)) if kappa else 0.0
    sine_squared = m * (cosine / kappa) if cosine > 0.5 else 1 - cosine**2
    mode = math.atan2(math.sqrt(sine_squared), cosine)
    curvature = kappa * cosine + (m / sine_squared if m else 0.0)
    reach = _REACH / math.sqrt(curvature) if curvature > 0 else math.pi
    return max(0.0, mode - reach), min(math.pi, mode + reach)


def _panels(d: int, kappa: float, panels: int) -> tuple[Float64, Float64]:
    edges = np.linspace(*_range(d, kappa), panels + 1)
    half = np.diff(edges)[:, None] / 2
    return (edges[:-1, None] + half * (1 + _X)).ravel(), (half * _W).ravel()


def _log_angle_density(angle: Float64, d: int) -> Float64:
    if d == 2:
        return np.full_like(angle, _log_scale(d))
    cosine = np.cos(angle)
    with np.errstate(divide="ignore"):
        # Near a right angle the sine is 1 but for digits that only its cosine has.
        log_sine = np.where(np.abs(cosine) < 0.5, 0.5 * np.log1p(-(cosine**2)), np.log(np.sin(angle)))
    result: Float64 = _log_scale(d) + (d - 2) * log_sine
    return result


def _log_scale(d: int) -> float:
    r"""$\log\Gamma(d/2) - \log\Gamma((d-1)/2) - \tfrac12\log\pi$, by its series for large d."""
    if d < 200:
        return math.lgamma(d / 2) - math.lgamma((d - 1) / 2) - 0.5 * math.log(math.pi)
    x = (d - 1) / 2
    return 0.5 * math.log(x / math.pi) - 1 / (8 * x) + 1 / (192 * x**3) - 1 / (640 * x**5)


def _angle_density(angle: Float64, d: int) -> Float64:
    density: Float64 = np.exp(_log_angle_density(angle, d))
    return density


def _mass(start: Float64, end: Float64, d: int) -> Float64:
    """Probability between two angles that lie within one panel."""
    half = (end - start)[..., None] / 2
    return np.asarray((half * _W * _angle_density(start[..., None] + half * (1 + _X), d)).sum(axis=-1))


def _table(d: int) -> tuple[Float64, Float64]:
    """Panel edges (angles) and the probability below each."""
    edges = np.linspace(*_range(d, 0.0), _PANELS + 1)
    below = np.concatenate([[0.0], np.cumsum(_mass(edges[:-1], edges[1:], d))])
    return edges, below / below[-1]
