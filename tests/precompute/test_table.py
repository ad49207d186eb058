"""Recipes that are tables: every cell where it belongs, and every recipe's small preset as promised."""

import json
import time

import numpy as np
import pytest

from build_scripts.precompute import datasets, table
from build_scripts.precompute.fingerprint import imported
from build_scripts.precompute.job import Job
from build_scripts.precompute.recipe import ROOT, Run, fabric_for
from build_scripts.precompute.recipes import RECIPES
from build_scripts.precompute.table import Axis, Part, Table, table_recipe

TABLES = {name: recipe for name, recipe in RECIPES.items() if isinstance(recipe.config, Table)}
AXES = (
    Axis.over("strength", (0.0, 0.5)),
    Axis("kind", {"a": {"tau": 0.1}, "b": {"tau": 1.0}, "c": {"d": 3}}),
)
SHOWN = Job(shown=4)


def echo(settings):
    """Stand in for a training: give the settings back as numbers."""
    code = 1000 * settings["strength"] + 100 * settings["tau"] + 10 * settings["d"] + settings["seed"]
    found = {"loss": code, "few5_h": settings["tau"]}
    return found | ({"z": np.full((settings["shown"], 2), settings["tau"])} if settings["shown"] else {})


def recipe(findings=lambda arrays: {"largest": float(arrays["p_loss"].max())}, seeds=2, base=SHOWN):
    part = Part(base, AXES, seeds=seeds, metrics=("loss", "few5_h"))
    tables = {"cpu": Table({"p": part})}
    file = table.__file__
    return table_recipe(name="echo", about="", slug="echo", presets=tables, findings=findings, file=file)


@pytest.fixture
def result(monkeypatch, tmp_path):
    monkeypatch.setattr(table, "run_job", echo)
    made = recipe()
    return made.run(made.config, Run(fabric_for("cpu"), tmp_path))


def plain(stored):
    return stored.array * stored.scale + stored.offset


def test_every_cell_stands_where_its_settings_say(result):
    loss = plain(result.arrays["p_loss"])
    assert loss.shape == (2, 3, 2)
    for i, strength in enumerate((0.0, 0.5)):
        for j, (tau, d) in enumerate(((0.1, 32), (1.0, 32), (0.5, 3))):
            for seed in range(2):
                assert loss[i, j, seed] == pytest.approx(
                    1000 * strength + 100 * tau + 10 * d + seed, abs=result.arrays["p_loss"].max_error + 1e-9
                )


def test_a_resumed_table_tells_the_whole_work(monkeypatch, tmp_path):
    """Each cell keeps its own seconds; one that was stored without them counts as nothing."""

    def slow(settings):
        time.sleep(0.02)
        return echo(settings)

    def stop(what, done, total, loss):
        if done == 6:
            raise KeyboardInterrupt

    monkeypatch.setattr(table, "run_job", slow)
    made = recipe()
    with pytest.raises(KeyboardInterrupt):
        made.run(made.config, Run(fabric_for("cpu"), tmp_path, stop))
    whole = made.run(made.config, Run(fabric_for("cpu"), tmp_path)).seconds
    assert whole >= 12 * 0.02
    assert made.run(made.config, Run(fabric_for("cpu"), tmp_path)).seconds == whole
    for path in sorted((tmp_path / "cells").glob("*.npz"))[:6]:
        with np.load(path) as file:
            old = {name: file[name] for name in file.files if name != "_seconds"}
        np.savez(path, **old)
    assert 6 * 0.02 <= made.run(made.config, Run(fabric_for("cpu"), tmp_path)).seconds < whole


def test_axes_of_numbers_are_arrays_and_pictures_are_of_the_first_seed(result):
    np.testing.assert_array_equal(result.arrays["p_strength"].array, [0.0, 0.5])
    assert "p_kind" not in result.arrays
    assert plain(result.arrays["p_z"]).shape == (2, 3, 4, 2)
    test = datasets.load("digits").test
    np.testing.assert_array_equal(result.arrays["p_label"].array, test.labels[:4])
    assert result.metrics == {"largest": pytest.approx(921.0)}
    assert result.dataset["name"] == "digits"


