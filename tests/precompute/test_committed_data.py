"""The data that the book shows is what the recipe, as it stands, makes."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from build_scripts.precompute import digits
from build_scripts.precompute.evaluate import HIST_EDGES
from build_scripts.precompute.export import LIMIT
from build_scripts.precompute.recipe import ROOT
from build_scripts.precompute.recipes import RECIPES
from sim_engine import metrics
from sim_engine.data import Recorded

# A recipe that has not been run yet has no folder; `python -m build_scripts.precompute report` lists it.
RUN = {name: recipe for name, recipe in RECIPES.items() if recipe.folder.is_dir()}


def test_the_sims_have_their_data():
    assert {"digits-trajectory", "digits-negatives"} <= RUN.keys()


@pytest.fixture(params=RUN.values(), ids=RUN, scope="module")
def recipe(request):
    return request.param


@pytest.fixture(scope="module")
def recorded(recipe):
    return Recorded(recipe.folder)


def test_recipe_hash_is_current(recipe, recorded):
    preset = recipe.preset(recorded.manifest.get("preset", "cpu"))
    assert recorded.manifest["recipe_sha256"] == recipe.sha256(preset), (
        f"{recipe.folder} was made by another version of {recipe.name}: "
        f"run `python -m build_scripts.precompute {recipe.name}` and commit what it writes"
    )


def test_every_array_is_whole_and_the_folder_small(recipe, recorded):
    for name in recorded:
        assert np.isfinite(recorded[name]).all(), name
    assert sum(path.stat().st_size for path in recipe.folder.iterdir()) <= LIMIT


def test_no_machine_path(recipe):
    text = (recipe.folder / "manifest.json").read_text()
    for path in (ROOT, Path.home(), "/home/"):
        assert str(path) not in text


@pytest.fixture(scope="module")
def trajectory():
    return Recorded(RECIPES["digits-trajectory"].folder)


def test_the_held_out_images_are_the_datasets(trajectory):
    config = trajectory.manifest["config"]
    train, held_out = digits.split(digits.load(), config["held_out"], config["seed_split"])
    np.testing.assert_array_equal(trajectory["label"], held_out.labels)
    np.testing.assert_array_equal(trajectory["image"], np.rint(held_out.images / 16 * 255))
    share = np.bincount(held_out.labels) / np.bincount(np.concatenate([train.labels, held_out.labels]))
    np.testing.assert_allclose(share, 360 / 1797, atol=0.005)


@pytest.mark.parametrize("d", [2, 3])
def test_recorded_metrics_are_those_of_the_recorded_points(trajectory, d):
    z = trajectory[f"z{d}"]
    assert z.shape == (51, 360, d)
    unit = z / np.linalg.norm(z, axis=2, keepdims=True)
    for epoch in (0, 7, 50):
        got = metrics.uniformity(unit[epoch])
        np.testing.assert_allclose(got, trajectory[f"uniformity_{d}"][epoch], rtol=0, atol=1e-4)


@pytest.mark.parametrize("d", [2, 3])
def test_points_move_and_do_not_spin(trajectory, d):
    """No rotation of an epoch brings it closer to the one before."""
    for before, after in pairwise(trajectory[f"z{d}"]):
        product = after.T @ before  # symmetric and positive when the best rotation is none
        np.testing.assert_allclose(product, product.T, atol=0.05)
        assert np.linalg.eigvalsh((product + product.T) / 2).min() > -0.05


def test_training_taught_something(trajectory):
    """From held-out images: far better than before training, and better on the sphere than on the circle."""
    told = trajectory.metrics
    for d in (2, 3):
        assert told[f"loss_{d}_last"] < told["loss_equal"] < told[f"loss_{d}_first"] + 0.1
        assert told[f"knn_{d}_last"] > told[f"knn_{d}_first"] + 0.3
    assert told["knn_3_last"] > told["knn_2_last"]
    assert json.dumps(told, allow_nan=False)


def test_a_browser_asks_for_few_files(recipe):
    assert len(list(recipe.folder.iterdir())) <= 8


def test_the_negatives_are_those_of_the_recorded_training(trajectory):
    """Two recipes, one network: the quantiles put as many pairs into every bin as the trajectory counted."""
    recorded = Recorded(RECIPES["digits-negatives"].folder)
    counted = trajectory["negatives_hist_3"]
    quantiles, levels = recorded["negatives_3"], np.linspace(0, 1, 1025)
    assert recorded.metrics["negatives_pairs_3"] == counted.sum()
    assert (np.diff(quantiles) >= 0).all()
    below = np.interp(HIST_EDGES[1:-1], quantiles, levels)
    np.testing.assert_allclose(below, np.cumsum(counted)[:-1] / counted.sum(), rtol=0, atol=1 / 1024)
    even = np.interp((np.arange(10**5) + 0.5) / 10**5, levels, quantiles)
    np.testing.assert_allclose(even.mean(), recorded.metrics["negatives_mean_3"], rtol=0, atol=1e-3)
    np.testing.assert_allclose(even.std(), recorded.metrics["negatives_std_3"], rtol=0, atol=1e-3)
    for name in ("epochs", "batch", "tau", "held_out", "view_draws", "seed_model", "seed_views"):
        assert recorded.manifest["config"][name] == trajectory.manifest["config"][name]
