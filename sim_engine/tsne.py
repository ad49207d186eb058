"""t-SNE: a picture whose near points are near in many dimensions (van der Maaten & Hinton 2008), exact."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim_engine._check import floats, generator, positive, rows, whole
from sim_engine._matmul import gram, matmul

__all__ = ["KL", "TsneStep", "joint_probabilities", "kl_divergence", "tsne", "tsne_steps"]

Float64 = NDArray[np.float64]

# The entropy of each row's neighbours is met to this many nats.
ENTROPY_TOLERANCE = 1e-10
BISECTIONS = 200
# Momentum before and after the early phase, the gains' bounds: section 3.4 and Jacobs (1988).
MOMENTUM = (0.5, 0.8)
GAIN_UP, GAIN_DOWN, LEAST_GAIN = 0.2, 0.8, 0.01
START_SPREAD = 1e-4


class KL(NamedTuple):
    """`kl_divergence`'s answer: `value` in nats, `grad` (N, d) in y."""

    value: float
    grad: Float64


class TsneStep(NamedTuple):
    """One moment of the descent.

    Attributes:
        step: from 0, the start.
        y: (N, d), the picture, its mean at 0.
        kl: divergence of P from Q in nats, without the exaggeration.
        exaggerated: whether the step that follows still exaggerates.
    """

    step: int
    y: Float64
    kl: float
    exaggerated: bool


def joint_probabilities(x: ArrayLike, perplexity: float = 30.0) -> Float64:
    r"""How near each pair is: Gaussian neighbours of equal perplexity, symmetrised.

    $$p_{j|i} = \frac{\exp(-\beta_i\lVert x_i - x_j\rVert^2)}
    {\sum_{k \ne i}\exp(-\beta_i\lVert x_i - x_k\rVert^2)},\qquad p_{ij} = \frac{p_{j|i} + p_{i|j}}{2N}$$

    with $\beta_i = 1/(2\sigma_i^2)$ by bisection, so that $-\sum_j p_{j|i}\log p_{j|i}$ is the logarithm
    of the perplexity within 1e-10 nats. Where more neighbours than that lie equally near, the row is
    its limit, uniform over these.

    Args:
        x: (N, D), N >= 3, any unit: the scale does not matter. Rows closer to each other than about
            6e-8 of their distance from the mean count as equal.
        perplexity: effective number of neighbours, > 1 and < N - 1.

    Returns:
        P, (N, N), symmetric, 0 on the diagonal, sums to 1.

    Raises:
        ValueError: x is not a finite (N, D) array, N < 3, or perplexity is out of range.

    Source:
        van der Maaten & Hinton (2008), Visualizing data using t-SNE, JMLR 9, eq. 1 and section 3.1.

    Examples:
        >>> p = joint_probabilities([[0.0], [1.0], [10.0], [11.0]], 1.5)
        >>> bool(p[0, 1] > 10 * p[0, 2])
        True
    """
    x = rows("x", x)
    n = len(x)
    if n < 3:
        raise ValueError(f"x must hold at least 3 rows, got {n}")
    perplexity = positive("perplexity", perplexity)
    if not 1 < perplexity < n - 1:
        raise ValueError(
            f"perplexity must lie between 1 and N - 1 = {n - 1}, both excluded, got {perplexity}"
        )
    conditional = _conditional(_squared_distances(x), math.log(perplexity))
    return (conditional + conditional.T) / (2 * n)


def kl_divergence(p: ArrayLike, y: ArrayLike) -> KL:
    r"""Divergence of the picture's neighbours from the data's, and its gradient.

    $$q_{ij} = \frac{(1 + \lVert y_i - y_j\rVert^2)^{-1}}{\sum_{k \ne l}(1 + \lVert y_k - y_l\rVert^2)^{-1}},
    \qquad \mathrm{KL}(P\Vert Q) = \sum_{i \ne j} p_{ij}\log\frac{p_{ij}}{q_{ij}}$$

    $$\frac{\partial\,\mathrm{KL}}{\partial y_i}
    = 4\sum_j (p_{ij} - q_{ij})(1 + \lVert y_i - y_j\rVert^2)^{-1}(y_i - y_j)$$

    Args:
        p: (N, N), symmetric, >= 0, sums to 1; the diagonal is not read.
        y: the picture, (N, d), entries up to 1e100 in size.

    Returns:
        `KL`: nats, >= 0 but for rounding, and the gradient (N, d).

    Raises:
        ValueError: p is not such a matrix, or y is not a finite (N, d) array.

    Source:
        van der Maaten & Hinton (2008), eq. 4, 5 and appendix A.

    Examples:
        >>> kl = kl_divergence([[0, 0.5], [0.5, 0]], [[0.0], [3.0]])  # two points have one pair
        >>> round(kl.value, 6), kl.grad.tolist()
        (0.0, [[0.0], [0.0]])
    """
    picture = _picture("y", y)
    joint = _joint(p, len(picture))
    value, grad = _descend(joint, picture, 1.0, _entropy_term(joint))
    return KL(value, grad)


