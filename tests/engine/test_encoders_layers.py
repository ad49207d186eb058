"""Each layer forward and backward: equal to torch's, and its gradient to the slope along a direction."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from sim_engine import encoders
from sim_engine._matmul import forced
from sim_engine._tree import leaves, map_tree


def leaf_of(tree, path):
    for name in path.split("."):
        tree = tree[name]
    return tree


def drawn(layer, rng):
    """Parameters and statistics of a layer, all away from their first values."""
    params, state = layer.init(rng, np.float64)
    params = map_tree(lambda p: p + 0.3 * rng.normal(size=p.shape), params)
    return params, map_tree(lambda s: s * rng.uniform(0.5, 2, s.shape) + rng.uniform(0, 0.3, s.shape), state)


def nchw(x):
    return x.permute(0, 3, 1, 2)


def nhwc(x):
    return x.permute(0, 2, 3, 1)


def torch_linear(x, p, s, training):
    return F.linear(x, p["weight"], p.get("bias"))


def torch_relu(x, p, s, training):
    return F.relu(x)


def torch_norm(x, p, s, training):
    axes = x.movedim(-1, 1)
    y = F.batch_norm(axes, s["mean"], s["var"], p["scale"], p["shift"], training, 0.1, 1e-5)
    return y.movedim(1, -1)


def torch_conv(stride):
    def forward(x, p, s, training):
        weight = p["weight"].permute(0, 3, 1, 2)
        return nhwc(F.conv2d(nchw(x), weight, p.get("bias"), stride=stride, padding=1))

    return forward


def torch_max_pool(x, p, s, training):
    return nhwc(F.max_pool2d(nchw(x), 2))


def torch_mean_pool(x, p, s, training):
    return x.mean(dim=(1, 2))


LAYERS = {
    "linear": (encoders.Linear(5, 3), (7, 5), torch_linear),
    "linear-1-1": (encoders.Linear(1, 1), (1, 1), torch_linear),
    "linear-without-bias": (encoders.Linear(4, 20, bias=False), (3, 4), torch_linear),
    "relu": (encoders.Relu(), (6, 4), torch_relu),
    "batch-norm": (encoders.BatchNorm(4), (9, 4), torch_norm),
    "batch-norm-of-images": (encoders.BatchNorm(3), (2, 4, 5, 3), torch_norm),
    "conv": (encoders.Conv(2, 3), (2, 5, 4, 2), torch_conv(1)),
    "conv-stride-2": (encoders.Conv(3, 2, stride=2), (2, 6, 5, 3), torch_conv(2)),
    "conv-stride-3-without-bias": (encoders.Conv(1, 2, stride=3, bias=False), (2, 7, 8, 1), torch_conv(3)),
    "conv-of-one-pixel": (encoders.Conv(2, 2), (3, 1, 1, 2), torch_conv(1)),
    "max-pool": (encoders.MaxPool(), (2, 4, 6, 3), torch_max_pool),
    "mean-pool": (encoders.MeanPool(), (2, 3, 5, 4), torch_mean_pool),
}
TRAINING = [True, False]


@pytest.mark.parametrize("path", ["blas", "einsum"])
@pytest.mark.parametrize("training", TRAINING)
@pytest.mark.parametrize("name", LAYERS)
def test_output_and_gradients_are_those_of_torch(rng, name, training, path):
    layer, shape, reference = LAYERS[name]
    params, state = drawn(layer, rng)
    x = rng.normal(size=shape)
    p = {k: torch.tensor(v, requires_grad=True) for k, v in params.items()}
    s = {k: torch.tensor(v) for k, v in state.items()}
    t = torch.tensor(x, requires_grad=True)
    wanted = reference(t, p, s, training)
    grad_y = rng.normal(size=wanted.shape)
    wanted.backward(torch.tensor(grad_y))
    with forced(path):
        y, after, cache = layer.forward(params, state, x, training=training)
        grad_x, grads = layer.backward(grad_y, cache)
    np.testing.assert_allclose(y, wanted.detach().numpy(), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(grad_x, t.grad.numpy(), rtol=1e-10, atol=1e-12)
    assert grads.keys() == params.keys()
    for k in params:
        np.testing.assert_allclose(grads[k], p[k].grad.numpy(), rtol=1e-10, atol=1e-12)
    assert after.keys() == state.keys()
    for k in state:  # torch has moved its running statistics in place
        np.testing.assert_allclose(after[k], s[k].numpy(), rtol=1e-12)


@pytest.mark.parametrize("training", TRAINING)
@pytest.mark.parametrize("name", LAYERS)
def test_gradient_is_the_slope_along_a_random_direction(rng, slope, name, training):
    layer, shape, _ = LAYERS[name]
    params, state = drawn(layer, rng)
    x = rng.normal(size=shape)
    weight = rng.normal(size=layer.forward(params, state, x, training=training).y.shape)
    names = list(params)
    arrays = [x, *params.values()]
    directions = [rng.normal(size=a.shape) for a in arrays]

    def f(x, *values):
        y = layer.forward(dict(zip(names, values, strict=True)), state, x, training=training).y
        return np.sum(weight * y)

    _, _, cache = layer.forward(params, state, x, training=training)
    grad_x, grads = layer.backward(weight, cache)
    ours = sum(np.sum(g * v) for g, v in zip([grad_x, *grads.values()], directions, strict=True))
    assert ours == pytest.approx(slope(f, arrays, directions), rel=1e-8, abs=1e-9)


@pytest.mark.parametrize("name", LAYERS)
def test_nothing_given_is_changed(rng, name):
    layer, shape, _ = LAYERS[name]
    params, state = drawn(layer, rng)
    x = rng.normal(size=shape)
    given = [x, *params.values(), *state.values()]
    before = [a.copy() for a in given]
    y, _, cache = layer.forward(params, state, x)
    grad_y = np.ones_like(y)
    first = layer.backward(grad_y, cache)
    again = layer.backward(grad_y, cache)  # the cache is as it was, too
    np.testing.assert_array_equal(first.grad_x, again.grad_x)
    assert (grad_y == 1).all()
    for a, b in zip(given, before, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", LAYERS)
def test_dtype_stays(rng, name, dtype):
    layer, shape, _ = LAYERS[name]
    params, state = layer.init(rng, dtype)
    y, after, cache = layer.forward(params, state, rng.normal(size=shape).astype(dtype))
    grad_x, grads = layer.backward(np.ones_like(y), cache)
    assert {a.dtype for a in [y, grad_x, *grads.values(), *after.values()]} == {np.dtype(dtype)}


def test_pooling_of_equal_pixels_is_torchs():
    x = np.zeros((1, 4, 4, 1))
    y, _, cache = encoders.MaxPool().forward({}, {}, x)
    t = torch.zeros(1, 1, 4, 4, dtype=torch.float64, requires_grad=True)
    F.max_pool2d(t, 2).sum().backward()
    grad = encoders.MaxPool().backward(np.ones_like(y), cache).grad_x
    np.testing.assert_array_equal(grad[0, :, :, 0], t.grad[0, 0].numpy())


def test_relu_passes_no_gradient_at_nought_and_keeps_nan():
    _, _, cache = encoders.Relu().forward({}, {}, np.zeros(3))
    assert encoders.Relu().backward(np.ones(3), cache).grad_x.tolist() == [0, 0, 0]
    assert np.isnan(encoders.Relu().forward({}, {}, np.array([np.nan])).y[0])  # divergence is not hidden


def test_batch_norm_does_what_it_says(rng):
    layer = encoders.BatchNorm(3)
    params, state = layer.init(rng, np.float64)
    x = rng.normal(5, 7, size=(50, 3))
    y, _, _ = layer.forward(params, state, x)
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(axis=0), 1, rtol=1e-5)
    for _ in range(200):  # the running statistics come to those of a batch that repeats
        _, state, _ = layer.forward(params, state, x)
    np.testing.assert_allclose(state["mean"], x.mean(axis=0), rtol=1e-8)
    np.testing.assert_allclose(state["var"], x.var(axis=0, ddof=1), rtol=1e-8)
    # Outside training a row does not see the others.
    one = layer.forward(params, state, x[:1], training=False).y
    np.testing.assert_array_equal(one, layer.forward(params, state, x, training=False).y[:1])


def test_batch_norm_of_a_constant_channel_is_nought(rng):
    layer = encoders.BatchNorm(2)
    params, state = layer.init(rng)
    y, _, cache = layer.forward(params, state, np.full((4, 2), 3.0, np.float32))
    assert (y == 0).all()
    assert np.isfinite(layer.backward(np.ones((4, 2), np.float32), cache).grad_x).all()


def test_he_keeps_the_mean_square_through_relus(rng):
    x = rng.normal(size=(200, 256))
    network = encoders.mlp([256] * 9, last_relu=True)
    params, state = network.init(rng, np.float64)
    h = network.forward(params, state, x).y
    assert 0.4 < np.mean(h**2) < 2.5
    small = map_tree(lambda p: p / np.sqrt(2), params)  # variance 1/n_in loses half at every ReLU
    assert np.mean(network.forward(small, state, x).y ** 2) < 0.02


def test_same_seed_same_weights():
    network = encoders.conv_net([1, 4, 8])
    one, two, other = (network.init(np.random.default_rng(seed))[0] for seed in (3, 3, 4))
    for (path, a), (_, b) in zip(leaves(one), leaves(two), strict=True):
        np.testing.assert_array_equal(a, b, err_msg=path)
    assert not np.array_equal(one["conv0"]["weight"], other["conv0"]["weight"])


IMAGE = np.ones((2, 4, 4, 1))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: encoders.Linear(0, 3), r"n_in must be at least 1, got 0"),
        (lambda: encoders.Linear(3, 2.5), r"n_out must be a whole number, got 2.5"),
        (lambda: encoders.Conv(0, 1), r"n_in must be at least 1"),
        (lambda: encoders.Conv(1, 0), r"n_out must be at least 1"),
        (lambda: encoders.Conv(1, 1, stride=0), r"stride must be at least 1, got 0"),
        (lambda: encoders.BatchNorm(0), r"channels must be at least 1"),
        (lambda: encoders.BatchNorm(2, momentum=1.5), r"momentum must be at most 1, got 1.5"),
        (lambda: encoders.BatchNorm(2, eps=0.0), r"eps must be finite and > 0, got 0.0"),
        (lambda: encoders.mlp([4]), r"sizes must hold the input's and the output's at least, got \[4\]"),
        (lambda: encoders.mlp([4, 0]), r"sizes must be at least 1, got 0"),
        (lambda: encoders.mlp(5), "sizes must be a list of whole numbers, got 5"),
        (lambda: encoders.conv_net([4]), r"channels must hold the image's and h's"),
        (lambda: encoders.conv_net([1, -1]), r"channels must be at least 1, got -1"),
        (lambda: encoders.Sequential({}), r"layers must hold at least one layer, got none"),
        (lambda: encoders.Linear(3, 2).forward({}, {}, np.ones((4, 2))), r"x must have shape \(N, 3\)"),
        (
            lambda: encoders.Linear(3, 2).forward({}, {}, np.ones(3)),
            r"x must have shape \(N, 3\), got \(3,\)",
        ),
        (
            lambda: encoders.Linear(3, 2).forward({}, {}, np.ones((4, 3))),
            r"an array 'weight' of shape \(2, 3\)",
        ),
        (
            lambda: encoders.Linear(3, 2).forward({"weight": np.ones((3, 2))}, {}, np.ones((4, 3))),
            r"weight must have shape \(2, 3\), got \(3, 2\)",
        ),
        (lambda: encoders.Conv(2, 1).forward({}, {}, IMAGE), r"x must have shape \(N, H, W, 2\), got \(2, 4"),
        (lambda: encoders.MaxPool().forward({}, {}, IMAGE[:, :3]), r"H and W even, got \(2, 3, 4, 1\)"),
        (lambda: encoders.MeanPool().forward({}, {}, np.ones((2, 3))), r"x must have shape \(N, H, W, C\)"),
        (lambda: encoders.BatchNorm(2).forward({}, {}, np.ones((4, 3))), r"x must have shape \(N, ..., 2\)"),
        (lambda: encoders.BatchNorm(2).forward({}, {}, np.ones(2)), r"x must have shape"),
        (lambda: encoders.BatchNorm(2).forward({}, {}, np.ones((4, 2))), r"an array 'mean'"),
    ],
)
def test_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_batch_norm_refuses_one_row(rng):
    layer = encoders.BatchNorm(2)
    with pytest.raises(ValueError, match="at least 2 rows in training, got 1"):
        layer.forward(*layer.init(rng), np.ones((1, 2), np.float32))
