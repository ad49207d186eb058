"""Optimisers as pure steps over nested dicts of arrays, and the learning rate's schedule."""

from __future__ import annotations

from sim_engine.optim._optimizer import Optimizer
from sim_engine.optim.adam import Adam, AdamMemory
from sim_engine.optim.lars import Lars
from sim_engine.optim.schedule import cosine_schedule
from sim_engine.optim.sgd import Sgd

__all__ = ["Adam", "AdamMemory", "Lars", "Optimizer", "Sgd", "cosine_schedule"]
