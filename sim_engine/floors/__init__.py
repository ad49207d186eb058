r"""Values of losses and of uniformity to measure a run against: chance, collapse, and the best there is.

`equal`, `uniform` and `best` are NT-Xent's, and `best_bound` is what takes the place of `best` in few
dimensions; the same three of other losses are in the module of the
loss's name, as `floors.clip.best`. Where a loss lacks one of the three, another's value is its own, or
there is none to know:

- the debiased and the hard-negative loss at equal similarities have NT-Xent's, and `debiased.best` is
  the least of both;
- MoCo's values are `info_nce`'s;
- the N-pair loss of rows of length r is CLIP's at tau = 1 / r²; without a bound on r its least is 0;
- alignment + uniformity is 0 at a collapse; at best the positives coincide, and what is left is
  `uniform_weight` times `best_uniformity_of_points`, or `best_uniformity` in the limit of many images;
- DINO's loss is the entropy of the teacher's softmax and the divergence of the student's from it,
  $-\sum_k p_k\log q_k = H(p) + \mathrm{KL}(p\,\Vert\,q)$, so at least that entropy, which lies from 0, where
  one output wins everywhere, to log K, where all are equal: both are collapses;
- BYOL and SimSiam are at their least, 0 and -1, at a collapse too: no floor tells it from success.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim_engine._lazy import load_when_used

if TYPE_CHECKING:
    from sim_engine.floors import (
        barlow_twins,
        clip,
        dcl,
        debiased,
        info_nce,
        nt_logistic,
        spectral,
        sup_con,
        triplet,
        vicreg,
    )
    from sim_engine.floors.nt_xent import best, best_bound, equal, uniform
    from sim_engine.floors.uniformity import best_uniformity, best_uniformity_of_points

__all__ = [
    "barlow_twins",
    "best",
    "best_bound",
    "best_uniformity",
    "best_uniformity_of_points",
    "clip",
    "dcl",
    "debiased",
    "equal",
    "info_nce",
    "nt_logistic",
    "spectral",
    "sup_con",
    "triplet",
    "uniform",
    "vicreg",
]

load_when_used(
    __name__,
    {
        "nt_xent": ("best", "best_bound", "equal", "uniform"),
        "uniformity": ("best_uniformity", "best_uniformity_of_points"),
    },
    (
        *("barlow_twins", "clip", "dcl", "debiased", "info_nce", "nt_logistic"),
        *("spectral", "sup_con", "triplet", "vicreg"),
    ),
)
