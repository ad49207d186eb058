"""MoCo: the paper's loop, slope, torch, pytorch-metric-learning; a queue that wraps, a momentum encoder."""

import dataclasses
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from pytorch_metric_learning.losses import NTXentLoss

from sim_engine import losses
from sim_engine._matmul import forced

SHAPES = [(1, 1, 1), (1, 4, 3), (5, 2, 7), (8, 3, 20), (16, 33, 40)]
TAUS = [0.02, 0.07, 0.5, 10.0]


def paper(q, k, keys, tau):
    """He et al. (2020), eq. 1, by loops."""

    def dot(x, y):
        return sum(v * w for v, w in zip(x, y, strict=True))

    def cosine(x, y):
        return dot(x, y) / math.sqrt(dot(x, x) * dot(y, y))

    total = 0.0
    for query, key in zip(q, k, strict=True):
        own = cosine(query, key) / tau
        terms = [math.exp(cosine(query, other) / tau - own) for other in keys]
        total += math.log1p(sum(terms))
    return total / len(q)


def queue_of(size, d, seed=0):
    return losses.Queue.random(size, d, np.random.default_rng(seed))


@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize(("n", "d", "size"), SHAPES)
def test_value_is_the_papers_and_gradient_its_slope(views, rng, slope, n, d, size, tau):
    q, k = views(n, d)
    queue = queue_of(size, d)
    result = losses.moco(q, k, queue, tau)
    assert result.value == pytest.approx(paper(q, k, queue.keys, tau), rel=1e-10, abs=1e-13)
    direction = rng.normal(size=(n, d)) * np.linalg.norm(q, axis=1)[:, None] * min(tau, 1.0)
    wanted = slope(lambda x: paper(x, k, queue.keys, tau), (q,), (direction,), step=1e-3)
    assert np.sum(result.grad_q * direction) == pytest.approx(wanted, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize(("n", "d", "size"), SHAPES)
def test_value_and_gradient_are_those_of_torch(views, n, d, size, tau):
    """Algorithm 1 of the paper, the keys and the queue detached."""
    q, k = views(n, d)
    queue = queue_of(size, d)
    x = torch.tensor(q, requires_grad=True)
    u, v = F.normalize(x), F.normalize(torch.tensor(k))
    logits = torch.cat([(u * v).sum(1, keepdim=True), u @ torch.tensor(queue.keys.copy()).T], dim=1)
    loss = F.cross_entropy(logits / tau, torch.zeros(n, dtype=torch.long))
    result = losses.moco(q, k, queue, tau)
    assert result.value == pytest.approx(loss.item(), rel=1e-10, abs=1e-10)
    wanted = torch.autograd.grad(loss, x)[0].numpy()
    np.testing.assert_allclose(result.grad_q, wanted, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize(("n", "d", "size"), SHAPES[1:])  # of a single pair it says 0
def test_it_is_pytorch_metric_learnings_nt_xent_with_its_pairs_given(views, n, d, size, tau):
    """Its queue takes the batch's other keys for negatives too, so the pairs are given instead."""
    q, k = views(n, d)
    queue = queue_of(size, d)
    x = torch.tensor(q, requires_grad=True)
    keys = torch.cat([torch.tensor(k), torch.tensor(queue.keys.copy())])
    own = torch.arange(n)
    pairs = (own, own, own.repeat_interleave(size), n + torch.arange(size).repeat(n))
    loss = NTXentLoss(temperature=tau)(x, indices_tuple=pairs, ref_emb=keys)
    result = losses.moco(q, k, queue, tau)
    assert result.value == pytest.approx(loss.item(), rel=1e-10, abs=1e-10)
    wanted = torch.autograd.grad(loss, x)[0].numpy()
    np.testing.assert_allclose(result.grad_q, wanted, rtol=1e-10, atol=1e-10)


def test_with_the_same_negatives_it_is_info_nce(views):
    q, k = views(6, 4)
    queue = queue_of(9, 4)
    assert losses.moco(q, k, queue, 0.2).value == pytest.approx(
        losses.info_nce(q, k, queue.keys, 0.2).value, rel=1e-12
    )


@pytest.mark.parametrize("tau", [0.02, 1.0])
def test_collapse_is_chance_among_k_plus_one(tau):
    queue = losses.Queue([[0.6, 0.8]] * 9)
    result = losses.moco([[3.0, 4.0]] * 4, [[0.6, 0.8]] * 4, queue, tau)
    assert result.value == pytest.approx(math.log(10), rel=1e-12)
    assert np.abs(result.grad_q).max() < 1e-12 / tau


@given(st.integers(1, 7), st.lists(st.integers(1, 10), min_size=1, max_size=5), st.integers(0, 6))
def test_the_queue_is_a_list_that_forgets(size, batches, start):
    """Against the plain notion: append, then keep the last K."""
    start %= size
    first = queue_of(size, 3)
    queue = losses.Queue(first.keys, start)
    kept = [first.keys[(start + i) % size] for i in range(size)]  # oldest first
    for turn, count in enumerate(batches):
        keys = np.random.default_rng(turn).normal(size=(count, 3))
        queue = queue.enqueue(keys)
        kept = [*kept, *(row / np.linalg.norm(row) for row in keys)][-size:]
    ours = [queue.keys[(queue.start + i) % size] for i in range(size)]
    np.testing.assert_allclose(ours, kept, atol=1e-15)
    assert queue.start == (start + sum(batches)) % size


def test_state_goes_in_and_comes_out_and_is_never_written_to(views):
    q, k = views(3, 4)
    source = queue_of(5, 4).keys.copy()
    queue = losses.Queue(source)
    before = source.copy()
    result = losses.moco(q, k, queue, 0.1)
    source[:] = 0
    np.testing.assert_array_equal(queue.keys, before)
    np.testing.assert_array_equal(result.queue.keys[3:], before[3:])
    np.testing.assert_allclose(
        result.queue.keys[:3], k / np.linalg.norm(k, axis=1, keepdims=True), atol=1e-15
    )
    assert (queue.start, result.queue.start) == (0, 3)
    with pytest.raises(ValueError, match="read-only"):
        queue.keys[0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        queue.start = 1
    # The loss is by the keys as they were before.
    assert result.value == pytest.approx(paper(q, k, before, 0.1), rel=1e-10)
    assert losses.moco(q, k, result.queue, 0.1).value != pytest.approx(result.value, rel=1e-3)


def test_a_random_queue_is_drawn_from_the_given_generator():
    np.testing.assert_array_equal(queue_of(5, 3, seed=4).keys, queue_of(5, 3, seed=4).keys)
    assert (queue_of(5, 3, seed=4).keys != queue_of(5, 3, seed=5).keys).all()
    keys = queue_of(4000, 3).keys
    np.testing.assert_allclose(np.linalg.norm(keys, axis=1), 1.0, rtol=1e-14)
    assert np.linalg.norm(keys.mean(axis=0)) < 0.05


@given(st.integers(0, 10**6), st.floats(-9, 9).map(lambda e: 10.0**e))
def test_symmetries_and_finiteness(seed, tau):
    rng = np.random.default_rng(seed)
    n, d, size = rng.integers(1, 6), rng.integers(1, 5), rng.integers(1, 8)
    q, k = rng.normal(size=(2, n, d))
    keys = queue_of(size, d, seed).keys
    result = losses.moco(q, k, losses.Queue(keys), tau)
    assert result.value >= 0
    assert np.isfinite(result.grad_q).all()
    order, turn = rng.permutation(n), np.linalg.qr(rng.normal(size=(d, d)))[0]
    moved = losses.moco(
        3 * (q @ turn)[order], (k @ turn)[order] / 7, losses.Queue(rng.permutation(keys) @ turn), tau
    )
    rounding = 1e-13 * (1 + 1 / tau)  # of a logit
    assert moved.value == pytest.approx(result.value, rel=1e-10, abs=rounding)
    if tau > 1e-2:
        np.testing.assert_allclose(3 * moved.grad_q, (result.grad_q @ turn)[order], atol=1e-10 / tau)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("tau", [1e-30, 0.07, 1e30])
def test_narrow_numbers_and_extremes(views, dtype, tau):
    q, k = (x.astype(dtype) for x in views(6, 4))
    queue = queue_of(9, 4)
    result = losses.moco(q, k, queue, tau)
    double = losses.moco(q.astype(np.float64), k.astype(np.float64), queue, tau)
    assert result.value == pytest.approx(double.value, rel=1e-4)
    assert result.grad_q.dtype == np.result_type(dtype, np.float32)
    assert np.isfinite(result.grad_q).all()
    assert result.queue.keys.dtype == np.float64


def test_the_smallest_temperature_overflows_no_mean():
    q = np.tile([[1.0, 0.0]], (50, 1))
    result = losses.moco(q, -q, losses.Queue([[1.0, 0.0]]), 3e-308)
    assert result.value == pytest.approx(2 / 3e-308)


def test_the_page_and_the_desk_compute_the_same(views):
    q, k = views(12, 40)
    with forced("blas"):
        desk = losses.moco(q, k, queue_of(30, 40))
    with forced("einsum"):
        page = losses.moco(q, k, queue_of(30, 40))
    assert page.value == pytest.approx(desk.value, rel=1e-12)
    np.testing.assert_allclose(page.grad_q, desk.grad_q, rtol=1e-11, atol=1e-13)


def test_momentum_moves_each_array_by_its_share(rng):
    slow = {"w": rng.normal(size=(3, 2)), "b": rng.normal(size=2).astype(np.float32)}
    fast = {"b": rng.normal(size=2).astype(np.float32), "w": rng.normal(size=(3, 2))}
    before = slow["w"].copy()
    moved = losses.momentum_update(slow, fast, 0.9)
    assert list(moved) == ["w", "b"]
    np.testing.assert_allclose(moved["w"], 0.9 * before + 0.1 * fast["w"], rtol=1e-14)
    assert moved["b"].dtype == np.float32
    np.testing.assert_array_equal(slow["w"], before)
    assert (losses.momentum_update(slow, fast, 0)["w"] == fast["w"]).all()
    assert (losses.momentum_update(slow, fast, 1)["w"] == slow["w"]).all()
    for m in (0.1, 0.3, 0.7, 0.999):
        assert (losses.momentum_update(fast, fast, m)["w"] == fast["w"]).all()
    greatest = {"w": np.array([np.finfo(np.float64).max])}
    assert losses.momentum_update(greatest, greatest, 0.9)["w"] == greatest["w"]


ONES = np.ones((3, 2))
UNIT = losses.Queue([[1.0, 0.0], [0.0, 1.0]])
TINY = np.array([[1.0, 0.0], [0.0, 1.0], [1e-320, 0.0]])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"k": np.ones((4, 2))}, r"q and k must have one shape.*\(3, 2\) and \(4, 2\)"),
        ({"q": ONES * 0}, "q must have no zero row"),
        ({"k": ONES * np.nan}, "k must be finite, got nan"),
        ({"q": np.ones((3, 3)), "k": np.ones((3, 3))}, "q must have rows of the queue's length 2, got 3"),
        ({"queue": ONES}, r"queue must be a moco.Queue, got ndarray; Queue\(keys\) makes one"),
        ({"tau": 0.0}, "tau must be finite and > 0"),
        ({"tau": "1"}, "tau must be a number > 0"),
        ({"tau": 1e-308}, "tau must be at least"),
        ({"q": TINY}, "gradient in q overflows float64 at row 2"),
    ],
)
def test_refused_by_name(changed, message):
    with pytest.raises(ValueError, match=message):
        losses.moco(**({"q": ONES, "k": ONES, "queue": UNIT} | changed))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: losses.Queue(ONES), "keys must have unit rows, got length 1.41421 in row 0"),
        (lambda: losses.Queue(ONES[:0]), "keys must not be empty"),
        (lambda: losses.Queue([[1.0]], 1), "start must be from 0 to 0, got 1"),
        (lambda: losses.Queue([[1.0]], -1), "start must be from 0 to 0, got -1"),
        (lambda: losses.Queue([[1.0]], 0.0), "start must be a whole number, got 0.0"),
        (lambda: losses.Queue.random(0, 2, np.random.default_rng()), "size must be at least 1"),
        (lambda: losses.Queue.random(2, 0, np.random.default_rng()), "d must be at least 1"),
        (lambda: losses.Queue.random(2, 2, 5), "rng must be a numpy.random.Generator, got 5; np.random"),
        (lambda: UNIT.enqueue(np.ones((2, 3))), "keys must have rows of the queue's length 2, got 3"),
        (lambda: UNIT.enqueue(ONES * 0), "keys must have no zero row"),
        (lambda: losses.momentum_update({"w": [1]}, {"v": [1]}), r"same names, got \['w'\] and \['v'\]"),
        (lambda: losses.momentum_update({"w": [1]}, {"w": [[1]]}), r"agree in 'w', got \(1,\) and \(1, 1\)"),
        (lambda: losses.momentum_update({"w": [np.nan]}, {"w": [1]}), r"params_k\['w'\] must be finite"),
        (lambda: losses.momentum_update([1.0], {"w": [1]}), "params_k must map names to arrays, got list"),
        (
            lambda: losses.momentum_update({"w": [1]}, {"w": [1]}, 1.5),
            "momentum must lie from 0 to 1, got 1.5",
        ),
        (
            lambda: losses.momentum_update({"w": np.ones(1, np.float32)}, {"w": [1e300]}),
            "the mean of 'w' in float32 must be finite",
        ),
    ],
)
def test_state_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make()
