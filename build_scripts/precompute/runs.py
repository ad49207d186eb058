"""The table of what was trained for the book: recipe, data, device, time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from build_scripts.precompute.recipe import Recipe
from sim_engine.data import Recorded

__all__ = ["report"]

_PAGE = """---
title: Trainings
description: Every training behind the book, with its data, device, time and findings.
search:
  exclude: true
---

# Trainings

Written by `python -m build_scripts.precompute report` from the manifests beside the data; a test
compares. What the recipes and the measures are is in [Pipeline](pipeline.md). Times are by the clock
of a machine that had other work too, of a table the sum over its cells. Behind ± stands the standard
deviation over seeds, of few-label probes over draws of labels.

"""
_HEAD = "| Recipe | Data | Preset | Device | Work | Written |\n|---|---|---|---|---:|---|\n"


def report(recipes: Sequence[Recipe]) -> str:
    """Return the page of every recipe's last run: a table, then what each found.

    Raises:
        ValueError: a data folder is damaged.
    """
    rows, found = [], []
    for recipe in recipes:
        if not recipe.folder.is_dir():
            rows.append(f"| {recipe.name} | not run yet | | | | |")
            continue
        told = Recorded(recipe.folder).manifest
        dataset = told["dataset"]
        names = [part["name"].partition(" (")[0] for part in dataset.get("parts", [dataset])]
        minutes, seconds = divmod(round(told["wall_time_s"]), 60)
        cells = [
            f"[{recipe.name}](#{recipe.name})",
            ", ".join(dict.fromkeys(names)),
            told.get("preset", "cpu"),
            *(_unbroken(text) for text in (_place(told), f"{minutes} min {seconds:02d} s")),
            _unbroken(told["written"][:10]),
        ]
        rows.append(f"| {' | '.join(cells)} |")
        lines = [f"| {name} | {value} |" for name, value in _metrics(told).items()]
        about = recipe.about[0].upper() + recipe.about[1:]
        found += [f"\n## {recipe.name}\n", f"{about}.\n", "| Metric | Value |\n|---|---:|", *lines]
    return _PAGE + _HEAD + "\n".join(rows) + "\n" + "\n".join(found) + "\n"


def _metrics(told: Mapping[str, Any]) -> dict[str, str]:
    """Return what was found, in words: a value with its spread, a row of a table as what stands there."""
    metrics = told["metrics"]
    spreads = {name.replace("_std", "", 1): name for name in metrics if "_std" in name}
    spreads = {name: spread for name, spread in spreads.items() if name in metrics}
    found: dict[str, str] = {}
    for name, value in metrics.items():
        if name in spreads.values():
            continue
        if name.endswith("_row"):
            place = name.removesuffix("_row")
            if (row := _row(told["config"], place, int(value))) is not None:
                found[place] = row
            continue
        spread = f" ± {metrics[spreads[name]]:.2g}" if name in spreads else ""
        found[name] = f"{value:.0f}" if float(value).is_integer() and not spread else f"{value:.4g}{spread}"
    return found


def _row(config: Mapping[str, Any], place: str, row: int) -> str | None:
    """Return the value in a row of the axis that a metric's name ends with; None where no part has it."""
    named = [part for name, part in config.items() if place.startswith(f"{name}_")]
    for part in named or config.values():
        for axis, values in part["axes"].items() if isinstance(part, Mapping) else ():
            if place.endswith(f"_{axis}") and row < len(values):
                return str(list(values)[row])
    return None


def _place(told: Mapping[str, Any]) -> str:
    """Return the device, and how many processes shared it."""
    count = told.get("run", {}).get("processes", 1)
    return f"{told['device']}, {count} processes" if count > 1 else str(told["device"])


def _unbroken(text: str) -> str:
    """Return a text that stays on one line in a table."""
    return text.replace(" ", "\N{NO-BREAK SPACE}").replace("-", "\N{NON-BREAKING HYPHEN}")
