"""Layers forward and backward, optimisers' steps, and trainings of a few steps, in float64."""

import numpy as np
from recorder import call, keep, rng

LAYERS = {
    "Linear": ((5, 3), (7, 5)),
    "Relu": ((), (6, 4)),
    "BatchNorm": ((4,), (9, 4)),
    "Conv": ((3, 2, 2), (2, 6, 5, 3)),
    "MaxPool": ((), (2, 4, 6, 3)),
    "MeanPool": ((), (2, 4, 6, 3)),
}


def record():
    for name, (sizes, shape) in LAYERS.items():
        passes(f"encoders.{name}", call(f"encoders.{name}", *sizes), shape)
    passes("encoders.mlp", call("encoders.mlp", [6, 20, 4], batch_norm=True), (8, 6))
    passes("encoders.conv_net", call("encoders.conv_net", [3, 4, 8]), (4, 8, 8, 3))
    chain = {"first": call("encoders.Linear", 6, 5), "then": call("encoders.Relu")}
    passes("encoders.Sequential", call("encoders.Sequential", chain), (8, 6))
    call("encoders.he_normal", rng(0), (4, 3), 3)
    steps()
    trainings()


def passes(name, layer, shape):
    """A pass forward and back while training, then one forward with the running statistics."""
    draws = rng(1)
    params, state = layer.init(draws, np.float64)
    x = draws.normal(size=shape)
    forward = layer.forward(params, state, x)
    keep(name, {"params": params, "y": forward.y, "state": forward.state})
    keep(name, layer.backward(draws.normal(size=forward.y.shape), forward.cache))
    keep(name, layer.forward(params, forward.state, x, training=False))


def steps():
    optimizers = [
        call("optim.Sgd", momentum=0.9, weight_decay=1e-3, nesterov=True),
        call("optim.Adam"),
        call("optim.Adam", weight_decay=1e-2, decoupled=True),
        call("optim.Lars", trust=0.02),
    ]
    for optimizer in optimizers:
        draws = rng(2)
        params = {"layer": {"weight": draws.normal(size=(4, 3)), "bias": draws.normal(size=3)}}
        memory = optimizer.init(params)
        for step in range(6):
            grads = {"layer": {key: np.sin(3 * value + step) for key, value in params["layer"].items()}}
            params, memory = optimizer.step(params, grads, memory, 0.05)
        keep(f"optim.{type(optimizer).__name__}", [params, memory])
    for step in (0, 3, 10, 99):
        call("optim.cosine_schedule", step, peak=0.3, steps=100, warmup=10)


def noisy(x, draws):
    return x + 0.3 * draws.normal(size=x.shape)


def trainings():
    """Adam turns a gradient that is rounding alone into a whole step: no bias before a batch norm here."""
    data, texts = rng(3).normal(size=(40, 6)), rng(4).normal(size=(40, 5))
    encoder, head = call("encoders.mlp", [6, 12, 8]), call("encoders.mlp", [8, 4])
    run = {"steps": 5, "batch_size": 16, "learning_rate": 0.01}
    call("train.simclr", data, noisy, encoder, head, rng=rng(5), **run)
    call("train.moco", data, noisy, encoder, head, rng=rng(6), queue_size=30, **run)
    call("train.byol", data, noisy, encoder, head, call("encoders.mlp", [4, 4]), rng=rng(7), **run)
    call("train.clip", data, texts, encoder, call("encoders.mlp", [5, 8]), rng=rng(8), **run)
    normed = call("encoders.mlp", [6, 12, 8], batch_norm=True)
    sgd = call("optim.Sgd", momentum=0.9)
    call("train.simclr", data, noisy, normed, head, rng=rng(9), optimizer=sgd, **run)
