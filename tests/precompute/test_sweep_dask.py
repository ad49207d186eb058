"""A sweep on Dask: the same numbers as one after another, whatever dies on the way."""

import os
import re
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from distributed import LocalCluster

from build_scripts.precompute.sweep import Cell, CellFailed, cluster, sweep

ROOT = Path(__file__).resolve().parents[2]


def descend(settings):
    """A few steps of gradient descent in float32: the order of a sum would show."""
    rng = torch.Generator().manual_seed(settings["seed"])
    x, y = torch.randn(64, 300, generator=rng), torch.randn(64, 1, generator=rng)
    w = torch.zeros(300, 1, requires_grad=True)
    for _ in range(20):
        loss = ((x @ w - y) ** 2).mean()
        (gradient,) = torch.autograd.grad(loss, w)
        w = (w - settings["rate"] * gradient).detach().requires_grad_()
    return {"w": w.detach().numpy(), "loss": float(loss.detach()), "threads": torch.get_num_threads()}


CELLS = [Cell(f"{seed}-{rate}", {"seed": seed, "rate": rate}) for seed in range(3) for rate in (0.01, 0.1)]


def deadly(settings):
    """`descend`, in a worker that is killed the first time, or every time."""
    if settings["seed"] == 1:
        path = Path(settings["deaths"])
        path.with_suffix(".trim").write_text(os.environ.get("MALLOC_TRIM_THRESHOLD_", "unset"))
        deaths = len(path.read_text()) if path.exists() else 0
        if deaths < settings["times"]:
            path.write_text("x" * (deaths + 1))
            os.kill(os.getpid(), signal.SIGKILL)
    return descend(settings)


def fails(settings):
    if settings["seed"] == 1:
        raise ArithmeticError("no such rate")
    return descend(settings)


class Odd(Exception):
    """An error that does not survive pickling."""

    def __init__(self, first, second):
        super().__init__(f"{first} and {second}")


def fails_oddly(settings):
    raise Odd(1, 2)


def where(settings):
    return {"pid": os.getpid()}


def naps(settings):
    time.sleep(settings["nap"])
    return where(settings)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A running scheduler with two workers, which do not share the client's working folder."""
    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        dashboard_address="127.0.0.1:0",
        memory_limit=None,
        silence_logs=50,
        local_directory=tmp_path_factory.mktemp("scratch"),
        scheduler_kwargs={"allowed_failures": 1},
    ) as cluster:
        yield cluster.scheduler_address


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    return sweep(CELLS, descend, tmp_path_factory.mktemp("serial"), fingerprint="f")


def assert_same(results, wanted):
    assert list(results) == list(wanted)
    for key, arrays in wanted.items():
        assert results[key].keys() == arrays.keys()
        for name, array in arrays.items():
            assert results[key][name].dtype == array.dtype
            np.testing.assert_array_equal(results[key][name], array)


def test_a_local_cluster_gives_what_serial_gives(serial, tmp_path):
    """With a worker that dies on the way: its cell is run on another, and nothing else is lost."""
    deaths = tmp_path / "deaths"
    cells = [Cell(c.key, {**c.settings, "deaths": str(deaths), "times": 1}) for c in CELLS]
    calls, environment = [], dict(os.environ)
    results = sweep(
        cells,
        deadly,
        tmp_path / "cells",
        fingerprint="f",
        scheduler="local",
        progress=lambda *called: calls.append(called),
    )
    assert deaths.read_text() == "x"
    # A worker keeps what it freed for its next step, also one that was begun in a dead one's place.
    assert int(deaths.with_suffix(".trim").read_text()) >= 2**28
    assert dict(os.environ) == environment
    assert_same(results, serial)
    assert [done for _, done, _ in calls] == [1, 2, 3, 4, 5, 6]
    assert {key for key, _, _ in calls} == {cell.key for cell in CELLS}
    assert sorted(p.stem for p in (tmp_path / "cells").glob("*.npz")) == sorted(c.key for c in CELLS)


def test_a_running_scheduler_gives_what_serial_gives_and_runs_what_is_missing(serial, tmp_path, address):
    sweep(CELLS[:2], descend, tmp_path, fingerprint="f")
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.npz")}
    assert_same(sweep(CELLS, descend, tmp_path, fingerprint="f", scheduler=address), serial)
    assert {name: (tmp_path / name).stat().st_mtime_ns for name in before} == before


def test_both_workers_work_and_the_client_does_not(tmp_path, address):
    cells = [Cell(str(number), {"number": number}) for number in range(12)]
    results = sweep(cells, where, tmp_path, fingerprint="f", scheduler=address)
    pids = {int(arrays["pid"]) for arrays in results.values()}
    assert len(pids) == 2
    assert os.getpid() not in pids


