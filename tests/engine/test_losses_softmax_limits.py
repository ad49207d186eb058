"""The softmax losses at their edges: precision, temperature, size, invariances."""

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sim_engine import losses, similarity
from sim_engine._matmul import forced

DTYPES = [np.float16, np.float32, np.float64]


def _sup_con(variant):
    def loss(z_a, z_b, tau):
        labels = np.arange(len(z_a)) // 2
        value, grad = losses.sup_con(np.concatenate([z_a, z_b]), np.tile(labels, 2), tau, variant=variant)
        return value, *np.split(grad, 2)

    return loss


def _info_nce(z_a, z_b, tau):
    """Other rows of z_b as shared negatives would lose the order; each query gets all of z_b but its own."""
    n = len(z_a)
    others = np.array([[j for j in range(n) if j != i] for i in range(n)])
    value, grad_a, grad_b, grad_others = losses.info_nce(z_a, z_b, z_b[others], tau)
    np.add.at(grad_b, others, grad_others)
    return value, grad_a, grad_b


LOSSES = {
    "dcl": losses.dcl,
    "nt_logistic": losses.nt_logistic,
    "debiased": lambda a, b, tau: losses.debiased(a, b, tau, 0.1),
    "debiased-0.99": lambda a, b, tau: losses.debiased(a, b, tau, 0.99),
    "hard": lambda a, b, tau: losses.hard_negative(a, b, tau, 0.05, 1.0),
    "info_nce": _info_nce,
    "sup_con-out": _sup_con("out"),
    "sup_con-in": _sup_con("in"),
}
every = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
smooth = pytest.mark.parametrize(
    "loss",
    [f for k, f in LOSSES.items() if k != "debiased-0.99"],
    ids=[k for k in LOSSES if k != "debiased-0.99"],
)


@st.composite
def drawn_views(draw, dtypes=DTYPES):
    """Two views without zero rows; duplicates, opposite and axis-parallel rows are likely."""
    dtype = draw(st.sampled_from(dtypes))
    shape = (draw(st.integers(2, 5)), draw(st.integers(1, 4)))
    entry = st.one_of(st.sampled_from([-1.0, 0.0, 1.0]), st.floats(-1, 1, width=16))
    pair = [draw(hnp.arrays(dtype, shape, elements=entry)) for _ in range(2)]
    for z in pair:
        z[np.abs(z).max(axis=1) < 1e-3, 0] = 1
    return pair


@every
@settings(max_examples=25)
@given(views=drawn_views(), power=st.floats(-9, 9))
def test_finite_in_finite_out(loss, views, power):
    # pytest turns every warning into an error, so this proves there is none.
    value, *grads = loss(*views, 10.0**power)
    assert math.isfinite(value)
    assert value >= -2.1 * 10.0**-power if loss is losses.dcl else value >= 0
    for grad, z in zip(grads, views, strict=True):
        assert np.isfinite(grad).all()
        assert grad.shape == z.shape
        assert grad.dtype == np.result_type(z.dtype, np.float32)


@given(views=drawn_views(), power=st.floats(-6, 6))
def test_n_pair_finite_in_finite_out(views, power):
    views[0][0] = 0.0  # a zero row is an anchor to which all are alike
    scale = 10.0 ** (power if views[0].dtype == np.float64 else 0.0)
    value, *grads = losses.n_pair(views[0] * scale, views[1] * scale)
    assert math.isfinite(value)
    assert value >= math.log(len(views[0])) / len(views[0]) - 1e-6
    for grad, z in zip(grads, views, strict=True):
        assert np.isfinite(grad).all()
        assert grad.dtype == np.result_type(z.dtype, np.float32)


def _random(views, seed):
    """Rows of the shape drawn, in general position, where no debiased row is at its kink."""
    return np.random.default_rng(seed).normal(size=(2, *views[0].shape))


@every
@settings(max_examples=25)
@given(drawn=drawn_views([np.float64]), tau=st.floats(0.05, 20), seed=st.integers(0, 1000))
def test_order_of_rows_does_not_matter(loss, drawn, tau, seed):
    z_a, z_b = _random(drawn, seed)
    value, grad_a, grad_b = loss(z_a, z_b, tau)
    n = len(z_a)
    order = np.array([*range(n - n % 2)][::-1] + [n - 1] * (n % 2))  # labels stay in pairs
    moved = loss(z_a[order], z_b[order], tau)
    assert moved[0] == pytest.approx(value, rel=1e-11, abs=1e-13)
    scale = 1 + np.abs(grad_a).max() + np.abs(grad_b).max()
    np.testing.assert_allclose(moved[1], grad_a[order], atol=1e-11 * scale)
    np.testing.assert_allclose(moved[2], grad_b[order], atol=1e-11 * scale)


