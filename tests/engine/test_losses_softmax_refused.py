"""What the softmax losses refuse, and in what words."""

import math

import numpy as np
import pytest

from sim_engine import losses

ONES = np.ones((3, 2))
TWO_VIEWS = {
    "dcl": losses.dcl,
    "nt_logistic": losses.nt_logistic,
    "debiased": lambda a, b, tau: losses.debiased(a, b, tau, 0.1),
    "hard_negative": lambda a, b, tau: losses.hard_negative(a, b, tau, 0.1, 1.0),
    "n_pair": lambda a, b, tau: losses.n_pair(a, b),
}


def _bad(value, at=(1, 0)):
    z = np.ones((3, 2))
    z[at] = value
    return z


OF_VIEWS = [
    (ONES, np.ones((4, 2)), r"z_a and z_b must have one shape.*\(3, 2\) and \(4, 2\)"),
    (ONES, np.ones((3, 3)), r"z_a and z_b must have one shape"),
    (np.ones(3), np.ones(3), r"z_a must have 2 axes, got shape \(3,\)"),
    (np.ones((0, 2)), np.ones((0, 2)), r"z_a must not be empty, got shape \(0, 2\)"),
    (np.ones((1, 2)), np.ones((1, 2)), r"z_a and z_b must hold at least 2 rows, got 1: .* no negative"),
    (_bad(np.nan), ONES, r"z_a must be finite, got nan at \[1, 0\]"),
    (ONES, _bad(-np.inf), r"z_b must be finite, got -inf at \[1, 0\]"),
    (ONES > 0, ONES, r"z_a must hold real numbers, got dtype bool"),
    (ONES, [["1", "2"]] * 3, r"z_b must hold real numbers, got dtype <U1"),
]


@pytest.mark.parametrize("name", TWO_VIEWS)
@pytest.mark.parametrize(("z_a", "z_b", "message"), OF_VIEWS)
def test_views(name, z_a, z_b, message):
    with pytest.raises(ValueError, match=message):
        TWO_VIEWS[name](z_a, z_b, 0.5)


@pytest.mark.parametrize("name", [k for k in TWO_VIEWS if k != "n_pair"])
def test_zero_rows_and_temperatures(name):
    loss = TWO_VIEWS[name]
    with pytest.raises(ValueError, match=r"z_b must have no zero row .* row 2"):
        loss(ONES, _bad(0.0, at=2), 0.5)
    for tau, message in [
        (0.0, "tau must be finite and > 0"),
        (math.nan, "tau must"),
        ("1", "tau must be a number"),
    ]:
        with pytest.raises(ValueError, match=message):
            loss(ONES, ONES, tau)


@pytest.mark.parametrize("tau_plus", [1.0, 1.5, -0.1, math.nan, math.inf, "0.1", None, True, [0.1]])
def test_class_prior(tau_plus):
    for call in (lambda: losses.debiased(ONES, ONES, 0.5, tau_plus), lambda: _hard(tau_plus=tau_plus)):
        with pytest.raises(ValueError, match="tau_plus must"):
            call()


def _hard(tau=0.5, tau_plus=0.1, beta=1.0):
    return losses.hard_negative(ONES, ONES, tau, tau_plus, beta)


@pytest.mark.parametrize("beta", [-1e-9, math.nan, math.inf, "1", None, 1e308])
def test_concentration(beta):
    with pytest.raises(ValueError, match=r"beta (/ tau )?must"):
        _hard(beta=beta)


@pytest.mark.parametrize("tau", [1e-3, 0.5, 1e3])
def test_the_largest_concentration_that_is_taken(tau):
    most = np.finfo(float).max / 4 * min(tau, 1.0)
    assert _hard(tau=tau, beta=most).value == pytest.approx(math.log(5), rel=1e-12)


KEYS = np.ones((4, 2))
OF_KEYS = [
    (ONES, np.ones((2, 2)), KEYS, r"query and positive must have one shape.*\(3, 2\) and \(2, 2\)"),
    (ONES, ONES, np.ones((4, 3)), r"negatives must have shape \(3, K, 2\) or \(K, 2\) .* got \(4, 3\)"),
    (ONES, ONES, np.ones((2, 4, 2)), r"negatives must have shape .* got \(2, 4, 2\)"),
    (ONES, ONES, np.ones((3, 4, 3)), r"negatives must have shape .* got \(3, 4, 3\)"),
    (ONES, ONES, np.ones((1, 3, 4, 2)), r"negatives must have shape .* got \(1, 3, 4, 2\)"),
    (ONES, ONES, np.ones(2), r"negatives must have shape .* got \(2,\)"),
    (
        ONES,
        ONES,
        [[1.0, 2.0], [1.0]],
        r"negatives must be an array of numbers, got rows of different lengths",
    ),
    (ONES, ONES, np.ones((0, 2)), r"negatives must not be empty, got shape \(0, 2\)"),
    (ONES, ONES, np.ones((3, 0, 2)), r"negatives must not be empty"),
    (ONES[0], ONES, KEYS, r"query must have 2 axes"),
    (_bad(np.nan), ONES, KEYS, r"query must be finite, got nan at \[1, 0\]"),
    (ONES, _bad(np.inf), KEYS, r"positive must be finite, got inf at \[1, 0\]"),
    (ONES, ONES, _bad(np.inf), r"negatives must be finite, got inf at \[1, 0\]"),
    (_bad(0.0, at=1), ONES, KEYS, r"query must have no zero row .* row 1"),
    (ONES, _bad(0.0, at=0), KEYS, r"positive must have no zero row .* row 0"),
    (ONES, ONES, _bad(0.0, at=2), r"negatives must have no zero row .* at \[2\]"),
    (ONES, ONES, np.stack([ONES, _bad(0.0, at=2), ONES]), r"negatives must have no zero row .* at \[1, 2\]"),
]


