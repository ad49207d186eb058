"""`python -m build_scripts.precompute list|run|verify|report`: the trainings behind the book.

`run NAME` makes a recipe's data folder, and NAME alone is short for it. `verify` re-reads what is
committed and trains each recipe's small preset again. `report` writes what was run, where, how long.
"""

from __future__ import annotations

import argparse
import math
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from torch import distributed

from build_scripts.precompute import datasets, export
from build_scripts.precompute.recipe import DEVICES, ROOT, Recipe, Result, Run, Settings, manifest
from build_scripts.precompute.recipes import RECIPES
from build_scripts.precompute.runs import report
from build_scripts.precompute.simclr import Diverged
from build_scripts.precompute.sweep import CellFailed
from build_scripts.precompute.training import fabric_for
from build_scripts.precompute.verify import record_small, small_metrics, verify
from build_scripts.precompute.whole import NotWritten, remedy

WORK = ROOT / ".cache" / "precompute"
PUBLISHED = ("stl10", "cifar10")
COMMANDS = ("list", "run", "verify", "report")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status: 0 done, 1 it failed, 2 bad input, 130 stopped."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given == ["--list"]:
        given = ["list"]
    if given and given[0] not in COMMANDS and not given[0].startswith("-"):
        given = ["run", *given]
    try:
        options, unknown = _parser(_named(given)).parse_known_args(given or ["run"])
        if unknown:
            _refuse(options, unknown[0])
        action: Callable[[argparse.Namespace], int] = options.action
        return action(options)
    except ValueError as error:
        return _failed(f"error: {error}", 2)
    except Diverged as error:
        return _failed(f"error: {error}", 1)
    except NotWritten as error:
        return _failed(f"error: {error.strerror}", 1)
    except CellFailed as error:
        return _failed(f"error: {error}; finished cells are kept: the same command runs the others", 1)
    except OSError as error:
        return _failed(f"error: {error}; {remedy(error)}", 1)
    except KeyboardInterrupt:
        return _failed("stopped; the same command goes on from what is finished", 130)


def _failed(text: str, status: int) -> int:
    print(text if not _rank() else f"process {_rank()}: {text}", file=sys.stderr)
    return status


