"""Softmax regression with an L2 penalty: Newton steps, whose systems conjugate gradients solve."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim_engine._check import positive, rows
from sim_engine._matmul import matmul
from sim_engine.metrics._labels import label_array

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

# Largest entry of the gradient of the mean loss at which the minimum counts as found ...
TOLERANCE = 1e-10
# ... once it is also so small beside the penalty's part, or as small as rounding lets it be.
BESIDE_PENALTY = 1e-8
NEWTON_STEPS = 200
# Share of a system's residual at which it counts as solved.
CLOSE = 1e-8
SEARCH_STEPS = 40
# Entries of all blocks of the Hessian together, 128 MiB, above which its diagonal must do ...
BLOCK_ENTRIES = 2**24
# ... and what is added to a block's diagonal of ones.
BLOCK_RIDGE = 1e-11


class SoftmaxRegression(NamedTuple):
    """A fitted linear classifier.

    Attributes:
        weights: (K, d), logits per unit of feature.
        bias: (K,), sums to 0.
        classes: (K,), the labels, rising.
        value: the minimised objective, in nats.
        gradient: largest entry of its gradient, as `softmax_regression` measures it.
        steps: Newton steps taken.
    """

    weights: Float64
    bias: Float64
    classes: Int64
    value: float
    gradient: float
    steps: int

    def probabilities(self, z: ArrayLike) -> Float64:
        """Return the probability of each class for each row, (N, K).

        Raises:
            ValueError: z is not a finite (N, d) array of the fitted d.
        """
        log_p = self._logits(z)
        log_p -= log_p.max(axis=1, keepdims=True)
        p: Float64 = np.exp(log_p)
        p /= p.sum(axis=1, keepdims=True)
        return p

    def predict(self, z: ArrayLike) -> Int64:
        """Return the most probable label of each row, (N,); of equals, the smallest label.

        Raises:
            ValueError: as `probabilities`.
        """
        labels: Int64 = self.classes[self._logits(z).argmax(axis=1)]
        return labels

    def _logits(self, z: ArrayLike) -> Float64:
        array = rows("z", z).astype(np.float64)
        if array.shape[1] != self.weights.shape[1]:
            raise ValueError(f"z must have rows of length {self.weights.shape[1]}, got {array.shape[1]}")
        return matmul(array, self.weights.T) + self.bias


def softmax_regression(z: ArrayLike, labels: ArrayLike, *, l2: float = 1.0) -> SoftmaxRegression:
    r"""Minimise the cross-entropy of a linear classifier with a penalty on its weights.

    $$\min_{W, b}\ -\sum_{i=1}^{N}
    \log\frac{\exp(w_{l_i}\cdot z_i + b_{l_i})}{\sum_k \exp(w_k\cdot z_i + b_k)}
    + \frac{\lambda}{2}\sum_{k=1}^{K}\lVert w_k\rVert^2$$

    The bias bears no penalty, and the minimum is unique but for a constant that may be added to all
    of b; here b sums to 0. It is scikit-learn's `LogisticRegression(C=1 / l2)` for three classes and
    more. For two, scikit-learn has one vector v in place of $w_1 - w_0$ and punishes
    $\lVert v\rVert^2$, which here costs $\lVert v\rVert^2/2$: its equal is C = 2 / l2. With
    scikit-learn's own tolerance at 1e-11 the two agree to 1e-6 of the largest weight or better.

    Nothing is drawn: Newton steps from W = 0, each system solved by conjugate gradients that the
    Hessian's blocks of one class prepare. They end when no entry of the gradient of the objective
    divided by N exceeds 1e-10 nats, nor 1e-8 of the largest entry of the penalty's part unless
    rounding hides the rest. For this the features are centred and divided by their largest entry,
    which changes the bias and the unit of W alone.

    Args:
        z: features, (N, d), taken as they are; standardise them first if their units differ.
        labels: (N,), whole numbers, at least two different ones.
        l2: λ, > 0.

    Returns:
        `SoftmaxRegression`, computed in float64.

    Raises:
        ValueError: shapes do not fit, fewer than two classes, l2 <= 0, or so small a penalty that
            rounding hides the minimum.

    Source:
        Newton's method with inexact steps: Dembo, Eisenstat, Steihaug (1982), Inexact Newton methods.

    Examples:
        >>> model = softmax_regression([[0.0], [1.0], [4.0], [5.0]], [7, 7, 3, 3])
        >>> model.predict([[2.0], [3.0]]).tolist()
        [7, 3]
    """
    features = rows("z", z).astype(np.float64)
    known = label_array("labels", labels, len(features))
    classes, index = np.unique(known, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(f"labels must hold at least 2 classes, got {classes[0]} alone")
    l2 = positive("l2", l2)
    mean, scale, x = _standard(features)
    # Features that differ by rounding alone may have no weight at all; any huge penalty says so.
    problem = _Problem(x, index, len(classes), min(l2 / len(x) / scale / scale, 1e300))
    theta, value, gradient, steps = _newton(problem)
    weights = theta[:, :-1] / scale
    bias = theta[:, -1] - np.einsum("kd,d->k", weights, mean)
    return SoftmaxRegression(weights, bias - bias.mean(), classes, value * len(x), gradient, steps)


def _standard(z: Float64) -> tuple[Float64, float, Float64]:
    """Return the mean (d,), the largest entry about it, and rows (N, d + 1): centred, scaled, and a 1."""
    largest = float(np.abs(z).max()) or 1.0
    mean = (z / largest).mean(axis=0) * largest  # no sum overflows
    if largest > 1e150 or 0 < largest < 1e-150:
        raise ValueError(f"z must have its largest entry from 1e-150 to 1e150 in size, got {largest:.3g}")
    centred = z - mean
    scale = float(np.abs(centred).max()) or 1.0
    return mean, scale, np.concatenate([centred / scale, np.ones((len(z), 1))], axis=1)


class _Problem:
    """The objective divided by N, of theta (K, d + 1) whose last column is the bias."""

    def __init__(self, x: Float64, index: NDArray[np.intp], count: int, penalty: float) -> None:
        self.x, self.penalty = x, penalty
        self.truth = np.zeros((len(x), count))
        self.truth[np.arange(len(x)), index] = 1.0

    def value(self, theta: Float64) -> tuple[float, Float64]:
        """Return the value and the probabilities (N, K)."""
        loss, p = self.loss(matmul(self.x, theta.T))
        return loss + 0.5 * self.penalty * float(np.sum(theta[:, :-1] ** 2)), p

    def loss(self, logits: Float64) -> tuple[float, Float64]:
        """Return the mean cross-entropy of the logits (N, K), and their probabilities."""
        logits = logits - logits.max(axis=1, keepdims=True)
        p: Float64 = np.exp(logits)
        total = p.sum(axis=1, keepdims=True)
        p /= total
        own = np.einsum("nk,nk->n", logits, self.truth)
        return float(np.mean(np.log(total[:, 0]) - own)), p

    def gradient(self, theta: Float64, p: Float64) -> Float64:
        """Return the gradient (K, d + 1) where `value` gave the probabilities p."""
        grad = matmul((p - self.truth).T, self.x) / len(self.x)
        grad[:, :-1] += self.penalty * theta[:, :-1]
        return grad

    def curvature(self, p: Float64, v: Float64) -> Float64:
        """Return the Hessian times v, both (K, d + 1)."""
        logits = matmul(self.x, v.T)
        logits -= np.einsum("nk,nk->n", p, logits)[:, None]
        logits *= p
        product = matmul(logits.T, self.x) / len(self.x)
        product[:, :-1] += self.penalty * v[:, :-1]
        return product

    def diagonal(self, p: Float64) -> Float64:
        """Return the Hessian's diagonal, (K, d + 1)."""
        diagonal = matmul((p * (1 - p)).T, self.x**2) / len(self.x)
        diagonal[:, :-1] += self.penalty
        return np.maximum(diagonal, 1e-14 * float(diagonal.max()) + 1e-300)


