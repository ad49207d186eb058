"""Six mistakes that do not crash, and what each of them costs."""

from __future__ import annotations

from typing import Any

from build_scripts.precompute.job import Job
from build_scripts.precompute.recipes.shared import TRAINED, Arrays, presets
from build_scripts.precompute.table import Axis, Part, table_recipe

__all__ = ["RECIPE"]

# At a temperature of 0.5 a view's own cosine is one term e^2 among 255; at 0.1 it is e^10.
LOW_TAU = 0.1
BUGS: dict[str, dict[str, Any]] = {
    "none": {},
    "no normalisation": {"method_options": {"normalise": False}},
    "self kept": {"method_options": {"mask_self": False}},
    "views too weak": {"strength": 0.0},
    "views too strong": {"strength": 1.0},
    "temperature blind": {"tau": 20.0},
    "collapse": {
        "method": "simsiam",
        "method_options": {"stop_gradient": False},
        "learning_rate": 5e-3,
    },
    "none, tau 0.1": {"tau": LOW_TAU},
    "self kept, tau 0.1": {"tau": LOW_TAU, "method_options": {"mask_self": False}},
    # A z of 3 numbers: what keeping the head costs depends on what z has room for.
    "none, d 3": {"d": 3},
}
# A bug is compared with the row that differs in nothing else, where that is not "none".
RIGHT = {"self kept, tau 0.1": "none, tau 0.1"}
BUG = Part(
    # Convolutions as in the other recipes that ask what is learned: untrained, they are worth little.
    Job(encoder="conv", width=16, epochs=20, hidden=128, measure_strength=0.5, measure_tau=0.5),
    (Axis("bug", BUGS),),
    seeds=3,
    metrics=(*TRAINED, "spread_z"),
)
# Name of a damage to the measure in which it is the loss of accuracy.
DAMAGE = {"damage": "few5_h", "damage_z": "few5", "damage_knn": "knn"}


def findings(arrays: Arrays) -> dict[str, float]:
    """Return what each bug costs: the few-label probe of h (`damage`) and of z, and the kNN in z.

    Each is the mean over seeds of the difference to the right code with the same seed; `_std` is the
    standard deviation of that difference over seeds. The head that is kept is z in place of h of the
    right code.
    `loss_train_<bug>` is the loss that the bug's own code reports, `spread_z_<bug>` the spread of z.
    """
    rows = list(BUGS)
    told: dict[str, float] = {"few5_h_none": float(arrays["digits_few5_h"][0].mean())}
    for name, measure in DAMAGE.items():
        values = arrays[f"digits_{measure}"]
        for row, bug in enumerate(rows[: len(values)]):
            if bug.startswith("none"):
                continue
            lost = values[rows.index(RIGHT.get(bug, "none"))] - values[row]
            told |= {f"{name}_{bug}": float(lost.mean()), f"{name}_{bug}_std": float(lost.std())}
    heads = {"head kept": "none", "head kept, d 3": "none, d 3"}
    for name, bug in heads.items():
        row = rows.index(bug)
        kept = arrays["digits_few5_h"][row] - arrays["digits_few5"][row]
        told |= {f"damage_{name}": float(kept.mean()), f"damage_{name}_std": float(kept.std())}
    for measure in ("loss_train", "spread_z"):
        means = arrays[f"digits_{measure}"].mean(axis=-1)
        told |= {f"{measure}_{bug}": float(value) for bug, value in zip(rows, means, strict=False)}
    return told


RECIPE = table_recipe(
    name="bugs",
    about="SimCLR with each of six mistakes that do not crash",
    slug="bug-lab",
    presets=presets(BUG, (Axis("bug", BUGS),)),
    findings=findings,
    file=__file__,
)
