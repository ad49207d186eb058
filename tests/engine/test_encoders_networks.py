"""Layers together: the chain rule through an MLP and a small convolutional network."""

import numpy as np
import pytest
import torch
from torch import nn

from sim_engine import encoders
from sim_engine._tree import leaves


class Pixels(nn.Module):
    def forward(self, x):
        return x.mean(dim=(2, 3))


def torch_of(network):
    """The same network in torch, of its own layers, weights to be copied."""
    made = []
    for layer in network.layers.values():
        match layer:
            case encoders.Linear():
                made.append(nn.Linear(layer.n_in, layer.n_out, bias=layer.bias))
            case encoders.Conv():
                made.append(nn.Conv2d(layer.n_in, layer.n_out, 3, padding=1, bias=layer.bias))
            case encoders.BatchNorm():
                made.append(nn.BatchNorm1d(layer.channels))
            case encoders.Relu():
                made.append(nn.ReLU())
            case encoders.MaxPool():
                made.append(nn.MaxPool2d(2))
            case encoders.MeanPool():
                made.append(Pixels())
    if any(isinstance(m, nn.Conv2d) for m in made):
        made = [nn.BatchNorm2d(m.num_features) if isinstance(m, nn.BatchNorm1d) else m for m in made]
    return nn.Sequential(*made).double()


TORCH_NAME = {"weight": "weight", "bias": "bias", "scale": "weight", "shift": "bias"}


def put(module, params):
    with torch.no_grad():
        for name, value in params.items():
            tensor = torch.tensor(value.transpose(0, 3, 1, 2) if value.ndim == 4 else value)
            getattr(module, TORCH_NAME[name]).copy_(tensor)


NETWORKS = {
    "mlp": (encoders.mlp([6, 8, 5, 3]), (7, 6)),
    "mlp-norm": (encoders.mlp([6, 8, 4], batch_norm=True), (7, 6)),
    "mlp-norm-last-relu": (encoders.mlp([6, 8, 4], batch_norm=True, last_relu=True), (7, 6)),
    "conv": (encoders.conv_net([1, 4, 3], batch_norm=False), (3, 8, 8, 1)),
    "conv-norm": (encoders.conv_net([2, 4, 3, 5]), (3, 8, 8, 2)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_output_gradients_and_statistics_are_those_of_torch(rng, name):
    network, shape = NETWORKS[name]
    params, state = network.init(rng, np.float64)
    twin = torch_of(network)
    for part, module in zip(network.layers, twin, strict=True):
        put(module, params.get(part, {}))
    x = rng.normal(size=shape)
    t = torch.tensor(x.transpose(0, 3, 1, 2) if x.ndim == 4 else x, requires_grad=True)
    wanted = twin(t)
    grad_y = rng.normal(size=wanted.shape)
    wanted.backward(torch.tensor(grad_y))
    y, after, cache = network.forward(params, state, x)
    grad_x, grads = network.backward(grad_y, cache)
    np.testing.assert_allclose(y, wanted.detach().numpy(), rtol=1e-10, atol=1e-12)
    t_grad = t.grad.permute(0, 2, 3, 1) if x.ndim == 4 else t.grad
    np.testing.assert_allclose(grad_x, t_grad.numpy(), rtol=1e-10, atol=1e-11)
    assert [p for p, _ in leaves(grads)] == [p for p, _ in leaves(params)]
    for part, module in zip(network.layers, twin, strict=True):
        for leaf, grad in grads.get(part, {}).items():
            theirs = getattr(module, TORCH_NAME[leaf]).grad.numpy()
            theirs = theirs.transpose(0, 2, 3, 1) if theirs.ndim == 4 else theirs
            np.testing.assert_allclose(grad, theirs, rtol=1e-10, atol=1e-11, err_msg=f"{part}.{leaf}")
        if part in after:
            np.testing.assert_allclose(after[part]["mean"], module.running_mean.numpy(), rtol=1e-10)
            np.testing.assert_allclose(after[part]["var"], module.running_var.numpy(), rtol=1e-10)
    # And in evaluation, with those statistics.
    ours = network.forward(params, after, x, training=False).y
    np.testing.assert_allclose(ours, twin.eval()(t).detach().numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_gradient_in_the_input_is_left_out_on_request(rng, name):
    network, shape = NETWORKS[name]
    params, state = network.init(rng, np.float64)
    y, _, cache = network.forward(params, state, rng.normal(size=shape))
    whole, spared = (network.backward(np.ones_like(y), cache, to_input=wanted) for wanted in (True, False))
    assert whole.grad_x.shape == shape
    assert spared.grad_x is None
    for (path, a), (_, b) in zip(leaves(whole.grads), leaves(spared.grads), strict=True):
        np.testing.assert_array_equal(a, b, err_msg=path)


def test_only_the_first_layer_is_spared(rng):
    asked = {}

    class Spy(encoders.Relu):
        def backward(self, grad_y, cache, *, to_input=True):
            asked[len(asked)] = to_input
            return super().backward(grad_y, cache, to_input=to_input)

    network = encoders.Sequential({"a": Spy(), "b": Spy(), "c": Spy()})
    _, _, cache = network.forward({}, {}, rng.normal(size=(2, 3)))
    assert network.backward(np.ones((2, 3)), cache, to_input=False).grad_x is None
    assert list(asked.values()) == [True, True, False]  # from the last to the first
    assert network.backward(np.ones((2, 3)), cache).grad_x.shape == (2, 3)
    assert list(asked.values())[3:] == [True, True, True]


def test_a_network_is_a_layer(rng):
    inner = encoders.mlp([6, 4, 3], batch_norm=True)
    nested = encoders.Sequential({"encoder": inner, "relu": encoders.Relu(), "head": encoders.mlp([3, 2])})
    params, state = nested.init(rng, np.float64)
    assert list(params) == ["encoder", "head"]
    assert list(state) == ["encoder"]
    x = rng.normal(size=(5, 6))
    h = inner.forward(params["encoder"], state["encoder"], x).y
    weight = params["head"]["linear0"]["weight"]
    wanted = np.maximum(h, 0) @ weight.T + params["head"]["linear0"]["bias"]
    np.testing.assert_allclose(nested.forward(params, state, x).y, wanted, rtol=1e-12)


def test_an_error_names_the_layer(rng):
    network = encoders.mlp([6, 4, 3])
    params, state = network.init(rng)
    with pytest.raises(ValueError, match=r"linear0: x must have shape \(N, 6\), got \(5, 7\)"):
        network.forward(params, state, np.ones((5, 7), np.float32))
    with pytest.raises(ValueError, match="linear1: params must hold an array 'weight'"):
        network.forward({"linear0": params["linear0"]}, state, np.ones((5, 6), np.float32))
    with pytest.raises(ValueError, match="linear0 must be a dict of arrays, got an array of shape"):
        network.forward({"linear0": np.ones(2)}, state, np.ones((5, 6), np.float32))


def test_names_and_sizes():
    assert list(encoders.mlp([4, 3, 2], batch_norm=True).layers) == ["linear0", "norm0", "relu0", "linear1"]
    layers = encoders.mlp([4, 3, 2], batch_norm=True, last_relu=True).layers
    assert list(layers)[-3:] == ["linear1", "norm1", "relu1"]
    assert not layers["linear1"].bias
    assert list(encoders.conv_net([1, 2, 3]).layers)[:4] == ["conv0", "norm0", "relu0", "pool0"]
    assert "Linear(n_in=4" in repr(encoders.mlp([4, 2]))
