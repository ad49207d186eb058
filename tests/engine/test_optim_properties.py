"""Optimisers over random trees: the plain loop, and what each is invariant to."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim_engine import optim
from sim_engine._tree import leaves, map_tree

SEEDS = st.integers(0, 2**32 - 1)
SHARES = st.floats(0, 0.99)
RATES = st.floats(1e-4, 1.0)
DECAYS = st.sampled_from([0.0, 1e-3, 0.2])
SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)
TREES = st.dictionaries(
    st.sampled_from("abcd"),
    st.recursive(
        SHAPES, lambda part: st.dictionaries(st.sampled_from("xyz"), part, min_size=1), max_leaves=5
    ),
    min_size=1,
)


def filled(shapes, rng, scale=1.0):
    """A tree of normal numbers, of a tree of shapes."""
    return {
        name: filled(part, rng, scale) if isinstance(part, dict) else scale * rng.normal(size=part)
        for name, part in shapes.items()
    }


def steps(optimizer, params, gradients, rates):
    memory = optimizer.init(params)
    for grads, rate in zip(gradients, rates, strict=True):
        params, memory = optimizer.step(params, grads, memory, rate)
    return params


def number_by_number(params, gradients, rates, update):
    """Each number on its own: `update(w, g, memory, rate, t)` changes the dict `memory` and returns w."""
    result = {}
    for path, start in leaves(params):
        out = np.empty(start.size)
        for i, w in enumerate(start.ravel().tolist()):
            memory = {}
            for t, (grads, rate) in enumerate(zip(gradients, rates, strict=True), 1):
                w = update(w, float(dict(leaves(grads))[path].ravel()[i]), memory, rate, t)
            out[i] = w
        result[path] = out.reshape(start.shape)
    return result


def assert_same(tree, wanted, **tolerance):
    found = dict(leaves(tree))
    assert found.keys() == wanted.keys()
    for path, array in wanted.items():
        np.testing.assert_allclose(found[path], array, err_msg=path, **tolerance)


@given(TREES, SEEDS, SHARES, DECAYS, st.booleans(), st.lists(RATES, min_size=1, max_size=3))
def test_sgd_is_the_plain_loop(shapes, seed, momentum, decay, nesterov, rates):
    nesterov = nesterov and momentum > 0
    rng = np.random.default_rng(seed)
    params, gradients = filled(shapes, rng), [filled(shapes, rng) for _ in rates]

    def update(w, g, memory, rate, t):
        g = g + decay * w
        v = memory["v"] = momentum * memory.get("v", 0.0) + g
        return w - rate * (g + momentum * v if nesterov else v)

    ours = optim.Sgd(momentum, decay, nesterov)
    wanted = number_by_number(params, gradients, rates, update)
    assert_same(steps(ours, params, gradients, rates), wanted, rtol=1e-12, atol=1e-14)


@given(
    TREES, SEEDS, SHARES, SHARES, st.sampled_from([1e-8, 1e-2]), DECAYS, st.booleans(),
    st.lists(RATES, min_size=1, max_size=3),
)  # fmt: skip
def test_adam_is_the_plain_loop(shapes, seed, beta1, beta2, eps, decay, decoupled, rates):
    rng = np.random.default_rng(seed)
    params, gradients = filled(shapes, rng), [filled(shapes, rng) for _ in rates]

    def update(w, g, memory, rate, t):
        if not decoupled:
            g = g + decay * w
        m = memory["m"] = beta1 * memory.get("m", 0.0) + (1 - beta1) * g
        v = memory["v"] = beta2 * memory.get("v", 0.0) + (1 - beta2) * g * g
        if decoupled:
            w = w - rate * decay * w
        return w - rate * (m / (1 - beta1**t)) / (math.sqrt(v / (1 - beta2**t)) + eps)

    ours = optim.Adam(beta1, beta2, eps, decay, decoupled)
    wanted = number_by_number(params, gradients, rates, update)
    assert_same(steps(ours, params, gradients, rates), wanted, rtol=1e-9, atol=1e-12)


@given(TREES, SEEDS, SHARES, DECAYS, st.lists(RATES, min_size=1, max_size=3))
def test_lars_is_the_plain_loop_over_layers(shapes, seed, momentum, decay, rates):
    rng = np.random.default_rng(seed)
    params, gradients = filled(shapes, rng), [filled(shapes, rng) for _ in rates]
    wanted = {}
    for path, start in leaves(params):
        w, v = start.ravel().tolist(), [0.0] * start.size
        for grads, rate in zip(gradients, rates, strict=True):
            g = dict(leaves(grads))[path].ravel().tolist()
            local, shrink = 1.0, 0.0
            if start.ndim > 1:
                size_w, size_g = (math.sqrt(sum(a * a for a in each)) for each in (w, g))
                local, shrink = 0.02 * size_w / (size_g + decay * size_w), decay
            for i in range(len(w)):
                v[i] = momentum * v[i] + rate * local * (g[i] + shrink * w[i])
                w[i] -= v[i]
        wanted[path] = np.reshape(w, start.shape)
    ours = optim.Lars(momentum, decay, trust=0.02)
    assert_same(steps(ours, params, gradients, rates), wanted, rtol=1e-11, atol=1e-13)


@given(TREES, SEEDS, RATES, st.sampled_from([np.float32, np.float64]))
def test_sgd_without_momentum_is_the_plain_step(shapes, seed, rate, dtype):
    rng = np.random.default_rng(seed)
    params, grads = (map_tree(lambda a: a.astype(dtype), filled(shapes, rng)) for _ in range(2))
    after = steps(optim.Sgd(momentum=0.0), params, [grads, grads], [rate, rate])
    once = map_tree(lambda w, g: w - rate * g, params, grads)
    for (_, a), (_, b) in zip(
        leaves(after), leaves(map_tree(lambda w, g: w - rate * g, once, grads)), strict=True
    ):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == dtype


@given(TREES, SEEDS, st.integers(-60, 60), st.lists(RATES, min_size=1, max_size=3))
def test_adam_does_not_see_the_unit_of_the_gradient(shapes, seed, power, rates):
    """With epsilon in the same unit exactly, for a power of 2; else to epsilon over the gradient's size."""
    rng = np.random.default_rng(seed)
    params, gradients = filled(shapes, rng), [filled(shapes, rng) for _ in rates]
    unit = 2.0**power
    scaled = [map_tree(lambda g: unit * g, grads) for grads in gradients]
    plain = dict(leaves(steps(optim.Adam(eps=1e-8), params, gradients, rates)))
    assert_same(steps(optim.Adam(eps=1e-8 * unit), params, scaled, rates), plain, rtol=0, atol=0)
    one = dict(leaves(steps(optim.Adam(eps=1e-30), params, gradients, rates)))
    tripled = [map_tree(lambda g: 3 * g, grads) for grads in gradients]
    assert_same(steps(optim.Adam(eps=1e-30), params, tripled, rates), one, rtol=1e-12, atol=1e-14)


