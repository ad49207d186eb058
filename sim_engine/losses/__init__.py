"""Losses, one formula and its gradient a file."""

from __future__ import annotations

from sim_engine.losses._result import LossResult
from sim_engine.losses.nt_xent import nt_xent, nt_xent_value
from sim_engine.losses.weights import logistic_weights, negative_weights

__all__ = ["LossResult", "logistic_weights", "negative_weights", "nt_xent", "nt_xent_value"]
