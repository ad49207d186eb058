"""Losses, one formula and its gradient a file; each is loaded when it is first used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim_engine._lazy import load_when_used

if TYPE_CHECKING:
    from sim_engine.losses._result import LossResult, QueryResult, RowsResult
    from sim_engine.losses.align_uniform import align_uniform
    from sim_engine.losses.barlow_twins import barlow_twins
    from sim_engine.losses.clip import ClipResult, clip, clip_log_scale
    from sim_engine.losses.dcl import dcl
    from sim_engine.losses.debiased import debiased
    from sim_engine.losses.dino import DinoResult, DinoTermResult, dino, dino_cross_entropy, update_center
    from sim_engine.losses.hard_negative import hard_negative
    from sim_engine.losses.info_nce import info_nce
    from sim_engine.losses.moco import MocoResult, Queue, moco, momentum_update
    from sim_engine.losses.n_pair import n_pair
    from sim_engine.losses.nt_logistic import nt_logistic
    from sim_engine.losses.nt_xent import nt_xent, nt_xent_value
    from sim_engine.losses.regression import (
        PredictionResult,
        SymmetricResult,
        byol,
        negative_cosine,
        normalized_mse,
        simsiam,
    )
    from sim_engine.losses.spectral import spectral
    from sim_engine.losses.sup_con import sup_con
    from sim_engine.losses.triplet import TripletResult, TripletViewsResult, triplet, triplet_views
    from sim_engine.losses.vicreg import vicreg
    from sim_engine.losses.weights import logistic_weights, margin_weights, negative_weights

__all__ = [
    "ClipResult",
    "DinoResult",
    "DinoTermResult",
    "LossResult",
    "MocoResult",
    "PredictionResult",
    "QueryResult",
    "Queue",
    "RowsResult",
    "SymmetricResult",
    "TripletResult",
    "TripletViewsResult",
    "align_uniform",
    "barlow_twins",
    "byol",
    "clip",
    "clip_log_scale",
    "dcl",
    "debiased",
    "dino",
    "dino_cross_entropy",
    "hard_negative",
    "info_nce",
    "logistic_weights",
    "margin_weights",
    "moco",
    "momentum_update",
    "n_pair",
    "negative_cosine",
    "negative_weights",
    "normalized_mse",
    "nt_logistic",
    "nt_xent",
    "nt_xent_value",
    "simsiam",
    "spectral",
    "sup_con",
    "triplet",
    "triplet_views",
    "update_center",
    "vicreg",
]

load_when_used(
    __name__,
    {
        "_result": (
            "LossResult",
            "QueryResult",
            "RowsResult",
        ),
        "align_uniform": ("align_uniform",),
        "barlow_twins": ("barlow_twins",),
        "clip": (
            "ClipResult",
            "clip",
            "clip_log_scale",
        ),
        "dcl": ("dcl",),
        "debiased": ("debiased",),
        "dino": (
            "DinoResult",
            "DinoTermResult",
            "dino",
            "dino_cross_entropy",
            "update_center",
        ),
        "hard_negative": ("hard_negative",),
        "info_nce": ("info_nce",),
        "moco": (
            "MocoResult",
            "Queue",
            "moco",
            "momentum_update",
        ),
        "n_pair": ("n_pair",),
        "nt_logistic": ("nt_logistic",),
        "nt_xent": (
            "nt_xent",
            "nt_xent_value",
        ),
        "regression": (
            "PredictionResult",
            "SymmetricResult",
            "byol",
            "negative_cosine",
            "normalized_mse",
            "simsiam",
        ),
        "spectral": ("spectral",),
        "sup_con": ("sup_con",),
        "triplet": (
            "TripletResult",
            "TripletViewsResult",
            "triplet",
            "triplet_views",
        ),
        "vicreg": ("vicreg",),
        "weights": (
            "logistic_weights",
            "margin_weights",
            "negative_weights",
        ),
    },
)