@every
@settings(max_examples=25)
@given(drawn=drawn_views([np.float64]), tau=st.floats(0.05, 20), seed=st.integers(0, 1000))
def test_rotation_turns_the_gradient_and_length_divides_it(loss, drawn, tau, seed):
    z_a, z_b = _random(drawn, seed)
    n, d = z_a.shape
    rng = np.random.default_rng(seed + 1)
    turn, _ = np.linalg.qr(rng.normal(size=(d, d)))
    length = 10.0 ** rng.uniform(-20, 20, size=(n, 1))
    value, grad_a, grad_b = loss(z_a, z_b, tau)
    turned = loss(z_a @ turn * length, z_b @ turn, tau)
    assert turned[0] == pytest.approx(value, rel=1e-10, abs=1e-12)
    bound = 1e-10 * (1 + np.abs(grad_a).max() + np.abs(grad_b).max())
    np.testing.assert_allclose(turned[1] * length, grad_a @ turn, atol=bound)
    np.testing.assert_allclose(turned[2], grad_b @ turn, atol=bound)
    # The gradient is tangent to the sphere: length is not learned.
    assert np.abs(np.sum(grad_a * z_a, axis=1)).max() < bound * np.abs(z_a).max() * d


@pytest.mark.parametrize("name", [k for k in LOSSES if k != "info_nce"])
@settings(max_examples=25)
@given(drawn=drawn_views([np.float64]), tau=st.floats(0.05, 20), seed=st.integers(0, 1000))
def test_the_two_views_may_change_places(name, drawn, tau, seed):
    z_a, z_b = _random(drawn, seed)
    value, grad_a, grad_b = LOSSES[name](z_a, z_b, tau)
    swapped = LOSSES[name](z_b, z_a, tau)
    assert swapped[0] == pytest.approx(value, rel=1e-11, abs=1e-13)
    scale = 1 + np.abs(grad_a).max() + np.abs(grad_b).max()
    np.testing.assert_allclose(swapped[1], grad_b, atol=1e-11 * scale)
    np.testing.assert_allclose(swapped[2], grad_a, atol=1e-11 * scale)


@given(drawn=drawn_views([np.float64]), seed=st.integers(0, 1000))
def test_n_pair_turns_with_its_rows(drawn, seed):
    z_a, z_b = _random(drawn, seed)
    turn, _ = np.linalg.qr(np.random.default_rng(seed + 1).normal(size=(z_a.shape[1],) * 2))
    value, grad_a, grad_b = losses.n_pair(z_a, z_b)
    turned = losses.n_pair(z_a @ turn, z_b @ turn)
    assert turned.value == pytest.approx(value, rel=1e-11)
    np.testing.assert_allclose(turned.grad_a, grad_a @ turn, atol=1e-12 * (1 + np.abs(z_b).max()))
    np.testing.assert_allclose(turned.grad_b, grad_b @ turn, atol=1e-12 * (1 + np.abs(z_a).max()))


@smooth
@pytest.mark.parametrize("tau", [0.05, 0.5])
@pytest.mark.parametrize("noise", [0.3, 3.0])
def test_float32_stays_accurate(views, loss, tau, noise):
    z = [x.astype(np.float32) for x in views(32, 16, noise=noise)]
    single, double = (loss(*(x.astype(t) for x in z), tau) for t in (np.float32, np.float64))
    assert single[0] == pytest.approx(double[0], rel=2e-5, abs=0)
    for ours, exact in zip(single[1:], double[1:], strict=True):
        assert ours.dtype == np.float32
        assert np.linalg.norm(ours - exact) < 5e-5 * np.linalg.norm(exact)


@pytest.mark.parametrize("name", ["info_nce", "sup_con-out", "sup_con-in", "debiased"])
def test_float32_keeps_its_digits_when_the_positive_has_all_but_won(name):
    """P(positive) is 1 - 1e-9: subtracting from 1 would leave nothing."""
    z = np.repeat(np.eye(8) - 1 / 8, 1, axis=0)
    tau = 0.05

    def loss(dtype):
        a = z.astype(dtype)
        if name.startswith("sup_con"):
            labels = [*range(8)] * 2
            return losses.sup_con(np.concatenate([a, a]), labels, tau, variant=name.split("-")[1]).value
        return LOSSES[name](a, a, tau)[0] if name == "info_nce" else losses.debiased(a, a, tau, 0.0).value

    double = loss(np.float64)
    assert 0 < double < 1e-8
    assert loss(np.float32) == pytest.approx(double, rel=1e-4)


