"""Every layer over random shapes, both dtypes and both products: its gradient is the slope of its output."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim_engine import encoders
from sim_engine._matmul import forced
from sim_engine._tree import leaves, map_tree

FEW = st.integers(1, 4)


@st.composite
def rows(draw):
    n_in, n_out = draw(st.integers(1, 20)), draw(FEW)  # products take another path from 16 on
    return encoders.Linear(n_in, n_out, bias=draw(st.booleans())), (draw(FEW), n_in)


@st.composite
def convolutions(draw):
    n_in, n_out = draw(FEW), draw(FEW)
    layer = encoders.Conv(n_in, n_out, stride=draw(st.integers(1, 3)), bias=draw(st.booleans()))
    return layer, (draw(FEW), draw(st.integers(1, 6)), draw(st.integers(1, 6)), n_in)


@st.composite
def norms(draw):
    channels = draw(FEW)
    sides = draw(st.sampled_from([(), (3,), (2, 3)]))
    return encoders.BatchNorm(channels, eps=1e-2), (draw(st.integers(3, 6)), *sides, channels)


@st.composite
def relus(draw):
    return encoders.Relu(), tuple(draw(st.lists(FEW, min_size=1, max_size=4)))


@st.composite
def max_pools(draw):
    return encoders.MaxPool(), (draw(FEW), 2 * draw(FEW), 2 * draw(FEW), draw(FEW))


@st.composite
def mean_pools(draw):
    return encoders.MeanPool(), (draw(FEW), draw(FEW), draw(FEW), draw(FEW))


@st.composite
def chains(draw):
    """A ReLU stands first, where its input is known to keep away from 0."""
    n_in, width, n_out = draw(FEW), draw(FEW), draw(FEW)
    layers = {
        "relu": encoders.Relu(),
        "conv": encoders.Conv(n_in, width),
        "norm": encoders.BatchNorm(width, eps=1e-2),
        "mean": encoders.MeanPool(),
        "inner": encoders.Sequential({"linear": encoders.Linear(width, n_out)}),
    }
    return encoders.Sequential(layers), (draw(st.integers(2, 4)), draw(FEW), draw(FEW), n_in)


LAYERS = [rows(), convolutions(), norms(), relus(), max_pools(), mean_pools(), chains()]
NAMES = ["Linear", "Conv", "BatchNorm", "Relu", "MaxPool", "MeanPool", "Sequential"]


def apart(shape, rng):
    """Numbers far from each other and from 0, so that no ReLU or maximum changes within a step."""
    size = int(np.prod(shape))
    return ((rng.permutation(size) - (size - 1) / 2 + 0.25) * (4 / size)).reshape(shape)


def slope(f, tree, along, step=1e-5):
    """(f(tree + h along) - f(tree - h along)) / 2h, by Richardson."""

    def moved(h):
        return f(map_tree(lambda a, v: a + h * v, tree, along))

    def central(h):
        return (moved(h) - moved(-h)) / (2 * h)

    return (4 * central(step / 2) - central(step)) / 3


@pytest.mark.parametrize("layer_and_shape", LAYERS, ids=NAMES)
@given(st.data())
def test_the_gradient_is_the_slope(layer_and_shape, data):
    layer, shape = data.draw(layer_and_shape)
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    path = data.draw(st.sampled_from(["blas", "einsum"]))
    training = data.draw(st.booleans())
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    params, state = layer.init(rng, np.float64)
    params = map_tree(lambda p: p + 0.3 * rng.normal(size=p.shape), params)
    state = map_tree(lambda s: s + rng.uniform(0, 0.3, s.shape), state)
    everything = {"x": apart(shape, rng), "params": params}
    along = map_tree(lambda a: rng.normal(size=a.shape), everything)

    with forced(path):
        y = layer.forward(params, state, everything["x"], training=training).y
        out = rng.normal(size=y.shape)

        def along_out(tree):
            return float(np.sum(out * layer.forward(tree["params"], state, tree["x"], training=training).y))

        wanted = slope(along_out, everything, along)
        x, low, now = (map_tree(lambda a: a.astype(dtype), t) for t in (everything, params, state))
        forward = layer.forward(low, now, x["x"], training=training)
        grad_x, grads = layer.backward(out.astype(dtype), forward.cache)
        alone = layer.backward(out.astype(dtype), forward.cache, to_input=False).grads
    assert forward.y.dtype == grad_x.dtype == dtype
    assert grad_x.shape == shape
    ours, directions, sizes = dict(leaves(grads)), dict(leaves(along["params"])), 1.0
    assert ours.keys() == directions.keys()
    found = float(np.sum(grad_x * along["x"]))
    sizes += float(np.sum(np.abs(grad_x * along["x"])))
    for name, grad in ours.items():
        assert grad.dtype == dtype
        np.testing.assert_array_equal(grad, dict(leaves(alone))[name])
        found += float(np.sum(grad * directions[name]))
        sizes += float(np.sum(np.abs(grad * directions[name])))
    assert found == pytest.approx(wanted, abs=sizes * (1e-8 if dtype == np.float64 else 2e-5))


@pytest.mark.parametrize("layer_and_shape", LAYERS, ids=NAMES)
@given(st.data())
def test_the_gradient_is_linear_in_what_comes_back(layer_and_shape, data):
    layer, shape = data.draw(layer_and_shape)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    params, state = layer.init(rng, np.float64)
    y, _, cache = layer.forward(params, state, apart(shape, rng))
    g, h = rng.normal(size=(2, *y.shape))
    both, first, second = (layer.backward(grad, cache) for grad in (2 * g - h, g, h))
    np.testing.assert_allclose(both.grad_x, 2 * first.grad_x - second.grad_x, atol=1e-9)
    for (_, a), (_, b), (_, c) in zip(*(leaves(t.grads) for t in (both, first, second)), strict=True):
        np.testing.assert_allclose(a, 2 * b - c, atol=1e-9)
