"""Fixtures of the engine's tests: views, slow loops, derivatives by difference."""

import sys

import numpy as np
import pytest
from hypothesis import settings

# tests/engine_in_pyodide runs this folder in the browser's Python too, which has no torch.
BROWSER = sys.platform == "emscripten"

settings.register_profile("engine", deadline=None, max_examples=6 if BROWSER else 30, derandomize=True)
settings.load_profile("engine")

if not BROWSER:
    import torch

    torch.set_num_threads(1)


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture
def views():
    """`views(n, d, seed=0, noise=0.5)`: two float64 views (n, d), rows of many lengths."""

    def make(n, d, seed=0, noise=0.5):
        rng = np.random.default_rng(seed)
        image = rng.normal(size=(n, d))
        length = rng.uniform(0.2, 5.0, size=(2, n, 1))
        a, b = (image + noise * rng.normal(size=(2, n, d))) * length
        return a, b

    return make


@pytest.fixture
def slope():
    """`slope(f, arrays, directions)`: central difference of f along a direction, by Richardson."""

    def difference(f, arrays, directions, step=1e-4):
        def central(h):
            ahead = f(*[a + h * v for a, v in zip(arrays, directions, strict=True)])
            behind = f(*[a - h * v for a, v in zip(arrays, directions, strict=True)])
            return (ahead - behind) / (2 * h)

        return (4 * central(step / 2) - central(step)) / 3

    return difference