def test_the_shown_images_are_named_by_the_factors_that_are_probed(monkeypatch, tmp_path):
    """An angle in degrees; what is altered for a probe alone is no property of an image."""
    monkeypatch.setattr(table, "run_job", echo)
    options = {"count": 20, "test_count": 10, "size": 32}
    base = Job(dataset="factors", dataset_options=options, shown=4, factors=("hue", "scale", "turned"))
    made = recipe(seeds=1, base=base)
    arrays = made.run(made.config, Run(fabric_for("cpu"), tmp_path)).arrays
    test = datasets.load("factors", **options).test
    for name, unit in (("hue", "degrees"), ("scale", "")):
        np.testing.assert_array_equal(arrays[f"p_shown_{name}"].array, test.factors[name][:4])
        assert arrays[f"p_shown_{name}"].unit == unit
    np.testing.assert_array_equal(arrays["p_label"].array, test.labels[:4])
    assert "p_shown_turned" not in arrays


def test_cells_of_one_strength_and_one_seed_share_their_views():
    cells = recipe().config.chosen()["p"].cells("p", "cpu")
    shared = {}
    for cell in cells:
        shared.setdefault(cell.shares, set()).add((cell.settings["strength"], cell.settings["seed"]))
    assert list(shared.values()) == [{(0.0, 0)}, {(0.0, 1)}, {(0.5, 0)}, {(0.5, 1)}]


def test_the_settings_are_json_and_name_every_row():
    told = json.loads(json.dumps(recipe().config.as_dict()))
    assert told["p"]["axes"]["kind"]["c"] == {"d": 3}
    assert recipe().config.seeds() == {"p_first": 0, "p_count": 2}


def test_a_table_refuses_negative_numbers():
    with pytest.raises(ValueError, match="repeats must be a whole number >= 0, got -1"):
        Table({}, repeats=-1)


def test_what_a_recipe_imports_is_part_of_its_code():
    made = RECIPES["collapse"]
    assert made.modules == ("recipes/collapse",)
    assert {"job", "methods/simsiam", "training/fit", "recipes/shared"} <= set(made.code)
    assert made.code_sha256() != RECIPES["bugs"].code_sha256()


def test_what_is_imported_is_found():
    names = {path.relative_to(ROOT).as_posix() for path in imported(ROOT / "build_scripts/precompute/job.py")}
    for wanted in ("job.py", "measures.py", "training/fit.py", "methods/losses.py", "device_views/draw.py"):
        assert f"build_scripts/precompute/{wanted}" in names
    assert not [name for name in names if "export" in name or "sweep" in name or "__main__" in name]


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_its_presets_and_unique_cells(name):
    made = TABLES[name]
    assert {"cpu", "gpu", "small"} <= made.presets.keys()
    for preset in made.presets.values():
        for part_name, part in preset.chosen().items():
            cells = part.cells(part_name, "cpu")
            assert len({json.dumps(cell.settings, sort_keys=True) for cell in cells}) == len(cells)
            assert len(cells) == np.prod(part.shape)


def test_the_surface_is_twelve_by_twelve_with_three_seeds():
    shape = TABLES["loss-surface"].config.chosen()["digits"].shape
    assert shape[0] >= 12
    assert shape[1] >= 12
    assert shape[2] >= 3


def test_the_ablation_has_every_single_and_every_ordered_pair_of_seven():
    rows = list(TABLES["augmentation-ablation"].config.chosen()["tinted"].axes[0].rows)
    assert len(rows) == len(set(rows)) == 49
    assert {"crop", "crop then color", "color then crop"} <= set(rows)


@pytest.mark.parametrize("name", ["collapse", "bugs", "temperature"])
def test_a_small_preset_gives_finite_arrays_and_findings(name, tmp_path):
    made = TABLES[name]
    small = made.run(made.preset("small"), Run(fabric_for("cpu"), tmp_path))
    assert small.metrics
    assert np.isfinite(list(small.metrics.values())).all()
    for stored in small.arrays.values():
        assert stored.array.size
        assert stored.scale is None or np.isfinite([stored.scale, stored.offset]).all()