def tsne_steps(
    x: ArrayLike,
    d: int = 2,
    *,
    rng: np.random.Generator | None = None,
    init: ArrayLike | None = None,
    perplexity: float = 30.0,
    steps: int = 1000,
    exaggeration: float = 12.0,
    early: int = 250,
    learning_rate: float | None = None,
) -> Iterator[TsneStep]:
    r"""Descend from a small cloud or from given positions, and yield every step, the start included.

    $$\gamma \leftarrow \begin{cases}\gamma + 0.2 & \text{gradient and last step disagree in sign}\\
    0.8\,\gamma & \text{else}\end{cases}\qquad
    \Delta \leftarrow \mu\,\Delta - \eta\,\gamma\,\frac{\partial}{\partial y}\mathrm{KL}(cP\Vert Q),
    \qquad y \leftarrow y + \Delta$$

    each coordinate with its own gain γ (at least 0.01). For the first `early` steps the attraction is
    exaggerated, c > 1, and μ = 0.5; then c = 1 and μ = 0.8. A step that shrinks the distance along its
    own direction is what the disagreement in sign means: the gradient points uphill.

    The paper has c = 4 for 50 steps and η = 100. The defaults are scikit-learn's, whose rate follows
    Belkina et al. (2019): N / (4c), at least 50.

    Args:
        x: (N, D), N >= 3.
        d: dimensions of the picture, >= 1.
        rng: draws the start, normal with spread 1e-4. Give this or `init`.
        init: the start, (N, d), used as it is but for its mean; `pca(x, 2).scores` scaled to a spread of
            1e-4 keeps the data's own order.
        perplexity: as in `joint_probabilities`.
        steps: >= 0.
        exaggeration: c, from 1 to 1e100.
        early: steps with exaggeration, >= 0.
        learning_rate: η, > 0; None for N / (4c), at least 50.

    Yields:
        `TsneStep`, steps + 1 of them; each y is an array of its own.

    Raises:
        ValueError: an argument is out of range, both or neither of `rng` and `init` are given, or the
            descent diverges (the learning rate is too large). Arguments are checked at the call.

    Source:
        van der Maaten & Hinton (2008), algorithm 1 and section 3.4; gains: Jacobs (1988).

    Examples:
        >>> last = list(tsne_steps([[0.0], [1], [8], [9]], init=[[1, 0], [0, 1], [1, 1], [0, 0]],
        ...     perplexity=1.5, steps=50, early=0, learning_rate=1.0))[-1]
        >>> last.step, last.kl < 0.2
        (50, True)
    """
    joint = joint_probabilities(x, perplexity)
    n, d = len(joint), whole("d", d, least=1)
    steps, early = whole("steps", steps, least=0), whole("early", early, least=0)
    exaggeration = positive("exaggeration", exaggeration)
    if exaggeration > 1e100:
        raise ValueError(f"exaggeration must be at most 1e+100, got {exaggeration}")
    if exaggeration < 1:
        raise ValueError(f"exaggeration must be at least 1 (1 is none), got {exaggeration}")
    rate = (
        max(50.0, n / exaggeration / 4) if learning_rate is None else positive("learning_rate", learning_rate)
    )
    y = _start(n, d, rng, init)
    return _iterate(joint, y, steps, exaggeration, early, rate)


def tsne(x: ArrayLike, d: int = 2, **settings: Any) -> Float64:
    r"""Return the last picture of `tsne_steps`, $y$ after all steps down $\mathrm{KL}(P\Vert Q)$.

    Args:
        x: (N, D), N >= 3.
        d: dimensions of the picture.
        settings: as `tsne_steps`; `rng` or `init` is needed.

    Returns:
        y, (N, d), its mean at 0.

    Raises:
        ValueError: as `tsne_steps`.

    Source:
        van der Maaten & Hinton (2008), Visualizing data using t-SNE, JMLR 9, algorithm 1.

    Examples:
        >>> import numpy as np
        >>> x, start = [[0.0], [1], [2], [20], [21], [22]], np.random.default_rng(0)
        >>> y = tsne(x, rng=start, perplexity=2, learning_rate=1.0, steps=400, early=100)
        >>> bool(np.linalg.norm(y[0] - y[1]) < np.linalg.norm(y[0] - y[3]))
        True
    """
    *_, last = tsne_steps(x, d, **settings)
    return last.y


def _iterate(
    joint: Float64, y: Float64, steps: int, exaggeration: float, early: int, rate: float
) -> Iterator[TsneStep]:
    entropy = _entropy_term(joint)
    change, gain = np.zeros_like(y), np.ones_like(y)
    for step in range(steps + 1):
        exaggerated = step < early
        value, grad = _descend(joint, y, exaggeration if exaggerated else 1.0, entropy)
        yield TsneStep(step, y, value, exaggerated)
        if step == steps:
            return
        against = change * grad < 0
        gain = np.maximum(np.where(against, gain + GAIN_UP, gain * GAIN_DOWN), LEAST_GAIN)
        with np.errstate(over="ignore", invalid="ignore"):
            change = MOMENTUM[not exaggerated] * change - rate * gain * grad
            y = y + change
            y -= y.mean(axis=0)
            fine = bool((np.abs(y) < 1e100).all())
        if not fine:
            raise ValueError(
                f"learning_rate must be smaller: at {rate:g} step {step + 1} leaves all bounds, "
                f"with an exaggeration of {exaggeration if exaggerated else 1.0:g}"
            )


