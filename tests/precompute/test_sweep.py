"""A sweep: each finished cell is a whole file of its own settings and code, or not there."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from build_scripts.precompute.sweep import Cell, CellFailed, Store, sweep

ROOT = Path(__file__).resolve().parents[2]
CELLS = [Cell(f"scale-{scale}", {"scale": scale, "seed": 3}) for scale in (1, 2, 3)]


def draw(settings):
    rng = np.random.default_rng(settings["seed"])
    return {"draw": rng.normal(size=(4, 2)) * settings["scale"], "scale": float(settings["scale"])}


def noted(settings):
    """`draw`, which leaves a line for every time that it is run."""
    with open(settings["log"], "a") as log:
        log.write(f"{settings['scale']}\n")
    return draw(settings)


def noted_cells(log, scales=(1, 2, 3)):
    return [Cell(f"scale-{scale}", {"scale": scale, "seed": 3, "log": str(log)}) for scale in scales]


def test_results_are_those_of_the_work_in_the_order_of_the_cells(tmp_path):
    results = sweep(CELLS[::-1], draw, tmp_path, fingerprint="f")
    assert list(results) == ["scale-3", "scale-2", "scale-1"]
    for cell in CELLS:
        wanted = draw(cell.settings)
        for name, array in wanted.items():
            np.testing.assert_array_equal(results[cell.key][name], array)
        with np.load(tmp_path / f"{cell.key}.npz") as file:
            np.testing.assert_array_equal(file["draw"], wanted["draw"])


def test_finished_cells_are_read_back_and_the_rest_is_run(tmp_path):
    log, folder, calls = tmp_path / "log", tmp_path / "cells", []
    first = sweep(noted_cells(log, (2,)), noted, folder, fingerprint="f")
    results = sweep(
        noted_cells(log), noted, folder, fingerprint="f", progress=lambda *called: calls.append(called)
    )
    assert log.read_text().split() == ["2", "1", "3"]
    assert calls == [("scale-2", 1, 3), ("scale-1", 2, 3), ("scale-3", 3, 3)]
    np.testing.assert_array_equal(results["scale-2"]["draw"], first["scale-2"]["draw"])
    assert results["scale-2"]["draw"].dtype == first["scale-2"]["draw"].dtype
    again = sweep(noted_cells(log), noted, folder, fingerprint="f")
    assert log.read_text().split() == ["2", "1", "3"]
    assert list(again) == list(results)


def test_other_settings_and_other_code_are_run_again(tmp_path):
    log, folder = tmp_path / "log", tmp_path / "cells"
    sweep(noted_cells(log), noted, folder, fingerprint="f")
    changed = [
        Cell(c.key, {**c.settings, "seed": 4}) if c.settings["scale"] == 2 else c for c in noted_cells(log)
    ]
    results = sweep(changed, noted, folder, fingerprint="f")
    assert log.read_text().split() == ["1", "2", "3", "2"]
    np.testing.assert_array_equal(results["scale-2"]["draw"], draw(changed[1].settings)["draw"])
    sweep(changed, noted, folder, fingerprint="g")
    assert log.read_text().split() == ["1", "2", "3", "2", "1", "2", "3"]


@pytest.mark.parametrize("damage", ["short", "bit", "empty", "text"])
def test_a_damaged_file_is_named_removed_and_made_again(tmp_path, caplog, damage):
    wanted = sweep(CELLS, draw, tmp_path, fingerprint="f")
    path = tmp_path / "scale-2.npz"
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(
        {
            "short": whole[:middle],
            "bit": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
            "empty": b"",
            "text": b"nothing",
        }[damage]
    )
    results = sweep(CELLS, draw, tmp_path, fingerprint="f")
    assert f"{path} is damaged" in caplog.text
    assert "scale-1" not in caplog.text
    np.testing.assert_array_equal(results["scale-2"]["draw"], wanted["scale-2"]["draw"])
    assert list(Store(tmp_path, "f").finished(CELLS)) == [c.key for c in CELLS]


def test_a_file_that_may_not_be_read_is_not_taken_for_damaged(tmp_path, monkeypatch):
    sweep(CELLS, draw, tmp_path, fingerprint="f")

    def refuse(*args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(np, "load", refuse)
    with pytest.raises(PermissionError):
        sweep(CELLS, draw, tmp_path, fingerprint="f")
    assert len(list(tmp_path.glob("*.npz"))) == 3


def fails(settings):
    if settings["scale"] == 2:
        raise ArithmeticError("no such scale")
    return draw(settings)


def test_a_failing_cell_is_named_with_its_settings_and_finished_ones_stay(tmp_path):
    with pytest.raises(
        CellFailed, match=r"'scale-2' with \{\"scale\": 2, \"seed\": 3\}: ArithmeticError: no"
    ):
        sweep(CELLS, fails, tmp_path, fingerprint="f")
    assert [path.name for path in tmp_path.glob("*.npz")] == ["scale-1.npz"]


@pytest.mark.parametrize(
    ("returned", "message"),
    [([1.0], "mapping"), ({"a b": 1.0}, "'a b'"), ({"_cell": 1.0}, "'_cell'"), ({"a": {}}, "object")],
)
def test_results_that_no_file_holds_are_refused(tmp_path, returned, message):
    with pytest.raises(CellFailed, match=message):
        sweep(CELLS, lambda settings: returned, tmp_path, fingerprint="f")
    assert not list(tmp_path.glob("*.npz"))


def test_every_identifier_may_name_a_result(tmp_path):
    for _ in range(2):
        results = sweep(CELLS[:1], lambda settings: {"file": 1, "args": [2]}, tmp_path, fingerprint="f")
        assert results == {"scale-1": {"file": np.array(1), "args": np.array([2])}}


@pytest.mark.parametrize("key", ["", ".hidden", "a/b", "../a", "a b", "a\n", "τ", "a" * 101, 3])
def test_keys_are_safe_file_names(key):
    with pytest.raises(ValueError, match="key must be a file name"):
        Cell(key, {})


@pytest.mark.parametrize("settings", [{"a": float("nan")}, {"a": np.arange(2)}, {1: "a"}])
def test_settings_are_json_ready(settings):
    with pytest.raises(ValueError, match="settings of 'a' must"):
        Cell("a", settings)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cells": [Cell("a", {}), Cell("A", {})]}, "keys must differ"),
        ({"scheduler": "threads"}, "scheduler must be"),
        ({"scheduler": "grid"}, "scheduler 'grid' needs `together`"),
        ({"workers": 0}, "workers must be"),
        ({"allowed_failures": -1}, "allowed_failures must be"),
        ({"fingerprint": ""}, "fingerprint must be"),
    ],
)
def test_bad_arguments_are_named(tmp_path, change, message):
    arguments = {"cells": CELLS, "work": draw, "folder": tmp_path, "fingerprint": "f"} | change
    with pytest.raises(ValueError, match=message):
        sweep(**arguments)


def test_a_cell_runs_on_one_thread_and_leaves_the_number_as_it_was(tmp_path):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        results = sweep(CELLS[:1], lambda s: {"threads": torch.get_num_threads()}, tmp_path, fingerprint="f")
        assert results["scale-1"]["threads"] == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_a_folder_in_use_is_refused(tmp_path):
    with (
        Store(tmp_path, "f").locked(),
        pytest.raises(ValueError, match="another sweep is at work"),
    ):
        sweep(CELLS, draw, tmp_path, fingerprint="f")
    sweep(CELLS, draw, tmp_path, fingerprint="f")


KILLED = """
import os, signal, sys
from pathlib import Path
from build_scripts.precompute.sweep import sweep
from tests.precompute.test_sweep import CELLS, draw

