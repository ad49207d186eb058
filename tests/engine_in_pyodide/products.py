"""Products of matrices by the loop of vectors, in the browser's Python, against long sums; prints JSON."""

import json
import sys

import numpy as np

from sim_engine import _matmul, _simd

# Rows, terms, columns: the least, no multiple of a tile, more than a block of terms and of columns.
SHAPES = [
    (4, 1, 8),
    (5, 3, 9),
    (7, 16, 15),
    (64, 64, 64),
    (13, 513, 11),
    (33, 1200, 8),
    (6, 40, 257),
    (9, 530, 700),
]


def laid_out(x, layout):
    """The same numbers, lying otherwise in memory."""
    if layout == "columns":
        return np.asfortranarray(x)
    if layout == "backwards":
        return x[::-1, ::-1].copy()[::-1, ::-1]
    if layout == "apart":
        wide = np.full((2 * x.shape[0], 3 * x.shape[1]), np.nan, x.dtype)
        wide[::2, ::3] = x
        return wide[::2, ::3]
    return x


def largest_error(rng):
    """The worst error of an entry, in units of rounding and of the sum of its terms' sizes."""
    worst = 0.0
    for dtype in (np.float32, np.float64):
        for rows, terms, columns in SHAPES:
            a = rng.normal(size=(rows, terms)).astype(dtype)
            b = rng.normal(size=(terms, columns)).astype(dtype)
            # Without einsum or @: each product by itself, their sum in long arithmetic.
            each = a.astype(np.longdouble)[:, :, None] * b.astype(np.longdouble)[None]
            true, size = each.sum(axis=1), abs(each).sum(axis=1)
            for layout in ("rows", "columns", "backwards", "apart"):
                mine, other = laid_out(a, layout), laid_out(b, layout)
                assert _simd.suits(mine, other), (dtype, rows, terms, columns)
                product = _simd.product(mine, other)
                assert product.shape == true.shape
                assert product.dtype == dtype
                worst = max(worst, float((abs(product - true) / size).max() / np.finfo(dtype).eps))
    return worst


def an_entry_does_not_depend_on_its_place(rng):
    a, b = rng.normal(size=(21, 600)), rng.normal(size=(600, 300))
    whole = _simd.product(a, b)
    order, other = rng.permutation(21), rng.permutation(300)
    return bool((_simd.product(a[order], b[:, other]) == whole[order][:, other]).all())


def gram_is_symmetric(rng):
    """Whole where rows are short, by blocks where they are long, and to the bit what a product gives."""
    for n, d in ((301, 70), (63, 64), (64, 64), (65, 64), (301, 20), (9, 64)):
        single = rng.normal(size=(n, d)).astype(np.float32)
        for a in (single, single.astype(np.float64)):
            product = _matmul.gram(a)
            assert (product == product.T).all()
            assert (product == _simd.product(a, a.T)).all()
    return True


def what_is_not_finite_stays_where_it_is(rng):
    a, b = rng.normal(size=(9, 20)), rng.normal(size=(20, 13))
    a[2, 3], a[5, 1] = np.nan, np.inf
    product = _simd.product(a, b)
    return sorted(set(np.argwhere(~np.isfinite(product))[:, 0].tolist()))


def refused(rng):
    """Shapes and dtypes that the loop leaves to einsum; their product is right all the same."""
    small, narrow = (
        (rng.normal(size=(3, 50)), rng.normal(size=(50, 60))),
        (rng.normal(size=(9, 50)), rng.normal(size=(50, 3))),
    )
    mixed = rng.normal(size=(9, 20)).astype(np.float32), rng.normal(size=(20, 30))
    whole = np.arange(180).reshape(9, 20), np.arange(400).reshape(20, 20)
    empty = rng.normal(size=(9, 0)), rng.normal(size=(0, 30))
    for a, b in (small, narrow):
        said = ""
        try:
            _simd.product(a, b)
        except ValueError as error:
            said = str(error)
        assert "smaller than a tile" in said
    for a, b in (small, narrow, mixed, whole, empty):
        assert not _simd.suits(a, b)
        np.testing.assert_allclose(_matmul.matmul(a, b), a @ b, rtol=1e-5, atol=1e-12)
    return True


def rounds_once():
    """Whether the rounding of the first product is left, when the same is added again."""
    x = 1 + np.random.default_rng(1).random(64)
    a, b = np.stack([-x * x, x], axis=1), np.stack([np.ones(64), x])
    return bool(np.diag(_simd.product(a, b)).any())


rng = np.random.default_rng(0)
assert _matmul._path == "simd"
_simd.VARIANTS = {"fused": ("_fused",), "plain": ("",)}[sys.argv[1]]
before = _simd.suits(np.ones((8, 8)), np.ones((8, 8)))
_simd.FEWEST_PRODUCTS = _matmul.MANY_PRODUCTS = 1
print(
    json.dumps(
        {
            "rounds once": rounds_once(),
            "small ones": before,
            "error": largest_error(rng),
            "place": an_entry_does_not_depend_on_its_place(rng),
            "symmetric": gram_is_symmetric(rng),
            "not finite": what_is_not_finite_stays_where_it_is(rng),
            "refused": refused(rng),
        }
    )
)
