"""The linear probe: scikit-learn's minimum, its gradient at nought, and draws that a seed decides."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from sim_engine import metrics
from sim_engine._matmul import forced


def blobs(rng, n, d, classes, spread=1.0):
    labels = np.arange(n) % classes
    return rng.normal(size=(classes, d))[labels] + spread * rng.normal(size=(n, d)), labels


def objective(weights, bias, z, index, l2):
    """The docstring's formula, in loops."""
    total = 0.5 * l2 * sum(w * w for row in weights for w in row)
    for row, own in zip(z, index, strict=True):
        logits = [
            sum(w * x for w, x in zip(ws, row, strict=True)) + b for ws, b in zip(weights, bias, strict=True)
        ]
        top = max(logits)
        total += top + math.log(sum(math.exp(v - top) for v in logits)) - logits[own]
    return total


@pytest.mark.parametrize("path", ["blas", "einsum"])
@pytest.mark.parametrize("l2", [0.01, 1.0, 100.0])
@pytest.mark.parametrize(("n", "d", "classes"), [(60, 4, 3), (12, 20, 4), (9, 1, 3)])
def test_it_is_scikit_learns(rng, n, d, classes, l2, path):
    z, labels = blobs(rng, n, d, classes)
    with forced(path):
        ours = metrics.softmax_regression(z, labels, l2=l2)
    theirs = LogisticRegression(C=1 / l2, tol=1e-11, max_iter=10_000, solver="newton-cg").fit(z, labels)
    np.testing.assert_allclose(ours.weights, theirs.coef_, rtol=0, atol=1e-6 * np.abs(theirs.coef_).max())
    np.testing.assert_allclose(ours.bias, theirs.intercept_ - theirs.intercept_.mean(), rtol=0, atol=1e-6)
    np.testing.assert_allclose(ours.probabilities(z), theirs.predict_proba(z), rtol=0, atol=1e-7)
    np.testing.assert_array_equal(ours.predict(z), theirs.predict(z))


def test_two_classes_are_scikit_learns_at_twice_its_c(rng):
    z, labels = blobs(rng, 40, 3, 2)
    ours = metrics.softmax_regression(z, labels, l2=0.5)
    theirs = LogisticRegression(C=2 / 0.5, tol=1e-12, solver="newton-cg").fit(z, labels)
    np.testing.assert_allclose(ours.weights[1] - ours.weights[0], theirs.coef_[0], rtol=1e-6)
    assert ours.bias[1] - ours.bias[0] == pytest.approx(theirs.intercept_[0], rel=1e-6)


@pytest.mark.parametrize("l2", [1e-6, 0.1, 1e4])
def test_the_gradient_is_nought_by_torch_and_the_value_is_the_formula(rng, l2):
    z, labels = blobs(rng, 30, 5, 3)
    model = metrics.softmax_regression(z, labels, l2=l2)
    index = np.searchsorted(model.classes, labels)
    assert model.value == pytest.approx(objective(model.weights, model.bias, z, index, l2), rel=1e-9)
    weights, bias = (torch.tensor(part, requires_grad=True) for part in (model.weights, model.bias))
    logits = torch.tensor(z) @ weights.T + bias
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(index), reduction="sum")
    (loss + l2 / 2 * weights.square().sum()).backward()
    # In its own units the objective is divided by N and z by its largest entry.
    scale = np.abs(z - z.mean(axis=0)).max()
    assert max(weights.grad.abs().max().item() / scale, bias.grad.abs().max().item()) / 30 < 2e-10
    assert model.gradient <= 1e-10
    assert abs(model.bias.sum()) < 1e-10


def test_nothing_lies_below_the_minimum(rng, slope):
    z, labels = blobs(rng, 25, 3, 3)
    model = metrics.softmax_regression(z, labels, l2=0.3)

    def f(weights, bias):
        return objective(weights, bias, z, labels, 0.3)

    for _ in range(5):
        direction = [rng.normal(size=(3, 3)), rng.normal(size=3)]
        assert abs(slope(f, [model.weights, model.bias], direction, step=1e-3)) < 1e-7
        moved = f(model.weights + 0.01 * direction[0], model.bias + 0.01 * direction[1])
        assert moved > model.value + 1e-6