@given(TREES, SEEDS, RATES)
def test_adams_first_step_is_the_rate_whatever_the_gradient(shapes, seed, rate):
    rng = np.random.default_rng(seed)
    params, grads = filled(shapes, rng), filled(shapes, rng, scale=10.0 ** rng.uniform(-6, 6))
    after = steps(optim.Adam(eps=1e-30), params, [grads], [rate])
    wanted = dict(leaves(map_tree(lambda w, g: w - rate * np.sign(g), params, grads)))
    assert_same(after, wanted, rtol=1e-12, atol=1e-12)


@given(SHAPES, SEEDS, st.floats(-30, 30), SHARES, st.lists(RATES, min_size=1, max_size=3))
def test_lars_without_decay_does_not_see_the_size_of_a_layers_gradient(
    shape, seed, log_scale, momentum, rates
):
    """You et al. (2017), section 4: the size of the update does not depend on that of the gradient."""
    shape, scale = (2, *shape), math.exp(log_scale)
    rng = np.random.default_rng(seed)
    params, gradients = {"w": rng.normal(size=shape)}, [{"w": rng.normal(size=shape)} for _ in rates]
    lars = optim.Lars(momentum, weight_decay=0.0, trust=0.01)
    plain = steps(lars, params, gradients, rates)["w"]
    scaled = steps(lars, params, [{"w": scale * g["w"]} for g in gradients], rates)["w"]
    np.testing.assert_allclose(scaled, plain, rtol=1e-11, atol=1e-14)
    step = np.linalg.norm(steps(lars, params, gradients[:1], rates[:1])["w"] - params["w"])
    assert step == pytest.approx(0.01 * rates[0] * np.linalg.norm(params["w"]), rel=1e-11)


@given(SHAPES, SEEDS, st.floats(-30, 30), SHARES, DECAYS, st.lists(RATES, min_size=1, max_size=3))
def test_lars_takes_every_layer_in_its_own_unit(shape, seed, log_scale, momentum, decay, rates):
    """Weights and gradients in another unit: the same path in that unit, decay or not."""
    shape, scale = (2, *shape), math.exp(log_scale)
    rng = np.random.default_rng(seed)
    params, gradients = {"w": rng.normal(size=shape)}, [{"w": rng.normal(size=shape)} for _ in rates]
    lars = optim.Lars(momentum, weight_decay=decay, trust=0.01)
    plain = steps(lars, params, gradients, rates)["w"]
    scaled = [{"w": scale * g["w"]} for g in gradients]
    moved = steps(lars, {"w": scale * params["w"]}, scaled, rates)["w"]
    np.testing.assert_allclose(moved / scale, plain, rtol=1e-11, atol=1e-14)
