"""Training of any method: `fit(method, images, views, config, fabric)`."""

from build_scripts.precompute.training.config import OPTIMIZERS, PRECISIONS, TrainConfig
from build_scripts.precompute.training.device import fabric_for, seeded
from build_scripts.precompute.training.fit import Epoch, Views, fit, quiet
from build_scripts.precompute.training.optimizers import Lars, make_optimizer
from build_scripts.precompute.training.processes import gather_rows

__all__ = [
    "OPTIMIZERS",
    "PRECISIONS",
    "Epoch",
    "Lars",
    "TrainConfig",
    "Views",
    "fabric_for",
    "fit",
    "gather_rows",
    "make_optimizer",
    "quiet",
    "seeded",
]
