"""`python -m build_scripts.precompute NAME`: run a recipe and write its data folder."""

from __future__ import annotations

import argparse
import shutil
import sys
from dataclasses import fields, replace
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from build_scripts.precompute import export
from build_scripts.precompute.config import SimclrConfig
from build_scripts.precompute.digits_negatives import RECIPE as DIGITS_NEGATIVES
from build_scripts.precompute.digits_trajectory import RECIPE as DIGITS_TRAJECTORY
from build_scripts.precompute.recipe import DEVICES, ROOT, Recipe, Run, fabric_for, manifest
from build_scripts.precompute.simclr import Diverged

WORK = ROOT / ".cache" / "precompute"
RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in (DIGITS_TRAJECTORY, DIGITS_NEGATIVES)}


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status: 0 done, 1 training diverged, 2 bad input, 130 stopped."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except Diverged as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on from the last whole epoch", file=sys.stderr)
        return 130


def _run(options: argparse.Namespace) -> int:
    if options.list:
        for known in RECIPES.values():
            print(f"{known.name}: {known.about} -> {known.folder.relative_to(ROOT)}")
        return 0
    recipe = _recipe(options.name)
    given = {f.name: getattr(options, f.name) for f in fields(SimclrConfig)}
    given["dimensions"] = options.dimensions and tuple(options.dimensions)
    config = replace(recipe.config, **{name: value for name, value in given.items() if value is not None})
    if options.out is None and config != recipe.config:
        raise ValueError(
            f"{recipe.folder.relative_to(ROOT)} is the book's and comes from the recipe's own settings; "
            "with others, name a folder: --out DIR"
        )
    folder = recipe.folder if options.out is None else options.out
    fabric = fabric_for(options.device)
    work = options.work / recipe.name / f"{recipe.sha256(config)[:16]}-{fabric.device.type}"
    if options.fresh:
        shutil.rmtree(work, ignore_errors=True)
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]:.3f}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bars:
        tasks: dict[str, int] = {}

        def progress(what: str, done: int, total: int, loss: float) -> None:
            if what not in tasks:
                tasks[what] = int(bars.add_task(what, total=total, loss=loss))
            bars.update(tasks[what], completed=done, loss=loss)  # type: ignore[arg-type]

        result = recipe.run(config, Run(fabric, work, progress))
    export.write(folder, result.arrays, manifest(recipe, config, result, fabric.device))
    shutil.rmtree(work, ignore_errors=True)
    if options.report is not None:
        from build_scripts.precompute.report import report

        report(folder, options.report)
    console.print(f"{recipe.name}: {len(result.arrays)} arrays in {folder}, {result.seconds:.0f} s of work")
    return 0


def _recipe(name: str | None) -> Recipe:
    if name is None or name not in RECIPES:
        known = "; ".join(f"{r.name} ({r.about})" for r in RECIPES.values())
        wrong = "name a recipe" if name is None else f"there is no recipe {name!r}"
        raise ValueError(f"{wrong}; there are: {known}")
    return RECIPES[name]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m build_scripts.precompute", description=__doc__)
    parser.add_argument("name", nargs="?", help=f"the recipe: {', '.join(RECIPES)}")
    parser.add_argument("--list", action="store_true", help="print the recipes, and run none")
    parser.add_argument("--device", default="auto", help=f"{', '.join(DEVICES)} (default auto)")
    parser.add_argument("--out", type=Path, help="data folder (default: the sim's own)")
    parser.add_argument("--work", type=Path, default=WORK, help="folder of checkpoints")
    parser.add_argument("--fresh", action="store_true", help="start anew, whatever checkpoints there are")
    parser.add_argument("--report", type=Path, help="also draw the result to this file (.png, .svg, .pdf)")
    settings = parser.add_argument_group("settings (other than the recipe's own need --out)")
    for f in fields(SimclrConfig):
        if f.name != "dimensions":
            kind = float if f.type == "float" else int
            settings.add_argument(f"--{f.name.replace('_', '-')}", type=kind, help=f"default {f.default}")
    settings.add_argument("--dimensions", type=int, nargs="+", help="lengths of z, one training each")
    return parser


if __name__ == "__main__":
    sys.exit(main())
