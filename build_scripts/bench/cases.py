"""Every loss of the engine with arrays to call it on: what the benchmark of the engine goes through."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim_engine import losses

__all__ = ["CASES", "Case", "gradients"]

Array = NDArray[Any]

TAU = 0.5
TAU_PLUS = 0.1
BETA = 1.0
MARGIN = 0.2
# Keys that stay while batches pass: the paper's 65,536 would leave nothing to see of N.
QUEUE = 4096
# Negatives of a query's own.
OWN = 16
# Rows of one class, both views counted.
CLASS = 8


@dataclass(frozen=True)
class Case:
    """One way to call a loss.

    Attributes:
        name: the loss, and its variant where it has several.
        engine: takes all arrays, first those that learn, and returns the engine's result.
        learn: the arrays with a gradient, by N, d and a generator; view b lies near view a.
        held: the arrays without one, likewise.
    """

    name: str
    engine: Callable[..., Any]
    learn: Callable[[int, int, np.random.Generator], Sequence[Array]]
    held: Callable[[int, int, np.random.Generator], Sequence[Array]] = lambda n, d, rng: ()


def gradients(result: Any) -> list[Any]:
    """Return every gradient of a result, in the order of the arrays that learn."""
    names = getattr(result, "_fields", None) or [field.name for field in dataclasses.fields(result)]
    return [getattr(result, name) for name in names if name.startswith("grad_")]


def _views(n: int, d: int, rng: np.random.Generator) -> list[Array]:
    z_a = rng.normal(size=(n, d)) / d**0.5
    return [z_a, z_a + 0.5 * rng.normal(size=(n, d)) / d**0.5]


def _strangers(n: int, d: int, rng: np.random.Generator) -> list[Array]:
    # As out of an untrained encoder: where positives are near, no negative falls short of the margin.
    return [rng.normal(size=(n, d)), rng.normal(size=(n, d))]


def _one(n: int, d: int, rng: np.random.Generator) -> list[Array]:
    return [rng.normal(size=(n, d))]


def _both(n: int, d: int, rng: np.random.Generator) -> list[Array]:
    return [np.concatenate(_views(n, d, rng))]


def _classes(n: int, d: int, rng: np.random.Generator) -> list[Array]:
    return [np.arange(2 * n) % max(2, 2 * n // CLASS)]


def _with_scale(n: int, d: int, rng: np.random.Generator) -> list[Array]:
    return [*_views(n, d, rng), np.array(-math.log(TAU))]


def _with_keys(n: int, d: int, rng: np.random.Generator) -> list[Array]:
    return [*_views(n, d, rng), rng.normal(size=(n, d))]


def _triplets(n: int, d: int, rng: np.random.Generator) -> list[Array]:
    anchor, positive = _views(n, d, rng)
    # Only a little farther off than the positive, so that most fall short of the margin.
    return [anchor, positive, anchor + 0.6 * rng.normal(size=(n, d)) / d**0.5]


def _with_own_keys(n: int, d: int, rng: np.random.Generator) -> list[Array]:
    return [*_views(n, d, rng), rng.normal(size=(n, OWN, d))]


def _key_and_queue(n: int, d: int, rng: np.random.Generator) -> list[Array]:
    keys = rng.normal(size=(QUEUE, d))
    return [rng.normal(size=(n, d)), keys / np.linalg.norm(keys, axis=1)[:, None]]


def _teacher(n: int, d: int, rng: np.random.Generator) -> list[Array]:
    return [*_one(n, d, rng), rng.normal(size=d)]


def _teachers(n: int, d: int, rng: np.random.Generator) -> list[Array]:
    return [*_views(n, d, rng), rng.normal(size=d)]


def _moco(q: Array, k: Array, keys: Array) -> losses.MocoResult:
    return losses.moco(q, k, losses.Queue(keys), TAU)


def _vicreg(z_a: Array, z_b: Array) -> losses.LossResult:
    # Weighed as the authors' code does, which torch's version and the library follow.
    return losses.vicreg(z_a, z_b, invariance=25.0 / z_a.shape[1], variance=12.5)


CASES = (
    Case("nt_xent", lambda a, b: losses.nt_xent(a, b, TAU), _views),
    Case("dcl", lambda a, b: losses.dcl(a, b, TAU), _views),
    Case("debiased", lambda a, b: losses.debiased(a, b, TAU, TAU_PLUS), _views),
    Case("hard_negative", lambda a, b: losses.hard_negative(a, b, TAU, TAU_PLUS, BETA), _views),
    Case("nt_logistic", lambda a, b: losses.nt_logistic(a, b, TAU), _views),
    Case("sup_con", lambda z, y: losses.sup_con(z, y, TAU), _both, _classes),
    Case("sup_con, in", lambda z, y: losses.sup_con(z, y, TAU, variant="in"), _both, _classes),
    Case("triplet_views", lambda a, b: losses.triplet_views(a, b, MARGIN), _strangers),
    Case(
        "triplet_views, violating",
        lambda a, b: losses.triplet_views(a, b, MARGIN, select="violating"),
        _strangers,
    ),
    Case("align_uniform", losses.align_uniform, _views),
    Case("clip", lambda x, y, t: losses.clip(x, y, float(t)), _with_scale),
    Case("n_pair", losses.n_pair, _views),
    Case("spectral", losses.spectral, _views),
    Case("info_nce", lambda q, k, m: losses.info_nce(q, k, m, TAU), _with_keys),
    Case("info_nce, own keys", lambda q, k, m: losses.info_nce(q, k, m, TAU), _with_own_keys),
    Case("moco", _moco, _one, _key_and_queue),
    Case("triplet", lambda a, p, n: losses.triplet(a, p, n, MARGIN), _triplets),
    Case("barlow_twins", lambda a, b: losses.barlow_twins(a, b, eps=0.0), _views),
    Case("vicreg", _vicreg, _views),
    Case("normalized_mse", losses.normalized_mse, _one, _one),
    Case("negative_cosine", losses.negative_cosine, _one, _one),
    Case("byol", losses.byol, _views, _views),
    Case("simsiam", losses.simsiam, _views, _views),
    Case("dino_cross_entropy", losses.dino_cross_entropy, _one, _teacher),
    Case("dino", losses.dino, _views, _teachers),
)
