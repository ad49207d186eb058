"""The table of what was trained for the book: recipe, data, device, time."""

from __future__ import annotations

from collections.abc import Sequence

from build_scripts.precompute.recipe import Recipe
from sim_engine.data import Recorded

__all__ = ["report"]

_PAGE = """---
title: Trainings
description: Every training behind the book, with its data, device, time and findings.
---

# Trainings

Written by `python -m build_scripts.precompute report` from the manifests beside the data; a test
compares. What the recipes and the measures are is in [Pipeline](pipeline.md). Times are by the clock
of a machine that had other work too.

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
            *(_unbroken(text) for text in (told["device"], f"{minutes} min {seconds:02d} s")),
            _unbroken(told["written"][:10]),
        ]
        rows.append(f"| {' | '.join(cells)} |")
        lines = [f"| {name} | {value:.4g} |" for name, value in told["metrics"].items()]
        about = recipe.about[0].upper() + recipe.about[1:]
        found += [f"\n## {recipe.name}\n", f"{about}.\n", "| Metric | Value |\n|---|---:|", *lines]
    return _PAGE + _HEAD + "\n".join(rows) + "\n" + "\n".join(found) + "\n"


def _unbroken(text: str) -> str:
    """Return a text that stays on one line in a table."""
    return text.replace(" ", "\N{NO-BREAK SPACE}").replace("-", "\N{NON-BREAKING HYPHEN}")
