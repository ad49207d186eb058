"""Values of losses and of uniformity to measure a run against: chance, collapse, and the best there is.

`equal`, `uniform` and `best` are NT-Xent's; the same three of other losses are in the module of the
loss's name, as `floors.clip.best`. A loss without one of the three has no such value of its own: the
debiased and the hard-negative loss at equal similarities have NT-Xent's, MoCo's values are `info_nce`'s.
"""

from __future__ import annotations

from sim_engine.floors import clip, dcl, info_nce, nt_logistic, sup_con
from sim_engine.floors.nt_xent import best, equal, uniform
from sim_engine.floors.uniformity import best_uniformity, best_uniformity_of_points

__all__ = [
    "best",
    "best_uniformity",
    "best_uniformity_of_points",
    "clip",
    "dcl",
    "equal",
    "info_nce",
    "nt_logistic",
    "sup_con",
    "uniform",
]
