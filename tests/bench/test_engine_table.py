"""The table of the engine: every loss is in it, and what stands beside it computes the same."""

import inspect
import time

import numpy as np
import pytest
import torch

from build_scripts.bench import engine, native
from build_scripts.bench.browser import BenchError
from build_scripts.bench.cases import CASES, gradients
from build_scripts.bench.library_losses import LIBRARY
from build_scripts.bench.torch_losses import PLAIN
from sim_engine import losses

# Public functions that are no loss, and the value alone of one that is.
NO_LOSS = {
    "clip_log_scale",
    "logistic_weights",
    "margin_weights",
    "momentum_update",
    "negative_weights",
    "nt_xent_value",
    "update_center",
}


def test_every_public_loss_is_timed():
    public = {name for name in losses.__all__ if inspect.isfunction(getattr(losses, name))}
    assert {case.name.split(",")[0] for case in CASES} == public - NO_LOSS


def test_every_case_has_a_plain_torch_version():
    assert {case.name for case in CASES} == PLAIN.keys()
    assert LIBRARY.keys() <= PLAIN.keys()


@pytest.mark.parametrize("d", [2, 17])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_torch_and_the_library_agree_with_the_engine_in_value_and_gradients(case, d):
    rng = np.random.default_rng(d)
    learn, held = case.learn(12, d, rng), case.held(12, d, rng)
    result = case.engine(*learn, *held)
    found = gradients(result)
    leaves = [torch.tensor(array, requires_grad=True) for array in learn]
    assert len(found) == len(leaves)
    assert any(np.abs(grad).max() > 0 for grad in found)  # else nothing is compared
    loops = [PLAIN[case.name]] + ([LIBRARY[case.name].loss] if case.name in LIBRARY else [])
    for loop in loops:
        for leaf in leaves:
            leaf.grad = None
        value = loop(*leaves, *map(torch.tensor, held))
        value.backward()
        assert value.item() == pytest.approx(result.value, rel=1e-10)
        for leaf, grad in zip(leaves, found, strict=True):
            if leaf.grad is None:  # the library's temperature does not learn
                assert loop is not PLAIN[case.name]
                assert np.ndim(grad) == 0
                continue
            np.testing.assert_allclose(leaf.grad, grad, rtol=1e-8, atol=1e-10)


def test_each_loss_is_timed_forward_and_backward_beside_torch(monkeypatch, capsys):
    monkeypatch.setattr(native, "COUNTS", (8,))
    monkeypatch.setattr(native, "DIMENSIONS", (5,))
    monkeypatch.setattr(native, "GRAIN", 1e-4)
    found = native.times(1)
    assert [entry["name"] for entry in found] == [case.name for case in CASES]
    rows = [row for entry in found for row in engine._time_rows(**entry)]
    assert len(rows) == 2 * len(CASES)
    assert [row.what for row in rows if row.target] == ["nt_xent forward + backward, CPython, N 8, d 5"]
    # Forward: only NT-Xent has a value alone; of the others the table says what it is.
    alone = [row.what for row in rows if " forward, " in row.what and "with gradients" not in row.ours]
    assert alone == ["nt_xent forward, CPython, N 8, d 5"]
    assert f"{len(CASES)} of {len(CASES)}: dino, N 8, d 5" in capsys.readouterr().err


def test_the_memory_of_each_loss_is_its_peak():
    rows = {entry["name"]: entry for entry in native.memory(n=256, d=8)}
    assert rows.keys() == {case.name for case in CASES}
    assert 1.0 <= rows["nt_xent"]["matrices"] <= 3.0
    assert rows["byol"]["matrices"] < 0.5  # compares no pairs


def test_values_that_differ_stop_the_benchmark():
    with pytest.raises(BenchError, match="differ"):
        native.in_turn({"engine": lambda: 1.0, "torch": lambda: 1.001}, 1)


def test_a_slow_library_does_not_cost_the_others_their_rounds(monkeypatch):
    monkeypatch.setattr(native, "BUDGET", 0.1)
    monkeypatch.setattr(native, "GRAIN", 1e-4)

    def slow():
        time.sleep(0.12)
        return 1.0

    times = native.in_turn({"engine": lambda: 1.0, "torch": lambda: 1.0, "library": slow}, 4)
    assert {key: len(taken) for key, taken in times.items()} == {"engine": 4, "torch": 4, "library": 1}


def test_the_largest_size_is_left_out_by_the_stated_rule():
    assert (4096, 64) in native.sizes("dcl")
    assert (4096, 256) not in native.sizes("dcl")
    assert (4096, 256) in native.sizes("nt_xent")
    assert all(n < 4096 for n, _ in native.sizes("hard_negative"))
    assert "4096" in engine._RULES["sizes"]
    assert "hard_negative" in engine._RULES["sizes"]