# A shell's job in the background ignores it, and a child inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)
replace, count = os.replace, 0
def cut(*args):
    global count
    count += 1
    if count == 2:
        os.kill(os.getpid(), {signal})  # written, not yet renamed
    replace(*args)
os.replace = cut
sweep(CELLS, draw, Path(sys.argv[1]), fingerprint="f")
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_kill_between_write_and_rename_leaves_no_half_cell(tmp_path, number):
    command = [sys.executable, "-c", KILLED.format(signal=int(number)), str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == -number, done.stderr
    assert [path.name for path in tmp_path.glob("*.npz")] == ["scale-1.npz"]
    assert len(list(tmp_path.glob(".*.part"))) == (number == signal.SIGKILL)
    results = sweep(CELLS, draw, tmp_path, fingerprint="f")
    for cell in CELLS:
        np.testing.assert_array_equal(results[cell.key]["draw"], draw(cell.settings)["draw"])
    assert not list(tmp_path.glob(".*.part"))


def test_a_full_disk_is_named_and_leaves_no_half_cell(tmp_path, monkeypatch):
    count, fsync = 0, os.fsync

    def full(handle):
        nonlocal count
        count += 1
        if count > 2:  # a cell syncs its file and its folder
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match=r"'scale-2' could not be written.*make room") as raised:
            sweep(CELLS, draw, tmp_path, fingerprint="f")
    assert raised.value.errno == errno.ENOSPC
    assert {path.name for path in tmp_path.iterdir()} == {"scale-1.npz", ".lock"}
    assert list(sweep(CELLS, draw, tmp_path, fingerprint="f")) == [cell.key for cell in CELLS]


