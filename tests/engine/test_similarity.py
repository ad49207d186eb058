"""Normalising, cosines, their backward passes, and the product of matrices under them."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sim_engine import _matmul, similarity
from sim_engine._matmul import forced, matmul


def test_normalize_is_torchs(views):
    z, _ = views(7, 4)
    u, norms = similarity.normalize(z)
    np.testing.assert_allclose(u, F.normalize(torch.tensor(z)).numpy(), rtol=1e-14)
    np.testing.assert_allclose(norms, np.linalg.norm(z, axis=1), rtol=1e-14)


@given(hnp.arrays(np.float64, (3, 4), elements=st.floats(0.1, 1)), st.integers(-300, 300))
def test_any_length_has_its_direction(z, exponent):
    u, norms = similarity.normalize(z * 10.0**exponent)
    np.testing.assert_allclose(u, z / np.linalg.norm(z, axis=1, keepdims=True), rtol=1e-12)
    np.testing.assert_allclose(norms, np.linalg.norm(z, axis=1) * 10.0**exponent, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_that_need_no_scaling_come_out_as_if_scaled(rng, dtype, monkeypatch):
    spread = 10.0 ** rng.uniform(-9, 9, size=(200, 1)) * 10.0 ** rng.uniform(-3, 0, size=(200, 7))
    z = (spread * rng.normal(size=(200, 7))).astype(dtype)
    plain = similarity.normalize(z)
    monkeypatch.setattr(similarity, "SAFE_SQUARES", {4: (np.inf, 0.0), 8: (np.inf, 0.0)})
    scaled = similarity.normalize(z)
    assert (plain.u == scaled.u).all()
    assert (plain.norms == scaled.norms).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_whose_sum_overflows_are_finite(dtype):
    z = np.full((3, 4), np.finfo(dtype).max, dtype).T[::2]  # not side by side in memory
    np.testing.assert_allclose(similarity.normalize(z).u, 3**-0.5, rtol=1e-6)
    for odd in (np.nan, np.inf, -np.inf):
        z[1, 2] = odd
        with pytest.raises(ValueError, match=r"z must be finite, got .* at \[1, 2\]"):
            similarity.normalize(z)


def test_input_is_not_changed(views):
    z, _ = views(4, 3)
    before = z.copy()
    similarity.normalize(z)
    np.testing.assert_array_equal(z, before)


def test_backward_of_normalize_is_torchs(views, rng):
    z, _ = views(7, 4)
    g = rng.normal(size=z.shape)
    tensor = torch.tensor(z, requires_grad=True)
    (wanted,) = torch.autograd.grad(F.normalize(tensor), tensor, torch.tensor(g))
    ours = similarity.normalize_backward(g, similarity.normalize(z))
    np.testing.assert_allclose(ours, wanted.numpy(), rtol=1e-12, atol=1e-14)


def test_cosine_is_the_slow_loop(views):
    x, y = views(5, 3)
    y = y[:4]
    slow = [[p @ q / (np.sqrt(p @ p) * np.sqrt(q @ q)) for q in y] for p in x]
    np.testing.assert_allclose(similarity.cosine(x, y), slow, rtol=1e-13)


def test_backward_of_cosine(views, rng, slope):
    x, y = views(5, 3)
    y = y[:4]
    g = rng.normal(size=(5, 4))
    grad_x, grad_y = similarity.cosine_backward(g, x, y)
    tensors = [torch.tensor(a, requires_grad=True) for a in (x, y)]
    cosines = F.cosine_similarity(tensors[0][:, None], tensors[1][None], dim=2)
    both = torch.autograd.grad(cosines, tensors, torch.tensor(g))
    for ours, wanted in zip((grad_x, grad_y), both, strict=True):
        np.testing.assert_allclose(ours, wanted.numpy(), rtol=1e-11, atol=1e-13)
    v = rng.normal(size=x.shape), rng.normal(size=y.shape)
    wanted = slope(lambda a, b: float(np.sum(g * similarity.cosine(a, b))), (x, y), v)
    assert np.sum(grad_x * v[0]) + np.sum(grad_y * v[1]) == pytest.approx(wanted, rel=1e-8)


SHORT = [[1.0, 0.0], [0.0, 1e-310]]


def short():
    return similarity.normalize(SHORT)


def back(grad_u, normalized=None):
    return similarity.normalize_backward(grad_u, normalized or similarity.normalize([[3.0, 4.0], [1.0, 0.0]]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: similarity.normalize([[1.0, 0], [0, 0]]), "z must have no zero row .* row 1"),
        (lambda: similarity.normalize([1.0, 0]), "z must have 2 axes"),
        (lambda: similarity.cosine([[1.0]], [[1.0, 2.0]]), "rows of one length, got 1 and 2"),
        (lambda: similarity.cosine([[1.0]], [[0.0]]), "y must have no zero row"),
        (
            lambda: similarity.cosine_backward(np.ones((2, 2)), [[1.0]], [[1.0]]),
            r"grad_s must have shape \(1, 1\), got \(2, 2\)",
        ),
        (lambda: back(np.ones((1, 2))), r"grad_u must have the shape of .*, \(2, 2\), got \(1, 2\)"),
        (lambda: back(np.ones((2, 1))), r"grad_u must have the shape of .*, \(2, 2\), got \(2, 1\)"),
        (lambda: back(np.ones(2)), r"grad_u must have 2 axes, got shape \(2,\)"),
        (lambda: back([[0.0, 1.0], [np.nan, 1.0]]), r"grad_u must be finite, got nan at \[1, 0\]"),
        (lambda: back(np.ones((2, 2)) > 0), "grad_u must hold real numbers, got dtype bool"),
        (lambda: back(np.ones((2, 2)), (1, 2)), "normalized must be what normalize returned, got tuple"),
        (lambda: back(np.ones((2, 2)), short()), "the gradient in z overflows float64 at row 1: the row is"),
        (
            lambda: similarity.cosine_backward(np.ones((1, 2)), [[1.0, 0.0]], SHORT),
            "the gradient in y overflows float64 at row 1: the row is too short",
        ),
    ],
)
def test_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("inner", [1, 2, _matmul.SHORT_INNER - 1, _matmul.SHORT_INNER, 100])
def test_both_paths_multiply(rng, inner, dtype):
    a, b = rng.normal(size=(5, inner)).astype(dtype), rng.normal(size=(7, inner)).astype(dtype)
    for right in (b.T, np.ascontiguousarray(b.T), np.asfortranarray(b.T)):
        slow = [[sum(float(x) * float(y) for x, y in zip(p, q, strict=True)) for q in b] for p in a]
        for path in ("blas", "einsum"):
            with forced(path):
                product = matmul(a, right)
            assert product.dtype == dtype
            np.testing.assert_allclose(product, slow, rtol=1e-4 if dtype is np.float32 else 1e-12, atol=1e-5)


@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 33])
@pytest.mark.parametrize("d", [3, _matmul.SHORT_INNER, 40])
@pytest.mark.parametrize("path", ["blas", "einsum"])
def test_gram_and_symmetrized_product(rng, n, d, path):
    a, m = rng.normal(size=(n, d)), rng.normal(size=(n, n))
    with forced(path):
        ours, both = _matmul.gram(a), _matmul.symmetrized_product(m, a)
    slow = [[sum(x * y for x, y in zip(p, q, strict=True)) for q in a] for p in a]
    np.testing.assert_allclose(ours, slow, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(ours, ours.T)
    slow = [[sum((m[i, k] + m[k, i]) * a[k, j] for k in range(n)) for j in range(d)] for i in range(n)]
    np.testing.assert_allclose(both, slow, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("n", [1, 9, 33])
@pytest.mark.parametrize("d", [3, 40])
@pytest.mark.parametrize("most", [1, 200, 3000])
def test_products_beyond_einsums_count_are_made_in_parts(rng, monkeypatch, n, d, most):
    """In wasm einsum refuses more than 2^31 products; 8192 views of length 64 have twice as many."""
    a, b = rng.normal(size=(n, d)), rng.normal(size=(d, 5))
    with forced("einsum"):
        whole, square = matmul(a, b), _matmul.gram(a)
        monkeypatch.setattr(_matmul, "MOST_PRODUCTS", most)
        np.testing.assert_array_equal(matmul(a, b), whole)
        np.testing.assert_allclose(_matmul.gram(a), square, rtol=1e-13, atol=1e-13)


def test_forcing_a_path_ends_with_the_block():
    before = _matmul._path
    with forced("einsum"):
        assert _matmul._path == "einsum"
    with pytest.raises(ZeroDivisionError), forced("einsum"):
        1 / 0  # noqa: B018  # what is inside may raise
    assert _matmul._path == before == "blas"
    with pytest.raises(ValueError, match="path must be 'blas', 'simd' or 'einsum', got 'gpu'"), forced("gpu"):
        pass
