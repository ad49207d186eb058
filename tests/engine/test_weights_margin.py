"""How a margin shares the push among negatives: the triplet loss's gradient and slope."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim_engine import losses, similarity

NEGATIVES = [0.75, 0.40, 0.10]
SELECT = ["nearest", "semi-hard", "violating"]
COSINES = st.lists(st.floats(-1, 1), min_size=1, max_size=9)


@pytest.mark.parametrize(
    ("margin", "select", "shown"),
    [
        (0.05, "violating", [0, 0, 0]),  # gaps of .1, .8 and 1.4
        (0.2, "violating", [1, 0, 0]),
        (1.0, "violating", [1 / 2, 1 / 2, 0]),
        (2.0, "violating", [1 / 3, 1 / 3, 1 / 3]),
        (2.0, "nearest", [1, 0, 0]),
    ],
)
def test_table_beside_softmax_and_sigmoid(margin, select, shown):
    assert losses.margin_weights(NEGATIVES, 0.80, margin, select=select).tolist() == shown


def test_too_hard_a_negative_is_pushed_by_violating_alone():
    harder = [0.9, *NEGATIVES]  # nearer to the anchor than its positive at .8
    assert losses.margin_weights(harder, 0.8, 1.0).tolist() == [1 / 3, 1 / 3, 1 / 3, 0]
    assert losses.margin_weights(harder, 0.8, 1.0, select="semi-hard").tolist() == [0, 1 / 2, 1 / 2, 0]
    assert losses.margin_weights(harder, 0.8, 1.0, select="nearest").tolist() == [0, 1, 0, 0]


def of_similarities(s, positive, margin):
    """One anchor's given triplets (its positive with each negative) as rows of which s are the cosines."""
    k = len(s)
    anchor = np.tile([1.0, 0.0], (k, 1))
    own = np.tile([positive, math.sqrt(1 - positive**2)], (k, 1))
    return anchor, own, np.stack([s, np.sqrt(1 - s**2)], axis=1), margin


@pytest.mark.parametrize("margin", [0.2, 1.0, 2.0])
def test_weights_are_the_triplet_losss_slope_in_the_similarities(slope, margin):
    """The mean over all K triplets has the slope 2 w_k V / K in s_k: V of them violate."""
    s, positive = np.array(NEGATIVES), 0.8
    weights = losses.margin_weights(s, positive, margin)
    violating = np.count_nonzero(weights)

    def loss(x):
        return losses.triplet(*of_similarities(x, positive, margin)).value

    for k in range(3):
        wanted = slope(loss, (s,), (np.eye(3)[k],))
        assert 2 * weights[k] * violating / 3 == pytest.approx(wanted, rel=1e-8, abs=1e-9)


@pytest.mark.parametrize("select", SELECT)
@pytest.mark.parametrize("margin", [0.2, 1.0, 3.0])
@pytest.mark.parametrize(("n", "d"), [(2, 5), (5, 2), (16, 33)])
def test_weights_are_the_gradient_of_triplet_views(views, n, d, margin, select):
    """Anchor by anchor: pushed from its negatives by 2 w_k, pulled to its positive by their sum."""
    z = np.concatenate(views(n, d))
    s, count = similarity.cosine(z, z), 2 * n
    share, chosen = np.zeros((count, count)), []
    for i in range(count):
        own = (i + n) % count
        others = [k for k in range(count) if k not in (i, own)]
        weights = losses.margin_weights(s[i, others], s[i, own], margin, select=select)
        chosen.append(np.count_nonzero(weights))
        # The batch's mean is over all triplets, so an anchor counts by how many it has.
        share[i, others] = 2 * weights * chosen[-1]
        share[i, own] = -share[i].sum()
    result = losses.triplet_views(z[:n], z[n:], margin, select=select)
    assert result.triplets == sum(chosen)
    unit = similarity.normalize(z)
    wanted = similarity.normalize_backward((share + share.T) @ unit.u / max(1, sum(chosen)), unit)
    np.testing.assert_allclose(np.concatenate([result.grad_a, result.grad_b]), wanted, rtol=1e-12, atol=1e-14)


@given(COSINES, st.floats(-1, 1), st.floats(-300, 300).map(lambda e: 10.0**e), st.sampled_from(SELECT))
def test_the_chosen_share_equally(similarities, positive, margin, select):
    weights = losses.margin_weights(similarities, positive, margin, select=select)
    pushed = weights[weights > 0]
    assert weights.shape == (len(similarities),)
    assert weights.dtype == np.float64
    assert weights.sum() == pytest.approx(1 if len(pushed) else 0)
    assert np.ptp(pushed) == 0 if len(pushed) else True
    if select == "nearest":
        assert len(pushed) <= 1
    if select == "violating":  # the harder one is never let off
        assert (np.diff(weights[np.argsort(similarities, kind="stable")]) >= 0).all()
    every = losses.margin_weights(similarities, positive, margin)
    assert (every[weights > 0] > 0).all()


def test_rows_of_similarities_are_weighed_each_alone():
    table = np.array([[[0.9, 0.1], [0.2, 0.3]]])
    for select in SELECT:
        rows = [[losses.margin_weights(row, 0.5, 0.7, select=select) for row in table[0]]]
        np.testing.assert_array_equal(losses.margin_weights(table, 0.5, 0.7, select=select), rows)


@pytest.mark.parametrize("select", SELECT)
def test_extreme_numbers_do_not_overflow(select):
    assert losses.margin_weights([-1e308], 1e308, 1e300, select=select).tolist() == [0.0]
    pushed = losses.margin_weights([1e308, 0.0], -1e308, 1e-300, select=select)
    assert pushed.tolist() == ([0.5, 0.5] if select == "violating" else [0.0, 0.0])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_negative_as_near_as_the_positive_is_not_farther(dtype):
    s = np.array([0.75, 0.75], dtype)
    s[1] -= 2 * np.finfo(np.result_type(dtype, np.float32)).eps  # within rounding
    assert losses.margin_weights(s, 0.75, select="semi-hard").tolist() == [0, 0]
    assert losses.margin_weights(s, 0.75).tolist() == [0.5, 0.5]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.5, 0.1), "similarities must have at least one axis, got a single number"),
        (([], 0.1), "similarities must not be empty"),
        (([math.nan], 0.1), r"similarities must be finite, got nan at \[0\]"),
        (([0.1], math.inf), "positive must be finite"),
        (([0.1], [0.1, 0.2]), "positive must have 0 axes"),
        (([0.1], None), "positive must hold real numbers"),
        (([0.1], 0.1, 0.0), "margin must be finite and > 0, got 0.0"),
        (([0.1], 0.1, "1"), "margin must be a number > 0"),
    ],
)
def test_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        losses.margin_weights(*arguments)


def test_an_unknown_selection_is_refused():
    with pytest.raises(ValueError, match="select must be 'nearest', 'semi-hard' or 'violating', got 'hard'"):
        losses.margin_weights([0.1], 0.1, select="hard")
