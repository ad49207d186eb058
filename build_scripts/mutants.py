"""Mutants of the losses: one small wrong step at a time, and does any test notice?

mutmut says which steps there are (a sign, a bound, an operator, an argument). The run is our own: one
process imports torch and the test tools, and each mutant is a fork of it in which the file under test is
read with the step taken; nothing on the disk is changed. A mutant meets the tests that call the changed
function, file by file and the quickest first, until one fails.

Usage: python -m build_scripts.mutants [FILE ...] [--sample N] [--minutes M]
"""

from __future__ import annotations

import argparse
import importlib.abc
import importlib.util
import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
import tomllib
import traceback
from collections.abc import Callable, Iterator, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, NamedTuple

import libcst as cst
import pytest
from hypothesis import Phase, settings
from mutmut.mutation.file_mutation import create_mutations, deep_replace

ROOT = Path(__file__).resolve().parent.parent
FLOOR = 90.0  # per cent killed, of all
# Imported once, before the forks; the engine itself is not, each fork reads it anew.
PRELOADED = ("numpy", "torch", "pytorch_metric_learning.losses")


class Mutant(NamedTuple):
    """One wrong step in one file.

    Attributes:
        file: path from the root.
        function: name of the function it lies in, with its class.
        line: of the first line that differs.
        step: the lines that differ, before and after.
        text: the whole file with the step taken.
    """

    file: str
    function: str
    line: int
    step: str
    text: str


class Reach(NamedTuple):
    """What a run of the right engine says of one test: how long it took and which functions it called."""

    seconds: float
    calls: frozenset[tuple[str, str]]


def mutants_of(file: str, sample: int = 0, seed: int = 0) -> tuple[list[Mutant], int]:
    """Return a file's mutants and how many there are: all that mutmut knows, but for the wording of errors.

    Args:
        file: path from the root.
        sample: return at most so many, drawn at random; 0 for all.
        seed: of the draw, with the file's name.
    """
    source = (ROOT / file).read_text()
    module, mutations, _, _ = create_mutations(file, source)
    wordings = _Wordings()
    module.visit(wordings)
    names = _names(module)
    mutations = [
        mutation
        for mutation in mutations
        if id(mutation.contained_by_top_level_function) in names
        and id(mutation.original_node) not in wordings.nodes
    ]
    total = len(mutations)
    if sample and total > sample:
        mutations = random.Random(f"{seed} {file}").sample(mutations, sample)
    found = []
    for mutation in mutations:
        changed = deep_replace(module, mutation.original_node, mutation.mutated_node)
        if not isinstance(changed, cst.Module):
            raise TypeError(f"{file} became a {type(changed).__name__}")
        line, step = _step(source, changed.code)
        function = names[id(mutation.contained_by_top_level_function)]
        found.append(Mutant(file, function, line, step, changed.code))
    return sorted(found, key=lambda mutant: mutant.line), total


def _step(before: str, after: str) -> tuple[int, str]:
    """Return the first line that differs, counted from 1, and the lines before and after."""
    a, b = before.splitlines(), after.splitlines()
    start = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    end = 0
    while end < min(len(a), len(b)) - start and a[-1 - end] == b[-1 - end]:
        end += 1
    old, new = (" ".join(x.strip() for x in part[start : len(part) - end]) for part in (a, b))
    return start + 1, f"{old}  →  {new}"


def _names(module: cst.Module) -> dict[int, str]:
    """Return the qualified names of a module's functions and methods, by the id of their node."""
    names: dict[int, str] = {}
    for statement in module.body:
        if isinstance(statement, cst.FunctionDef):
            names[id(statement)] = statement.name.value
        elif isinstance(statement, cst.ClassDef):
            for inner in statement.body.body:
                if isinstance(inner, cst.FunctionDef):
                    names[id(inner)] = f"{statement.name.value}.{inner.name.value}"
    return names


class _Wordings(cst.CSTVisitor):
    """Collects the plain strings inside `raise`, by the id of their node."""

    def __init__(self) -> None:
        super().__init__()
        self.nodes: set[int] = set()
        self.depth = 0

    def visit_Raise(self, node: cst.Raise) -> None:
        self.depth += 1

    def leave_Raise(self, original_node: cst.Raise) -> None:
        self.depth -= 1

    def visit_SimpleString(self, node: cst.SimpleString) -> None:
        if self.depth:
            self.nodes.add(id(node))


