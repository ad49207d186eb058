"""Losses of degenerate rows: the right value and gradient, or an error that names the argument; never NaN.

Rows repeat, vanish, lie on an axis, are huge or tiny, have one coordinate, come in half precision. Each
formula stands here once more, plain and in long double, whose exponents reach far beyond float64's.
"""

import math
import re
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sim_engine import losses

Long = np.longdouble
MARGIN, TAU, LOG_SCALE = 0.37, 0.3, 1.5
LARGEST_POWER = {np.float16: 4, np.float32: 38, np.float64: 308}


class Rows(NamedTuple):
    """Two views, and whether every row is of moderate length or 0."""

    a: np.ndarray
    b: np.ndarray
    moderate: bool


@st.composite
def degenerate(draw):
    dtype = draw(st.sampled_from(list(LARGEST_POWER)))
    n, d = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    entry = st.one_of(st.sampled_from([-1.0, 0.0, 1.0]), st.integers(-99, 99).map(lambda x: x / 100))
    z = draw(hnp.arrays(np.float64, (2 * n, d), elements=entry))
    for row in z:
        match draw(st.sampled_from(["drawn", "drawn", "copy", "opposite", "axis"])):
            case "copy":
                row[:] = z[draw(st.integers(0, 2 * n - 1))]
            case "opposite":
                row[:] = -z[draw(st.integers(0, 2 * n - 1))]
            case "axis":
                row[:] = np.eye(d)[draw(st.integers(0, d - 1))]
    z[~z.any(axis=1), 0] = 1
    if draw(st.integers(0, 7)) == 7:
        z[draw(st.integers(0, 2 * n - 1))] = 0
    moderate = draw(st.booleans())
    if not moderate:
        powers = st.integers(-LARGEST_POWER[dtype], LARGEST_POWER[dtype])
        each = hnp.arrays(int, (2 * n, 1), elements=powers, fill=powers)
        z *= 10.0 ** draw(st.one_of(powers, each))
    z = z.astype(dtype)
    return Rows(z[:n], z[n:], moderate)


# The formulas. Each takes the rows and returns the loss as a function of rows, with what was chosen or
# is a target held fixed.


def unit(z):
    z = z / np.abs(z).max(axis=1, keepdims=True)
    return z / np.sqrt((z * z).sum(axis=1, keepdims=True))


def long_unit(z):
    return unit(z.astype(Long))


def squared(x, y):
    return ((x - y) ** 2).sum(axis=-1)


