"""The loop of vectors behind the engine's matrix products, where it runs: in the browser's Python."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from build_scripts import package_engine
from build_scripts.runtime_tools.errors import RuntimeBuildError
from build_scripts.runtime_tools.loops import spelt
from build_scripts.runtime_tools.node import assembled
from sim_engine import _simd

HERE = Path(__file__).parent


@pytest.fixture(scope="module", params=["fused", "plain"])
def inside(request, in_browsers_python):
    return json.loads(in_browsers_python(HERE / "products.py", [request.param])) | {"loop": request.param}


def test_the_loop_that_rounds_once_does_so(inside):
    assert inside["rounds once"] is (inside["loop"] == "fused")


def test_every_entry_is_right_to_rounding(inside):
    # Beside the sizes of an entry's terms; terms in order, 512 at most before a block ends.
    assert inside["error"] < 4


def test_what_is_small_goes_another_way(inside):
    assert inside["small ones"] is False
    assert inside["refused"] is True


def test_an_entry_is_the_same_wherever_it_stands(inside):
    assert inside["place"] is True
    assert inside["symmetric"] is True


def test_what_is_not_finite_stays_in_its_row(inside):
    assert inside["not finite"] == [2, 5]


def test_the_wheel_carries_the_loops_for_both_dtypes(built_runtime):
    wheel = next(built_runtime.rglob("sim_engine-*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        loops = [
            archive.read(f"sim_engine/{loop}_{name}.wasm")
            for loop in (
                "product",
                "product_fused",
                "exponential",
                "exponential_fused",
                "row_max",
                "pair_scale",
            )
            for name in ("f32", "f64")
        ]
    assert all(loop.startswith(b"\0asm") and b"dylink.0" in loop for loop in loops)
    assert len(set(loops)) == 12


def test_a_fault_in_the_text_names_its_line():
    text = (package_engine.ROOT / package_engine.LOOPS[0]).read_text(encoding="utf-8")
    line = text[: text.index("v128.store")].count("\n") + 1
    with pytest.raises(RuntimeBuildError, match=rf"product\.wat:{line}:.*v128\.stare"):
        assembled([("product.wat", spelt(text.replace("v128.store", "v128.stare", 1), "f32"))])


def test_here_there_is_blas_and_no_such_loop():
    assert not _simd.suits(np.ones((64, 64)), np.ones((64, 64)))