@given(st.integers(0, 10**6))
def test_order_names_and_offset_do_not_matter(seed):
    rng = np.random.default_rng(seed)
    z, labels = blobs(rng, 15, 3, 3)
    model = metrics.softmax_regression(z, labels)
    order = rng.permutation(15)
    moved = metrics.softmax_regression(z[order] + 100, 5 * labels[order] - 3)
    np.testing.assert_allclose(moved.weights, model.weights, atol=1e-7)
    np.testing.assert_allclose(moved.bias + 100 * moved.weights.sum(axis=1), model.bias, atol=1e-5)
    assert moved.classes.tolist() == [-3, 2, 7]


@given(st.integers(0, 10**6))
def test_a_rotation_turns_the_weights(seed):
    rng = np.random.default_rng(seed)
    z, labels = blobs(rng, 15, 3, 3)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    turned = metrics.softmax_regression(z @ turn, labels)
    np.testing.assert_allclose(
        turned.weights, metrics.softmax_regression(z, labels).weights @ turn, atol=1e-7
    )


@pytest.mark.parametrize("scale", [1e-100, 1e-6, 1e6, 1e100])
def test_a_unit_of_the_features_is_a_unit_of_the_penalty(rng, scale):
    z, labels = blobs(rng, 20, 3, 3)
    model = metrics.softmax_regression(z, labels, l2=0.5)
    scaled = metrics.softmax_regression(z * scale, labels, l2=0.5 * scale**2)
    np.testing.assert_allclose(scaled.weights * scale, model.weights, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("z", [np.ones((6, 2)), np.zeros((6, 1))])
def test_features_that_say_nothing_give_the_shares_of_the_classes(z):
    model = metrics.softmax_regression(z, [0, 0, 0, 1, 1, 2])
    assert not model.weights.any()
    np.testing.assert_allclose(model.probabilities(z)[0], [1 / 2, 1 / 3, 1 / 6], rtol=1e-9)


def test_blocks_and_diagonal_find_one_minimum_and_blocks_in_few_products(rng, monkeypatch):
    from sim_engine.metrics import _softmax_regression as module

    # Features that share most of their spread, as an encoder's do.
    z = rng.normal(size=(300, 40)) @ rng.normal(size=(40, 40)) + rng.normal(size=40)
    z[:, 20:] = z[:, :20] + 0.01 * rng.normal(size=(300, 20))
    labels = (z[:, :5] + 5 * rng.normal(size=(300, 5))).argmax(axis=1)
    products = []
    plain = module._Problem.curvature

    def spy(problem, p, v):
        products[-1] += 1
        return plain(problem, p, v)

    monkeypatch.setattr(module._Problem, "curvature", spy)
    products.append(0)
    blocks = metrics.softmax_regression(z, labels, l2=0.1)
    monkeypatch.setattr(module, "BLOCK_ENTRIES", 0)
    products.append(0)
    diagonal = metrics.softmax_regression(z, labels, l2=0.1)
    assert products[0] < products[1] / 5, products
    np.testing.assert_allclose(
        blocks.weights, diagonal.weights, rtol=0, atol=1e-6 * np.abs(blocks.weights).max()
    )
    assert blocks.value == pytest.approx(diagonal.value, rel=1e-12)


@pytest.mark.parametrize("l2", [1e-300, 1.0, 1e300])
def test_features_that_differ_by_rounding_and_extreme_penalties_stay_finite(rng, l2):
    labels = np.arange(12) % 3
    tiny = np.full((12, 2), 1e-150)
    tiny[0] = np.nextafter(1e-150, 1)
    apart = np.eye(3)[labels] + 0.01 * rng.normal(size=(12, 3))
    for z in (tiny, apart, apart * [1, 1e-9, 1e9], 1e6 + apart):
        try:
            model = metrics.softmax_regression(z, labels, l2=l2)
        except ValueError as error:
            # Without a penalty to speak of, rounding decides whether the gradient gets below its bound.
            if l2 == 1e-300 and "l2 must be larger" in str(error):
                continue
            raise
        assert np.isfinite(model.weights).all()
        assert np.isfinite(model.probabilities(z)).all()
        assert 0 <= model.value <= 12 * math.log(3) + 1e-9


@pytest.mark.parametrize("seed", [116, 328, *range(20)])
def test_units_and_penalties_that_square_to_nothing_are_right_or_refused(seed):
    rng = np.random.default_rng(seed)
    n, d, classes = (int(rng.integers(low, high)) for low, high in ((4, 60), (1, 12), (2, 5)))
    labels = np.arange(n) % classes
    z = np.eye(classes)[labels] @ rng.normal(size=(classes, d)) * 10.0 ** rng.integers(-140, 140)
    try:
        model = metrics.softmax_regression(z, labels, l2=10.0 ** rng.integers(-300, 300))
    except ValueError as error:
        if "l2 must be larger" not in str(error):
            raise
    else:
        assert np.isfinite(model.weights).all()
        assert 0 <= model.value <= n * math.log(classes) + 1e-9


@pytest.mark.parametrize("seed", range(8))
def test_outliers_need_shorter_steps_and_still_reach_the_minimum(seed):
    rng = np.random.default_rng(seed)
    z, labels = rng.standard_cauchy(size=(20, 3)), np.arange(20) % 3
    model = metrics.softmax_regression(z, labels, l2=1e-6)
    assert model.gradient <= 1e-10
    # Wherever else, the objective is larger.
    theirs = LogisticRegression(C=1e6, max_iter=10_000, tol=1e-8).fit(z, labels)
    assert model.value <= objective(theirs.coef_, theirs.intercept_, z, labels, 1e-6) + 1e-9
    assert model.value == pytest.approx(objective(model.weights, model.bias, z, labels, 1e-6), rel=1e-9)


def test_a_minimum_that_rounding_hides_is_not_claimed():
    rng = np.random.default_rng(118)
    z = rng.standard_cauchy(size=(20, 3)) ** 5  # sizes from 1e-9 to 1e12
    with pytest.raises(
        ValueError, match="l2 must be larger, or the units of z more alike: the gradient stays at"
    ):
        metrics.softmax_regression(z, np.arange(20) % 3, l2=1e-6)


def test_separable_duplicates_stay_finite():
    z = [[1.0, 0], [1.0, 0], [0, 1.0], [0, 1.0]]
    model = metrics.softmax_regression(z, [0, 0, 1, 1], l2=1e-6)
    assert np.isfinite(model.weights).all()
    assert model.probabilities(z)[0, 0] > 0.999
    # Opposite labels of one point: nothing but chance.
    tied = metrics.softmax_regression([[1.0, 2.0]] * 2, [0, 1])
    np.testing.assert_allclose(tied.probabilities([[3.0, -1.0]]), 0.5)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_low_precision_is_computed_in_double(rng, dtype):
    z, labels = blobs(rng, 20, 3, 3)
    z = z.astype(dtype)
    wanted = metrics.softmax_regression(z.astype(np.float64), labels)
    np.testing.assert_array_equal(metrics.softmax_regression(z, labels).weights, wanted.weights)


def test_linear_probe_on_digits_is_scikit_learns():
    z, labels = load_digits(return_X_y=True)
    z = z / 16
    ours = metrics.linear_probe(z[:600], labels[:600], z[600:1200], labels[600:1200])
    model = LogisticRegression(tol=1e-8, max_iter=5000).fit(z[:600], labels[:600])
    assert ours == model.score(z[600:1200], labels[600:1200])
    assert ours > 0.85


def test_a_label_that_was_never_seen_is_never_right():
    assert metrics.linear_probe([[0.0], [4.0]], [0, 1], [[0.0], [4.0], [4.0]], [0, 1, 2]) == 2 / 3


def test_few_labels_are_drawn_by_the_seed_and_equal_the_probe_on_them(rng):
    z, labels = blobs(rng, 60, 4, 3, spread=0.8)
    arguments = (z[:40], labels[:40], z[40:], labels[40:])
    found = metrics.few_label_probe(*arguments, per_class=2, rng=np.random.default_rng(5), draws=6)
    again = metrics.few_label_probe(*arguments, per_class=2, rng=np.random.default_rng(5), draws=6)
    other = metrics.few_label_probe(*arguments, per_class=2, rng=np.random.default_rng(6), draws=6)
    np.testing.assert_array_equal(found.accuracies, again.accuracies)
    assert found.accuracies.tolist() != other.accuracies.tolist()
    assert found.mean == pytest.approx(np.mean(found.accuracies))
    assert found.spread == pytest.approx(math.sqrt(sum((a - found.mean) ** 2 for a in found.accuracies) / 5))
    # With every label of equal classes each draw is the linear probe.
    full = (z[:39], labels[:39], z[40:], labels[40:])
    whole = metrics.few_label_probe(*full, per_class=13, rng=rng, draws=2)
    assert whole.accuracies.tolist() == [metrics.linear_probe(*full)] * 2
    assert whole.spread == 0


def test_a_draw_takes_as_many_of_every_class(rng, monkeypatch):
    from sim_engine.metrics import probe

    seen = []
    plain = probe.softmax_regression

    def spy(z, labels, *, l2):
        seen.append((z, labels))
        return plain(z, labels, l2=l2)

    monkeypatch.setattr(probe, "softmax_regression", spy)
    z, labels = np.arange(30.0)[:, None], np.repeat([4, 2, 9], 10)
    metrics.few_label_probe(z, labels, z, labels, per_class=3, rng=rng, draws=2)
    for rows, chosen in seen:
        assert np.unique(chosen, return_counts=True)[1].tolist() == [3, 3, 3]
        assert len(np.unique(rows)) == 9  # without replacement
        np.testing.assert_array_equal(labels[rows[:, 0].astype(int)], chosen)
    assert seen[0][0].tolist() != seen[1][0].tolist()


def test_more_labels_help_and_one_draw_has_no_spread(rng):
    z, labels = blobs(rng, 300, 4, 3, spread=1.0)
    arguments = (z[:200], labels[:200], z[200:], labels[200:])
    few, many = (metrics.few_label_probe(*arguments, per_class=k, rng=rng, draws=10) for k in (1, 30))
    assert many.mean > few.mean
    assert many.spread < few.spread
    assert metrics.few_label_probe(*arguments, per_class=1, rng=rng, draws=1).spread == 0


Z, LABELS = np.array([[0.0], [1.0], [2.0]]), [0, 1, 1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: metrics.softmax_regression(Z, [3, 3, 3]),
            "labels must hold at least 2 classes, got 3 alone",
        ),
        (lambda: metrics.softmax_regression(Z, LABELS, l2=0), "l2 must be finite and > 0"),
        (lambda: metrics.softmax_regression(Z, LABELS, l2="1"), "l2 must be a number > 0"),
        (lambda: metrics.softmax_regression(Z, [0, 1]), "one label per row: 3, got 2"),
        (lambda: metrics.softmax_regression(Z * np.nan, LABELS), "z must be finite"),
        (lambda: metrics.softmax_regression(Z * 1e200, LABELS), "z must have its largest entry from 1e-150"),
        (lambda: metrics.softmax_regression(Z * 1e-200, LABELS), "z must have its largest entry from 1e-150"),
        (lambda: metrics.softmax_regression(Z[:, 0], LABELS), "z must have 2 axes"),
        (lambda: metrics.softmax_regression(Z, LABELS).predict([[1.0, 2.0]]), "rows of length 1, got 2"),
        (lambda: metrics.linear_probe(Z, LABELS, [[1.0, 2.0]], [0]), "rows of one length, got 1 and 2"),
        (
            lambda: metrics.linear_probe(Z, LABELS, Z, [0]),
            "labels_test must hold one label per row: 3, got 1",
        ),
        (lambda: few(per_class=0), "per_class must be from 1 to 1, got 0"),
        (lambda: few(per_class=2), "per_class must be from 1 to 1, got 2"),
        (lambda: few(draws=0), "draws must be at least 1, got 0"),
        (lambda: few(rng=5), "rng must be a numpy.random.Generator, got 5; np.random"),
    ],
)
def test_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def few(per_class=1, draws=2, rng=None):
    rng = np.random.default_rng(0) if rng is None else rng
    return metrics.few_label_probe(Z, LABELS, Z, LABELS, per_class=per_class, rng=rng, draws=draws)
