"""t-SNE of several moments of one training, each begun where the one before ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

from sim_engine.projection import align_trajectory, pca
from sim_engine.tsne import joint_probabilities, kl_divergence, tsne

__all__ = ["Pictures", "moved", "stage_pictures"]

Float64 = NDArray[np.float64]

_SPREAD = 1e-4  # of the first start
# Exaggeration, and the share of the steps that have it: of the first stage, and of those that follow.
# Without any, later pictures settle at a larger divergence.
_FIRST, _LATER = (12.0, 0.25), (4.0, 0.2)


@dataclass(frozen=True)
class Pictures:
    """One picture a stage.

    Attributes:
        y: (S, N, 2), each with its mean at 0.
        kl: (S,), nats: how far the picture's neighbours are from those of the features.
    """

    y: Float64
    kl: Float64


def stage_pictures(features: Sequence[Float64], *, perplexity: float, steps: int) -> Pictures:
    """Return a t-SNE of every stage that begins at the picture before, so that points move.

    Rows are brought to length 1, as for the kNN's cosines. The first stage begins at its own two
    principal components, made small; a later one begins at the picture before, and exaggerates less and
    for fewer steps. Each picture is then turned onto the one before.

    Args:
        features: one (N, D) a stage, the same N images.
        perplexity: as in `tsne`.
        steps: of each stage.

    Raises:
        ValueError: as `tsne`.
    """
    pictures: list[Float64] = []
    divergences = []
    with threadpool_limits(1):
        for rows in features:
            unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
            start = pictures[-1] if pictures else _small(pca(unit, 2).scores)
            factor, share = _LATER if pictures else _FIRST
            picture = tsne(
                unit,
                init=start,
                perplexity=perplexity,
                steps=steps,
                exaggeration=factor,
                early=int(share * steps),
            )
            pictures.append(picture)
            divergences.append(kl_divergence(joint_probabilities(unit, perplexity), picture).value)
    y = align_trajectory(np.stack(pictures)).astype(np.float64)
    return Pictures(y, np.array(divergences))


def moved(y: Float64) -> Float64:
    """Return how far points go from each picture to the next, in the pictures' own size.

    Args:
        y: (S, N, 2), aligned.

    Returns:
        (S - 1,): the mean distance over the root mean square distance from the centre.
    """
    steps = [
        np.linalg.norm(after - before, axis=1).mean()
        / np.sqrt(((before**2).sum(axis=1).mean() + (after**2).sum(axis=1).mean()) / 2)
        for before, after in pairwise(y)
    ]
    return np.array(steps)


def _small(scores: NDArray[np.floating]) -> Float64:
    spread = float(scores.std(axis=0).max()) or 1.0
    small: Float64 = scores.astype(np.float64) / spread * _SPREAD
    return small
