"""Softmax regression with an L2 penalty, by Newton steps whose systems conjugate gradients solve."""

from __future__ import annotations

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
HALVINGS = 40


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

    Nothing is drawn: Newton steps from W = 0, each system solved by preconditioned conjugate
    gradients. They end when no entry of the gradient of the objective divided by N exceeds 1e-10
    nats, nor 1e-8 of the largest entry of the penalty's part unless rounding hides the rest. For this
    the features are centred and divided by their largest entry, which changes the bias and the unit
    of W alone.

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
        logits = matmul(self.x, theta.T)
        logits -= logits.max(axis=1, keepdims=True)
        p: Float64 = np.exp(logits)
        total = p.sum(axis=1, keepdims=True)
        p /= total
        own = np.einsum("nk,nk->n", logits, self.truth)
        loss = float(np.mean(np.log(total[:, 0]) - own))
        return loss + 0.5 * self.penalty * float(np.sum(theta[:, :-1] ** 2)), p

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
    for step in range(NEWTON_STEPS):
        size = float(np.abs(grad).max())
        pull = problem.penalty * float(np.abs(theta[:, :-1]).max())
        if size <= (min(TOLERANCE, BESIDE_PENALTY * pull) if pull > 0 else TOLERANCE):
            return theta, value, size, step
        direction = _conjugate_gradients(problem, p, -grad)
        slope = float(np.sum(grad * direction))
        length = 1.0
        for _ in range(HALVINGS):
            trial = theta + length * direction
            new_value, new_p = problem.value(trial)
            new_grad = problem.gradient(trial, new_p)
            # Near the minimum the value's last digits decide nothing; there the gradient must shrink.
            flat = abs(new_value - value) <= 1e-13 * max(1.0, abs(value))
            falls = new_value <= value + 1e-4 * length * slope
            if (float(np.abs(new_grad).max()) < size) if flat else falls:
                break
            length /= 2
        else:
            break
        stalled = size <= TOLERANCE and float(np.abs(new_grad).max()) > 0.5 * size
        theta, value, p, grad = trial, new_value, new_p, new_grad
        if stalled:
            break
    size = float(np.abs(grad).max())
    if size <= TOLERANCE:
        return theta, value, size, step
    raise ValueError(
        f"l2 must be larger, or the units of z more alike: the gradient stays at {size:.1e}, "
        f"wanted {TOLERANCE:.0e}"
    )


def _conjugate_gradients(problem: _Problem, p: Float64, right: Float64) -> Float64:
    """Solve the Newton system as far as pays: the residual falls by the root of its size, at least by half.

    The constant that all biases may share is a null direction of the system. Only rounding puts some of
    it into `right`; it is taken out at every step, lest the system blow it up.
    """
    right = _without_constant(right)
    inverse = 1.0 / problem.diagonal(p)
    norm = float(np.sqrt(np.sum(right**2)))
    wanted = norm * min(0.5, norm**0.5)
    solution = np.zeros_like(right)
    residual = right.copy()
    prepared = _without_constant(inverse * residual)
    direction = prepared
    energy = float(np.sum(residual * prepared))
    for _ in range(max(200, 2 * right.size)):
        product = problem.curvature(p, direction)
        bend = float(np.sum(direction * product))
        if bend <= 0:  # rounding alone: the matrix has no negative direction
            break
        step = energy / bend
        solution += step * direction
        residual -= _without_constant(step * product)
        if float(np.sqrt(np.sum(residual**2))) <= wanted:
            break
        prepared = _without_constant(inverse * residual)
        following = float(np.sum(residual * prepared))
        direction = prepared + (following / energy) * direction
        energy = following
    return solution if solution.any() else _without_constant(inverse * right)


def _without_constant(theta: Float64) -> Float64:
    """Return theta (K, d + 1) with biases that sum to 0."""
    result = theta.copy()
    result[:, -1] -= result[:, -1].mean()
    return result
