"""Six mistakes that do not crash, and what each of them costs."""

from __future__ import annotations

from typing import Any

from build_scripts.precompute.job import Job
from build_scripts.precompute.recipes.shared import TRAINED, Arrays, means, presets
from build_scripts.precompute.table import Axis, Part, table_recipe

__all__ = ["RECIPE"]

BUGS: dict[str, dict[str, Any]] = {
    "none": {},
    "no normalisation": {"method_options": {"normalise": False}},
    "self kept": {"method_options": {"mask_self": False}},
    "views too weak": {"strength": 0.0},
    "views too strong": {"strength": 1.0},
    "temperature blind": {"tau": 20.0},
    "collapse": {"method": "simsiam", "method_options": {"stop_gradient": False}},
}
BUG = Part(Job(measure_strength=0.5, measure_tau=0.5), (Axis("bug", BUGS),), seeds=3, metrics=TRAINED)


def findings(arrays: Arrays) -> dict[str, float]:
    """Return what each bug costs the few-label probe; the head that is kept is z in place of h."""
    few, kept = means(arrays, "digits_few5_h"), means(arrays, "digits_few5")
    told = {
        f"damage_{name}": float(few[0] - value) for name, value in zip(tuple(BUGS)[1:], few[1:], strict=False)
    }
    return told | {"damage_head kept": float(few[0] - kept[0]), "few5_h_none": float(few[0])}


RECIPE = table_recipe(
    name="bugs",
    about="SimCLR with each of six mistakes that do not crash",
    slug="bug-lab",
    presets=presets(BUG, (Axis("bug", BUGS),)),
    findings=findings,
    file=__file__,
)
