"""CLIP's loss: the paper's loop, slopes, torch, pytorch-metric-learning; the scale and its limit."""

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

SHAPES = [(2, 1), (2, 5), (5, 2), (8, 3), (16, 33)]
LOG_SCALES = [-3.0, 0.0, math.log(1 / 0.07), math.log(99.0)]


def paper(image, text, log_scale):
    """Figure 3 of Radford et al. (2021), by loops, with section 2.5's limit of the scale."""
    n = len(image)
    scale = min(math.exp(log_scale), 100.0)

    def unit(rows):
        return [[v / math.sqrt(sum(w * w for w in row)) for v in row] for row in rows]

    x, y = unit(image), unit(text)
    logits = [[scale * sum(v * w for v, w in zip(a, b, strict=True)) for b in y] for a in x]

    def cross_entropy(row, right):
        return math.log(sum(math.exp(v - row[right]) for v in row))

    of_images = sum(cross_entropy(logits[i], i) for i in range(n)) / n
    of_texts = sum(cross_entropy([row[i] for row in logits], i) for i in range(n)) / n
    return (of_images + of_texts) / 2


@pytest.mark.parametrize("log_scale", [*LOG_SCALES, 5.0, 800.0])
@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_value_is_the_papers(views, n, d, log_scale):
    z = views(n, d)
    wanted = paper(*z, min(log_scale, 700.0))
    assert losses.clip(*z, log_scale).value == pytest.approx(wanted, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("log_scale", [*LOG_SCALES, 5.0])
@pytest.mark.parametrize(("n", "d"), [(2, 5), (8, 3), (16, 33)])
def test_gradient_is_the_slope(views, rng, slope, n, d, log_scale):
    image, text = views(n, d)
    along = [rng.normal(size=(n, d)), rng.normal(size=(n, d)), np.array(rng.normal())]
    step = 1e-2 / math.exp(min(log_scale, 4.6))
    result = losses.clip(image, text, log_scale)
    ours = np.sum(result.grad_image * along[0] + result.grad_text * along[1])
    ours += result.grad_log_scale * along[2]
    wanted = slope(paper, (image, text, np.array(log_scale)), along, step=min(step, 1e-3))
    assert ours == pytest.approx(wanted, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("log_scale", [*LOG_SCALES, 5.0])
@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_value_and_gradients_are_those_of_torch(views, n, d, log_scale):
    z = views(n, d)
    image, text = (torch.tensor(x, requires_grad=True) for x in z)
    t = torch.tensor(log_scale, dtype=torch.float64, requires_grad=True)
    logits = t.exp().clamp(max=100) * F.normalize(image) @ F.normalize(text).T
    right = torch.arange(n)
    loss = (F.cross_entropy(logits, right) + F.cross_entropy(logits.T, right)) / 2
    wanted = torch.autograd.grad(loss, (image, text, t))
    result = losses.clip(*z, log_scale)
    assert result.value == pytest.approx(loss.item(), rel=1e-10, abs=1e-10)
    np.testing.assert_allclose(result.grad_image, wanted[0].numpy(), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(result.grad_text, wanted[1].numpy(), rtol=1e-10, atol=1e-10)
    assert result.grad_log_scale == pytest.approx(wanted[2].item(), rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("log_scale", LOG_SCALES)
@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_it_is_pytorch_metric_learnings_nt_xent_both_ways(views, n, d, log_scale):
    """Its NT-Xent of one side against the other as reference, the temperature a tensor that learns."""
    z = views(n, d)
    image, text = (torch.tensor(x, requires_grad=True) for x in z)
    t = torch.tensor(log_scale, dtype=torch.float64, requires_grad=True)
    ntx = NTXentLoss(temperature=1 / t.exp())
    # Of one and the same tensor of labels it would leave out the pairs (i, i).
    pair = {"labels": torch.arange(n), "ref_labels": torch.arange(n)}
    loss = (ntx(image, ref_emb=text, **pair) + ntx(text, ref_emb=image, **pair)) / 2
    wanted = torch.autograd.grad(loss, (image, text, t))
    result = losses.clip(*z, log_scale)
    assert result.value == pytest.approx(loss.item(), rel=1e-10, abs=1e-10)
    np.testing.assert_allclose(result.grad_image, wanted[0].numpy(), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(result.grad_text, wanted[1].numpy(), rtol=1e-10, atol=1e-10)
    assert result.grad_log_scale == pytest.approx(wanted[2].item(), rel=1e-10, abs=1e-10)


def test_beyond_the_limit_the_scale_gets_no_gradient_and_at_it_one(views):
    z = views(8, 3)
    limit = losses.clip_log_scale(7.0)
    at, above = losses.clip(*z, limit), losses.clip(*z, 7.0)
    assert limit == math.log(100)
    assert above.value == at.value
    assert above.grad_log_scale == 0.0
    below = losses.clip(*z, limit - 1e-9)
    assert at.grad_log_scale == pytest.approx(below.grad_log_scale, rel=1e-6)
    assert at.grad_log_scale != 0.0
    assert losses.clip_log_scale(-2) == -2.0


def test_a_scale_of_nought_is_chance(views):
    result = losses.clip(*views(7, 4), -1000.0)
    assert result.value == pytest.approx(math.log(7), rel=1e-14)
    assert not result.grad_image.any()
    assert result.grad_log_scale == 0.0


@pytest.mark.parametrize("log_scale", [0.0, 4.0])
def test_collapse_is_chance_too(log_scale):
    z = np.tile([0.3, -1.2, 0.5], (5, 1))
    result = losses.clip(z, 2 * z, log_scale)
    assert result.value == pytest.approx(math.log(5), rel=1e-12)
    assert result.grad_log_scale == pytest.approx(0.0, abs=1e-12)
    assert np.abs(result.grad_image).max() < 1e-12


@given(st.integers(0, 10**6), st.floats(-5, 5))
def test_symmetries(seed, log_scale):
    rng = np.random.default_rng(seed)
    n, d = rng.integers(2, 7), rng.integers(1, 6)
    image, text = rng.normal(size=(2, n, d))
    result = losses.clip(image, text, log_scale)
    assert result.value >= 0
    order, turn = rng.permutation(n), np.linalg.qr(rng.normal(size=(d, d)))[0]
    length = rng.uniform(0.1, 10, size=(n, 1))
    # Text and image change places, rows move, space turns, one side grows longer.
    moved = losses.clip((text @ turn)[order], (length * image @ turn)[order], log_scale)
    assert moved.value == pytest.approx(result.value, rel=1e-11, abs=1e-13)
    assert moved.grad_log_scale == pytest.approx(result.grad_log_scale, rel=1e-9, abs=1e-10)
    scale = 1e-9 * (1 + np.abs(result.grad_image).max() + np.abs(result.grad_text).max())
    np.testing.assert_allclose(moved.grad_text * length[order], (result.grad_image @ turn)[order], atol=scale)
    np.testing.assert_allclose(moved.grad_image, (result.grad_text @ turn)[order], atol=scale)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("log_scale", [-1e300, -120.0, 0.0, 4.6, 1e300])
def test_narrow_numbers_duplicates_and_extremes(views, dtype, log_scale):
    z = [x.astype(dtype) for x in views(8, 4)]
    z[0][1] = z[0][0]
    double = losses.clip(*(x.astype(np.float64) for x in z), log_scale)
    result = losses.clip(*z, log_scale)
    assert result.value == pytest.approx(double.value, rel=1e-4)
    assert result.grad_log_scale == pytest.approx(double.grad_log_scale, rel=1e-3, abs=1e-5)
    assert result.grad_image.dtype == np.result_type(dtype, np.float32)
    bound = 1e-4 * np.abs(double.grad_image).max() + 1e-30  # float32 holds no exp(-120)
    np.testing.assert_allclose(result.grad_image, double.grad_image, atol=bound)


def test_the_page_and_the_desk_compute_the_same(views):
    z = views(12, 40)
    with forced("blas"):
        desk = losses.clip(*z, 2.0)
    with forced("einsum"):
        page = losses.clip(*z, 2.0)
    assert page.value == pytest.approx(desk.value, rel=1e-12)
    assert page.grad_log_scale == pytest.approx(desk.grad_log_scale, rel=1e-11)
    np.testing.assert_allclose(page.grad_text, desk.grad_text, rtol=1e-11, atol=1e-13)


ONES = np.ones((3, 2))
TINY = np.array([[1.0, 0.0], [0.0, 1.0], [1e-320, 0.0]])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"text": np.ones((4, 2))}, r"image and text must have one shape.*\(3, 2\) and \(4, 2\)"),
        ({"image": np.ones((1, 2)), "text": np.ones((1, 2))}, "at least 2 rows, got 1: .* no negative"),
        ({"image": ONES * 0}, "image must have no zero row"),
        ({"text": ONES * np.nan}, "text must be finite, got nan"),
        ({"text": np.ones(3)}, "text must have 2 axes"),
        ({"log_scale": math.nan}, "log_scale must be finite, got nan"),
        ({"log_scale": math.inf}, "log_scale must be finite, got inf"),
        ({"log_scale": "1"}, "log_scale must hold real numbers"),
        ({"log_scale": True}, "log_scale must hold real numbers"),
        ({"log_scale": [1.0]}, "log_scale must have 0 axes"),
        ({"image": TINY, "log_scale": 4.0}, "gradient in image overflows float64 at row 2"),
    ],
)
def test_refused_by_name(changed, message):
    with pytest.raises(ValueError, match=message):
        losses.clip(**({"image": ONES, "text": ONES + np.eye(3, 2), "log_scale": 0.0} | changed))
