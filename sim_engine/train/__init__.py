"""Training, one step at a time: generators that yield what a page shows."""

from __future__ import annotations

from sim_engine.train._run import Step
from sim_engine.train.simclr import simclr

__all__ = ["Step", "simclr"]
