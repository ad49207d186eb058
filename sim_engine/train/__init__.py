"""Training, one step at a time: generators that yield what a page shows."""

from __future__ import annotations

from sim_engine.train._run import Step
from sim_engine.train.byol import ByolStep, byol
from sim_engine.train.clip import ClipStep, clip
from sim_engine.train.moco import MocoStep, moco
from sim_engine.train.simclr import simclr

__all__ = ["ByolStep", "ClipStep", "MocoStep", "Step", "byol", "clip", "moco", "simclr"]