def _rank() -> int:
    """Return which of several processes this is; the first, 0, starts the others and speaks for all."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def _list(_: argparse.Namespace) -> int:
    for known in RECIPES.values():
        print(f"{known.name}: {known.about} -> {known.folder.relative_to(ROOT)}")
    return 0


def _run(options: argparse.Namespace) -> int:
    recipe = _recipe(options.name)
    preset = recipe.preset(options.preset)
    changes = {name: getattr(options, name) for name in (*_settings(preset), "precision") if name in options}
    changes = {n: tuple(v) if isinstance(v, list) else v for n, v in changes.items() if v is not None}
    config: Settings = replace(preset, **changes)  # type: ignore[type-var]  # every recipe's is a dataclass
    books = options.out is None
    if books and (config != preset or options.preset == "small"):
        raise ValueError(
            f"{recipe.folder.relative_to(ROOT)} is the book's and comes from the recipe's own settings; "
            "with others, name a folder: --out DIR"
        )
    folder = recipe.folder if books else options.out
    precision = getattr(config, "precision", "32-true")
    if getattr(options, "download", False):
        _download(config)
    fabric = fabric_for(options.device, precision=precision, processes=getattr(options, "processes", 1))
    work = options.work / recipe.name / f"{recipe.sha256(config)[:16]}-{fabric.device.type}"
    if options.fresh and not _rank():
        shutil.rmtree(work, ignore_errors=True)
    if fabric.world_size > 1:
        _launch(fabric)
    console = Console(stderr=True, quiet=not fabric.is_global_zero)
    with _progress(console) as progress:
        run = Run(
            fabric,
            work,
            progress,
            getattr(options, "scheduler", "auto"),
            getattr(options, "workers", 2),
            getattr(options, "compile", False),
        )
        hashes = recipe.hashes(config)
        with datasets.rendered_on(str(fabric.device)):
            result: Result = recipe.run(config, run)
        if distributed.is_initialized():
            distributed.destroy_process_group()
        if not fabric.is_global_zero:
            return 0
        told = manifest(recipe, hashes, options.preset, config, result, fabric.device)
        if fabric.world_size > 1 or run.compile:
            told["run"] = {"processes": fabric.world_size, "compile": run.compile}
        if books and "small" in recipe.presets:
            told["small_metrics"] = small_metrics(recipe, progress)
    export.write(folder, result.arrays, told)
    shutil.rmtree(work, ignore_errors=True)
    if options.report is not None:
        from build_scripts.precompute.report import report as figure

        figure(folder, options.report)
    console.print(f"{recipe.name}: {len(result.arrays)} arrays in {folder}, {result.seconds:.0f} s of work")
    return 0


def _launch(fabric: Fabric) -> None:
    """Start the other processes, each of which runs this command again."""
    threads = torch.get_num_threads()
    fabric.launch()
    # Fabric shares the cores out; on the CPU one thread keeps the sums in their order.
    torch.set_num_threads(threads)


def _download(config: Any) -> None:
    """Get a published set's files, once, before there are several processes.

    Raises:
        ValueError: the set is made here, or the download fails.
    """
    if config.dataset not in PUBLISHED:
        raise ValueError(
            f"these settings train on {config.dataset}, which needs no download; --download is for the "
            f"datasets {' and '.join(PUBLISHED)}: choose their preset"
        )
    if not _rank():
        datasets.load(config.dataset, download=True)


def _refuse(options: argparse.Namespace, word: str) -> None:
    """Raise `ValueError` for what the command does not take, with what does."""
    flag = word.partition("=")[0]
    recipe = RECIPES.get(options.name or "") if options.action is _run else None
    if options.action is _run and recipe is None:
        _recipe(options.name)
    if recipe is None:
        raise ValueError(f"there is no {flag} here; --help lists what there is")
    others = [r.name for r in RECIPES.values() if flag in _flags(r)]
    where = f"it is for {', '.join(others)}" if others else "no recipe has it"
    raise ValueError(f"{recipe.name} takes no {flag}: {where}; its own are: {', '.join(_flags(recipe))}")


def _flags(recipe: Recipe) -> list[str]:
    """Return the options that a recipe takes and others may not."""
    names = [*_takes(recipe), *_settings(recipe.config)]
    return [f"--{name.replace('_', '-')}" for name in names]


def _takes(recipe: Recipe) -> tuple[str, ...]:
    return getattr(recipe.config, "TAKES", ())


def _verify(options: argparse.Namespace) -> int:
    recipes = [_recipe(name) for name in options.names]
    if not recipes:
        recipes = [known for known in RECIPES.values() if known.folder.is_dir()]
        for known in RECIPES.values():
            if known not in recipes:
                print(f"{known.name}: not run yet")
    console = Console(stderr=True)
    if options.record:
        with _progress(console) as progress:
            for recipe in recipes:
                record_small(recipe, progress)
        return 0
    with _progress(console) as progress:
        faults = [fault for recipe in recipes for fault in verify(recipe, progress, train=not options.quick)]
    for fault in faults:
        print(fault)
    print(f"{len(recipes)} recipes verified, {len(faults)} faults")
    return 1 if faults else 0


def _report(options: argparse.Namespace) -> int:
    text = report(list(RECIPES.values()))
    if options.out is None:
        print(text, end="")
    else:
        options.out.write_text(text, encoding="utf-8")
    return 0


@contextmanager
def _progress(console: Console) -> Iterator[Callable[[str, int, int, float], None]]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[loss]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bars:
        tasks: dict[str, Any] = {}

        def progress(what: str, done: int, total: int, loss: float) -> None:
            told = "" if math.isnan(loss) else f"loss {loss:.3f}"
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total, loss=told)
            bars.update(tasks[what], completed=done, loss=told)

        yield progress


def _recipe(name: str | None) -> Recipe:
    if name is None or name not in RECIPES:
        known = "; ".join(f"{r.name} ({r.about})" for r in RECIPES.values())
        wrong = "name a recipe" if name is None else f"there is no recipe {name!r}"
        raise ValueError(f"{wrong}; there are: {known}")
    return RECIPES[name]


def _named(given: list[str]) -> Recipe:
    """Return the recipe whose settings are to be options: the one that is run, else the first."""
    named = next((word for word in given[1:] if word in RECIPES), None)
    return RECIPES[named or next(iter(RECIPES))]


def _settings(config: Any) -> dict[str, Any]:
    """Return the settings that can be options, name to type."""
    kinds = {"int": int, "float": float, "tuple[int, ...]": tuple}
    return {f.name: kinds[f.type] for f in fields(config) if f.type in kinds}


_PRECISIONS = {"32": "32-true", "bf16": "bf16-mixed"}
# How to add the options that some recipes take.
_HOW: dict[str, Callable[[argparse.ArgumentParser], Any]] = {
    "scheduler": lambda run: run.add_argument(
        "--scheduler",
        default="auto",
        help="of a table's cells: serial, grid (those that can be, trained at once), local (processes of "
        "this machine), or a Dask scheduler's address (default auto: grid on CUDA, else serial)",
    ),
    "workers": lambda run: run.add_argument(
        "--workers", type=int, default=2, help="processes of --scheduler local (default 2)"
    ),
    "processes": lambda run: run.add_argument(
        "--processes",
        type=int,
        default=1,
        help="processes that share each batch and its negatives, on CUDA one a GPU (default 1)",
    ),
    "precision": lambda run: run.add_argument(
        "--precision",
        type=_precision,
        help="32 or bf16 (mixed); a setting, so another than the preset's needs --out",
    ),
    "compile": lambda run: run.add_argument(
        "--compile", action="store_true", help="compile the encoder with torch.compile"
    ),
    "download": lambda run: run.add_argument(
        "--download", action="store_true", help="download STL-10 or CIFAR-10 first, where it is not there"
    ),
}


def _precision(word: str) -> str:
    if word not in _PRECISIONS:
        raise argparse.ArgumentTypeError(f"precision must be one of {', '.join(_PRECISIONS)}, got {word!r}")
    return _PRECISIONS[word]


def _parser(recipe: Recipe) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m build_scripts.precompute", description=__doc__)
    parser.set_defaults(action=_run, name=None)
    commands = parser.add_subparsers(metavar="|".join(COMMANDS))
    commands.add_parser("list", help="print the recipes").set_defaults(action=_list)
    run = commands.add_parser("run", help="run a recipe and write its data folder")
    run.set_defaults(action=_run)
    run.add_argument("name", nargs="?", help=f"the recipe: {', '.join(RECIPES)}")
    run.add_argument("--preset", default="cpu", help="cpu, gpu or small: the recipe's own settings for it")
    run.add_argument("--device", default="auto", help=f"{', '.join(DEVICES)} (default auto)")
    run.add_argument("--out", type=Path, help="data folder (default: the sim's own)")
    run.add_argument("--work", type=Path, default=WORK, help="folder of checkpoints and finished cells")
    run.add_argument("--fresh", action="store_true", help="start anew, whatever is finished")
    run.add_argument("--report", type=Path, help="also draw a trajectory to this file (.png, .svg, .pdf)")
    for name in _takes(recipe):
        _HOW[name](run)
    about = f"settings of {recipe.name} (other than the preset's need --out)"
    settings = run.add_argument_group(about)
    for name, kind in _settings(recipe.config).items():
        flag, default = f"--{name.replace('_', '-')}", getattr(recipe.config, name)
        if kind is tuple:
            settings.add_argument(flag, type=int, nargs="+", help=f"default {default}")
        else:
            settings.add_argument(flag, type=kind, help=f"default {default}")
    check = commands.add_parser("verify", help="re-read the data, and train the small presets again")
    check.set_defaults(action=_verify)
    check.add_argument("names", nargs="*", help="recipes (default: all)")
    check.add_argument("--quick", action="store_true", help="re-read alone, train nothing")
    check.add_argument(
        "--record", action="store_true", help="add small_metrics to a manifest that has none, compare nothing"
    )
    told = commands.add_parser("report", help="write what was run, where, how long, as Markdown")
    told.set_defaults(action=_report)
    told.add_argument("--out", type=Path, help="file (default: print)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
