"""DINO: the paper's loop, slope with the teacher held, torch; the centre's state and both collapses."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from sim_engine import losses

SHAPES = [(1, 1), (1, 4), (5, 2), (8, 3), (16, 33)]
TAUS = [(0.1, 0.04), (1.0, 0.07), (0.5, 2.0)]


def paper(student, teacher, center, tau_s, tau_t):
    """Caron et al. (2021), eq. 1 to 3, by loops."""

    def log_softmax(row, tau):
        top = max(row)
        total = math.log(sum(math.exp((v - top) / tau) for v in row))
        return [(v - top) / tau - total for v in row]

    loss = 0.0
    for s, t in zip(student, teacher, strict=True):
        p_t = [math.exp(v) for v in log_softmax([v - c for v, c in zip(t, center, strict=True)], tau_t)]
        loss -= sum(p * v for p, v in zip(p_t, log_softmax(list(s), tau_s), strict=True))
    return loss / len(student)


@pytest.fixture
def outputs():
    """`outputs(n, k)`: students (2, n, k), teachers (2, n, k) and a centre (k,)."""

    def make(n, k, seed=0):
        rng = np.random.default_rng(seed)
        return rng.normal(size=(2, n, k)), rng.normal(size=(2, n, k)), rng.normal(size=k)

    return make


@pytest.mark.parametrize(("tau_s", "tau_t"), TAUS)
@pytest.mark.parametrize(("n", "k"), SHAPES)
def test_one_pair_is_the_papers_and_its_gradient_the_slope(outputs, rng, slope, n, k, tau_s, tau_t):
    (s, _), (t, _), c = outputs(n, k)
    result = losses.dino_cross_entropy(s, t, c, tau_student=tau_s, tau_teacher=tau_t)
    assert result.value == pytest.approx(paper(s, t, c, tau_s, tau_t), rel=1e-11, abs=1e-13)
    direction = rng.normal(size=(n, k)) * tau_s
    wanted = slope(lambda x: paper(x, t, c, tau_s, tau_t), (s,), (direction,), step=1e-3)
    assert np.sum(result.grad_student * direction) == pytest.approx(wanted, rel=1e-7, abs=1e-10)


@pytest.mark.parametrize(("tau_s", "tau_t"), TAUS)
@pytest.mark.parametrize(("n", "k"), SHAPES)
def test_two_views_are_the_papers_algorithm_in_torch(outputs, n, k, tau_s, tau_t):
    students, teachers, c = outputs(n, k)
    s_1, s_2 = tensors = [torch.tensor(x, requires_grad=True) for x in students]
    t_1, t_2 = (torch.tensor(x, requires_grad=True) for x in teachers)
    center = torch.tensor(c)

    def h(t, s):
        soft = F.softmax((t.detach() - center) / tau_t, dim=1)
        return -(soft * F.log_softmax(s / tau_s, dim=1)).sum(1).mean()

    loss = h(t_1, s_2) / 2 + h(t_2, s_1) / 2
    result = losses.dino(*students, *teachers, c, tau_student=tau_s, tau_teacher=tau_t)
    assert result.value == pytest.approx(loss.item(), rel=1e-10, abs=1e-10)
    wanted = torch.autograd.grad(loss, [*tensors, t_1], allow_unused=True)
    np.testing.assert_allclose(result.grad_student_a, wanted[0].numpy(), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(result.grad_student_b, wanted[1].numpy(), rtol=1e-10, atol=1e-10)
    assert wanted[2] is None
    moved = 0.9 * center + 0.1 * torch.cat([t_1, t_2]).mean(0).detach()
    np.testing.assert_allclose(result.center, moved.numpy(), rtol=1e-12)
    by_loops = paper(students[1], teachers[0], c, tau_s, tau_t) + paper(
        students[0], teachers[1], c, tau_s, tau_t
    )
    assert result.value == pytest.approx(by_loops / 2, rel=1e-11, abs=1e-13)


def test_the_loss_is_by_the_centre_before_the_step(outputs):
    students, teachers, c = outputs(4, 5)
    before = c.copy()
    first = losses.dino(*students, *teachers, c)
    np.testing.assert_array_equal(c, before)
    assert losses.dino(*students, *teachers, c, center_momentum=0.0).value == first.value
    assert losses.dino(*students, *teachers, first.center).value != first.value


def test_the_centre_follows_the_teacher():
    c, target = np.zeros(3), np.array([1.0, -2.0, 5.0])
    for step in range(1, 30):
        c = losses.update_center(c, [target, target], momentum=0.8)
        np.testing.assert_allclose(c, target * (1 - 0.8**step), rtol=1e-12)
    np.testing.assert_array_equal(losses.update_center(c, [target], momentum=1), c)
    np.testing.assert_array_equal(losses.update_center(c, [target], momentum=0), target)


def test_uniform_collapse_is_log_k_and_at_rest():
    same = np.full((6, 8), 3.7)
    result = losses.dino(same, same, same, same, same[0])
    assert result.value == pytest.approx(math.log(8), rel=1e-14)
    assert np.abs(result.grad_student_a).max() < 1e-15


def test_one_output_winning_is_a_loss_of_nought_unless_centred():
    winner = np.tile([[4.0, 0.0, 0.0]], (5, 1))
    sharp = losses.dino(winner, winner, winner, winner, np.zeros(3))
    assert sharp.value == pytest.approx(2 * math.exp(-4 / 0.1), rel=1e-9)
    centred = losses.dino(winner, winner, winner, winner, winner[0])
    assert centred.value == pytest.approx(2 / 3 * 4 / 0.1, rel=1e-12)  # the teacher is uniform
    assert (centred.grad_student_a[:, 0] > 0).all()  # and the winner is pushed down


@given(st.integers(0, 10**6))
def test_symmetries_and_bound(seed):
    rng = np.random.default_rng(seed)
    n, k = rng.integers(1, 6), rng.integers(1, 6)
    s, t = rng.normal(size=(2, n, k))
    c = rng.normal(size=k)
    result = losses.dino_cross_entropy(s, t, c, tau_teacher=0.5)
    p_t = np.exp((t - c) / 0.5)
    p_t /= p_t.sum(axis=1, keepdims=True)
    assert result.value >= -np.mean(np.sum(p_t * np.log(p_t), axis=1)) - 1e-12
    np.testing.assert_allclose(result.grad_student.sum(axis=1), 0, atol=1e-13)
    rows, columns, shift = rng.permutation(n), rng.permutation(k), rng.normal(size=(2, n, 1))
    moved = losses.dino_cross_entropy(
        (s + shift[0])[rows][:, columns], (t + shift[1])[rows][:, columns], c[columns], tau_teacher=0.5
    )
    assert moved.value == pytest.approx(result.value, rel=1e-10, abs=1e-12)
    np.testing.assert_allclose(moved.grad_student, result.grad_student[rows][:, columns], atol=1e-11)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("tau", [1e-30, 0.1, 1e30])
def test_narrow_numbers_and_extremes(outputs, dtype, tau):
    (s, _), (t, _), c = (x.astype(dtype) for x in outputs(4, 5))
    s[1] = s[0]
    t[2] = 0
    for taus in ({"tau_student": tau}, {"tau_teacher": tau}):
        result = losses.dino_cross_entropy(s, t, c, **taus)
        double = losses.dino_cross_entropy(*(x.astype(np.float64) for x in (s, t, c)), **taus)
        assert result.value == pytest.approx(double.value, rel=1e-4)
        assert result.grad_student.dtype == np.result_type(dtype, np.float32)
        np.testing.assert_allclose(result.grad_student, double.grad_student, rtol=1e-3, atol=1e-5)


def test_what_the_teacher_excludes_may_be_infinitely_far_for_the_student():
    """0 log 0 = 0: the student's logit gap overflows, in an output of which the teacher has none."""
    result = losses.dino_cross_entropy([[1e308, -1e308]], [[1e308, -1e308]], [0.0, 0.0])
    assert result.value == 0.0
    assert not result.grad_student.any()


