"""DINO: the student matches the teacher's sharpened, centred softmax (Caron et al. 2021, eq. 2 to 4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import Array, floats, rows, temperature
from sim_engine.losses._guard import finite, same_shape, share

__all__ = ["DinoResult", "DinoTermResult", "dino", "dino_cross_entropy", "update_center"]


@dataclass(frozen=True, eq=False)
class DinoTermResult:
    """The loss of one pair of views and its gradient; the teacher's is exactly 0 and is not returned.

    Attributes:
        value: the loss, in nats.
        grad_student: (N, K), in the student's outputs.
    """

    value: float
    grad_student: Array


@dataclass(frozen=True, eq=False)
class DinoResult:
    """DINO's loss of two views, its gradients, and the centre for the next step.

    Attributes:
        value: the loss, in nats.
        grad_student_a, grad_student_b: (N, K), in the student's outputs; the teacher's are exactly 0.
        center: (K,), moved towards the mean of this step's teacher outputs.
    """

    value: float
    grad_student_a: Array
    grad_student_b: Array
    center: Array


def dino_cross_entropy(
    student: ArrayLike,
    teacher: ArrayLike,
    center: ArrayLike,
    *,
    tau_student: float = 0.1,
    tau_teacher: float = 0.04,
) -> DinoTermResult:
    r"""Cross-entropy of the student's softmax against the teacher's, averaged over rows.

    $$L = -\frac1N\sum_i\sum_{k=1}^{K}P^t_{ik}\log P^s_{ik}, \qquad
    P^s = \operatorname{softmax}\Big(\frac{s}{\tau_s}\Big), \qquad
    P^t = \operatorname{sg}\operatorname{softmax}\Big(\frac{t - c}{\tau_t}\Big)$$

    The gradient is $(P^s - P^t)/(N\tau_s)$. For more than two views add this over the pairs of a
    teacher's view and another view of the student's, and divide by their number.

    Args:
        student, teacher: outputs s and t, each (N, K), any unit; row i of both comes from image i.
        center: c, (K,), in the unit of t.
        tau_student, tau_teacher: temperatures, > 0, in the unit of the outputs; a teacher with the lower
            one is the sharper. The paper uses 0.1, and 0.04 (which it raises to 0.07 as it warms up).

    Returns:
        The loss in nats, at least the entropy of the teacher's softmax, and its gradient in the student's
        outputs, (N, K); that in the teacher's is exactly 0. float16 is computed in float32.

    Raises:
        ValueError: shapes differ, something is not finite, a temperature <= 0, or the loss or its
            gradient is too large for the dtype.

    Source:
        Caron et al. (2021), arXiv:2104.14294, eq. 1 to 3, the centre subtracted as in algorithm 1.

    Examples:
        >>> zero = [[0.0, 0.0, 0.0, 0.0]]
        >>> round(dino_cross_entropy(zero, zero, zero[0]).value, 6)  # log 4
        1.386294
    """
    s, t = same_shape(student=student, teacher=teacher)
    c = _center(center, t)
    tau_s, tau_t = _tau("tau_student", tau_student, s), _tau("tau_teacher", tau_teacher, t)
    value, grad = _term(s, t, c, tau_s, tau_t)
    finite(value, student=grad)
    return DinoTermResult(value, grad)


def dino(
    student_a: ArrayLike,
    student_b: ArrayLike,
    teacher_a: ArrayLike,
    teacher_b: ArrayLike,
    center: ArrayLike,
    *,
    tau_student: float = 0.1,
    tau_teacher: float = 0.04,
    center_momentum: float = 0.9,
) -> DinoResult:
    r"""Each view's student against the other view's teacher, half of each; then the centre moves.

    $$L = \tfrac12 H(t_a, s_b) + \tfrac12 H(t_b, s_a)$$

    with `dino_cross_entropy`, by the centre as it was before this step. Two collapses pull at each
    other: centring alone drives every softmax to uniform, where L = log K; sharpening alone lets one
    output win everywhere, where L goes to 0.

    Args:
        student_a, student_b: the student's outputs for two views, each (N, K).
        teacher_a, teacher_b: the teacher's outputs for the same views, each (N, K).
        center, tau_student, tau_teacher: as `dino_cross_entropy`.
        center_momentum: as `update_center`.

    Returns:
        The loss in nats, its gradients in the student's outputs, and the next centre.

    Raises:
        ValueError: as `dino_cross_entropy` and `update_center`.

    Source:
        Caron et al. (2021), arXiv:2104.14294, algorithm 1 and eq. 4.

    Examples:
        >>> out = [[1.0, 0.0]]
        >>> result = dino(out, out, out, out, [0.0, 0.0], tau_student=1.0, tau_teacher=1.0)
        >>> round(result.value, 6), [round(c, 6) for c in result.center.tolist()]
        (0.582203, [0.1, 0.0])
    """
    s_a, s_b, t_a, t_b = same_shape(
        student_a=student_a, student_b=student_b, teacher_a=teacher_a, teacher_b=teacher_b
    )
    c = _center(center, t_a)
    tau_s, tau_t = _tau("tau_student", tau_student, s_a), _tau("tau_teacher", tau_teacher, s_a)
    value_b, grad_b = _term(s_b, t_a, c, tau_s, tau_t)
    value_a, grad_a = _term(s_a, t_b, c, tau_s, tau_t)
    value = value_a / 2 + value_b / 2
    finite(value, student_a=grad_a, student_b=grad_b)
    following = update_center(center, np.concatenate([t_a, t_b]), momentum=center_momentum)
    return DinoResult(value, grad_a / 2, grad_b / 2, following)


def update_center(center: ArrayLike, teacher: ArrayLike, *, momentum: float = 0.9) -> Array:
    r"""Return $c \leftarrow m\,c + (1 - m)\frac1B\sum_{i=1}^{B}t_i$.

    Args:
        center: c, (K,), in the unit of t.
        teacher: outputs t of all views, (B, K).
        momentum: m, from 0 (the batch's mean) to 1 (c stays); the paper uses 0.9.

    Returns:
        (K,), in the dtype of the centre.

    Raises:
        ValueError: shapes do not fit, something is not finite, or m lies outside [0, 1].

    Source:
        Caron et al. (2021), arXiv:2104.14294, eq. 4.

    Examples:
        >>> update_center([1.0, 0.0], [[0.0, 2.0], [0.0, 4.0]], momentum=0.5).tolist()
        [0.5, 1.5]
    """
    t = rows("teacher", teacher)
    m = share("momentum", momentum)
    c = _center(center, t)
    mean = np.sum(t.astype(np.float64) / len(t), axis=0)
    with np.errstate(over="ignore"):
        return floats(f"the next center in {c.dtype}", (m * c + (1 - m) * mean).astype(c.dtype))


def _center(center: ArrayLike, teacher: Array) -> Array:
    c = floats("center", center, ndim=1)
    if len(c) != teacher.shape[1]:
        raise ValueError(f"center must hold one number per output: {teacher.shape[1]}, got {len(c)}")
    return c


def _tau(name: str, tau: float, outputs: Array) -> float:
    try:
        return temperature(tau, outputs.dtype)
    except ValueError as error:
        raise ValueError(str(error).replace("tau", name, 1)) from None


def _term(s: Array, t: Array, c: Array, tau_s: float, tau_t: float) -> tuple[float, Array]:
    with np.errstate(over="ignore", invalid="ignore"):
        p_t = np.exp(_log_softmax(t - c.astype(t.dtype, copy=False), tau_t))
        log_p_s = _log_softmax(s, tau_s)
        # Where the teacher gives nothing, the student may give nothing: 0 log 0 = 0.
        terms = np.where(p_t > 0, p_t * log_p_s, 0.0)
        value = -float(np.sum(terms.astype(np.float64) / len(s)))
        grad = (np.exp(log_p_s) - p_t) / len(s) * s.dtype.type(1.0 / tau_s)
    return value, grad


def _log_softmax(x: Array, tau: float) -> Array:
    """Log of the softmax of x / tau; of a row's largest it keeps the digits near 0."""
    row = np.arange(len(x))
    best = x.argmax(axis=1)
    gap = (x - x[row, best][:, None]) * x.dtype.type(1.0 / tau)
    rest = np.exp(gap)
    rest[row, best] = 0.0
    log: Array = gap - np.log1p(rest.sum(axis=1))[:, None]
    return log
