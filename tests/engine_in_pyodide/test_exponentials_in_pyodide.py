"""The loops of vectors behind the losses' exponentials, where they run: in the browser's Python."""

import json
from pathlib import Path

import numpy as np
import pytest

from build_scripts.runtime_tools.loops import fuses, spelt
from sim_engine import _simd

HERE = Path(__file__).parent
DTYPES = [np.float32, np.float64]


@pytest.fixture(scope="module", params=["fused", "plain"])
def inside(request, in_browsers_python):
    return json.loads(in_browsers_python(HERE / "exponentials.py", [request.param]))


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_exponential_is_right_to_its_last_place(inside, dtype):
    x, got = (np.array([float.fromhex(v) for v in row]) for row in inside[dtype.__name__]["numbers"])
    true = np.exp(x.astype(np.longdouble))
    limits = np.finfo(dtype)
    place = np.maximum(abs(true), limits.smallest_normal) * limits.eps  # below it, places have one size
    assert (abs(got - true) / place).max() <= 1


@pytest.mark.parametrize("dtype", DTYPES)
def test_ends_are_exact(inside, dtype):
    assert inside[dtype.__name__]["ends"] == ["0.0", "0.0", "1.0", "inf", "inf"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_of_any_length_are_numpys(inside, dtype):
    entry, total = inside[dtype.__name__]["like numpy"]
    assert entry <= 2  # each is right to one
    assert total <= 4


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_largest_of_a_row_is_found_wherever_it_stands(inside, dtype):
    assert inside[dtype.__name__]["largest"] is True


@pytest.mark.parametrize("dtype", DTYPES)
def test_shares_of_row_and_column_are_numpys(inside, dtype):
    assert inside[dtype.__name__]["pair scale"] is True


def test_other_arrays_go_another_way(inside):
    assert inside["refused"] is True
    assert not _simd.suits_rows("exponential", np.zeros((64, 64)))  # here there is no such loop


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("loop", ["product", "exponential", "row_max", "pair_scale"])
def test_all_spellings_are_whole(loop, fused):
    text = (Path(_simd.__file__).parent / f"{loop}.wat").read_text(encoding="utf-8")
    single, double = spelt(text, "f32", fused=fused), spelt(text, "f64", fused=fused)
    assert ("relaxed_madd" in single) is ("relaxed_madd" in double) is (fused and fuses(text))
    assert "MADD" not in single + double
    assert text.count("\n") == single.count("\n") == double.count("\n")
    assert "f64" not in single
    assert "f32" not in double
    with pytest.raises(ValueError, match="f16"):
        spelt(text, "f16")
