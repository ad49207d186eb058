"""The triplet loss: the paper's loop, slopes, torch, pytorch-metric-learning and its miner."""

import math
import tracemalloc

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.miners import TripletMarginMiner
from pytorch_metric_learning.reducers import MeanReducer

from sim_engine import losses
from sim_engine._matmul import forced

SHAPES = [(2, 1), (2, 5), (5, 2), (8, 3), (16, 33)]
MARGINS = [0.05, 0.2, 1.0]
SELECT = ["nearest", "semi-hard", "violating"]


def squared(x, y):
    """Squared distance of two directions, by a loop over coordinates."""
    long, wide = math.sqrt(sum(v * v for v in x)), math.sqrt(sum(v * v for v in y))
    return sum((v / long - w / wide) ** 2 for v, w in zip(x, y, strict=True))


def paper(a, p, n, margin):
    """Schroff et al. (2015), section 3.1, divided by the number of triplets."""
    terms = [squared(x, y) - squared(x, z) + margin for x, y, z in zip(a, p, n, strict=True)]
    return sum(max(0.0, term) for term in terms) / len(terms)


def chosen(z_a, z_b, margin, select):
    """The triplets (i, p(i), k) of two views, by loops."""
    z, n = [*z_a, *z_b], len(z_a)
    triplets = []
    for i in range(2 * n):
        own = (i + n) % (2 * n)
        gaps = {k: squared(z[i], z[k]) - squared(z[i], z[own]) for k in range(2 * n) if k not in (i, own)}
        found = [k for k, gap in gaps.items() if gap < margin and (gap > 0 or select == "violating")]
        if select == "nearest":
            found = sorted(found, key=gaps.get)[:1]
        triplets += [(i, own, k) for k in found]
    return triplets


def of_rows(z_a, z_b, triplets, margin):
    """Mean loss of given triplets of the 2N rows; a fixed choice, so that it has a slope."""
    z = [*z_a, *z_b]
    return paper(*([z[triplet[place]] for triplet in triplets] for place in range(3)), margin)


@pytest.fixture
def triplets(views):
    def make(n, d):
        a, p = views(n, d)
        return a, p, views(n, d, seed=3)[0]

    return make


