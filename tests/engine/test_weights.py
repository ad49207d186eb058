"""How a softmax and a sigmoid share the push among negatives: the printed tables, and the gradient."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim_engine import losses, similarity

NEGATIVES = [0.75, 0.40, 0.10]


@pytest.mark.parametrize(
    ("tau", "positive", "printed"),
    [
        (0.5, 0.80, [0.348, 0.173, 0.095]),
        (0.5, None, [0.565, 0.281, 0.154]),
        (0.07, None, [0.993, 0.007, 0.0001]),
        (0.1, None, [0.969, 0.029, 0.001]),
        (1.0, None, [0.449, 0.316, 0.234]),
    ],
)
def test_softmax_table(tau, positive, printed):
    weights = losses.negative_weights(NEGATIVES, tau, positive)
    for weight, shown in zip(weights, printed, strict=True):
        digits = 4 if shown == 0.0001 else 3
        assert round(float(weight), digits) == shown


def test_sigmoid_table():
    assert np.round(losses.logistic_weights(NEGATIVES, 0.5), 3).tolist() == [0.818, 0.690, 0.550]
    # A sigmoid does go below one half: at similarity -1 and tau 0.5.
    assert round(float(losses.logistic_weights(-1.0, 0.5)), 3) == 0.119


def test_ratio_of_hard_to_easy():
    soft = losses.negative_weights(NEGATIVES, 0.5, 0.8)
    assert soft[0] / soft[2] == pytest.approx(math.exp(1.3), rel=1e-14)
    assert round(float(soft[0] / soft[2]), 3) == 3.669
    sigmoid = losses.logistic_weights(NEGATIVES, 0.5)
    assert round(float(sigmoid[0] / sigmoid[2]), 3) == 1.487


def test_weights_are_the_gradient_in_the_similarities(slope):
    """∂ℓ/∂s_k = w_k/τ for the loss of one anchor."""
    tau, positive = 0.3, 0.8

    def ell(s):
        return math.log(math.exp(positive / tau) + np.exp(s / tau).sum()) - positive / tau

    s = np.array(NEGATIVES)
    for k in range(3):
        wanted = slope(ell, (s,), (np.eye(3)[k],))
        assert losses.negative_weights(s, tau, positive)[k] / tau == pytest.approx(wanted, rel=1e-8)


@given(
    st.lists(st.floats(-1, 1), min_size=1, max_size=9),
    st.floats(-300, 300).map(lambda e: 10.0**e),
    st.one_of(st.none(), st.floats(-1, 1)),
)
def test_shares_at_every_temperature(similarities, tau, positive):
    weights = losses.negative_weights(similarities, tau, positive)
    assert np.isfinite(weights).all()
    assert (weights >= 0).all()
    if positive is None:
        assert weights.sum() == pytest.approx(1)
    else:
        assert weights.sum() <= 1 + 1e-12
    order = np.argsort(similarities, kind="stable")
    assert (np.diff(weights[order]) >= 0).all()
    sigmoid = losses.logistic_weights(similarities, tau)
    assert ((sigmoid >= 0) & (sigmoid <= 1)).all()


def test_rows_of_similarities_are_weighed_each_alone():
    table = np.array([[0.9, 0.1], [0.2, 0.3]])
    rows = [losses.negative_weights(row, 0.2, 0.5) for row in table]
    np.testing.assert_array_equal(losses.negative_weights(table, 0.2, 0.5), rows)


def test_extreme_numbers_do_not_overflow():
    assert losses.negative_weights([1e308, -1e308], 1e-300).tolist() == [1.0, 0.0]
    assert losses.negative_weights([0.5], 1e-300, 0.6).tolist() == [0.0]
    assert losses.logistic_weights([1e308, -1e308, 0.0], 1e-300).tolist() == [1.0, 0.0, 0.5]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.5, 0.1), "similarities must have at least one axis"),
        (([], 0.1), "similarities must not be empty"),
        (([math.nan], 0.1), r"similarities must be finite, got nan at \[0\]"),
        (([0.1], 0.0), "tau must be finite and > 0"),
        (([0.1], 0.1, math.inf), "positive must be finite"),
        (([0.1], 0.1, [0.1, 0.2]), "positive must have 0 axes"),
    ],
)
def test_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        losses.negative_weights(*arguments)


def test_retrieval_example():
    """The longer vector wins by dot product, the nearer direction by cosine."""
    query, a, b = np.array([0.6, 0.8, 0.02]), np.array([3, 4, 0.1]), np.array([5.0, 5, 5])
    assert [round(float(query @ v), 1) for v in (a, b)] == [5.0, 7.1]
    norms = similarity.normalize([a, b]).norms
    assert [round(float(norms[0]), 1), round(float(norms[1]), 2)] == [5.0, 8.66]
    assert np.round(similarity.cosine([query], [a, b])[0], 2).tolist() == [1.00, 0.82]