@pytest.mark.parametrize(("query", "positive", "negatives", "message"), OF_KEYS)
def test_keys(query, positive, negatives, message):
    with pytest.raises(ValueError, match=message):
        losses.info_nce(query, positive, negatives, 0.5)


@pytest.mark.parametrize(
    ("z", "labels", "tau", "variant", "message"),
    [
        (ONES, [0, 0, 1], 0.5, "inside", r"variant must be 'out' or 'in', got 'inside'"),
        (ONES, [0, 0], 0.5, "out", r"labels must hold one label per row of z: 3, got 2"),
        (ONES, [[0, 0, 1]], 0.5, "out", r"labels must have 1 axes"),
        (ONES, [0, 0.5, 0], 0.5, "out", r"labels must be whole numbers, got 0.5"),
        (ONES, ["a", "a", "b"], 0.5, "out", r"labels must hold real numbers"),
        (
            ONES,
            [0, 1, 2],
            0.5,
            "out",
            r"labels must give at least two rows of z one label, got all different",
        ),
        (ONES[:1], [0], 0.5, "in", r"labels must give at least two rows"),
        (ONES, [0, 0, 1], 0.0, "out", r"tau must be finite and > 0"),
        (_bad(np.nan), [0, 0, 1], 0.5, "out", r"z must be finite, got nan at \[1, 0\]"),
        (_bad(0.0, at=1), [0, 0, 1], 0.5, "out", r"z must have no zero row .* row 1"),
    ],
)
def test_labels(z, labels, tau, variant, message):
    with pytest.raises(ValueError, match=message):
        losses.sup_con(z, labels, tau, variant=variant)


def _short_and_turned():
    z_a, z_b = np.eye(3), np.roll(np.eye(3), 1, axis=0)
    z_a[1] *= 1e-300
    return z_a, z_b


@pytest.mark.parametrize("name", ["dcl", "nt_logistic", "debiased", "hard_negative"])
def test_a_gradient_beyond_the_dtype(name):
    with pytest.raises(ValueError, match="gradient at row 1 overflows float64"):
        TWO_VIEWS[name](*_short_and_turned(), 1e-12)


def test_a_gradient_of_keys_or_rows_beyond_the_dtype():
    query, positive = _short_and_turned()
    with pytest.raises(ValueError, match="gradient in query overflows float64 at row 1"):
        losses.info_nce(query, positive, np.eye(3), 1e-12)
    with pytest.raises(ValueError, match="gradient in positive overflows float64 at row 1"):
        losses.info_nce(positive, query, np.eye(3)[::-1], 1e-12)
    with pytest.raises(ValueError, match="gradient in negatives overflows float64 at row 0"):
        losses.info_nce([[1.0, 0.0]], [[0.0, 1.0]], [[1e-300, 1e-300]], 1e-12)
    with pytest.raises(ValueError, match="gradient in z overflows float64 at row 1"):
        losses.sup_con(np.concatenate([query, positive]), [0, 1, 2] * 2, 1e-12)


def test_a_loss_beyond_the_dtype():
    z = np.ones((4, 2))
    with pytest.raises(ValueError, match=r"the loss overflows float64: tau = 2.3e-308 is too small"):
        losses.nt_logistic(z, z, 2.3e-308)
    with pytest.raises(
        ValueError, match="inner products of z_a and z_b overflow float64; make the rows shorter"
    ):
        losses.n_pair(z * 1e160, z * 1e160)
    mixed = np.array([[1e200, 1e200], [1.0, 1.0]])  # infinity less infinity in a product
    with pytest.raises(ValueError, match="inner products of z_a and z_b overflow float64"):
        losses.n_pair(mixed, mixed * [1, -1])
    with pytest.raises(ValueError, match="inner products of z_a and z_b overflow float32"):
        losses.n_pair(*[np.full((2, 2), 1e20, np.float32)] * 2)


def test_results_are_named_and_unpack_in_the_order_of_the_arguments():
    query = losses.info_nce(ONES, ONES, KEYS, 0.5)
    assert query._fields == ("value", "grad_query", "grad_positive", "grad_negatives")
    assert [g.shape for g in query[1:]] == [(3, 2), (3, 2), (4, 2)]
    rows = losses.sup_con(ONES, [0, 0, 1], 0.5)
    assert rows._fields == ("value", "grad_z")
    for result in (query, rows, losses.n_pair(ONES, ONES), losses.dcl(ONES, ONES, 0.5)):
        assert type(result.value) is float


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64])
def test_dtype_of_gradients(dtype):
    z_a, z_b = np.array([[2, 1], [0, 3]], dtype), np.array([[1, 1], [1, 2]], dtype)
    wanted = np.float32 if dtype in (np.float16, np.float32) else np.float64
    results = [loss(z_a, z_b, 0.5) for loss in TWO_VIEWS.values()]
    results += [losses.info_nce(z_a, z_b, z_a + z_b, 0.5), losses.sup_con(z_a, [0, 0], 0.5)]
    for result in results:
        assert {g.dtype for g in result[1:]} == {np.dtype(wanted)}


def test_the_widest_of_three_dtypes_wins():
    single = ONES.astype(np.float32)
    for arrays in ((ONES, single, single), (single, ONES, single), (single, single, ONES)):
        assert {g.dtype for g in losses.info_nce(*arrays, 0.5)[1:]} == {np.dtype(np.float64)}
