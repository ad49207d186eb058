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
    # Not by the luck of one training.
    assert trajectory.manifest["seeds"]["repeats"] >= 3
    for name in ("top1", "knn", "few_label"):
        sphere, circle = (f"{name}_{d}_last_mean" for d in (3, 2))
        assert told[sphere] - told[circle] > told[f"{sphere}_std"] + told[f"{circle}_std"], name
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


# ---- the findings, at full strength, by the mean over seeds ----


def table(name):
    """Return a recipe's recorded arrays, or skip: `report` lists what was not run yet."""
    if name not in RUN:
        pytest.skip(f"{name} has not been run yet")
    return Recorded(RUN[name].folder)


def test_the_loss_is_lowest_and_the_probe_best_in_different_cells():
    recorded = table("loss-surface")
    loss, few = recorded["digits_loss_train"], recorded["digits_few5_h"]
    assert loss.shape[0] >= 12
    assert loss.shape[1] >= 12
    assert loss.shape[2] >= 3
    for seed in range(loss.shape[2]):
        lowest, best = loss[..., seed].argmin(), few[..., seed].argmax()
        assert lowest != best
        assert few[..., seed].flat[best] > few[..., seed].flat[lowest] + 0.05
        assert loss[..., seed].flat[best] > loss[..., seed].flat[lowest] + 1


def test_a_sphere_shows_more_than_a_circle():
    recorded = table("loss-surface")
    circle, sphere = (recorded[f"{name}_knn"].mean(axis=-1) for name in ("circle", "sphere"))
    assert sphere.max() > circle.max() + 0.1
    assert (sphere > circle).mean() > 0.95


def test_crops_of_a_tinted_digit_are_told_by_their_colour_until_it_is_distorted():
    told = table("shortcut").metrics
    assert told["crop_top1_histogram"] > 0.95
    assert told["crop_top1_crop"] > 0.98
    assert told["probe_crop"] < 0.3  # chance is 0.1
    assert told["probe_h_crop"] < told["probe_h_random"] - 0.15
    assert told["probe_crop_color"] > 0.82
    assert told["probe_h_crop_color"] >= 0.85
    assert told["crop-color_top1_histogram"] < 0.2
    assert told["few5_crop_color"] > told["few5_crop"] + 0.3


def test_pairs_with_colour_are_the_best_pairs_of_the_ablation():
    told = table("augmentation-ablation").metrics
    for pair in ("crop_color", "color_crop"):
        assert told[f"tinted_top1_{pair}"] < told["tinted_top1_crop"]
        assert told[f"tinted_probe_{pair}"] > told["tinted_probe_crop"] + 0.3
        assert told[f"tinted_probe_h_{pair}"] > told["tinted_probe_h_crop"] + 0.1
        assert told[f"photos_probe_h_{pair}"] > told["photos_probe_h_crop"]


def test_the_head_drops_colour_light_and_noise():
    """What a probe reads of h it reads less well of z, under the widest nonlinear head."""
    told = table("projection-head").metrics
    for part, names in (
        ("factors", ("hue", "scale", "light", "corrupted")),
        ("digits", ("background_hue", "foreground_lightness", "greyed", "corrupted")),
    ):
        for name in names:
            h, z = (told[f"{part}_factor_{name}_{end}"] for end in "hz")
            assert h > z + 0.01, name
    # Which quarter a digit is turned by tells it from other images: here the head has no cause to drop it.
    assert told["digits_chance_turned"] == 0.25
    assert min(told["digits_factor_turned_h"], told["digits_factor_turned_z"]) > 0.45


def test_a_narrow_head_drops_rotation_noise_and_the_class_and_h_keeps_them():
    """With d = 8; and a network without a head has dropped from h what another keeps below its head."""
    recorded = table("projection-head")
    rows = list(recorded.manifest["config"]["digits"]["axes"]["head"])
    for row in (rows.index("linear 8"), rows.index("nonlinear 8")):
        for name, least in (
            ("digits_factor_turned", 0.1),
            ("digits_factor_background_hue", 0.5),
            ("digits_probe", 0.25),
            ("factors_factor_corrupted", 0.2),
        ):
            z, h = (recorded[name + end][row].mean() for end in ("", "_h"))
            assert h > z + least, (rows[row], name)
    hue = recorded["digits_factor_background_hue_h"].mean(axis=-1)
    assert hue[rows.index("none")] < hue[rows.index("nonlinear 64")] - 0.2