def test_no_more_cells_are_under_way_than_there_are_workers(tmp_path, address, monkeypatch):
    under_way, counts = 0, []
    submit, result = cluster.Client.submit, cluster._result

    def submitted(*args, **kwargs):
        nonlocal under_way
        under_way += 1
        counts.append(under_way)
        return submit(*args, **kwargs)

    def returned(*args):
        nonlocal under_way
        under_way -= 1
        return result(*args)

    monkeypatch.setattr(cluster.Client, "submit", submitted)
    monkeypatch.setattr(cluster, "_result", returned)
    cells = [Cell(str(number), {"number": number}) for number in range(7)]
    sweep(cells, where, tmp_path, fingerprint="f", scheduler=address)
    assert len(counts) == 7
    assert max(counts) == 2


def test_a_worker_goes_on_with_cells_that_share_what_it_keeps(tmp_path, address):
    """Every process keeps something for each text, and cells of six texts come in turn."""
    cells = [Cell(f"{i}-{j}", {"nap": 0.01 * (1 + j % 2)}, f"kept-{j}") for i in range(5) for j in range(6)]
    found = sweep(cells, naps, tmp_path, fingerprint="f", scheduler=address)
    pids = {cell.shares: set() for cell in cells}
    for cell in cells:
        pids[cell.shares].add(int(found[cell.key]["pid"]))
    assert len(set.union(*pids.values())) == 2
    # One may be divided at the end, so that nobody waits.
    assert sum(len(own) for own in pids.values()) <= 7


@pytest.mark.parametrize(
    ("shares", "turns", "wanted"),
    [
        ("aabbab", "12121212", "ababab"),  # a's third waits for 1, b's for 2
        ("aaaa", "1212", "aaaa"),  # 2 helps
        ("aaabb", "12222", "abbaa"),
        ("abab", "1111", "aabb"),
        ("ab", "", ""),
    ],
)
def test_whose_cell_is_next(shares, turns, wanted):
    waiting = cluster._Waiting([Cell(str(i), {}, name) for i, name in enumerate(shares)])
    given = [cell for worker in turns if (cell := waiting.next(worker)) is not None]
    assert "".join(cell.shares for cell in given) == wanted
    assert len({cell.key for cell in given}) == len(given)


def test_cells_that_share_nothing_come_in_their_order():
    waiting = cluster._Waiting([Cell(str(i), {}) for i in range(5)])
    assert [waiting.next(worker).key for worker in ("1", "2", "2", "", "1")] == list("01234")
    assert waiting.next("1") is None


def test_a_cell_that_kills_its_workers_is_named_and_finished_ones_stay(serial, tmp_path, address):
    cells = [Cell(c.key, {**c.settings, "deaths": str(tmp_path / "deaths"), "times": 9}) for c in CELLS]
    with pytest.raises(CellFailed, match=r"cell '1-0\.\d+' with \{.*\}: 2 workers died while they ran it"):
        sweep(cells, deadly, tmp_path, fingerprint="f", scheduler=address)
    finished = {path.stem for path in tmp_path.glob("*.npz")}
    assert finished <= {c.key for c in CELLS if c.settings["seed"] != 1}
    (tmp_path / "deaths").write_text("x" * 9)
    assert_same(sweep(cells, deadly, tmp_path, fingerprint="f", scheduler=address), serial)


@pytest.mark.parametrize(
    ("work", "message"),
    [(fails, r"'1-0\.\d+' with \{.*\}: ArithmeticError: no such rate"), (fails_oddly, "Odd: 1 and 2")],
)
def test_a_failing_cell_is_named_with_its_settings_and_its_traceback(tmp_path, address, work, message):
    with pytest.raises(CellFailed, match=message) as raised:
        sweep(CELLS, work, tmp_path, fingerprint="f", scheduler=address)
    assert re.search(rf"line \d+, in {work.__name__}", raised.value.__notes__[0])
    assert all(path.stem[0] != "1" for path in tmp_path.glob("*.npz"))


def test_work_must_be_importable_elsewhere(tmp_path, address):
    with pytest.raises(ValueError, match="work must be a function of a module"):
        sweep(CELLS, lambda settings: {}, tmp_path, fingerprint="f", scheduler=address)


def test_a_scheduler_that_is_not_there_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "_PATIENCE", 0.5)
    with pytest.raises(ValueError, match=r"nothing answers at tcp://127\.0\.0\.1:9 "):
        sweep(CELLS, descend, tmp_path, fingerprint="f", scheduler="tcp://127.0.0.1:9")
