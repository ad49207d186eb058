"""The engine's side of the losses that are timed in the page, each beside `pages/losses/<name>.mjs`.

Imports the engine alone: the page runs this file as it stands, in the runtime that readers get.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim_engine import losses

__all__ = ["PAGE", "PageLoss"]


@dataclass(frozen=True)
class PageLoss:
    """One loss.

    Attributes:
        sets: how many arrays of N rows it takes.
        options: what Python and JavaScript are given beside them.
        gradients: the engine's result, of the arrays and the options.
        value: the value alone, where the engine has such a way.
    """

    sets: int
    options: dict[str, float]
    gradients: Callable[..., Any]
    value: Callable[..., float] | None = None


def _sup_con(z_a: Any, z_b: Any, *, tau: float, classes: int) -> losses.RowsResult:
    return losses.sup_con(np.concatenate([z_a, z_b]), np.arange(2 * len(z_a)) % classes, tau)


PAGE = {
    "nt_xent": PageLoss(2, {"tau": 0.5}, losses.nt_xent, losses.nt_xent_value),
    "info_nce": PageLoss(3, {"tau": 0.5}, losses.info_nce),
    "sup_con": PageLoss(2, {"tau": 0.5, "classes": 10}, _sup_con),
    "triplet_views": PageLoss(2, {"margin": 0.2}, losses.triplet_views),
    "barlow_twins": PageLoss(2, {"lam": 0.0051, "eps": 1e-5}, losses.barlow_twins),
    "vicreg": PageLoss(
        2,
        {"invariance": 25.0, "variance": 25.0, "covariance": 1.0, "gamma": 1.0, "eps": 1e-4},
        losses.vicreg,
    ),
    "byol": PageLoss(4, {}, losses.byol),
}
