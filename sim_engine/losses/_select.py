"""Which negatives a margin loss takes: by how much farther from the anchor they lie than the positive."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sim_engine._check import Array

Select = Literal["nearest", "semi-hard", "violating"]


def known(select: Select) -> Select:
    """Return `select`, or raise `ValueError` where there is no such rule."""
    if select not in ("nearest", "semi-hard", "violating"):
        raise ValueError(f"select must be 'nearest', 'semi-hard' or 'violating', got {select!r}")
    return select


def choose(gap: Array, margin: float, select: Select, eps: float) -> NDArray[np.bool_]:
    """Return which negatives are chosen, an anchor's in the last axis; `triplet_views` has the rules.

    Args:
        gap: (..., K), squared distance to the negative less that to the positive; inf is never chosen.
        margin: m > 0, which the dtype of gap holds.
        select: the rule.
        eps: of the cosines' dtype; gaps up to 16 of it count as 0.

    Returns:
        (..., K).
    """
    chosen: NDArray[np.bool_] = gap < margin
    if select != "violating":
        chosen &= gap > 16 * eps
    if select == "nearest":
        first = np.where(chosen, gap, np.inf).argmin(axis=-1)[..., None]
        one = np.zeros_like(chosen)
        np.put_along_axis(one, first, np.take_along_axis(chosen, first, axis=-1), axis=-1)
        return one
    return chosen
