"""Cells of a table trained at once: the numbers of each alone, one file each, and only those that fit."""

from functools import partial

import numpy as np
import pytest

from build_scripts.precompute import job, job_grid, table
from build_scripts.precompute.job import Job, run_job
from build_scripts.precompute.job_grid import groups, run_at_once
from build_scripts.precompute.recipe import Run, fabric_for
from build_scripts.precompute.recipes import RECIPES
from build_scripts.precompute.sweep import Cell, CellFailed, sweep
from build_scripts.precompute.table import Axis, Part, Table, table_recipe

JOB = Job(
    train_on=200, width=16, d=4, hidden=8, epochs=2, batch=64, warmup_epochs=1, few_label_draws=1,
    view_draws=1, optimizer="sgd", learning_rate=0.05,
)  # fmt: skip


def quiet(what, done, total, loss):
    pass


def cells(**changes):
    base = JOB.with_(**changes)
    return [
        Cell(f"c-{strength}-{tau}-{seed}", base.with_(strength=strength, tau=tau, seed=seed).settings())
        for strength in (0.0, 1.0)
        for tau in (0.1, 1.0)
        for seed in (0, 3)
    ]


def agree(found, wanted, tolerance):
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        # A share moves by one image when two neighbours are nearly as near.
        share = any(word in name for word in ("top", "knn", "few"))
        np.testing.assert_allclose(
            found[name], value, rtol=tolerance, atol=0.03 if share else tolerance, err_msg=name
        )


@pytest.mark.parametrize(("optimizer", "tolerance"), [("sgd", 2e-3), ("adamw", 5e-2)])
def test_a_grid_gives_what_each_cell_gives_alone(tmp_path, monkeypatch, optimizer, tolerance):
    own = cells(optimizer=optimizer, learning_rate=0.05 if optimizer == "sgd" else 2e-3, shown=5)
    together = partial(run_at_once, progress=quiet, at_once=6)
    with monkeypatch.context() as patch:
        patch.setattr(job, "fit", None)  # none is trained alone
        at_once = sweep(own, run_job, tmp_path, fingerprint="f", scheduler="grid", together=together)
    assert all(seconds > 0 for seconds in at_once.seconds.values())
    for cell in own[::3]:
        agree(at_once[cell.key], run_job(cell.settings), tolerance)
    assert len(list(tmp_path.glob("*.npz"))) == 8


def test_a_table_by_grid_is_the_table_in_turn(tmp_path):
    axes = (Axis.over("d", (2, 4)), Axis.over("tau", (0.1, 1.0)))
    part = Part(JOB, axes, seeds=1, metrics=("loss_train", "loss", "uniformity"))
    made = table_recipe(
        name="t",
        about="",
        slug="t",
        presets={"cpu": Table({"p": part})},
        findings=lambda a: {},
        file=table.__file__,
    )
    results = {}
    for scheduler in ("grid", "serial"):
        told = []
        run = Run(fabric_for("cpu"), tmp_path / scheduler, lambda *t, told=told: told.append(t[0]), scheduler)
        results[scheduler] = made.run(made.config, run).arrays
        assert ("2 cells at once" in told) == (scheduler == "grid")
    for name, stored in results["serial"].items():
        found = results["grid"][name]
        if stored.scale is None:
            continue
        values = [e.array * e.scale + e.offset for e in (found, stored)]
        np.testing.assert_allclose(*values, rtol=2e-3, atol=2e-3, err_msg=name)


def test_a_grid_resumes_with_the_groups_that_are_missing(tmp_path, monkeypatch):
    own, trained = cells()[:6], []
    train_grid = job_grid.train_grid

    def counted(images, cells, *more, **named):
        trained.append([cell.key for cell in cells])
        if len(trained) == 2:
            raise MemoryError("killed")
        return train_grid(images, cells, *more, **named)

    monkeypatch.setattr(job_grid, "train_grid", counted)
    given = {
        "fingerprint": "f",
        "scheduler": "grid",
        "together": partial(run_at_once, progress=quiet, at_once=3),
    }
    with pytest.raises(CellFailed, match="MemoryError: killed"):
        sweep(own, run_job, tmp_path, **given)
    assert len(list(tmp_path.glob("*.npz"))) == 3
    results = sweep(own, run_job, tmp_path, **given)
    assert list(results) == [cell.key for cell in own]
    assert trained == [[c.key for c in own[:3]], [c.key for c in own[3:]], [c.key for c in own[3:]]]


def test_only_what_a_grid_can_train_is_in_a_group():
    def sizes(cells, at_once=99):
        return [len(group) for group in groups(cells, at_once)]

    assert sizes(cells()) == [8]
    assert sizes(cells(), 5) == [5, 3]
    assert sizes(cells()[:1]) == []
    assert sizes([*cells(), *cells(d=3), *cells(few_labels=(2,))]) == [16, 8]
    for other in (
        {"encoder": "conv"},
        {"method": "moco"},
        {"method_options": {"normalise": False}},
        {"head": "none"},
        {"views": ("noise",)},
        {"optimizer": "lars"},
        {"epochs": 0},
        {"labels": 5},
        {"curve": True},
    ):
        assert sizes(cells(**other)) == [], other


def test_a_setting_that_the_grid_does_not_know_keeps_a_job_out(monkeypatch):
    """Who adds a setting to `Job` must say whether a grid takes it."""
    monkeypatch.setattr(job_grid, "_SHARED", job_grid._SHARED - {"weight_decay"})
    assert groups(cells(weight_decay=0.5)) == []


@pytest.mark.parametrize("name", ["loss-surface", "temperature"])
def test_the_gpu_presets_of_the_surface_and_the_temperature_are_grids(name):
    part = RECIPES[name].preset("gpu").chosen()["digits"]
    made = part.cells("digits", "cuda")
    assert sum(map(len, groups(made))) == len(made)
    assert max(map(len, groups(made))) > 50


def test_a_loss_that_is_no_number_names_the_cell(tmp_path):
    given = {"fingerprint": "f", "scheduler": "grid", "together": partial(run_at_once, progress=quiet)}
    with pytest.raises(CellFailed, match=r"Diverged: the loss of cell 'c-"):
        sweep(cells(learning_rate=1e30)[:2], run_job, tmp_path, **given)