def _descend(joint: Float64, y: Float64, exaggeration: float, entropy: float) -> tuple[float, Float64]:
    """Return KL(P‖Q) and the gradient of KL(cP‖Q), of symmetric P without a diagonal."""
    squares = _pairwise(y)
    weight = 1.0 / (1.0 + squares)
    np.fill_diagonal(weight, 0.0)
    total = float(weight.sum())
    # Σ p log p - Σ p log w + log Σ w, with Σ p = 1.
    value = entropy + float(np.sum(joint * np.log1p(squares))) + math.log(total)
    force = exaggeration * joint
    force -= weight / total
    force *= weight
    grad: Float64 = force.sum(axis=1)[:, None] * y - matmul(force, y)
    grad *= 4.0
    return value, grad


def _pairwise(y: Float64) -> Float64:
    """Squared distances (N, N) of few columns, by their differences, which keeps all digits."""
    squares = np.zeros((len(y), len(y)))
    for column in y.T:
        difference = column[:, None] - column
        difference *= difference
        squares += difference
    return squares


def _entropy_term(joint: Float64) -> float:
    some = joint[joint > 0]
    return float(np.sum(some * np.log(some)))


def _squared_distances(x: NDArray[Any]) -> Float64:
    """Squared distances (N, N), each row in units of its own largest; 0 where all points coincide."""
    a = x.astype(np.float64)
    largest = float(np.abs(a).max()) or 1.0
    a = a / largest
    a -= a.mean(axis=0)
    a /= float(np.abs(a).max()) or 1.0
    square = np.einsum("id,id->i", a, a)
    distance: Float64 = np.maximum(square[:, None] + square - 2 * gram(a), 0.0)
    # Rounding leaves equal rows a little apart, which the bisection would take for a distance.
    distance[distance < 8 * np.finfo(np.float64).eps * (square[:, None] + square)] = 0.0
    widest = distance.max(axis=1, keepdims=True)
    distance /= np.where(widest > 0, widest, 1.0)
    return distance


def _conditional(distance: Float64, wanted: float) -> Float64:
    """Return p(j|i), (N, N), each row of the wanted entropy in nats; distances are at most 1."""
    n = len(distance)
    np.fill_diagonal(distance, np.inf)
    lead = distance - distance.min(axis=1, keepdims=True)
    np.fill_diagonal(lead, 0.0)  # finite; the neighbours' mask takes it out
    others = ~np.eye(n, dtype=bool)
    result = np.empty((n, n))
    beta, low, high = np.ones(n), np.zeros(n), np.full(n, np.inf)
    left = np.arange(n)
    for _ in range(BISECTIONS):
        exponent = lead[left] * beta[left, None]
        p = np.exp(-exponent) * others[left]
        total = p.sum(axis=1)
        p /= total[:, None]
        result[left] = p
        entropy = np.log(total) + np.einsum("ij,ij->i", p, exponent)
        wide = entropy > wanted
        low[left[wide]] = beta[left[wide]]
        high[left[~wide]] = beta[left[~wide]]
        left = left[np.abs(entropy - wanted) > ENTROPY_TOLERANCE]
        if not left.size:
            break
        middle = np.where(np.isinf(high[left]), 2 * beta[left], (low[left] + high[left]) / 2)
        beta[left] = middle
    return result


def _start(n: int, d: int, rng: np.random.Generator | None, init: ArrayLike | None) -> Float64:
    if (rng is None) == (init is None):
        raise ValueError("give either rng, which draws the start, or init, the start itself")
    if init is None:
        y = START_SPREAD * generator(rng).normal(size=(n, d)) if rng is not None else np.zeros((n, d))
    else:
        y = _picture("init", init)
        if y.shape != (n, d):
            raise ValueError(f"init must have shape {(n, d)}, got {y.shape}")
    start: Float64 = y - y.mean(axis=0)
    return start


def _picture(name: str, values: ArrayLike) -> Float64:
    y = rows(name, values).astype(np.float64)
    if (largest := float(np.abs(y).max())) > 1e100:
        raise ValueError(f"{name} must have entries up to 1e100 in size, got {largest:.3g}")
    return y


def _joint(p: ArrayLike, n: int) -> Float64:
    joint = floats("p", p, ndim=2).astype(np.float64)
    if joint.shape != (n, n) or n < 2:
        raise ValueError(f"p must have shape (N, N), at least 2 rows, for y of N = {n}, got {joint.shape}")
    np.fill_diagonal(joint, 0.0)
    if joint.min() < 0 or np.abs(joint - joint.T).max() > 1e-12 or abs(float(joint.sum()) - 1) > 1e-6:
        raise ValueError("p must be symmetric, >= 0 and sum to 1 off its diagonal; joint_probabilities is so")
    return joint