ONES = np.ones((3, 2))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"teacher": np.ones((4, 2))}, "student and teacher must have one shape"),
        ({"student": ONES * np.nan}, "student must be finite, got nan"),
        ({"student": np.ones(3)}, "student must have 2 axes"),
        ({"teacher": ONES > 0}, "teacher must hold real numbers"),
        ({"center": np.ones(3)}, "center must hold one number per output: 2, got 3"),
        ({"center": ONES}, "center must have 1 axes"),
        ({"tau_student": 0.0}, "tau_student must be finite and > 0"),
        ({"tau_teacher": "1"}, "tau_teacher must be a number > 0"),
        ({"tau_student": 1e-308}, "tau_student must be at least"),
        ({"student": ONES * [1e308, -1e308]}, "the loss overflows: values of student are too large"),
        ({"teacher": ONES * 1e308, "center": -np.ones(2) * 1e308}, "gradient in student overflows"),
    ],
)
def test_one_pair_refused_by_name(changed, message):
    with pytest.raises(ValueError, match=message):
        losses.dino_cross_entropy(**({"student": ONES, "teacher": ONES, "center": np.ones(2)} | changed))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({1: np.ones((4, 2))}, "student_a and student_b must have one shape"),
        ({3: np.ones((3, 3))}, "student_a and teacher_b must have one shape"),
        ({2: ONES * np.inf}, "teacher_a must be finite, got inf"),
        ({4: np.ones(1)}, "center must hold one number per output: 2, got 1"),
        ({0: ONES * [1e308, -1e308]}, "the loss overflows"),
    ],
)
def test_two_views_refused_by_name(changed, message):
    with pytest.raises(ValueError, match=message):
        losses.dino(*[changed.get(place, ONES if place < 4 else np.ones(2)) for place in range(5)])


@pytest.mark.parametrize(
    ("center", "teacher", "momentum", "message"),
    [
        (np.ones(3), ONES, 0.9, "center must hold one number per output: 2, got 3"),
        (np.ones(2), np.ones(2), 0.9, "teacher must have 2 axes"),
        (np.ones(2), ONES, -0.1, "momentum must lie from 0 to 1, got -0.1"),
        (np.ones(2), ONES, "1", "momentum must hold real numbers"),
        (np.ones(2, np.float32), ONES * 1e300, 0.9, "the next center in float32 must be finite"),
    ],
)
def test_centre_refused_by_name(center, teacher, momentum, message):
    with pytest.raises(ValueError, match=message):
        losses.update_center(center, teacher, momentum=momentum)