def _newton(problem: _Problem) -> tuple[Float64, float, float, int]:
    theta = np.zeros((problem.truth.shape[1], problem.x.shape[1]))
    value, p = problem.value(theta)
    grad = problem.gradient(theta, p)
    prepare = _preparation(problem, p)
    products = 0  # made with this preparation
    for step in range(NEWTON_STEPS):
        size = float(np.abs(grad).max())
        pull = problem.penalty * float(np.abs(theta[:, :-1]).max())
        if size <= (min(TOLERANCE, BESIDE_PENALTY * pull) if pull > 0 else TOLERANCE):
            return theta, value, size, step
        # A preparation made at an earlier theta still serves; a new one costs about half as many
        # products as there are features.
        if step and 4 * products > theta.shape[1]:
            prepare, products = _preparation(problem, p), 0
        direction, made = _conjugate_gradients(problem, p, -grad, prepare)
        products += made
        theta = theta + _length(problem, theta, value, grad, direction) * direction
        value, p = problem.value(theta)
        grad = problem.gradient(theta, p)
        if size <= TOLERANCE and float(np.abs(grad).max()) > 0.5 * size:
            break  # rounding hides the rest
    size = float(np.abs(grad).max())
    if size <= TOLERANCE:
        return theta, value, size, step
    raise ValueError(
        f"l2 must be larger, or the units of z more alike: the gradient stays at {size:.1e}, "
        f"wanted {TOLERANCE:.0e}"
    )


