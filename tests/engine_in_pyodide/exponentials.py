"""Rows of exponentials, and their largest numbers, in the browser's Python; prints JSON, judged outside."""

import json
import sys

import numpy as np

from sim_engine import _simd
from sim_engine.losses._softmax import exponentiate

_simd.FEWEST_NUMBERS = 1
_simd.VARIANTS = {"fused": ("_fused", ""), "plain": ("",)}[sys.argv[1]]
# Rows and columns: one number, less than a vector, all remainders, more than a block of 64 vectors.
SHAPES = [(1, 1), (3, 2), (5, 3), (4, 4), (7, 7), (2, 255), (3, 257), (2, 1030)]


def given(dtype):
    """Arguments over all that can happen."""
    low = -110.0 if dtype == np.float32 else -750.0
    rng = np.random.default_rng(1)
    rows = [np.linspace(low, 0, 2001), -(10.0 ** np.linspace(-12, 0, 2001)), rng.uniform(low, 0, 2001)]
    return np.array(rows).astype(dtype)


def of_single_numbers(dtype):
    """The arguments and what comes of them, exactly."""
    x = given(dtype)
    before = x.copy()
    assert _simd.suits_rows("exponential", x)
    _simd.exponentials(x, np.zeros(len(x), dtype), dtype(1))
    return [[value.hex() for value in numbers.astype(float).ravel().tolist()] for numbers in (before, x)]


def ends(dtype):
    x = np.array([[-np.inf, -1e30, 0.0, 1e30, np.inf, 1.0, -0.0]], dtype)
    _simd.exponentials(x, np.zeros(1, dtype), dtype(1))
    return [str(value) for value in x[0].astype(float).tolist()[:5]]


def like_numpy(dtype):
    """The worst entry and sum beside NumPy's, in units of rounding; what lies between rows stays."""
    worst_entry = worst_sum = 0.0
    rng = np.random.default_rng(2)
    for rows, columns in SHAPES:
        wide = rng.uniform(-1, 1, size=(rows, columns + 3)).astype(dtype)
        before, scores = wide.copy(), wide[:, :columns]
        shift, inverse = scores.max(axis=1), dtype(1 / 0.07)
        true = np.exp((scores - shift[:, None]) * inverse)
        assert _simd.suits_rows("exponential", scores)
        sums = exponentiate(scores, shift, 1 / 0.07)
        assert (wide[:, columns:] == before[:, columns:]).all()
        eps = np.finfo(dtype).eps
        worst_entry = max(worst_entry, float((abs(scores - true) / true).max() / eps))
        exact = true.astype(float).sum(axis=1)
        worst_sum = max(worst_sum, float((abs(sums - exact) / exact).max() / eps))
    return worst_entry, worst_sum


def largest(dtype):
    """Whether each row's largest number is NumPy's, wherever it stands and with none but -inf."""
    rng = np.random.default_rng(3)
    for rows, columns in SHAPES:
        wide = rng.uniform(-2, -1, size=(rows * columns, columns + 3)).astype(dtype)
        wide[:, columns:] = 5  # beside the row, not of it
        wide[np.arange(len(wide)), np.arange(len(wide)) % columns] = rng.uniform(-1, 1, len(wide))
        wide[0] = -np.inf
        scores = wide[:, :columns]
        assert _simd.suits_rows("row_max", scores)
        if not np.array_equal(_simd.row_max(scores), scores.max(axis=1)):
            return False
    return True


def pair_scale(dtype):
    """Whether each number times its row's and column's shares is NumPy's, and what lies beside stays."""
    rng = np.random.default_rng(4)
    for size in (1, 2, 3, 4, 5, 7, 64, 67):
        wide = rng.uniform(-1, 1, size=(size, size + 3)).astype(dtype)
        before, shares = wide.copy(), rng.uniform(0, 2, 2 * size).astype(dtype)[::2]
        scores = wide[:, :size]
        assert _simd.suits_rows("pair_scale", scores)
        _simd.pair_scale(scores, shares)
        before[:, :size] *= shares[:, None] + shares
        if not np.array_equal(wide, before):
            return False
    return True


def refused():
    """What the loop leaves to NumPy."""
    turned, whole = np.ones((9, 9))[:, ::-1], np.ones((9, 9), int)
    return not any(
        _simd.suits_rows("exponential", x) for x in (turned, whole, np.ones(9), np.ones((9, 9)).T[::2, ::2])
    )


print(
    json.dumps(
        {
            dtype.__name__: {
                "numbers": of_single_numbers(dtype),
                "ends": ends(dtype),
                "like numpy": like_numpy(dtype),
                "largest": largest(dtype),
                "pair scale": pair_scale(dtype),
            }
            for dtype in (np.float32, np.float64)
        }
        | {"refused": refused()}
    )
)
