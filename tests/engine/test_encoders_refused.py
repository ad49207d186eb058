"""What layers refuse, by name: gradients of another shape or not finite, empty input, seeds."""

import re

import numpy as np
import pytest

from sim_engine import encoders

LAYERS = {
    "linear": (encoders.Linear(5, 3), (4, 5)),
    "linear-without-bias": (encoders.Linear(5, 3, bias=False), (4, 5)),
    "relu": (encoders.Relu(), (4, 3)),
    "batch-norm": (encoders.BatchNorm(3), (4, 3)),
    "batch-norm-of-images": (encoders.BatchNorm(3), (2, 4, 2, 3)),
    "conv": (encoders.Conv(2, 3), (2, 4, 6, 2)),
    "conv-stride-2": (encoders.Conv(2, 3, stride=2, bias=False), (2, 5, 6, 2)),
    "max-pool": (encoders.MaxPool(), (2, 4, 6, 3)),
    "mean-pool": (encoders.MeanPool(), (2, 4, 6, 3)),
    "sequential": (encoders.mlp([5, 4, 3]), (4, 5)),
}


def passed(name, dtype=np.float64):
    """The layer, its output and its cache, at seeded parameters."""
    layer, shape = LAYERS[name]
    rng = np.random.default_rng(3)
    y, _, cache = layer.forward(*layer.init(rng, dtype), rng.normal(size=shape).astype(dtype))
    return layer, y, cache


def wrong_shapes(shape):
    """Shapes of other sizes, of as many numbers, and those that NumPy stretches to fit."""
    for axis, size in enumerate(shape):
        yield (*shape[:axis], size + 1, *shape[axis + 1 :])
        yield (*shape[:axis], 1, *shape[axis + 1 :])
    yield shape[::-1]
    yield (int(np.prod(shape)),)
    yield (*shape, 1)
    yield (1, *shape)
    yield shape[1:]
    yield (1,) * len(shape)
    yield ()


@pytest.mark.parametrize("to_input", [True, False])
@pytest.mark.parametrize("name", LAYERS)
def test_a_gradient_of_another_shape_is_never_stretched(name, to_input):
    layer, y, cache = passed(name)
    wanted = re.escape(f"grad_y must have the shape of y, {y.shape}, got ")
    for shape in set(wrong_shapes(y.shape)) - {y.shape}:
        with pytest.raises(ValueError, match=wanted + re.escape(str(shape))):
            layer.backward(np.ones(shape), cache, to_input=to_input)


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", LAYERS)
def test_a_gradient_that_is_not_finite_is_refused_with_its_place(name, odd):
    layer, y, cache = passed(name)
    grad_y = np.ones_like(y)
    where = tuple(size - 1 for size in y.shape)
    grad_y[where] = odd
    with pytest.raises(ValueError, match=re.escape(f"grad_y must be finite, got {odd} at {list(where)}")):
        layer.backward(grad_y, cache)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda y: y.tolist(), "grad_y must be an array, got list; np.asarray makes one"),
        (lambda y: None, "grad_y must be an array, got NoneType"),
        (lambda y: y > 0, "grad_y must hold real numbers, got dtype bool"),
        (lambda y: y + 1j, "grad_y must hold real numbers, got dtype complex128"),
        (lambda y: y[:0], r"grad_y must not be empty, got shape \(0, "),
    ],
)
def test_a_gradient_that_is_no_array_of_numbers_is_refused(name, make, message):
    layer, y, cache = passed(name)
    with pytest.raises(ValueError, match=message):
        layer.backward(make(y), cache)


@pytest.mark.parametrize("name", LAYERS)
def test_a_large_gradient_is_no_infinite_one(name):
    layer, y, cache = passed(name, np.float32)
    grad_x = layer.backward(np.full_like(y, 1e30), cache).grad_x
    assert np.isfinite(grad_x).all()


@pytest.mark.parametrize("name", LAYERS)
def test_empty_input_and_input_that_is_no_array_are_refused(name):
    layer, shape = LAYERS[name]
    params, state = layer.init(np.random.default_rng(0))
    for axis in range(len(shape)):
        empty = np.ones((*shape[:axis], 0, *shape[axis + 1 :]))
        with pytest.raises(ValueError, match=r"x must not be empty, got shape \("):
            layer.forward(params, state, empty, training=False)
    for odd in (np.ones(shape).tolist(), np.ones(shape, bool), np.full(shape, "1")):
        with pytest.raises(ValueError, match=r"x must (be an array, got list|hold real numbers, got dtype)"):
            layer.forward(params, state, odd)


def test_a_chain_names_the_layer_that_was_given_it():
    layer, y, cache = passed("sequential")
    with pytest.raises(ValueError, match=r"^linear1: grad_y must have the shape .* \(4, 3\), got \(1, 3\)"):
        layer.backward(y[:1], cache)
    outer = encoders.Sequential({"inner": layer, "last": encoders.Relu()})
    y, _, cache = outer.forward(*outer.init(np.random.default_rng(0)), np.ones((4, 5), np.float32))
    with pytest.raises(ValueError, match=r"^last: grad_y must be finite, got nan at \[0, 0\]"):
        outer.backward(y * np.nan, cache)
    with pytest.raises(ValueError, match=r"^inner: linear0: x must have shape \(N, 5\), got \(4, 6\)"):
        outer.forward(*outer.init(np.random.default_rng(0)), np.ones((4, 6), np.float32))


def he(rng=None, shape=(4, 3), fan_in=3, dtype=np.float32):
    return encoders.he_normal(np.random.default_rng(0) if rng is None else rng, shape, fan_in, dtype)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: he(5), "rng must be a numpy.random.Generator, got 5; np.random.default_rng"),
        (lambda: he(np.random), "rng must be a numpy.random.Generator, got <module"),
        (lambda: he(fan_in=0), "fan_in must be at least 1, got 0"),
        (lambda: he(fan_in=-2), "fan_in must be at least 1, got -2"),
        (lambda: he(fan_in=2.0), "fan_in must be a whole number, got 2.0"),
        (lambda: he(shape=(4, 0)), "shape must be at least 1, got 0"),
        (lambda: he(shape=(4, -1)), "shape must be at least 1, got -1"),
        (lambda: he(shape=()), r"shape must be a tuple of sizes, got \(\)"),
        (lambda: he(shape=4), "shape must be a tuple of sizes, got 4"),
        (lambda: he(dtype=np.int64), "dtype must be float32 or float64, got <class 'numpy.int64'>"),
        (lambda: he(dtype="wide"), "dtype must be float32 or float64, got 'wide'"),
        (lambda: encoders.Linear(3, 2).init(5), "rng must be a numpy.random.Generator, got 5"),
        (lambda: encoders.Conv(3, 2).init(5), "rng must be a numpy.random.Generator, got 5"),
        (lambda: encoders.mlp([3, 2]).init(None), "rng must be a numpy.random.Generator, got None"),
        (lambda: encoders.BatchNorm(3).init(np.random.default_rng(0), int), "dtype must be float32 or"),
        (lambda: encoders.Sequential([encoders.Relu()]), "layers must map names to layers, got list"),
    ],
)
def test_weights_and_chains_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make()
