"""The losses that train are the engine's, in value and in every gradient."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from build_scripts.precompute.methods import losses
from sim_engine import losses as engine

# More threads on a busy machine wait for each other.
torch.set_num_threads(1)

SHAPES = [(2, 2), (5, 3), (33, 8)]
TAUS = [0.05, 0.5, 2.0]


def draw(n, d, count, seed=0):
    return np.random.default_rng([seed, n, d]).normal(size=(count, n, d)) * 1.7


def leaves(arrays):
    return [torch.tensor(array, requires_grad=True) for array in arrays]


def agree(value, wanted, tensors, grads):
    value.backward()
    np.testing.assert_allclose(value.item(), wanted, rtol=1e-10, atol=1e-10)
    for tensor, grad in zip(tensors, grads, strict=True):
        np.testing.assert_allclose(tensor.grad.numpy(), grad, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_nt_xent(n, d, tau):
    z = draw(n, d, 2)
    a, b = leaves(z)
    wanted = engine.nt_xent(*z, tau)
    agree(losses.nt_xent(a, b, tau), wanted.value, [a, b], [wanted.grad_a, wanted.grad_b])


def test_nt_xent_with_its_mistakes_is_the_formula_with_them():
    z = draw(4, 3, 2)
    rows = np.concatenate(z)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    for normalise, mask_self in [(False, True), (True, False), (False, False)]:
        u = unit if normalise else rows
        total = 0.0
        for i in range(8):
            others = [k for k in range(8) if k != i or not mask_self]
            total += np.log(sum(np.exp(u[i] @ u[k] / 0.7) for k in others)) - u[i] @ u[(i + 4) % 8] / 0.7
        found = losses.nt_xent(*map(torch.tensor, z), 0.7, normalise=normalise, mask_self=mask_self)
        np.testing.assert_allclose(found.item(), total / 8, rtol=1e-12)


@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize(("n", "d"), [(3, 2), (6, 3), (40, 8)])
def test_sup_con(n, d, tau):
    z = draw(n, d, 1)[0]
    labels = np.random.default_rng(n).integers(0, max(2, n // 3), n)
    labels[:3] = [1, 1, 0]  # a positive for certain; in the smallest batch, a row without one
    (t,) = leaves([z])
    wanted = engine.sup_con(z, labels, tau)
    agree(losses.sup_con(t, torch.tensor(labels), tau), wanted.value, [t], [wanted.grad_z])


@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize(("n", "d", "keys"), [(1, 2, 1), (5, 3, 9), (16, 8, 64)])
def test_info_nce_and_moco(n, d, keys, tau):
    q, k = draw(n, d, 2)
    queue = engine.Queue.random(keys, d, np.random.default_rng(1))
    a, b, c = leaves([q, k, queue.keys.copy()])
    wanted = engine.info_nce(q, k, queue.keys, tau)
    grads = [wanted.grad_query, wanted.grad_positive, wanted.grad_negatives]
    agree(losses.info_nce(a, b, c, tau), wanted.value, [a, b, c], grads)
    moco = engine.moco(q, k, queue, tau)
    (again,) = leaves([q])
    found = losses.info_nce(again, torch.tensor(k), torch.tensor(queue.keys.copy()), tau)
    agree(found, moco.value, [again], [moco.grad_q])


@pytest.mark.parametrize("name", ["byol", "simsiam"])
@pytest.mark.parametrize(("n", "d"), [(1, 2), *SHAPES])
def test_regression(name, n, d):
    arrays = draw(n, d, 4)
    tensors = leaves(arrays)
    wanted = getattr(engine, name)(*arrays)
    zero = np.zeros((n, d))
    value = getattr(losses, name)(*tensors)
    value.backward()
    np.testing.assert_allclose(value.item(), wanted.value, rtol=1e-10)
    assert tensors[2].grad is None
    assert tensors[3].grad is None
    for tensor, grad in zip(tensors[:2], [wanted.grad_p_a, wanted.grad_p_b], strict=True):
        np.testing.assert_allclose(tensor.grad.numpy(), grad + zero, rtol=1e-10, atol=1e-10)
    # Without the stop, the targets' gradient is that of the exchanged loss.
    tensors = leaves(arrays)
    getattr(losses, name)(*tensors, stop_gradient=False).backward()
    swapped = getattr(engine, name)(arrays[2], arrays[3], arrays[0], arrays[1])
    for tensor, grad in zip(tensors[2:], [swapped.grad_p_a, swapped.grad_p_b], strict=True):
        np.testing.assert_allclose(tensor.grad.numpy(), grad, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("settings", [{}, {"lam": 0.3, "eps": 0.0}])
@pytest.mark.parametrize(("n", "d"), [(3, 2), (7, 5), (33, 8)])
def test_barlow_twins(n, d, settings):
    z = draw(n, d, 2)
    a, b = leaves(z)
    wanted = engine.barlow_twins(*z, **settings)
    agree(losses.barlow_twins(a, b, **settings), wanted.value, [a, b], [wanted.grad_a, wanted.grad_b])


@pytest.mark.parametrize("scale", [0.3, 2.0])
@pytest.mark.parametrize(
    "settings", [{}, {"invariance": 3.0, "variance": 1.5, "covariance": 0.2, "gamma": 2.0}]
)
@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_vicreg(n, d, settings, scale):
    z = draw(n, d, 2) * scale
    a, b = leaves(z)
    wanted = engine.vicreg(*z, **settings)
    agree(losses.vicreg(a, b, **settings), wanted.value, [a, b], [wanted.grad_a, wanted.grad_b])


@pytest.mark.parametrize("log_scale", [0.0, math.log(1 / 0.07), math.log(100), 5.0])
@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_clip(n, d, log_scale):
    z = draw(n, d, 2)
    x, y, t = leaves([*z, np.array(log_scale)])
    wanted = engine.clip(*z, log_scale)
    grads = [wanted.grad_image, wanted.grad_text, np.array(wanted.grad_log_scale)]
    agree(losses.clip(x, y, t), wanted.value, [x, y, t], grads)


@pytest.mark.parametrize("tau", [1e-3, 1e-2])
def test_nothing_overflows_at_a_small_temperature(tau):
    """In float32, exp(1 / tau) alone would be infinite."""
    a, b, queue = (torch.tensor(z, dtype=torch.float32, requires_grad=True) for z in draw(6, 4, 3))
    pairs = torch.arange(6).repeat(2)
    for value in (
        losses.nt_xent(a, b, tau),
        losses.info_nce(a, b, queue, tau),
        losses.sup_con(torch.cat([a, b]), pairs, tau),
    ):
        a.grad = None
        value.backward()
        assert torch.isfinite(value)
        assert torch.isfinite(a.grad).all()


def test_a_loss_keeps_its_digits_under_autocast():
    """bfloat16 would round cosines to three digits, and at tau 0.05 the loss to one."""
    z_a, z_b = (torch.tensor(z, dtype=torch.float32) for z in draw(32, 8, 2))
    plain = losses.nt_xent(z_a, z_b, 0.05)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert losses.nt_xent(z_a, z_b, 0.05) == plain
        rounded = losses.nt_xent(z_a.bfloat16(), z_b.bfloat16(), 0.05)
    assert rounded.dtype == torch.float32
    u = functional.normalize(torch.cat([z_a, z_b]).bfloat16().float(), dim=1)
    wanted = losses.nt_xent(*u.chunk(2), 0.05)
    torch.testing.assert_close(rounded, wanted, rtol=1e-6, atol=0)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda a: losses.nt_xent(a, a[:2], 0.5), "one shape"),
        (lambda a: losses.nt_xent(a[:1], a[:1], 0.5), "at least 2 rows, got 1"),
        (lambda a: losses.nt_xent(a, a, 0.0), "tau must be"),
        (lambda a: losses.nt_xent(a, a, math.nan), "tau must be"),
        (lambda a: losses.info_nce(a, a, a[:, :1], 0.5), r"negatives must be \(K, 3\)"),
        (lambda a: losses.sup_con(a, torch.arange(4), 0.5), "no positive"),
        (lambda a: losses.sup_con(a, torch.arange(3), 0.5), "one a row"),
        (lambda a: losses.barlow_twins(a[:1], a[:1]), "at least 2"),
        (lambda a: losses.clip(a, a.T, torch.tensor(0.0)), "image and text"),
    ],
)
def test_what_does_not_fit_is_named(call, named):
    with pytest.raises(ValueError, match=named):
        call(torch.tensor(draw(4, 3, 1)[0]))