class _Reader(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Reads one module from a text instead of its file, which is how a mutant is put in place."""

    def __init__(self, name: str, path: str, text: str) -> None:
        self.name, self.path, self.text = name, path, text

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        return importlib.util.spec_from_loader(fullname, self, origin=self.path)

    def get_source(self, fullname: str) -> str:
        return self.text


class _Watch:
    """A plugin of pytest: takes each test's time and the functions of the files that it called."""

    def __init__(self, files: Sequence[str]) -> None:
        self.files = {str(ROOT / file): file for file in files}
        self.reaches: dict[str, Reach] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        calls: set[tuple[str, str]] = set()

        def trace(frame: FrameType, event: str, arg: object) -> None:
            code = frame.f_code
            if code.co_filename in self.files:
                calls.add((self.files[code.co_filename], code.co_qualname))

        begin = time.process_time()
        sys.settrace(trace)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            self.reaches[item.nodeid] = Reach(time.process_time() - begin, frozenset(calls))


class _Order:
    """A plugin of pytest: keeps the tests named, in that order."""

    def __init__(self, names: Sequence[str]) -> None:
        self.place = {name: i for i, name in enumerate(names)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted(
            (item for item in items if item.nodeid in self.place), key=lambda item: self.place[item.nodeid]
        )


def _pytest(files: Sequence[str], plugin: object, log: Path | None = None) -> int:
    """Run pytest in this process, silently."""
    sink = os.open(log or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    quiet = ["-x", "-q", "--tb=short", "-p", "no:cacheprovider", "-p", "_hypothesis_pytestplugin"]
    return int(pytest.main([*quiet, "--hypothesis-profile=mutants", *files], plugins=[plugin]))


def _fork(work: Callable[[], int]) -> int:
    """Run `work` in a fork, whose exit status it returns; return the process's number."""
    process = os.fork()
    if process:
        return process
    status = 99
    try:
        status = work()
    except Exception:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def watch(tests: Sequence[str], files: Sequence[str]) -> dict[str, Reach]:
    """Run the tests on the right engine; return the reach of each.

    Raises:
        SystemExit: a test fails, or the engine that the tests import is not this one.
    """
    with tempfile.TemporaryDirectory() as folder:
        answer, log = Path(folder, "reach.json"), Path(folder, "log")

        def work() -> int:
            plugin = _Watch(files)
            status = _pytest(tests, plugin, log)
            answer.write_text(
                json.dumps([(n, r.seconds, sorted(r.calls)) for n, r in plugin.reaches.items()])
            )
            return status

        _, status = os.waitpid(_fork(work), 0)
        if status:
            raise SystemExit(f"the tests fail before anything is changed:\n{log.read_text()[-3000:]}")
        reaches = {n: Reach(s, frozenset((f, q) for f, q in c)) for n, s, c in json.loads(answer.read_text())}
    if not any(reach.calls for reach in reaches.values()):
        raise SystemExit(f"no test reaches {', '.join(files)}: another sim_engine than {ROOT}'s was imported")
    return reaches


def start(mutant: Mutant, reaches: dict[str, Reach]) -> int | None:
    """Fork a process that meets the mutant with its tests; return its number, None where no test calls it.

    It exits with pytest's status, or dies of its limit of processor seconds (5 times what the tests take,
    and 20 for the imports) or ten times that on the clock.
    """
    place = (mutant.file, mutant.function)
    per_file: dict[str, list[str]] = {}
    of_file: dict[str, int] = {}
    for name in sorted(reaches, key=lambda name: reaches[name].seconds):
        file = name.partition("::")[0]
        of_file[file] = of_file.get(file, 0) + 1
        if place in reaches[name].calls:
            per_file.setdefault(file, []).append(name)
    if not per_file:
        return None
    # A file whose every test calls the function is likely to be about it.
    files = sorted(per_file, key=lambda file: (-len(per_file[file]) / of_file[file], file))
    limit = 20 + int(5 * sum(reaches[name].seconds for names in per_file.values() for name in names))

    def work() -> int:
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        signal.alarm(10 * limit)
        module = mutant.file.removesuffix(".py").replace("/", ".")
        sys.meta_path.insert(0, _Reader(module, str(ROOT / mutant.file), mutant.text))
        for file in files:
            if status := _pytest([file], _Order(per_file[file])):
                return status
        return 0

    return _fork(work)


def outcome(status: int) -> str:
    """Name what became of a mutant from its process's wait status: killed, timed out, survived.

    Raises:
        SystemExit: pytest was misused, which says nothing of the mutant.
    """
    if os.WIFSIGNALED(status):
        return (
            "timed out"
            if os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL, signal.SIGALRM)
            else "killed"
        )
    code = os.WEXITSTATUS(status)
    if code in (3, 4, 5, 99):
        raise SystemExit(f"pytest ended with {code}: no verdict")
    return "survived" if code == 0 else "killed"


def run(
    mutants: Sequence[Mutant], reaches: dict[str, Reach], jobs: int, seconds: float
) -> Iterator[tuple[Mutant, str]]:
    """Yield each mutant with its outcome, `jobs` at a time, as they end; begin none after `seconds`."""
    end = time.monotonic() + seconds
    waiting, running = list(reversed(mutants)), dict[int, Mutant]()
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant = waiting.pop()
            process = start(mutant, reaches)
            if process is None:
                yield mutant, "survived"
            else:
                running[process] = mutant
        if running:
            process, status = os.wait()
            yield running.pop(process), outcome(status)
        if time.monotonic() > end:
            waiting.clear()


def table(found: Sequence[tuple[Mutant, str]], of: dict[str, int]) -> str:
    """Return the counts per file and over all as a Markdown table."""
    lines = ["| File | Mutants | Tried | Killed | Score |", "|---|---:|---:|---:|---:|"]

    def line(name: str, total: int, part: list[str]) -> str:
        killed = sum(o != "survived" for o in part)
        return f"| {name} | {total} | {len(part)} | {killed} | {100 * killed / max(1, len(part)):.1f} % |"

    for file, total in of.items():
        lines.append(line(f"`{Path(file).name}`", total, [o for m, o in found if m.file == file]))
    lines.append(line("all", sum(of.values()), [o for _, o in found]))
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the mutants, print the table and the survivors; return 1 where fewer than `FLOOR` are killed."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutmut"]
    parser = argparse.ArgumentParser(
        prog="make mutants", description="which wrong engines does no test notice?"
    )
    parser.add_argument("files", nargs="*", help="files of the engine; all that pyproject.toml names")
    parser.add_argument("--sample", type=int, default=0, help="of each file at most so many, drawn by --seed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no mutant after so many")
    parser.add_argument("--line", type=int, action="append", default=[], help="only mutants of this line")
    parser.add_argument("--again", type=Path, help="only what survived in the run that wrote this --json")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", type=Path, help="write every mutant and its outcome here")
    args = parser.parse_args(argv)
    files = args.files or _matching([f"{path}/*.py" for path in config["source_paths"]])
    drawn, of = [], {}
    for file in files:
        mutants, total = mutants_of(file, args.sample, args.seed)
        if total:
            of[file] = total
            drawn += [mutant for mutant in mutants if not args.line or mutant.line in args.line]
    if args.again:
        before = [m for m in json.loads(args.again.read_text()) if m["end"] == "survived"]
        survived = {(m["file"], m["function"], m["step"]) for m in before}
        drawn = [mutant for mutant in drawn if (mutant.file, mutant.function, mutant.step) in survived]
    if not drawn:
        parser.error(f"no mutants in {', '.join(files)}" + (f" on line {args.line}" if args.line else ""))
    random.Random(args.seed).shuffle(drawn)  # so that what --minutes cuts off is no file's or function's
    _prepare()
    reaches = watch(_matching(config["pytest_add_cli_args_test_selection"]), list(of))
    print(f"{len(drawn)} mutants, {len(reaches)} tests", flush=True)
    found = []
    for mutant, end in run(drawn, reaches, args.jobs, 60 * args.minutes):
        found.append((mutant, end))
        if end != "killed":
            print(f"{end}: {mutant.file}:{mutant.line} {mutant.function}: {mutant.step}", flush=True)
        elif len(found) % 50 == 0:
            print(f"{len(found)} of {len(drawn)}", flush=True)
    print(table(found, of))
    if args.json:
        args.json.write_text(json.dumps([{**m._asdict(), "text": "", "end": o} for m, o in found], indent=1))
    killed = sum(end != "survived" for _, end in found)
    # None begun before --minutes were over shows nothing.
    return 0 if found and 100 * killed >= FLOOR * len(found) else 1


def _matching(patterns: Sequence[str]) -> list[str]:
    """Return the files that the patterns name, from the root, each once."""
    return sorted({str(path.relative_to(ROOT)) for pattern in patterns for path in ROOT.glob(pattern)})


def _prepare() -> None:
    """Import what the forks share and lower the number of examples that hypothesis tries."""
    os.chdir(ROOT)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    if "sim_engine" in sys.modules:
        raise SystemExit("sim_engine is imported already; its mutants could not be")
    for name in PRELOADED:
        importlib.import_module(name)
    sys.modules["torch"].set_num_threads(1)
    settings.register_profile(
        "mutants", deadline=None, max_examples=10, derandomize=True, database=None,
        phases=(Phase.explicit, Phase.generate),
    )  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
