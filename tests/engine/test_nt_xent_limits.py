"""NT-Xent at its edges: precision, temperature, size, and input that is refused by name."""

import importlib
import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sim_engine import floors, losses, similarity

nt_xent_module = importlib.import_module(
    "sim_engine.losses.nt_xent"
)  # the package has its function by that name

DTYPES = [np.float16, np.float32, np.float64]


@st.composite
def drawn_views(draw, dtypes=DTYPES):
    """Two views without zero rows; duplicates, opposite and axis-parallel rows are likely."""
    dtype = draw(st.sampled_from(dtypes))
    shape = (draw(st.integers(2, 7)), draw(st.integers(1, 6)))
    entry = st.one_of(st.sampled_from([-1.0, 0.0, 1.0]), st.floats(-1, 1, width=16))
    pair = [draw(hnp.arrays(dtype, shape, elements=entry)) for _ in range(2)]
    for z in pair:
        z[np.abs(z).max(axis=1) < 1e-3, 0] = 1
    return pair


taus = st.floats(-9, 9).map(lambda e: 10.0**e)


@given(drawn_views([np.float64]), st.floats(0.0034, 20))
def test_one_shift_for_all_rows_and_one_for_each_give_the_same(views, tau):
    # Nearly equal views too: there the loss is tiny, and its digits count.
    for z_a, z_b in (views, (views[0], views[0] + 1e-9)):
        one = losses.nt_xent(z_a, z_b, tau)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(nt_xent_module, "WIDEST", {4: 0.0, 8: 0.0})
            each = losses.nt_xent(z_a, z_b, tau)
        assert one.value == pytest.approx(each.value, rel=1e-12 / min(tau, 1), abs=1e-300)
        for ours, other in zip(one[1:], each[1:], strict=True):
            np.testing.assert_allclose(ours, other, rtol=1e-9, atol=1e-12 / min(tau, 1) ** 2)


@given(drawn_views(), taus)
def test_finite_in_finite_out(views, tau):
    # pytest turns every warning into an error, so this proves there is none.
    result = losses.nt_xent(*views, tau)
    assert math.isfinite(result.value)
    assert result.value >= 0
    for grad, z in zip(result[1:], views, strict=True):
        assert np.isfinite(grad).all()
        assert grad.shape == z.shape
        assert grad.dtype == np.result_type(z.dtype, np.float32)


@given(drawn_views([np.float64]), st.floats(0.05, 20), st.integers(0, 1000))
def test_order_of_rows_and_of_views_does_not_matter(views, tau, seed):
    z_a, z_b = views
    value, grad_a, grad_b = losses.nt_xent(z_a, z_b, tau)
    order = np.random.default_rng(seed).permutation(len(z_a))
    moved = losses.nt_xent(z_a[order], z_b[order], tau)
    assert moved.value == pytest.approx(value, rel=1e-12, abs=1e-14)
    scale = 1 + np.abs(grad_a).max() + np.abs(grad_b).max()
    np.testing.assert_allclose(moved.grad_a, grad_a[order], atol=1e-12 * scale)
    swapped = losses.nt_xent(z_b, z_a, tau)
    assert swapped.value == pytest.approx(value, rel=1e-12, abs=1e-14)
    np.testing.assert_allclose(swapped.grad_a, grad_b, atol=1e-12 * scale)


@given(drawn_views([np.float64]), st.floats(0.05, 20), st.integers(0, 1000))
def test_rotation_turns_the_gradient_and_keeps_the_value(views, tau, seed):
    z_a, z_b = views
    d = z_a.shape[1]
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))
    value, grad_a, _ = losses.nt_xent(z_a, z_b, tau)
    turned = losses.nt_xent(z_a @ turn, z_b @ turn, tau)
    assert turned.value == pytest.approx(value, rel=1e-11, abs=1e-13)
    np.testing.assert_allclose(turned.grad_a, grad_a @ turn, atol=1e-11 * (1 + np.abs(grad_a).max()))


@given(drawn_views([np.float64]), st.floats(0.05, 20), st.integers(0, 1000))
def test_length_of_rows_divides_the_gradient_and_keeps_the_value(views, tau, seed):
    z_a, z_b = views
    length = 10.0 ** np.random.default_rng(seed).uniform(-20, 20, size=(len(z_a), 1))
    value, grad_a, grad_b = losses.nt_xent(z_a, z_b, tau)
    scaled = losses.nt_xent(z_a * length, z_b, tau)
    assert scaled.value == pytest.approx(value, rel=1e-12, abs=1e-14)
    bound = 1e-11 * (1 + np.abs(grad_a).max() + np.abs(grad_b).max())
    np.testing.assert_allclose(scaled.grad_a * length, grad_a, atol=bound)
    np.testing.assert_allclose(scaled.grad_b, grad_b, atol=bound)
    # The gradient is tangent to the sphere: length is not learned.
    assert np.abs(np.sum(grad_a * z_a, axis=1)).max() < bound * np.abs(z_a).max() * z_a.shape[1]


