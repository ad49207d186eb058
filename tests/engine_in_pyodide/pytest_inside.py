"""pytest in the built runtime under Node: what is mounted, and how a folder of tests is shared out."""

import importlib.metadata
import json
import os
import shutil
import sysconfig
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from build_scripts.runtime_tools.node import run_inside

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
# pytest, Hypothesis and what they import: Python alone but for Hypothesis' own small compiled module.
TOOLS = (
    "_hypothesis_ftz_detector.py",
    "_hypothesis_globals.py",
    "_hypothesis_pytestplugin.py",
    "_pytest",
    "hypothesis",
    "iniconfig",
    "packaging",
    "pluggy",
    "py.py",
    "pygments",
    "pytest",
    "sortedcontainers",
)
OPTIONS = "-c /settings/pyproject.toml --rootdir=/repo -p _hypothesis_pytestplugin -p no:cacheprovider -q"
OPTIONS += " --continue-on-collection-errors"
MOST = 600.0  # seconds, on a machine that does much else


@dataclass(frozen=True)
class Outcome:
    """How the tests ended.

    Attributes:
        tests: {"test_x.py::test_y[z]": (outcome, reason, seconds)}.
        broken: {file: why it could not be read}.
        text: what pytest printed.
        seconds: by the clock.
    """

    tests: dict
    broken: dict
    text: str
    seconds: float

    def names(self, outcome):
        return [name for name, (ended, *_) in self.tests.items() if ended == outcome]


def copied_tools(folder):
    """Copy pytest and what it needs to `folder`, which is then mounted: nothing writes to the original."""
    site = Path(sysconfig.get_path("purelib"))
    for name in TOOLS:
        if (site / name).is_dir():
            shutil.copytree(site / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
        else:
            shutil.copyfile(site / name, folder / name)


def run(runtime, tools, tests, shards=None):
    """Run every file of the folder `tests` in `runtime`, in as many Nodes as there are cores, at most two."""
    files = sorted(tests.glob("test_*.py"), key=lambda path: path.stat().st_size)
    shards = shards or min(2, os.cpu_count() or 1)
    mounts = {
        "/tools": tools,
        "/settings": ROOT,
        "/inside": HERE / "inside",
        "/published": ROOT / "node_modules" / "pyodide",
        "/repo/docs": ROOT / "docs",
        "/repo/sims": ROOT / "sims",
        "/repo/tests/engine": tests,
    }

    def one(share):
        names = [f"/repo/tests/engine/{path.name}" for path in share]
        said = run_inside(
            HERE / "inside" / "run_pytest.py",
            [importlib.metadata.version("hypothesis"), *OPTIONS.split(), *names],
            index=runtime,
            mounts=mounts,
            lock=runtime / "lock.json",
            packages=["numpy", "sim_engine"],
            timeout=MOST,
        )
        text, _, last = said.rstrip().rpartition("\n")
        return text, json.loads(last)

    began = time.monotonic()
    with ThreadPoolExecutor(shards) as pool:
        ended = list(pool.map(one, (files[start::shards] for start in range(shards))))
    seconds = time.monotonic() - began
    tests = {_short(name): tuple(how) for _, part in ended for name, how in part["tests"].items()}
    broken = {name: why for _, part in ended for name, why in part["broken"].items()}
    return Outcome(tests, broken, "\n".join(text for text, _ in ended), seconds)


def _short(name):
    """The name without the folder: an id in brackets may hold a slash."""
    where, bracket, rest = name.partition("[")
    return where.rpartition("/")[2] + bracket + rest