def _length(problem: _Problem, theta: Float64, value: float, grad: Float64, direction: Float64) -> float:
    """Return how far to go: to where the slope is a tenth of the first or less, and the value has fallen.

    The objective along a line is convex, and its logits are two products, made once: Newton's method in
    one variable, kept between the lengths at which the slope was seen to be below and above 0.
    """
    first = float(np.sum(grad * direction))
    # Near the minimum the value's last digits decide nothing, and Newton's own length is best.
    rounding = 1e-13 * max(1.0, abs(value))
    if -first <= rounding:
        return 1.0
    logits, along = matmul(problem.x, theta.T), matmul(problem.x, direction.T)
    own = np.einsum("nk,nk->n", problem.truth, along)
    weights, change = theta[:, :-1], direction[:, :-1]
    inner, square = float(np.sum(weights * change)), float(np.sum(change**2))
    low, high, length = 0.0, np.inf, 1.0
    for _ in range(SEARCH_STEPS):
        loss, p = problem.loss(logits + length * along)
        mean = np.einsum("nk,nk->n", p, along)
        slope = float(np.mean(mean - own)) + problem.penalty * (inner + length * square)
        here = loss + 0.5 * problem.penalty * float(np.sum((weights + length * change) ** 2))
        falls = here <= value + 1e-4 * length * first + rounding
        if falls and abs(slope) <= 0.1 * abs(first):
            break
        low, high = (length, high) if slope < 0 else (low, length)
        bend = float(np.mean(np.einsum("nk,nk->n", p, along**2) - mean**2)) + problem.penalty * square
        length = length - slope / bend if bend > 0 else low
        if not low < length < high:
            length = 2 * low if np.isinf(high) else (low + high) / 2
    return length


def _preparation(problem: _Problem, p: Float64) -> Callable[[Float64], Float64]:
    """Return what conjugate gradients take in place of the inverse Hessian at probabilities p (N, K).

    The Hessian's blocks of one class each, inverted; where there are fewer rows than features, or the
    blocks would be too large, its diagonal. Either way what all classes share is taken out: there the
    Hessian holds the penalty alone, whose inverse would drown all else.
    """
    diagonal = problem.diagonal(p)
    count, width = diagonal.shape
    if len(problem.x) < width or count * width * width > BLOCK_ENTRIES:
        return lambda residual: _without_shared(residual / diagonal)
    scale = 1.0 / np.sqrt(diagonal)
    # At the start all classes are as probable, and one block is all of them.
    different = 1 if (p == p[:, :1]).all() else count
    inverse = np.empty((different, width, width))
    at = np.arange(width)
    for k in range(different):
        weighted = problem.x * np.sqrt(p[:, k] * (1 - p[:, k]) / len(p))[:, None]
        block = matmul(weighted.T, weighted)
        block[at[:-1], at[:-1]] += problem.penalty
        # To a diagonal of ones, with a little more: so it has an inverse, whatever the units.
        unit = scale[k][:, None] * scale[k]
        block *= unit
        block[at, at] = 1 + BLOCK_RIDGE
        inverse[k] = np.linalg.inv(block) * unit
    return lambda residual: _without_shared(np.matmul(inverse, residual[:, :, None])[:, :, 0])


def _conjugate_gradients(
    problem: _Problem, p: Float64, right: Float64, prepare: Callable[[Float64], Float64]
) -> tuple[Float64, int]:
    """Solve the Newton system as far as pays: the residual falls by the root of its size, at least by half.

    A constant that all biases share is a null direction of the system, and weights that all classes share
    are nearly one. Only rounding puts some of either into `right`; it is taken out at every step, lest
    the system blow it up. For the same reason no residual is asked to fall below `CLOSE` of its size.

    Returns:
        The solution (K, d + 1), and how many products with the Hessian it took.
    """
    right = _without_shared(right)
    norm = float(np.sqrt(np.sum(right**2)))
    wanted = norm * min(0.5, max(norm**0.5, CLOSE))
    solution = np.zeros_like(right)
    residual = right.copy()
    prepared = prepare(residual)
    direction = prepared
    energy = float(np.sum(residual * prepared))
    made = 0
    for _ in range(2 * right.size):  # without rounding as many as there are unknowns would do
        product = problem.curvature(p, direction)
        made += 1
        bend = float(np.sum(direction * product))
        if min(bend, energy) <= 0:  # rounding alone: neither matrix has a negative direction
            break
        step = energy / bend
        solution += step * direction
        residual -= _without_shared(step * product)
        if float(np.sqrt(np.sum(residual**2))) <= wanted:
            break
        prepared = prepare(residual)
        following = float(np.sum(residual * prepared))
        direction = prepared + (following / energy) * direction
        energy = following
    return (solution if solution.any() else prepare(right)), made


def _without_shared(theta: Float64) -> Float64:
    """Return theta (K, d + 1) less its mean over the classes."""
    apart: Float64 = theta - theta.mean(axis=0)
    return apart