def large(settings):
    return {"noise": np.random.default_rng(settings["scale"]).normal(size=3000)}  # 24 kB, not compressible


def test_a_disk_that_is_really_full(small_disk):
    with pytest.raises(OSError, match="No space left on device") as raised:
        sweep(CELLS, large, small_disk, fingerprint="f")
    assert raised.value.errno == errno.ENOSPC
    assert {path.name for path in small_disk.iterdir()} == {"scale-1.npz", "scale-2.npz", ".lock"}
    (small_disk / "scale-1.npz").unlink()
    sweep(CELLS[1:], large, small_disk, fingerprint="f")


def test_the_benchmark_says_cells_a_minute():
    from build_scripts.bench import sweep as bench  # here: the killed processes import this file

    threads, dask, start = bench._rows(
        {"serial": [6.0], "threads": [4.0], "dask": [3.0], "start": [2.5]}, cores=2
    )
    assert (dask.ours, dask.beside, dask.value) == ("120 cells a minute", "60 cells a minute serial", 2.0)
    assert threads.value == 1.5
    assert start.ours == "2.5 s"


def test_cells_that_can_be_run_at_once_are_and_the_others_in_turn(tmp_path):
    asked = []

    def together(cells):
        asked.append([cell.key for cell in cells])
        for cell in cells:
            if cell.settings["scale"] > 1:
                yield cell, draw(cell.settings), 7.0

    given = {"fingerprint": "f", "scheduler": "grid", "together": together}
    results = sweep(CELLS, draw, tmp_path, **given)
    assert asked == [["scale-1", "scale-2", "scale-3"]]
    assert [results.seconds[key] for key in ("scale-2", "scale-3")] == [7.0, 7.0]
    assert 0 < results.seconds["scale-1"] < 5
    for key, wanted in sweep(CELLS, draw, tmp_path / "serial", fingerprint="f").items():
        assert results[key].keys() == wanted.keys()
        np.testing.assert_array_equal(results[key]["draw"], wanted["draw"])
    again = sweep(CELLS, draw, tmp_path, **given)
    assert asked[-1] == []
    assert again.seconds == results.seconds


def test_cells_finished_at_once_stay_when_the_next_ones_fail(tmp_path):
    def together(cells):
        yield cells[0], draw(cells[0].settings), 0.1
        raise ArithmeticError("no such scale")

    with pytest.raises(CellFailed, match="cells that were run at once: ArithmeticError: no such"):
        sweep(CELLS, draw, tmp_path, fingerprint="f", scheduler="grid", together=together)
    assert [path.name for path in tmp_path.glob("*.npz")] == ["scale-1.npz"]
