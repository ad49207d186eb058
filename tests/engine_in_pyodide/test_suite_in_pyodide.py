"""The engine's own tests pass in the runtime that readers get; skipped is what needs what it has not."""

import ast
import json
import math
import re
from collections import Counter
from pathlib import Path
from textwrap import dedent

import elsewhere
import hypothesis
import hypothesis_native
import pytest
import pytest_inside
import standing_in
from hypothesis._native.internal import cathetus, floats

from build_scripts.runtime_tools.node import run_inside

ENGINE = Path(__file__).parents[1] / "engine"
REASON = re.compile(r"^needs (.+), which the browser has not$")
# A loss' first two laws, by name; the third is torch's.
LAW = re.compile(r"_papers|_loop|_slope|_difference")
LOSSES = ("test_nt_xent.py", "test_losses_")


@pytest.fixture(scope="session")
def tools(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tools")
    pytest_inside.copied_tools(folder)
    return folder


@pytest.fixture(scope="session")
def suite(built_runtime, tools):
    return pytest_inside.run(built_runtime, tools, ENGINE)


def function(name):
    return name.partition("[")[0]


def trees():
    for path in sorted(ENGINE.glob("test_*.py")):
        yield path.name, ast.parse(path.read_text(encoding="utf-8"))


def needed(outcome):
    """{name of a skipped test: what it needs}."""
    found = {}
    for name in outcome.names("skipped"):
        reason = outcome.tests[name][1]
        match = REASON.match(reason)
        assert match, f"{name} was skipped, and not for what the browser has not: {reason}"
        found[name] = match[1]
    return found


def test_the_engines_tests_pass_in_the_browsers_python(suite, capsys):
    wants = Counter(needed(suite).values())
    passed, failed = suite.names("passed"), suite.names("failed")
    skipped = ", ".join(f"{what} {count}" for what, count in wants.most_common())
    with capsys.disabled():
        print(
            f"\nthe engine's tests in the browser's Python: {len(passed)} passed, {len(failed)} failed, "
            f"{wants.total()} skipped for want of ({skipped}); {suite.seconds:.0f} s"
        )
    assert not suite.broken, suite.text
    assert not failed, suite.text
    assert len(passed) > 1500


def test_every_test_is_accounted_for(suite):
    written = {
        f"{file}::{node.name}"
        for file, tree in trees()
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
    assert {function(name) for name in suite.tests} == written


def test_skipped_are_the_tests_that_need_what_the_browser_has_not(suite):
    imports = {}
    for file, tree in trees():
        names = [alias.name for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names]
        names += [n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
        imports[file] = {name.split(".")[0] for name in names}
    imports["test_sims.py"].add("build_scripts")  # by way of each sim's charts.py
    told, by_import = set(), set(standing_in.ABSENT)
    for name, what in needed(suite).items():
        file = name.partition("::")[0]
        if elsewhere.ELSEWHERE.get(function(name)) == what:
            told.add(function(name))
        elif what in ("processes", "programs"):
            assert imports[file] & {"subprocess", "shutil"}, name
        else:
            assert what in by_import, f"{name} needs {what}"
            assert what in imports[file], f"{name} needs {what}, which {file} does not import"
    assert told == set(elsewhere.ELSEWHERE), "an entry of elsewhere.py names no test"


def test_each_losss_own_laws_run(suite):
    """The slow loop and the central difference need nothing but NumPy; torch's law is the host's."""
    skipped = {function(name) for name in suite.names("skipped")}
    ran = {function(name) for name in suite.names("passed")} - skipped
    laws = {}
    for file, tree in trees():
        if file.startswith(LOSSES):
            for node in tree.body:
                if isinstance(node, ast.FunctionDef) and LAW.search(node.name) and "torch" not in node.name:
                    laws.setdefault(file, []).append(f"{file}::{node.name}")
    assert len(laws) >= 10
    for names in laws.values():
        assert set(names) <= ran, set(names) - ran


def test_what_the_driver_relies_on_holds_inside(built_runtime, tools, tmp_path):
    """A wrong number fails, a use of torch skips its test alone, the engine gets no trimmed module."""
    (tmp_path / "test_planted.py").write_text(
        dedent(
            """
            import sys

            import pytest
            import torch
            import torch.nn.functional as F
            from hypothesis import given, settings
            from hypothesis import strategies as st
            from hypothesis.extra import numpy as hnp
            from torch import nn

            from sim_engine import losses

            EYE = torch.eye(3, dtype=torch.float64)[0] * 2.0 + torch.pi


            class Net(nn.Module):
                def forward(self, x):
                    return x


            @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
            def test_parametrised_by_torch_but_needs_it_not(dtype):
                assert losses.nt_xent([[1.0, 0.0]] * 2, [[1.0, 0.0]] * 2, 0.5).value > 0


            @torch.no_grad()
            def test_decorated():
                raise AssertionError


            @pytest.mark.parametrize("use", [
                lambda: torch.zeros(3), lambda: F.relu, lambda: EYE + 1, lambda: float(EYE), lambda: Net(),
                lambda: [*EYE], lambda: EYE[0], lambda: 1 - EYE, lambda: bool(EYE), lambda: EYE == 1,
            ])
            def test_uses(use):
                with pytest.raises(ValueError):
                    use()


            def test_wrong():
                assert losses.nt_xent([[1.0, 0.0]] * 2, [[1.0, 0.0]] * 2, 0.5).value == 1.0


            @given(hnp.arrays(float, 3, elements=st.floats(-1e3, 1e3, width=32)))
            @settings(deadline=None, database=None)
            def test_hypothesis_finds(x):
                assert x.max() < 700


            @given(st.floats(), st.floats(0, 1, exclude_min=True), st.complex_numbers(max_magnitude=2))
            @settings(deadline=None, database=None, max_examples=20)
            def test_hypothesis_draws_within_bounds(x, y, z):
                assert 0 < y <= 1
                assert abs(z) <= 2 * (1 + 1e-12)


            @pytest.mark.parametrize("name", ["unittest.mock", "tomllib"])
            def test_trimmed_modules_are_for_tests_alone(name):
                own = {"__name__": "sim_engine.planted"}
                sys.modules.pop(name, None)
                with pytest.raises(ImportError):
                    exec(f"import {name}", own)
                exec(f"import {name}", {"__name__": "test_planted"})
            """
        )
    )
    said = pytest_inside.run(built_runtime, tools, tmp_path, shards=1)
    ended = {name.partition("::")[2]: how[0] for name, how in said.tests.items()}
    assert not said.broken, said.text
    failed = {"test_wrong", "test_hypothesis_finds"}
    skipped = {name for name in ended if name.startswith(("test_uses", "test_decorated"))}
    assert len(skipped) == 11
    wanted = {n: "failed" if n in failed else "skipped" if n in skipped else "passed" for n in ended}
    assert len(ended) == 18
    assert ended == wanted, said.text
    assert set(needed(said).values()) == {"torch"}
    assert "== 1.0" in said.tests["test_planted.py::test_wrong"][1]
    assert "x=array([700." in said.tests["test_planted.py::test_hypothesis_finds"][1]


def test_at_most_three_matrices_at_once(built_runtime, tmp_path):
    """The path without BLAS holds two; the published bound is three."""
    script = tmp_path / "memory.py"
    script.write_text(
        dedent(
            """
            import _tracemalloc, json
            import numpy as np
            from sim_engine import losses
            z_a, z_b = np.random.default_rng(0).normal(size=(2, 512, 16))
            losses.nt_xent(z_a, z_b, 0.5)
            _tracemalloc.start(1)
            losses.nt_xent(z_a, z_b, 0.5)
            print(json.dumps(_tracemalloc.get_traced_memory()[1] / (1024**2 * 8)))
            """
        )
    )
    said = run_inside(script, [], index=built_runtime, mounts={}, lock=built_runtime / "lock.json",
                      packages=["numpy", "sim_engine"])  # fmt: skip
    assert 1 < json.loads(said) < 3


# What stands in for Hypothesis' compiled module does what it does

TINY = [5e-324, 2.0**-1074 * 3, 2.0**-1022, 1e-310, 2.0**-149, 2.0**-126, 1e-40, 2.0**-24, 2.0**-14, 6e-5]
SOME = [*TINY, 0.0, 0.1, 0.5, 1.0, 1.5, math.pi, 2.0**53, 65504.0, 3e38, 1.7976931348623157e308, math.inf]


def same(a, b):
    return type(a) is type(b) and (
        (a == b and math.copysign(1, a) == math.copysign(1, b)) or (a != a and b != b)
    )


@pytest.mark.parametrize("width", [16, 32, 64])
def test_bits_of_floats(width):
    numbers = sorted({floats.float_of(x, width) for v in SOME if width == 64 or v < 65504 for x in (v, -v)})
    for x in [*numbers, -0.0, 0.0, math.nan]:
        for name in ("float_to_int", "next_up", "next_down", "float_of"):
            assert same(getattr(hypothesis_native, name)(x, width), getattr(floats, name)(x, width)), (
                name,
                x,
            )
        word = floats.float_to_int(x, width)
        assert same(hypothesis_native.int_to_float(word, width), floats.int_to_float(word, width))
        assert hypothesis_native.is_negative(x) is floats.is_negative(x)
        for name in ("next_down_normal", "next_up_normal"):
            for allow in (False, True):
                ours = getattr(hypothesis_native, name)(x, width, allow_subnormal=allow)
                assert same(ours, getattr(floats, name)(x, width, allow_subnormal=allow)), (name, x)
    for i, x in enumerate(numbers):
        for y in numbers[i:]:
            ours = hypothesis_native.count_between_floats(x, y, width)
            assert ours == floats.count_between_floats(x, y, width)
    assert hypothesis_native.width_smallest_normals(width) == floats.width_smallest_normals(width)


def test_other_side_of_a_triangle():
    for h in (0.0, 1.0, 5.0, 1e-300, math.inf, math.nan):
        for a in (0.0, 3.0, 1e-300, -0.5, math.inf, math.nan):
            ours, theirs = hypothesis_native.cathetus(h, a), cathetus.cathetus(h, a)
            assert same(ours, theirs) or ours == pytest.approx(theirs, rel=1e-14), (h, a)


def test_hypothesis_asks_its_compiled_module_for_nothing_else():
    asked = set()
    for path in Path(hypothesis.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hypothesis._native"):
                asked |= {(node.module, alias.name) for alias in node.names}
    served = {("hypothesis._native.internal.floats", f.__name__) for f in hypothesis_native.FLOATS}
    served |= {("hypothesis._native", "__version__"), ("hypothesis._native.internal.cathetus", "cathetus")}
    assert asked == served
