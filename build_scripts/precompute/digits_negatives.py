"""How similar the negatives of a trained encoder are: cosines of views of different held-out digits."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from build_scripts.precompute import digits
from build_scripts.precompute.config import SimclrConfig
from build_scripts.precompute.evaluate import Probe
from build_scripts.precompute.quantise import quantise
from build_scripts.precompute.recipe import Recipe, Result, Run
from build_scripts.precompute.record import record
from build_scripts.precompute.simclr import Epoch

__all__ = ["RECIPE"]

LEVELS = np.linspace(0.0, 1.0, 1025)


def run(config: SimclrConfig, run: Run) -> Result:
    """Train once for every dimension, and return the quantiles of the last epoch's negatives."""
    train, held_out = digits.split(digits.load(), config.held_out, config.seed_split)
    probe = Probe(train, held_out, config, run.fabric.device)

    def measure(epoch: Epoch) -> dict[str, Tensor]:
        if epoch.number < config.epochs:
            return {}
        cosines = probe.negatives(epoch)
        return {
            "quantiles": torch.from_numpy(np.quantile(cosines, LEVELS)),
            "mean": torch.tensor(cosines.mean()),
            "std": torch.tensor(cosines.std()),
            "pairs": torch.tensor(cosines.size),
        }

    arrays = {}
    metrics: dict[str, float] = {"batch_pairs": config.batch}
    seconds = 0.0
    for dimension in config.dimensions:
        records, spent = record(dimension, train.images, measure, config, run)
        last = records[-1]
        about = (
            f"quantiles at {len(LEVELS)} even levels from 0 to 1 of the cosines between views of different "
            f"held-out images within a batch, z in {dimension}-D, after the last epoch"
        )
        arrays[f"negatives_{dimension}"] = quantise(last["quantiles"].numpy(), about)
        metrics |= {f"negatives_{name}_{dimension}": last[name].item() for name in ("mean", "std", "pairs")}
        seconds += spent
    return Result(arrays, metrics, seconds)


RECIPE = Recipe(
    name="digits-negatives",
    about="cosines between views of different held-out digits, after the 3-D training of digits-trajectory",
    slug="nt-xent-explorer",
    dataset=digits.ABOUT,
    config=SimclrConfig(dimensions=(3,)),
    modules=(
        "config",
        "digits",
        "digits_negatives",
        "evaluate",
        "model",
        "nt_xent",
        "quantise",
        "record",
        "simclr",
        "views",
    ),
    run=run,
)