def log_softmax(x):
    x = x - x.max(axis=1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


def picking(logits, own):
    return -log_softmax(logits)[np.arange(len(logits)), own].mean()


def clip(a, b):
    def value(a, b):
        s, own = math.exp(LOG_SCALE) * unit(a) @ unit(b).T, np.arange(len(a))
        return (picking(s, own) + picking(s.T, own)) / 2

    return value


def triplet(a, b):
    def lacking(a, b):
        u, v, w = unit(a), unit(b), unit(np.roll(a, 1, axis=0))
        return squared(u, v) - squared(u, w) + MARGIN

    active = lacking(a.astype(Long), b.astype(Long)) > 0
    return lambda a, b: (lacking(a, b) * active).mean()


def triplet_views(select):
    def chosen_of(a, b):
        anchor = np.arange(2 * len(a))
        other = (anchor + len(a)) % len(anchor)

        def gaps(a, b):
            u = unit(np.concatenate([a, b]))
            table = squared(u[:, None], u[None])
            return table - table[anchor, other][:, None]

        def value(a, b):
            return (MARGIN - gaps(a, b))[chosen].mean() if chosen.any() else Long(0)

        gap, rounding = gaps(a.astype(Long), b.astype(Long)), 16 * np.finfo(np.result_type(a, np.float32)).eps
        gap[anchor, anchor] = gap[anchor, other] = np.inf
        chosen = gap < MARGIN
        if select != "violating":
            chosen &= gap > rounding
        if select == "nearest":
            least = np.where(chosen, gap, np.inf).min(axis=1, keepdims=True)
            near = chosen & (gap < least + rounding)
            value.tied = bool((near.sum(axis=1) > 1).any())  # either may be chosen
            chosen = near & (np.cumsum(near, axis=1) == 1)
        return value

    return chosen_of


def spectral(a, b):
    def value(a, b):
        s, n = a @ b.T, len(a)
        return -2 * np.trace(s) / n + (s[~np.eye(n, dtype=bool)] ** 2).sum() / (n * (n - 1))

    return value


def align_uniform(a, b):
    def value(a, b):
        u, v, (i, j) = unit(a), unit(b), np.triu_indices(len(a), 1)
        uneven = [np.log(np.exp(-2 * squared(x[i], x[j])).mean()) for x in (u, v)]
        return squared(u, v).mean() + sum(uneven) / 2

    return value


def off_diagonal(c):
    return (c[~np.eye(len(c), dtype=bool)] ** 2).sum()


def barlow_twins(a, b):
    def value(a, b):
        x, y = ((z - z.mean(axis=0)) / np.sqrt(z.var(axis=0) + 1e-5) for z in (a, b))
        c = x.T @ y / len(a)
        return ((1 - np.diagonal(c)) ** 2).sum() + 0.0051 * off_diagonal(c)

    return value


def vicreg(a, b):
    def value(a, b):
        total = 25 * squared(a, b).mean()
        for z in (a, b):
            centred = z - z.mean(axis=0)
            c = centred.T @ centred / (len(z) - 1)
            total += 25 * np.maximum(0, 1 - np.sqrt(np.diagonal(c) + 1e-4)).mean() + off_diagonal(c) / len(c)
        return total

    return value


def byol(a, b):
    z_a, z_b = (long_unit(np.roll(z, 1, axis=0)) for z in (b, a))
    return lambda a, b: squared(unit(a), z_b).mean() + squared(unit(b), z_a).mean()


def simsiam(a, b):
    both = byol(a, b)
    return lambda a, b: both(a, b) / 4 - 1


def normalized_mse(a, b):
    target = long_unit(b)
    return lambda a, b: squared(unit(a), target).mean()


def negative_cosine(a, b):
    distance = normalized_mse(a, b)
    return lambda a, b: distance(a, b) / 2 - 1


def dino(a, b):
    t_a, t_b, center = b.astype(Long), a.astype(Long), a[0].astype(Long)
    p_a, p_b = (np.exp(log_softmax((t - center) / 0.04)) for t in (t_a, t_b))

    def term(p, s):
        return -(p * log_softmax(s / 0.1)).sum(axis=1).mean()

    return lambda a, b: (term(p_a, b) + term(p_b, a)) / 2


def queue_of(d):
    """Keys on every axis, opposite ones among them, and one more."""
    return np.concatenate([np.eye(d), -np.eye(d), unit(np.arange(1.0, d + 1)[None])])


def moco(a, b):
    k, keys = long_unit(b), queue_of(a.shape[1])

    def value(a, b):
        q = unit(a)
        logits = np.concatenate([(q * k).sum(axis=1, keepdims=True), q @ keys.T], axis=1) / TAU
        return picking(logits, np.zeros(len(a), int))

    return value


def n_pair(a, b):
    return lambda a, b: picking(a @ b.T, np.arange(len(a)))


# The engine's, which all return the value and the gradients in both views.


def of(loss, *grads, arguments=lambda a, b: (a, b)):
    def call(a, b):
        result = loss(*arguments(a, b))
        return result.value, *(getattr(result, grad) for grad in grads)

    return call


def engine_triplet(a, b):
    result = losses.triplet(a, b, np.roll(a, 1, axis=0), MARGIN)
    return result.value, result.grad_anchor + np.roll(result.grad_negative, -1, axis=0), result.grad_positive


def engine_views(select):
    def call(a, b):
        result = losses.triplet_views(a, b, MARGIN, select=select)
        return result.value, result.grad_a, result.grad_b

    return call


def predicted(a, b):
    return a, b, np.roll(b, 1, axis=0), np.roll(a, 1, axis=0)


class Case(NamedTuple):
    """A loss.

    Attributes:
        engine: takes the views, returns the value and the gradients in them; a target has none.
        formula: the same, plain.
        names: of the arguments, one of which an error must give.
        least: rows that it needs.
        terms: how large its terms get with entries up to m in d columns, which rounding is measured by;
            None where only directions count, so that a row of 0 is refused.
    """

    engine: object
    formula: object
    names: str
    least: int = 2
    terms: object = None


VIEWS, GRADS = "z_a z_b", ("grad_a", "grad_b")
CASES = {
    "clip": Case(
        of(lambda a, b: losses.clip(a, b, LOG_SCALE), "grad_image", "grad_text"), clip, "image text"
    ),
    "triplet": Case(engine_triplet, triplet, "anchor positive negative", 1),
    "nearest": Case(engine_views("nearest"), triplet_views("nearest"), VIEWS),
    "semi-hard": Case(engine_views("semi-hard"), triplet_views("semi-hard"), VIEWS),
    "violating": Case(engine_views("violating"), triplet_views("violating"), VIEWS),
    "align_uniform": Case(of(losses.align_uniform, *GRADS), align_uniform, VIEWS),
    "byol": Case(of(losses.byol, "grad_p_a", "grad_p_b", arguments=predicted), byol, "p_a p_b z_a z_b", 1),
    "simsiam": Case(
        of(losses.simsiam, "grad_p_a", "grad_p_b", arguments=predicted), simsiam, "p_a p_b z_a z_b", 1
    ),
    "normalized_mse": Case(of(losses.normalized_mse, "grad_p"), normalized_mse, "p z", 1),
    "negative_cosine": Case(of(losses.negative_cosine, "grad_p"), negative_cosine, "p z", 1),
    "moco": Case(
        of(lambda a, b: losses.moco(a, b, losses.Queue(queue_of(a.shape[1])), TAU), "grad_q"), moco, "q k", 1
    ),
    "spectral": Case(
        of(losses.spectral, *GRADS), spectral, VIEWS, terms=lambda m, d: d * m**2 + (d * m**2) ** 2
    ),
    "barlow_twins": Case(of(losses.barlow_twins, *GRADS), barlow_twins, VIEWS, terms=lambda m, d: 300 * d),
    "vicreg": Case(of(losses.vicreg, *GRADS), vicreg, VIEWS, terms=lambda m, d: 100 * d * (1 + m) ** 4),
    "dino": Case(
        of(losses.dino, "grad_student_a", "grad_student_b", arguments=lambda a, b: (a, b, b, a, a[0])),
        dino,
        "student_a student_b center",
        1,
        lambda m, d: 25 + 500 * m**2,
    ),
    "n_pair": Case(of(losses.n_pair, *GRADS), n_pair, VIEWS, terms=lambda m, d: (1 + d * m**2) ** 2),
}


def slope(f, z, along, step=1e-5):
    """Along a direction, by Richardson's extrapolation."""

    def central(h):
        ahead, behind = ([x + sign * h * v for x, v in zip(z, along, strict=True)] for sign in (1, -1))
        return (f(*ahead) - f(*behind)) / (2 * h)

    return (4 * central(step / 2) - central(step)) / 3


def answer(engine, z):
    try:
        return engine(*z)
    except ValueError as error:
        return error


@pytest.mark.parametrize("name", CASES)
@given(rows=degenerate(), seed=st.integers(0, 2**32 - 1))
def test_right_or_refused_by_name(name, rows, seed):
    """pytest turns every warning into an error, so this proves there is none."""
    case, z = CASES[name], (rows.a, rows.b)
    zero = case.terms is None and not all(view.any(axis=1).all() for view in z)
    fine = rows.moderate and not zero and len(rows.a) >= case.least
    result = answer(case.engine, z)
    if isinstance(result, ValueError):
        assert not fine, result
        assert re.search(rf"\b({case.names.replace(' ', '|')})\b", str(result))
        return
    value, *grads = result
    assert not zero
    assert len(rows.a) >= case.least
    dtype = np.result_type(rows.a.dtype, np.float32)
    wide = [view.astype(Long) for view in z]
    f = case.formula(*z)
    largest = max(np.abs(view).max() for view in wide)
    terms = 10 if case.terms is None else case.terms(largest, rows.a.shape[1])
    assert math.isfinite(value)
    # Below `tiny` numbers lose digits, and then they are 0.
    assert abs(value - f(*wide)) <= 200 * np.finfo(dtype).eps * terms + np.finfo(dtype).tiny
    for grad in grads:
        assert grad.shape == rows.a.shape
        assert grad.dtype == dtype
        assert np.isfinite(grad).all()
    if (rows.moderate or case.terms is None) and not getattr(f, "tied", False):
        draws = np.random.default_rng(seed)
        size = [np.abs(view).max(axis=1, keepdims=True) for view in wide]
        along = [s * draws.normal(size=view.shape) for s, view in zip(size, wide, strict=True)]
        along[len(grads) :] = [0 * v for v in along[len(grads) :]]  # a target stays
        parts = [grad * v for grad, v in zip(grads, along, strict=False)]
        tolerance = 1e-8 if dtype == np.float64 else 1e-4
        assert abs(sum(p.sum() for p in parts) - slope(f, wide, along)) <= tolerance * terms


@given(rows=degenerate(), seed=st.integers(0, 2**32 - 1))
def test_n_pairs_order_does_not_matter(rows, seed):
    order = np.random.default_rng(seed).permutation(len(rows.a))
    first = answer(losses.n_pair, (rows.a, rows.b))
    moved = answer(losses.n_pair, (rows.a[order], rows.b[order]))
    if isinstance(first, ValueError):
        assert str(moved) == str(first)
        return
    largest = max(Long(1), *(np.abs(view).max().astype(Long) for view in rows[:2]))
    rounding = 100 * np.finfo(first.grad_a.dtype).eps.astype(Long)
    assert abs(Long(moved.value) - first.value) <= rounding * (first.value + largest**2)
    for grad, wanted in zip(moved[1:], first[1:], strict=True):
        assert np.abs(grad.astype(Long) - wanted[order]).max() <= rounding * largest**3


def row_by_row(x, y, right, inverse, without):
    """Mean cross-entropy of picking y[right[i]] by x[i] among y, those `without(i)` left out; in float64."""
    value, grad_x, grad_y = 0.0, np.zeros_like(x), np.zeros_like(y)
    for i, row in enumerate(x):
        logits = inverse * (y @ row)
        logits[without(i)] = -np.inf
        share = np.exp(logits - logits.max())
        value -= logits[right[i]] - logits.max() - math.log(share.sum())
        share /= share.sum()
        share[right[i]] -= 1
        share *= inverse / len(x)
        grad_x[i] = share @ y
        grad_y += np.outer(share, row)
    return value / len(x), grad_x, grad_y


def single_nt_xent(z, n):
    result = losses.nt_xent(z[:n], z[n:], TAU)
    return result.value, np.concatenate(result[1:])


def single_clip(z, n):
    result = losses.clip(z[:n], z[n:], -math.log(TAU))
    return result.value, np.concatenate([result.grad_image, result.grad_text])


def single_info_nce(z, n):
    """Each of the first rows finds the next among the last."""
    value, *grads = losses.info_nce(z[: n // 2], z[n // 2 : n], z[n:], TAU)
    return value, np.concatenate(grads)


def double_nt_xent(u, n):
    other = (np.arange(2 * n) + n) % (2 * n)
    value, of_anchors, of_others = row_by_row(u, u, other, 1 / TAU, lambda i: [i])
    return value, of_anchors + of_others


def double_clip(u, n):
    own = np.arange(n)
    ways = [row_by_row(x, y, own, 1 / TAU, lambda i: []) for x, y in ((u[:n], u[n:]), (u[n:], u[:n]))]
    (to_text, image, text), (to_image, text_too, image_too) = ways
    return (to_text + to_image) / 2, np.concatenate([image + image_too, text + text_too]) / 2


def double_info_nce(u, n):
    half = n // 2
    others = np.arange(half)

    value, of_queries, of_keys = row_by_row(
        u[:half], u[half:], others, 1 / TAU, lambda i: others[others != i]
    )
    return value, np.concatenate([of_queries, of_keys])


@pytest.mark.parametrize(
    ("single", "double"),
    [(single_nt_xent, double_nt_xent), (single_clip, double_clip), (single_info_nce, double_info_nce)],
    ids=["nt_xent", "clip", "info_nce"],
)
def test_float32_of_2048_images_is_float64_row_by_row(single, double):
    n, draws = 2048, np.random.default_rng(0)
    image = draws.normal(size=(n, 8))
    z = np.concatenate([image, image + 0.5 * draws.normal(size=(n, 8))]) * draws.uniform(0.2, 5, (2 * n, 1))
    z = z.astype(np.float32)
    norms = np.linalg.norm(z.astype(np.float64), axis=1, keepdims=True)
    u = z / norms
    value, grad_u = double(u, n)
    wanted = (grad_u - (grad_u * u).sum(axis=1, keepdims=True) * u) / norms
    ours, grad = single(z, n)
    assert grad.dtype == np.float32
    assert ours == pytest.approx(value, rel=1e-6)
    assert np.linalg.norm(grad - wanted) < 1e-5 * np.linalg.norm(wanted)