@given(drawn_views([np.float64]), st.floats(0.02, 20))
def test_no_loss_lies_below_the_best(views, tau):
    assert losses.nt_xent_value(*views, tau) >= floors.best(len(views[0]), tau) - 1e-12


@pytest.mark.parametrize("tau", [0.02, 0.05, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("noise", [0.01, 0.3, 3.0])
def test_float32_stays_accurate(views, tau, noise):
    z_a, z_b = (z.astype(np.float32) for z in views(64, 32, noise=noise))
    single, double = (losses.nt_xent(z_a.astype(t), z_b.astype(t), tau) for t in (np.float32, np.float64))
    # At tau = 0.02 one rounding of a cosine (6e-8) is 3e-6 of a logit. Relative, though some of these
    # losses are 1e-11.
    assert single.value == pytest.approx(double.value, rel=1e-5, abs=0)
    for ours, exact in zip(single[1:], double[1:], strict=True):
        assert ours.dtype == np.float32
        assert np.linalg.norm(ours - exact) < 1e-5 * np.linalg.norm(exact)


def test_float32_keeps_its_digits_when_the_loss_is_nearly_nought():
    """At the simplex floor P(positive) is 1 - 1e-9: subtracting from 1 would leave nothing."""
    z = np.eye(16) - 1 / 16
    single, double = (losses.nt_xent(z.astype(t), z.astype(t), 0.04) for t in (np.float32, np.float64))
    assert double.value == pytest.approx(floors.best(16, 0.04), rel=1e-12)
    assert double.value < 1e-9
    assert single.value == pytest.approx(double.value, rel=1e-4)


@pytest.mark.parametrize("dtype", DTYPES)
def test_half_precision_is_computed_in_single(dtype, views):
    z_a, z_b = (z.astype(dtype) for z in views(8, 4))
    wanted = losses.nt_xent(z_a.astype(np.float64), z_b.astype(np.float64), 0.1)
    result = losses.nt_xent(z_a, z_b, 0.1)
    assert result.value == pytest.approx(wanted.value, rel=1e-5)
    assert result.grad_a.dtype == (np.float64 if dtype is np.float64 else np.float32)


def test_integers_and_lists_are_computed_in_double():
    result = losses.nt_xent([[1, 0], [0, 1]], [[2, 1], [0, 3]], 0.5)
    floats = losses.nt_xent(np.array([[1.0, 0], [0, 1]]), np.array([[2.0, 1], [0, 3]]), 0.5)
    assert result.value == floats.value
    assert result.grad_b.dtype == np.float64


def test_the_wider_of_two_dtypes_wins(views):
    z_a, z_b = views(4, 3)
    assert losses.nt_xent(z_a.astype(np.float32), z_b, 0.5).grad_a.dtype == np.float64


@pytest.mark.parametrize("tau", [1e-300, 1e-30, 1e-6, 1e-3])
def test_tiny_temperature_is_the_gap_to_the_nearest(tau):
    # The positive of each row is orthogonal, another row is its copy: ℓ = 1/τ.
    z_a, z_b = np.eye(4)[[0, 0]], np.eye(4)[[1, 1]]
    assert losses.nt_xent(z_a, z_b, tau).value == pytest.approx(1 / tau, rel=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("tau", [1e6, 1e30, 1e300])
def test_huge_temperature_is_chance(views, tau, dtype):
    z_a, z_b = (z.astype(dtype) for z in views(8, 4))
    result = losses.nt_xent(z_a, z_b, tau)
    assert result.value == pytest.approx(floors.equal(8), rel=1e-5)
    assert np.abs(result.grad_a).max() < 10 / tau + 1e-30


@pytest.mark.parametrize(
    ("dtype", "printed"), [(np.float64, 0.0014), (np.float32, 0.0113), (np.float16, 0.0902)]
)
def test_no_overflow_where_the_plain_exponential_has_one(views, dtype, printed):
    threshold = 1 / math.log(np.finfo(dtype).max)
    assert round(threshold, 4) == printed
    with np.errstate(over="ignore"):
        assert np.isinf(np.exp(dtype(1) / dtype(threshold * 0.99)))
        assert np.isfinite(np.exp(dtype(1) / dtype(threshold * 1.01)))
    z_a, z_b = (z.astype(dtype) for z in views(8, 4))
    assert np.isfinite(losses.nt_xent(z_a, z_b, threshold * 0.9).grad_a).all()


def test_long_and_short_rows_neither_overflow_nor_vanish(views):
    z_a, z_b = views(6, 5)
    plain = losses.nt_xent(z_a, z_b, 0.2)
    assert losses.nt_xent(z_a * 1e300, z_b * 1e-300, 0.2).value == pytest.approx(plain.value, rel=1e-12)


def test_at_most_three_matrices_at_once(views):
    n = 512
    z_a, z_b = views(n, 16)
    tracemalloc.start()
    losses.nt_xent(z_a, z_b, 0.5)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    matrix = (2 * n) ** 2 * 8
    assert matrix < peak < 2 * matrix


def test_all_pairs_of_4096_images_take_268_mb_in_float32(views):
    """The matrix keeps the dtype of the rows, so its bytes follow from shapes alone."""

    def size(n):
        return (2 * n) ** 2 * np.dtype(np.float32).itemsize

    for n in (2, 64):
        z = np.concatenate(views(n, 3)).astype(np.float32)
        assert similarity.cosine(z, z).nbytes == size(n)
    assert round(size(4096) / 1e6) == 268


def _bad(shape=(3, 2), at=(1, 0), value=0.0):
    z = np.ones(shape)
    z[at] = value
    return z


ONES = np.ones((3, 2))


@pytest.mark.parametrize(
    ("z_a", "z_b", "tau", "message"),
    [
        (ONES, np.ones((4, 2)), 0.5, r"z_a and z_b must have one shape.*\(3, 2\) and \(4, 2\)"),
        (ONES, np.ones((3, 3)), 0.5, r"z_a and z_b must have one shape"),
        (np.ones(3), np.ones(3), 0.5, r"z_a must have 2 axes, got shape \(3,\)"),
        (np.ones((1, 3, 2)), ONES, 0.5, r"z_a must have 2 axes"),
        (np.ones((0, 2)), np.ones((0, 2)), 0.5, r"z_a must not be empty, got shape \(0, 2\)"),
        (np.ones((2, 0)), np.ones((2, 0)), 0.5, r"z_a must not be empty"),
        (np.ones((1, 2)), np.ones((1, 2)), 0.5, r"at least 2 rows, got 1: .* no negative"),
        (_bad(value=np.nan), ONES, 0.5, r"z_a must be finite, got nan at \[1, 0\]"),
        (ONES, _bad(value=np.inf), 0.5, r"z_b must be finite, got inf at \[1, 0\]"),
        (ONES, _bad(value=-np.inf), 0.5, r"z_b must be finite, got -inf"),
        (_bad(at=1), ONES, 0.5, r"z_a must have no zero row \(it has no direction\), got one at row 1"),
        (ONES, _bad(at=2), 0.5, r"z_b must have no zero row .* row 2"),
        (ONES > 0, ONES, 0.5, r"z_a must hold real numbers, got dtype bool"),
        (ONES * 1j, ONES, 0.5, r"z_a must hold real numbers, got dtype complex128"),
        (ONES, [["1", "2"]] * 3, 0.5, r"z_b must hold real numbers, got dtype <U1"),
        (ONES, [[1.0], [1.0, 2.0], [1.0]], 0.5, r"z_b .* rows of different lengths"),
        (ONES, ONES, 0.0, r"tau must be finite and > 0, got 0.0"),
        (ONES, ONES, -1, r"tau must be finite and > 0, got -1"),
        (ONES, ONES, math.nan, r"tau must be finite and > 0, got nan"),
        (ONES, ONES, math.inf, r"tau must be finite and > 0, got inf"),
        (ONES, ONES, "0.5", r"tau must be a number > 0, got '0.5'"),
        (ONES, ONES, True, r"tau must be a number > 0, got True"),
        (ONES, ONES, None, r"tau must be a number > 0, got None"),
        (ONES, ONES, 1e-308, r"tau must be at least 2.23e-308 in this precision"),
        (ONES.astype(np.float32), ONES.astype(np.float32), 1e-39, r"tau must be at least 1.18e-38"),
    ],
)
def test_refused_by_name(z_a, z_b, tau, message):
    with pytest.raises(ValueError, match=message):
        losses.nt_xent(z_a, z_b, tau)
    with pytest.raises(ValueError, match=message):
        losses.nt_xent_value(z_a, z_b, tau)


def test_a_gradient_beyond_the_dtype_is_refused():
    z_a, z_b = np.eye(3), np.roll(np.eye(3), 1, axis=0)
    z_a[1] *= 1e-300
    with pytest.raises(ValueError, match="gradient at row 1 overflows float64"):
        losses.nt_xent(z_a, z_b, 1e-12)
