"""Optimisers step for step: SGD and Adam as torch's, LARS as the paper's loop; the schedule's points."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from sim_engine import optim
from sim_engine._tree import leaves, map_tree

SHAPES = {"weight": (4, 3), "bias": (4,)}


def quadratic(seed):
    """A bowl with noise: `gradient(step, params)` of nested params, the same for both sides."""
    rng = np.random.default_rng(seed)
    start = {
        "layer": {name: rng.normal(size=shape) for name, shape in SHAPES.items()},
        "v": rng.normal(size=(2, 2)),
    }
    noise = rng.normal(size=(50, 20))

    def gradient(step, values):
        flat = np.concatenate([v.ravel() for v in values])
        grad = np.linspace(0.1, 3, flat.size) * flat + 0.3 * noise[step, : flat.size]
        parts = np.split(grad, np.cumsum([v.size for v in values])[:-1])
        return [p.reshape(v.shape) for p, v in zip(parts, values, strict=True)]

    return start, gradient


def values(tree):
    return [a for _, a in leaves(tree)]


def refill(tree, arrays):
    left = iter(arrays)
    return map_tree(lambda _: next(left), tree)


SGD = [
    {"momentum": 0.0},
    {"momentum": 0.9},
    {"momentum": 0.9, "weight_decay": 0.01},
    {"momentum": 0.8, "weight_decay": 0.1, "nesterov": True},
]
ADAM = [
    {},
    {"beta1": 0.5, "beta2": 0.9, "eps": 1e-3},
    {"weight_decay": 0.1},
    {"weight_decay": 0.1, "decoupled": True},
]


def _torch_adam(tensors, settings):
    kind = torch.optim.AdamW if settings.get("decoupled") else torch.optim.Adam
    betas = (settings.get("beta1", 0.9), settings.get("beta2", 0.999))
    decay = settings.get("weight_decay", 0.0)
    return kind(tensors, lr=1.0, betas=betas, eps=settings.get("eps", 1e-8), weight_decay=decay)


CASES = [(optim.Sgd(**s), lambda t, s=s: torch.optim.SGD(t, lr=1.0, **s)) for s in SGD]
CASES += [(optim.Adam(**s), lambda t, s=s: _torch_adam(t, s)) for s in ADAM]


@pytest.mark.parametrize(("ours", "theirs"), CASES, ids=[repr(c[0]) for c in CASES])
def test_fifty_steps_are_those_of_torch(ours, theirs):
    params, gradient = quadratic(0)
    memory = ours.init(params)
    tensors = [torch.tensor(v, requires_grad=True) for v in values(params)]
    reference = theirs(tensors)
    for step in range(50):
        rate = optim.cosine_schedule(step, peak=0.05, steps=50, warmup=5)
        grads = refill(params, gradient(step, values(params)))
        params, memory = ours.step(params, grads, memory, rate)
        for tensor, grad in zip(tensors, gradient(step, [t.detach().numpy() for t in tensors]), strict=True):
            tensor.grad = torch.tensor(grad)
        reference.param_groups[0]["lr"] = rate
        reference.step()
        for ours_now, tensor in zip(values(params), tensors, strict=True):
            np.testing.assert_allclose(ours_now, tensor.detach().numpy(), rtol=1e-11, atol=1e-13)


def paper_lars(w, g, v, rate, momentum, decay, trust):
    """Algorithm 1 of You et al. (2017) for one layer, in loops."""
    w, g, v = ([float(x) for x in a.ravel()] for a in (w, g, v))
    norm_w, norm_g = (math.sqrt(sum(x * x for x in a)) for a in (w, g))
    local = trust * norm_w / (norm_g + decay * norm_w)
    for i in range(len(w)):
        v[i] = momentum * v[i] + rate * local * (g[i] + decay * w[i])
        w[i] -= v[i]
    return w, v


@pytest.mark.parametrize(("decay", "trust"), [(1e-6, 1e-3), (0.2, 0.05)])
def test_lars_is_the_papers_loop_and_vectors_are_left_to_sgd(decay, trust):
    lars = optim.Lars(momentum=0.9, weight_decay=decay, trust=trust)
    params, gradient = quadratic(1)
    memory = lars.init(params)
    slow_w, slow_v = ({k: v.copy() for k, v in leaves(t)} for t in (params, memory))
    for step in range(50):
        rate = 0.5 if step < 25 else 0.1  # inside the sum: the old rate stays in the velocity
        grads = refill(params, gradient(step, values(params)))
        slow_g = dict(zip(slow_w, gradient(step, list(slow_w.values())), strict=True))
        params, memory = lars.step(params, grads, memory, rate)
        for path, w in slow_w.items():
            if w.ndim == 1:
                slow_v[path] = 0.9 * slow_v[path] + rate * slow_g[path]
                slow_w[path] = w - slow_v[path]
            else:
                new_w, new_v = paper_lars(w, slow_g[path], slow_v[path], rate, 0.9, decay, trust)
                slow_w[path], slow_v[path] = np.reshape(new_w, w.shape), np.reshape(new_v, w.shape)
        for path, ours in leaves(params):
            np.testing.assert_allclose(ours, slow_w[path], rtol=1e-11, atol=1e-13, err_msg=path)


def test_lars_moves_a_layer_by_a_share_of_its_own_size():
    lars = optim.Lars(momentum=0.0, weight_decay=0.0, trust=0.01)
    rng = np.random.default_rng(0)
    for size in (1e-3, 1.0, 1e3):
        w, g = rng.normal(size=(2, 5, 5)) * [[[1.0]], [[size]]]
        after, _ = lars.step({"w": w}, {"w": g}, lars.init({"w": w}), 1.0)
        assert np.linalg.norm(after["w"] - w) == pytest.approx(0.01 * np.linalg.norm(w))


@pytest.mark.parametrize("nought", ["w", "g"])
def test_lars_without_size_or_gradient_takes_the_plain_step(nought):
    lars = optim.Lars(momentum=0.0, weight_decay=0.0)
    w, g = np.full((2, 2), 0.0 if nought == "w" else 3.0), np.full((2, 2), 0.0 if nought == "g" else 1.0)
    after, _ = lars.step({"w": w}, {"w": g}, lars.init({"w": w}), 0.5)
    np.testing.assert_allclose(after["w"], w - 0.5 * g)


ALL = [optim.Sgd(nesterov=True, weight_decay=0.1), optim.Adam(weight_decay=0.1), optim.Lars(weight_decay=0.1)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("ours", ALL, ids=repr)
def test_a_step_is_pure_and_keeps_the_dtype(ours, dtype):
    params = map_tree(lambda a: a.astype(dtype), quadratic(2)[0])
    grads = map_tree(lambda a: a * 0.5 + 1, params)
    before = [a.copy() for a in values(params) + values(grads)]
    memory = ours.init(params)
    params_1, memory_1 = ours.step(params, grads, memory, 0.1)
    params_2, _ = ours.step(params_1, grads, memory_1, 0.1)
    again, _ = ours.step(params_1, grads, memory_1, 0.1)
    for a, b in zip(values(params) + values(grads), before, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b, start in zip(values(params_2), values(again), values(params), strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == dtype
        assert not np.array_equal(a, start)


@pytest.mark.parametrize("ours", ALL, ids=repr)
def test_a_rate_of_nought_changes_no_parameter(ours):
    params = quadratic(3)[0]
    grads = map_tree(np.ones_like, params)
    after, _ = ours.step(params, grads, ours.init(params), 0.0)
    for a, b in zip(values(after), values(params), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("ours", ALL, ids=repr)
def test_a_gradient_of_nought_makes_no_nan(ours):
    params = {"w": np.zeros((2, 2), np.float32), "b": np.zeros(2, np.float32)}
    after, _ = ours.step(params, params, ours.init(params), 0.1)
    assert all((a == 0).all() for a in values(after))


@pytest.mark.parametrize("ours", ALL, ids=repr)
def test_trees_and_rates_are_refused_by_name(ours):
    params = {"a": {"w": np.ones((2, 2))}, "b": np.ones(2)}
    memory = ours.init(params)
    with pytest.raises(ValueError, match=r"grads must have the names of params, got no 'b'"):
        ours.step(params, {"a": params["a"]}, memory, 0.1)
    with pytest.raises(ValueError, match=r"grads must have the names of params, got an unknown 'c'"):
        ours.step(params, {**params, "c": np.ones(2)}, memory, 0.1)
    with pytest.raises(ValueError, match=r"grads must have shape \(2, 2\) at 'a.w', got \(3,\)"):
        ours.step(params, {**params, "a": {"w": np.ones(3)}}, memory, 0.1)
    with pytest.raises(ValueError, match=r"memory must have the names of params, got an unknown 'a.w'"):
        ours.step({"b": params["b"]}, {"b": params["b"]}, memory, 0.1)
    for rate, came in ((-0.1, "-0.1"), (math.nan, "nan"), ("1", "'1'"), (True, "True")):
        with pytest.raises(ValueError, match=f"learning_rate must be .*>= 0, got {came}"):
            ours.step(params, params, memory, rate)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: optim.Sgd(momentum=1.0), r"momentum must be below 1, got 1.0"),
        (lambda: optim.Sgd(momentum=-0.1), r"momentum must be finite and >= 0, got -0.1"),
        (lambda: optim.Sgd(weight_decay=-1), r"weight_decay must be finite and >= 0"),
        (lambda: optim.Sgd(momentum=0.0, nesterov=True), r"nesterov needs momentum > 0"),
        (lambda: optim.Adam(beta1=1.0), r"beta1 must be below 1"),
        (lambda: optim.Adam(beta2=1.0), r"beta2 must be below 1"),
        (lambda: optim.Adam(eps=0.0), r"eps must be finite and > 0"),
        (lambda: optim.Adam(weight_decay=math.inf), r"weight_decay must be finite"),
        (lambda: optim.Lars(momentum=2), r"momentum must be below 1"),
        (lambda: optim.Lars(weight_decay=-1), r"weight_decay must be"),
        (lambda: optim.Lars(trust=0.0), r"trust must be finite and > 0"),
        (lambda: optim.cosine_schedule(0, peak=1.0, steps=0), r"steps must be at least 1"),
        (lambda: optim.cosine_schedule(9, peak=1.0, steps=8), r"step must be from 0 to 8, got 9"),
        (lambda: optim.cosine_schedule(-1, peak=1.0, steps=8), r"step must be from 0 to 8"),
        (lambda: optim.cosine_schedule(0, peak=1.0, steps=8, warmup=9), r"warmup must be from 0 to 8"),
        (lambda: optim.cosine_schedule(0, peak=-1.0, steps=8), r"peak must be finite and >= 0"),
    ],
)
def test_settings_are_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_the_schedules_points_are_exact():
    def rate(step, warmup=10):
        return optim.cosine_schedule(step, peak=0.8, steps=110, warmup=warmup)

    assert [rate(0), rate(4), rate(9), rate(10)] == pytest.approx([0.08, 0.4, 0.8, 0.8], rel=1e-15)
    assert rate(60) == pytest.approx(0.4, rel=1e-15)  # halfway down
    assert rate(35) == pytest.approx(0.4 * (1 + math.sqrt(0.5)), rel=1e-15)
    assert rate(110) == 0.0
    assert rate(0, warmup=0) == 0.8
    assert optim.cosine_schedule(3, peak=1.0, steps=4, warmup=4) == 1.0
    assert optim.cosine_schedule(4, peak=1.0, steps=4, warmup=4) == 0.0
    falling = [rate(t) for t in range(10, 111)]
    assert all(a > b for a, b in pairwise(falling))


def test_the_schedule_is_torchs_cosine():
    parameter = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([parameter], lr=0.3)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=20)
    for step in range(20):
        ours = optim.cosine_schedule(step, peak=0.3, steps=20)
        assert ours == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-10)
        optimizer.step()
        theirs.step()
