"""Training against torch: the same batches, views and first weights lead to the same weights."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from sim_engine import encoders, optim, train
from sim_engine._tree import leaves

STEPS, N, D = 4, 6, 5


class Recorded:
    """An augmentation that remembers what it returned."""

    def __init__(self):
        self.views = []

    def __call__(self, batch, rng):
        self.views.append(batch + 0.3 * rng.normal(size=batch.shape))
        return self.views[-1]


def tensors(tree):
    return {path: torch.tensor(a.copy(), requires_grad=True) for path, a in leaves(tree)}


def mlp(p, part, x, last_relu=False):
    """The torch twin of `encoders.mlp` with two linear maps, of the parameters of one part."""
    h = x @ p[f"{part}.linear0.weight"].T
    if f"{part}.norm0.scale" in p:
        h = F.batch_norm(h, None, None, p[f"{part}.norm0.scale"], p[f"{part}.norm0.shift"], training=True)
    else:
        h = h + p[f"{part}.linear0.bias"]
    h = F.relu(h) @ p[f"{part}.linear1.weight"].T + p[f"{part}.linear1.bias"]
    return F.relu(h) if last_relu else h


def descend(p, loss, rate, names=None):
    names = names or list(p)
    grads = torch.autograd.grad(loss, [p[n] for n in names])
    with torch.no_grad():
        for n, g in zip(names, grads, strict=True):
            p[n] -= rate * g


def assert_same(tree, p):
    for path, a in leaves(tree):
        np.testing.assert_allclose(a, p[path].detach().numpy(), rtol=1e-9, atol=1e-11, err_msg=path)


@pytest.fixture
def data(rng):
    return rng.normal(size=(20, 7))


SGD = optim.Sgd(momentum=0.0)


def rate(step):
    return optim.cosine_schedule(step, peak=0.3, steps=STEPS, warmup=2)


def common(**settings):
    return {
        "steps": STEPS, "batch_size": N, "rng": np.random.default_rng(3), "optimizer": SGD,
        "learning_rate": rate, **settings,
    }  # fmt: skip


@pytest.mark.parametrize("norm", [False, True])
def test_simclr(data, norm):
    recorded = Recorded()
    encoder = encoders.mlp([7, 9, 6], batch_norm=norm)
    run = train.simclr(data, recorded, encoder, encoders.mlp([6, 6, D]), tau=0.3, **common())
    p = None
    for step in run:
        p = p or tensors(step.params)
        assert_same(step.params, p)
        views = torch.tensor(np.concatenate(recorded.views[-2:]))
        z = F.normalize(mlp(p, "head", mlp(p, "encoder", views)))
        logits = (z @ z.T / 0.3).fill_diagonal_(-math.inf)
        loss = F.cross_entropy(logits, torch.cat([torch.arange(N) + N, torch.arange(N)]))
        assert step.loss == pytest.approx(loss.item(), rel=1e-10)
        np.testing.assert_allclose(F.normalize(torch.tensor(step.z_b)), z[N:].detach(), rtol=1e-9, atol=1e-11)
        descend(p, loss, step.learning_rate)
    assert step.step == STEPS


@pytest.mark.parametrize("stop", [True, False])
@pytest.mark.parametrize("with_predictor", [True, False])
@pytest.mark.parametrize("momentum", [0.0, 0.7])
def test_byol(data, with_predictor, stop, momentum):
    recorded = Recorded()
    predictor = encoders.mlp([D, 4, D]) if with_predictor else None
    run = train.byol(
        data, recorded, encoders.mlp([7, 9, D], batch_norm=True), None, predictor,
        momentum=momentum, stop_gradient=stop, **common(),
    )  # fmt: skip
    p = None
    for step in run:
        if p is None:
            p = tensors(step.params)
            slow = {n: v.detach().clone() for n, v in p.items() if n.startswith("encoder")}
        assert_same(step.params, p)
        assert_same(step.target, slow if stop else {n: p[n] for n in slow})
        views = torch.tensor(np.concatenate(recorded.views[-2:]))
        z = mlp(p, "encoder", views)
        guess = F.normalize(mlp(p, "predictor", z) if with_predictor else z)
        aim = F.normalize(mlp(slow, "encoder", views) if stop else z)
        loss = ((guess - aim.roll(N, 0)) ** 2).sum() / N  # both views, each averaged over N
        assert step.loss == pytest.approx(loss.item(), rel=1e-10)
        keep = 1 - (1 - momentum) * (math.cos(math.pi * step.step / STEPS) + 1) / 2 if momentum else 0.0
        assert step.momentum == pytest.approx(keep, abs=1e-15)
        descend(p, loss, step.learning_rate)
        slow = {n: keep * v + (1 - keep) * p[n].detach() for n, v in slow.items()}


def test_moco(data):
    recorded, tau, size = Recorded(), 0.2, 14
    run = train.moco(
        data, recorded, encoders.mlp([7, 9, D]), tau=tau, momentum=0.6, queue_size=size, **common()
    )
    p = None
    for step in run:
        if p is None:
            p = tensors(step.params)
            slow = {n: v.detach().clone() for n, v in p.items()}
            kept = [torch.tensor(k) for k in step.queue.keys]  # oldest first
        assert_same(step.params, p)
        assert_same(step.target, slow)
        start = step.queue.start
        in_order = np.concatenate([step.queue.keys[start:], step.queue.keys[:start]])
        np.testing.assert_allclose(in_order, torch.stack(kept).numpy(), rtol=1e-9, atol=1e-11)
        q = F.normalize(mlp(p, "encoder", torch.tensor(recorded.views[-2])))
        k = F.normalize(mlp(slow, "encoder", torch.tensor(recorded.views[-1])))
        logits = torch.cat([(q * k).sum(1, keepdim=True), q @ torch.stack(kept).T], 1) / tau
        loss = F.cross_entropy(logits, torch.zeros(N, dtype=torch.long))
        assert step.loss == pytest.approx(loss.item(), rel=1e-10)
        descend(p, loss, step.learning_rate)
        slow = {n: 0.6 * v + 0.4 * p[n].detach() for n, v in slow.items()}
        kept = (kept + list(k))[-size:]
    assert start == STEPS * N % size


@pytest.mark.parametrize("tau", [0.07, 0.0105])
def test_clip(data, rng, tau):
    recorded = Recorded()
    texts = rng.normal(size=(20, 4))
    settings = common(augment=recorded, tau=tau)
    run = train.clip(
        data, texts, encoders.mlp([7, 9, D]), encoders.mlp([4, 8, D], batch_norm=True), **settings
    )
    p = None
    for step in run:
        p = p or tensors(step.params)
        assert_same(step.params, p)
        x = F.normalize(mlp(p, "image", torch.tensor(recorded.views[-1])))
        y = F.normalize(mlp(p, "text", torch.tensor(texts[step.batch])))
        logits = p["log_scale"].exp() * x @ y.T
        pairs = torch.arange(N)
        loss = (F.cross_entropy(logits, pairs) + F.cross_entropy(logits.T, pairs)) / 2
        assert step.loss == pytest.approx(loss.item(), rel=1e-9)
        assert step.tau == pytest.approx(math.exp(-p["log_scale"].item()), rel=1e-12)
        descend(p, loss, step.learning_rate)
        with torch.no_grad():
            p["log_scale"].clamp_(max=math.log(100))
    assert step.tau != pytest.approx(tau, rel=1e-6)