@pytest.mark.parametrize("margin", MARGINS)
@pytest.mark.parametrize(("n", "d"), [(1, 4), *SHAPES])
def test_value_is_the_papers(triplets, n, d, margin):
    z = triplets(n, d)
    assert losses.triplet(*z, margin).value == pytest.approx(paper(*z, margin), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("margin", MARGINS)
@pytest.mark.parametrize(("n", "d"), [(5, 2), (16, 33)])
def test_gradient_is_the_slope(triplets, rng, slope, n, d, margin):
    z = triplets(n, d)
    direction = rng.normal(size=(3, n, d)) * 0.01
    result = losses.triplet(*z, margin)
    grads = (result.grad_anchor, result.grad_positive, result.grad_negative)
    ours = sum(np.sum(g * v) for g, v in zip(grads, direction, strict=True))
    assert ours == pytest.approx(slope(lambda *x: paper(*x, margin), z, direction, step=1e-2), rel=1e-6)


@pytest.mark.parametrize("margin", MARGINS)
@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_given_triplets_are_those_of_torch_and_pml(triplets, n, d, margin):
    z = triplets(n, d)
    tensors = [torch.tensor(x, requires_grad=True) for x in z]
    a, p, k = (F.normalize(x) for x in tensors)
    plain = F.relu((a - p).pow(2).sum(1) - (a - k).pow(2).sum(1) + margin).mean()
    place = torch.arange(n)
    pml = TripletMarginLoss(margin=margin, distance=LpDistance(power=2), reducer=MeanReducer())
    metric = pml(torch.cat(tensors), indices_tuple=(place, place + n, place + 2 * n))
    result = losses.triplet(*z, margin)
    for loss in (plain, metric):
        assert result.value == pytest.approx(loss.item(), rel=1e-10, abs=1e-10)
        wanted = torch.autograd.grad(loss, tensors)
        for ours, theirs in zip(
            (result.grad_anchor, result.grad_positive, result.grad_negative), wanted, strict=True
        ):
            np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("select", SELECT)
@pytest.mark.parametrize("margin", MARGINS)
@pytest.mark.parametrize(("n", "d"), [(2, 5), (5, 2), (8, 3), (16, 33)])
def test_selection_is_the_loops(views, rng, slope, n, d, margin, select):
    z = views(n, d)
    triplets = chosen(*z, margin, select)
    result = losses.triplet_views(*z, margin, select=select)
    assert result.triplets == len(triplets)
    if not triplets:
        assert result.value == 0
        assert not result.grad_a.any()
        assert not result.grad_b.any()
        return
    assert result.value == pytest.approx(of_rows(*z, triplets, margin), rel=1e-10, abs=1e-14)
    direction = rng.normal(size=(2, n, d)) * 1e-4
    wanted = slope(lambda a, b: of_rows(a, b, triplets, margin), z, direction, step=1e-2)
    ours = np.sum(result.grad_a * direction[0] + result.grad_b * direction[1])
    assert ours == pytest.approx(wanted, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("select", ["semi-hard", "violating"])
@pytest.mark.parametrize("margin", MARGINS)
@pytest.mark.parametrize(("n", "d"), [(5, 2), (8, 3), (16, 33)])
def test_two_views_are_pmls_with_its_miner(views, n, d, margin, select):
    z = views(n, d, noise=3.0)
    tensors = [torch.tensor(x, requires_grad=True) for x in z]
    rows, labels = torch.cat(tensors), torch.arange(n).repeat(2)
    distance = LpDistance(power=2)
    kind = {"semi-hard": "semihard", "violating": "all"}[select]
    miner = TripletMarginMiner(margin=margin, type_of_triplets=kind, distance=distance)
    mined = miner(rows, labels)
    loss = TripletMarginLoss(margin=margin, distance=distance)(rows, labels, mined)
    result = losses.triplet_views(*z, margin, select=select)
    assert result.triplets == len(mined[0]) > 0
    assert result.value == pytest.approx(loss.item(), rel=1e-10)
    for ours, theirs in zip((result.grad_a, result.grad_b), torch.autograd.grad(loss, tensors), strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("margin", MARGINS)
@pytest.mark.parametrize(("n", "d"), [(5, 2), (8, 3), (16, 33)])
def test_nearest_is_what_torch_says_of_the_least_gap_of_each_anchor(views, n, d, margin):
    """The default: of each anchor the nearest negative beyond its positive, where it lacks the margin."""
    z = views(n, d, noise=3.0)
    tensors = [torch.tensor(x, requires_grad=True) for x in z]
    u = F.normalize(torch.cat(tensors))
    distance = (u[:, None] - u[None]).pow(2).sum(2)
    anchor = torch.arange(2 * n)
    gap = distance - distance[anchor, (anchor + n) % (2 * n), None]
    negative = anchor[:, None] % n != anchor[None] % n
    least = gap.masked_fill(~negative | (gap <= 0), math.inf).min(dim=1).values
    terms = (margin - least)[least < margin]
    loss = terms.mean()
    result = losses.triplet_views(*z, margin)
    assert result.triplets == len(terms) > 0
    assert result.value == pytest.approx(loss.item(), rel=1e-10)
    for ours, theirs in zip((result.grad_a, result.grad_b), torch.autograd.grad(loss, tensors), strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-10, atol=1e-10)
    named = losses.triplet_views(*z, margin, select="nearest")
    np.testing.assert_array_equal(named.grad_a, result.grad_a)


def test_without_a_semi_hard_negative_an_anchor_is_left_out():
    # Anchor a: its positive at a right angle, every negative nearer (too hard) or opposite (too easy).
    angle = np.radians([[0.0, 10.0], [90.0, 190.0]])
    z_a, z_b = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    result = losses.triplet_views(z_a, z_b, 0.2, select="nearest")
    assert (result.triplets, result.value) == (0, 0.0)
    assert losses.triplet_views(z_a, z_b, 0.2, select="violating").triplets > 0


@pytest.mark.parametrize("select", SELECT)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_collapse_leaves_semi_hard_selection_nothing(select, dtype):
    z = np.tile(np.array([0.3, -1.2, 0.5], dtype), (6, 1)) * np.arange(1, 7, dtype=dtype)[:, None]
    result = losses.triplet_views(z, z[::-1], 0.2, select=select)
    assert result.value == pytest.approx(0.2 if select == "violating" else 0.0, rel=1e-5)
    assert result.triplets == (12 * 10 if select == "violating" else 0)
    assert np.abs(result.grad_a).max() < 1e-6


@given(st.integers(0, 10**6), st.sampled_from(SELECT), st.sampled_from([np.float16, np.float32, np.float64]))
def test_order_length_and_rotation_do_not_matter(seed, select, dtype):
    rng = np.random.default_rng(seed)
    n, d = rng.integers(2, 7), rng.integers(2, 6)
    z_a, z_b = rng.normal(size=(2, n, d)).astype(dtype)
    result = losses.triplet_views(z_a, z_b, 0.5, select=select)
    assert result.value >= 0
    assert result.grad_a.dtype == np.result_type(dtype, np.float32)
    if dtype is not np.float64:
        return
    order, turn = rng.permutation(n), np.linalg.qr(rng.normal(size=(d, d)))[0]
    length = rng.uniform(0.1, 10, size=(n, 1))
    moved = losses.triplet_views((z_a * length)[order] @ turn, z_b[order] @ turn, 0.5, select=select)
    assert moved.triplets == result.triplets
    assert moved.value == pytest.approx(result.value, rel=1e-11, abs=1e-13)
    np.testing.assert_allclose(moved.grad_a * length[order], (result.grad_a)[order] @ turn, atol=1e-11)
    np.testing.assert_allclose(moved.grad_b, (result.grad_b)[order] @ turn, atol=1e-11)


@pytest.mark.parametrize("select", SELECT)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_no_margin_and_no_duplicate_breaks_it(select, dtype):
    z = np.array([[1, 0], [1, 0], [-1, 0], [0, 1]], dtype)
    for margin in (1e-300, 1e-9, 4.0, 1e9, 1e300):
        for result in (
            losses.triplet_views(z, z[::-1], margin, select=select),
            losses.triplet_views(z[:, :1] + 0.5, z[::-1, :1] + 0.5, margin, select=select),
        ):
            assert 0 <= result.value <= margin + 4
            assert np.isfinite([result.grad_a, result.grad_b]).all()
        given_triplets = losses.triplet(z, z, z, margin)
        assert given_triplets.value == pytest.approx(margin)
        assert not given_triplets.grad_anchor.any()


@pytest.mark.parametrize("select", SELECT)
def test_at_most_three_matrices_at_once(views, select):
    z = views(256, 8)
    tracemalloc.start()
    losses.triplet_views(*z, 0.5, select=select)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    matrix = 512**2 * 8
    assert matrix < peak < 3 * matrix


def test_the_page_and_the_desk_compute_the_same(views):
    z = views(12, 40)
    with forced("blas"):
        desk = losses.triplet_views(*z, select="violating")
    with forced("einsum"):
        page = losses.triplet_views(*z, select="violating")
    assert page.value == pytest.approx(desk.value, rel=1e-12)
    np.testing.assert_allclose(page.grad_a, desk.grad_a, rtol=1e-12, atol=1e-14)


ONES = np.ones((3, 2))
TINY = np.array([[1.0, 0.0], [0.0, 1.0], [1e-320, 0.0]])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"anchor": np.ones(3)}, "anchor must have 2 axes"),
        ({"positive": np.ones((3, 3))}, r"anchor and positive must have one shape.*\(3, 2\) and \(3, 3\)"),
        ({"negative": np.ones((2, 2))}, "anchor and negative must have one shape"),
        ({"negative": ONES * np.nan}, r"negative must be finite, got nan at \[0, 0\]"),
        ({"positive": ONES * 0}, "positive must have no zero row"),
        ({"anchor": ONES > 0}, "anchor must hold real numbers"),
        ({"margin": 0.0}, "margin must be finite and > 0"),
        ({"margin": math.inf}, "margin must be finite and > 0"),
        ({"margin": "1"}, "margin must be a number > 0"),
        ({"anchor": TINY, "margin": 9.0}, "gradient in anchor overflows float64 at row 2"),
    ],
)
def test_given_triplets_refused_by_name(changed, message):
    arguments = {"anchor": ONES, "positive": ONES + np.eye(3, 2), "negative": -ONES, "margin": 0.2} | changed
    with pytest.raises(ValueError, match=message):
        losses.triplet(**arguments)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"z_b": np.ones((4, 2))}, "z_a and z_b must have one shape"),
        ({"z_a": np.ones((1, 2)), "z_b": np.ones((1, 2))}, "at least 2 rows, got 1: .* no negative"),
        ({"z_a": ONES * 0}, "z_a must have no zero row"),
        ({"z_b": ONES * np.inf}, "z_b must be finite, got inf"),
        ({"margin": -1}, "margin must be finite and > 0, got -1"),
        ({"select": "hard"}, "select must be 'nearest', 'semi-hard' or 'violating', got 'hard'"),
    ],
)
def test_views_refused_by_name(changed, message):
    with pytest.raises(ValueError, match=message):
        losses.triplet_views(**({"z_a": ONES, "z_b": ONES} | changed))


def test_a_gradient_of_views_beyond_the_dtype_is_refused():
    z_a, z_b = np.eye(3), np.roll(np.eye(3), 1, axis=0)
    z_a[1] *= 1e-310
    with pytest.raises(ValueError, match="gradient in z_a overflows float64 at row 1"):
        losses.triplet_views(z_a, z_b, 5.0, select="violating")
