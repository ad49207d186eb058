"""The built runtime, once a session, from the cache that every build shares."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from build_scripts import runtime
from build_scripts.runtime_tools.node import run_inside

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE / "inside")]  # the tests import what they run inside


@pytest.fixture(scope="session")
def built_runtime(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runtime") / "runtime"
    runtime.build(folder)
    return folder


@pytest.fixture(scope="session")
def in_browsers_python(built_runtime):
    """Run a script in the built runtime, with NumPy and the engine; return what it printed."""

    def run(script, argv=(), mounts=None):
        return run_inside(
            script,
            argv,
            index=built_runtime,
            mounts=mounts or {},
            lock=built_runtime / "lock.json",
            packages=["numpy", "sim_engine"],
        )

    return run


@pytest.fixture(scope="session")
def in_both(in_browsers_python):
    """Run a script that prints JSON in CPython and in the built runtime; return both results."""

    def run(script, *argv, mounts=None):
        # -P: the runtime must not see the working tree, and neither must CPython see this folder.
        outside = [str(mounts[a]) if mounts and a in mounts else a for a in argv]
        host = subprocess.run(
            [sys.executable, "-P", str(script), *outside],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        )
        inside = in_browsers_python(script, argv, mounts)
        return json.loads(host.stdout), json.loads(inside.splitlines()[-1])

    return run


@pytest.fixture
def assert_close():
    """Fail unless two JSON values agree: text exactly, numbers to 1e-9 of their size."""

    def check(a, b, where="", rel=1e-9, scale=0.0):
        assert type(a) is type(b) or {type(a), type(b)} <= {int, float}, f"{where}: {a!r} and {b!r}"
        if isinstance(a, dict):
            assert a.keys() == b.keys(), where
            for key in a:
                check(a[key], b[key], f"{where}/{key}", rel)
        elif isinstance(a, list):
            assert len(a) == len(b), where
            # Beside a large entry, a tiny one is rounding: measured against the list's largest.
            largest = max((abs(v) for v in a if isinstance(v, int | float)), default=0.0)
            for index, (left, right) in enumerate(zip(a, b, strict=True)):
                check(left, right, f"{where}[{index}]", rel, largest)
        elif isinstance(a, int | float) and not isinstance(a, bool):
            assert math.isclose(a, b, rel_tol=rel, abs_tol=rel * max(scale, 1e-3)), (
                f"{where}: {a!r} and {b!r}"
            )
        else:
            assert a == b, where

    return check
