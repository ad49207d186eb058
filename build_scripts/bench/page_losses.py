"""The engine's side of the losses that are timed in the page, each beside `pages/losses/<name>.mjs`.

Imports the engine and `cases` alone, which imports no more: the page runs both files as they stand, in the
runtime that readers get.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from build_scripts.bench.cases import BETA, CLASS, MARGIN, OWN, QUEUE, TAU, TAU_PLUS
from sim_engine import losses

__all__ = ["PAGE", "PageLoss", "module"]

Shape = tuple[str | int, ...]
ROWS: Shape = ("n", "d")


@dataclass(frozen=True)
class PageLoss:
    """One loss, named as in `cases.CASES`.

    Attributes:
        shapes: of each array that it takes, "n" and "d" standing for the size.
        options: what Python and JavaScript are given beside them.
        gradients: the engine's result, of the arrays and the options.
        value: the value alone, where the engine has such a way.
        pairs: how many pairs of rows it compares, by N; 0 where no row meets those of other images.
        unit: the last array has rows of length 1.
    """

    shapes: tuple[Shape, ...]
    options: Mapping[str, float]
    gradients: Callable[..., Any]
    value: Callable[..., float] | None = None
    pairs: Callable[[int], int] = lambda n: 0
    unit: bool = False


def module(name: str) -> str:
    """Return the name without extension of a loss's file in `pages/losses/`."""
    return name.replace(",", "").replace(" ", "_")


def _sup_con(z_a: Any, z_b: Any, *, tau: float, per_class: int) -> losses.RowsResult:
    return losses.sup_con(np.concatenate([z_a, z_b]), _labels(z_a, per_class), tau)


def _sup_con_in(z_a: Any, z_b: Any, *, tau: float, per_class: int) -> losses.RowsResult:
    return losses.sup_con(np.concatenate([z_a, z_b]), _labels(z_a, per_class), tau, variant="in")


def _labels(z_a: Any, per_class: int) -> Any:
    return np.arange(2 * len(z_a)) % max(2, 2 * len(z_a) // per_class)


def _violating(z_a: Any, z_b: Any, *, margin: float) -> losses.TripletViewsResult:
    return losses.triplet_views(z_a, z_b, margin, select="violating")


def _moco(q: Any, k: Any, keys: Any, *, tau: float) -> losses.MocoResult:
    return losses.moco(q, k, losses.Queue(keys), tau)


def _of_views(
    options: Mapping[str, float], gradients: Callable[..., Any], value: Callable[..., float] | None = None
) -> PageLoss:
    return PageLoss((ROWS, ROWS), options, gradients, value, pairs=lambda n: (2 * n) ** 2)


def _crosswise(n: int) -> int:
    return n**2


_VICREG = {"invariance": 25.0, "variance": 25.0, "covariance": 1.0, "gamma": 1.0, "eps": 1e-4}
_DINO = {"tau_student": 0.1, "tau_teacher": 0.04}

PAGE = {
    "nt_xent": _of_views({"tau": TAU}, losses.nt_xent, losses.nt_xent_value),
    "dcl": _of_views({"tau": TAU}, losses.dcl),
    "debiased": _of_views({"tau": TAU, "tau_plus": TAU_PLUS}, losses.debiased),
    "hard_negative": _of_views({"tau": TAU, "tau_plus": TAU_PLUS, "beta": BETA}, losses.hard_negative),
    "nt_logistic": _of_views({"tau": TAU}, losses.nt_logistic),
    "sup_con": _of_views({"tau": TAU, "per_class": CLASS}, _sup_con),
    "sup_con, in": _of_views({"tau": TAU, "per_class": CLASS}, _sup_con_in),
    "triplet_views": _of_views({"margin": MARGIN}, losses.triplet_views),
    "triplet_views, violating": _of_views({"margin": MARGIN}, _violating),
    "align_uniform": PageLoss((ROWS, ROWS), {"alpha": 2.0, "t": 2.0}, losses.align_uniform, pairs=_crosswise),
    "clip": PageLoss((ROWS, ROWS), {"log_scale": -math.log(TAU)}, losses.clip, pairs=_crosswise),
    "n_pair": PageLoss((ROWS, ROWS), {}, losses.n_pair, pairs=_crosswise),
    "spectral": PageLoss((ROWS, ROWS), {}, losses.spectral, pairs=_crosswise),
    "info_nce": PageLoss((ROWS,) * 3, {"tau": TAU}, losses.info_nce, pairs=_crosswise),
    "info_nce, own keys": PageLoss((ROWS, ROWS, ("n", OWN, "d")), {"tau": TAU}, losses.info_nce),
    "moco": PageLoss((ROWS, ROWS, (QUEUE, "d")), {"tau": TAU}, _moco, pairs=lambda n: n * QUEUE, unit=True),
    "triplet": PageLoss((ROWS,) * 3, {"margin": MARGIN}, losses.triplet),
    "barlow_twins": PageLoss((ROWS, ROWS), {"lam": 0.0051, "eps": 1e-5}, losses.barlow_twins),
    "vicreg": PageLoss((ROWS, ROWS), _VICREG, losses.vicreg),
    "normalized_mse": PageLoss((ROWS, ROWS), {}, losses.normalized_mse),
    "negative_cosine": PageLoss((ROWS, ROWS), {}, losses.negative_cosine),
    "byol": PageLoss((ROWS,) * 4, {}, losses.byol),
    "simsiam": PageLoss((ROWS,) * 4, {}, losses.simsiam),
    "dino_cross_entropy": PageLoss((ROWS, ROWS, ("d",)), _DINO, losses.dino_cross_entropy),
    "dino": PageLoss((*(ROWS,) * 4, ("d",)), _DINO, losses.dino),
}