@every
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("tau", [1e6, 1e30, 1e300])
def test_huge_temperature_is_chance(views, loss, dtype, tau):
    z_a, z_b = (z.astype(dtype) for z in views(8, 4))
    value, grad_a, _ = loss(z_a, z_b, tau)
    chance = {losses.dcl: math.log(14), losses.nt_logistic: 15 * math.log(2), _info_nce: math.log(8)}
    if loss in (LOSSES["sup_con-out"], LOSSES["sup_con-in"], *chance):
        assert value == pytest.approx(chance.get(loss, math.log(15)), rel=1e-4)
    else:
        # At 0.99 the correction magnifies differences of 1/τ a hundredfold.
        assert value == pytest.approx(math.log(15), rel=1e-3)
    assert np.abs(grad_a).max() < 1000 / tau + 1e-30


@pytest.mark.parametrize("tau", [1e-300, 1e-30, 1e-6])
def test_tiny_temperature_is_the_gap_to_the_nearest(tau):
    # The positive of each row is orthogonal, another row is its copy: a gap of 1.
    z_a, z_b = np.eye(4)[[0, 0]], np.eye(4)[[1, 1]]
    for loss in (losses.dcl, LOSSES["debiased"], LOSSES["hard"]):
        assert loss(z_a, z_b, tau)[0] == pytest.approx(1 / tau, rel=1e-4)
    # Of the two negatives one costs 1/τ and one log 2.
    assert losses.nt_logistic(z_a, z_b, tau).value == pytest.approx(1 / tau, rel=1e-4)
    both = np.concatenate([z_a, z_b])
    assert losses.sup_con(both, [0, 1, 0, 1], tau).value == pytest.approx(1 / tau, rel=1e-4)
    # Three of a class, one far: outside it costs half of 1/τ, inside nothing beyond the logarithms.
    rows, labels = np.eye(4)[[0, 0, 1, 2]], [5, 5, 5, 6]
    outside, inside = (losses.sup_con(rows, labels, tau, variant=v).value for v in ("out", "in"))
    assert outside == pytest.approx((0.5 + 0.5) / tau / 3, rel=1e-4)
    assert inside == pytest.approx((2 * math.log(2) + math.log(3)) / 3, rel=1e-12)
    info = losses.info_nce(z_a, z_b, z_a, tau).value
    assert info == pytest.approx(1 / tau, rel=1e-4)


@every
def test_the_least_temperature_neither_warns_nor_gives_nan(loss):
    z_a, z_b = np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[-1.0, 0.0], [-1.0, 0.0]])
    for dtype, tau in ((np.float32, 1.2e-38), (np.float64, 2.3e-308)):
        value, *grads = loss(z_a.astype(dtype), z_b.astype(dtype), tau)
        assert math.isfinite(value)
        # All rows lie on one line: no gradient is tangent.
        assert not np.any(grads)


def test_long_rows_of_n_pair():
    long = np.eye(3) * 1e150
    result = losses.n_pair(long, long)
    assert result.value == 0.0
    assert not result.grad_a.any()
    wrong = losses.n_pair(long, np.roll(long, 1, axis=0))
    assert wrong.value == pytest.approx(1e300, rel=1e-12)
    assert np.abs(wrong.grad_a).max() == pytest.approx(1e150 / 3, rel=1e-12)


@pytest.mark.parametrize("path", ["blas", "einsum"])
@pytest.mark.parametrize("name", ["dcl", "nt_logistic", "debiased", "hard", "sup_con-out", "sup_con-in"])
def test_at_most_three_matrices_at_once(views, name, path):
    n = 256
    z_a, z_b = views(n, 8)
    with forced(path):
        tracemalloc.start()
        LOSSES[name](z_a, z_b, 0.5)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    matrix = (2 * n) ** 2 * 8
    assert matrix < peak < 2.5 * matrix


def test_a_cosine_that_rounds_below_minus_1_does_not_blow_up_the_floor(rng):
    """One view against three opposite ones: the floor's exponent would be 1e-16 / τ > 0."""
    below = [u for u in rng.normal(size=(200, 3)) if (v := similarity.normalize([u]).u[0]) @ v > 1]
    assert below
    for u in below:
        z_a, z_b = np.array([u, -u]), np.array([-u, -u])
        for loss in (LOSSES["debiased"], LOSSES["hard"]):
            value, *grads = loss(z_a, z_b, 1e-30)
            assert math.isfinite(value)
            assert np.isfinite(grads).all()
