"""The trajectories of photographs and shapes: what they promise, and that points move and do not jump."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from build_scripts.precompute.datasets import Dataset, Split
from build_scripts.precompute.recipe import Run, fabric_for
from build_scripts.precompute.recipes import trajectory
from build_scripts.precompute.recipes.image_run import CURVES, load, rows_of
from build_scripts.precompute.recipes.stage_pictures import moved, stage_pictures
from build_scripts.precompute.recipes.trajectory import Trajectory, record_trajectory, stages
from sim_engine.projection import align_trajectory
from sim_engine.tsne import tsne

CONFIG = Trajectory(
    size=16,
    epochs=4,
    batch=16,
    warmup_epochs=1,
    width=4,
    hidden=8,
    shown=16,
    thumbnail=8,
    few_labels=2,
    few_label_draws=2,
    view_draws=1,
    neighbours=5,
    perplexity=4.0,
    picture_steps=40,
    repeats=2,
)


def split(count, seed):
    """Squares of one of three colours at a random place."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    images = rng.integers(0, 60, (count, 16, 16, 3)).astype(np.uint8)
    corners = rng.integers(0, 8, (count, 2))
    for image, label, (top, left) in zip(images, labels, corners, strict=True):
        image[top : top + 8, left : left + 8, label] = 250
    return Split(images, labels.astype(np.int64), {"x": corners[:, 1].astype(np.float64), "shape": labels})


def relabelled(part, rng):
    order = rng.permutation(len(part))
    return Split(part.images, part.labels[order], {k: v[order] for k, v in part.factors.items()})


DATA = Dataset("squares", "a test", "-", "-", "0" * 64, ("r", "g", "b"), split(48, 0), split(24, 1))


def record(work, config=CONFIG, data=DATA, progress=lambda *told: None):
    return record_trajectory(config, data, Run(fabric_for("cpu"), work, progress))


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return record(tmp_path_factory.mktemp("whole"))


def values(result, name):
    e = result.arrays[name]
    return e.array * (1 if e.scale is None else e.scale) + (e.offset or 0)


def same(one, other, names):
    for name in names:
        np.testing.assert_array_equal(one.arrays[name].array, other.arrays[name].array, err_msg=name)


def test_every_promised_array_is_there_and_finite(result):
    assert values(result, "z3").shape == (5, 16, 3)
    assert values(result, "picture").shape == (4, 16, 2)  # an eighth of 4 epochs rounds to the first
    assert values(result, "stage").tolist() == [0, 1, 2, 4]
    assert result.arrays["image"].array.shape == (16, 8, 8, 3)
    for name, _, _ in CURVES.values():
        assert values(result, f"{name}_3").shape == (2, 5), name
    assert values(result, "reads_shape_h_3").shape == (2, 5)
    for name in result.arrays:
        assert np.isfinite(values(result, name)).all(), name
    assert all(np.isfinite(value) for value in result.metrics.values())
    assert result.dataset["classes"] == ["r", "g", "b"]
    assert result.metrics["label_chance"] == 8 / 24  # of all that are measured, not of those shown
    assert result.metrics["top1_chance"] == 1 / 31
    np.testing.assert_allclose(np.linalg.norm(values(result, "z3"), axis=2), 1, atol=1e-3)


def test_labels_and_images_are_those_of_the_shown_rows(result):
    rows = rows_of(CONFIG, 24)[1]
    assert values(result, "label").tolist() == DATA.test.labels[rows].tolist()
    wanted = DATA.test.images[rows].reshape(16, 8, 2, 8, 2, 3).mean((2, 4))
    assert np.abs(values(result, "image") - wanted).max() <= 1  # rounded after each axis
    np.testing.assert_allclose(values(result, "factor_x"), DATA.test.factors["x"][rows], atol=1e-3)


def test_how_far_points_go_is_recorded(result):
    np.testing.assert_allclose(values(result, "picture_moved"), moved(values(result, "picture")), rtol=1e-3)
    assert result.metrics["picture_moved"] == values(result, "picture_moved").mean()


def test_a_short_training_lowers_the_loss(result):
    loss = values(result, "loss_train_3")
    assert loss[0, -1] < loss[0, 1]  # four epochs of three batches: not with every seed
    # Untrained z are nearly one point: no view is told from another.
    assert (abs(loss[:, 0] - result.metrics["loss_equal"]) < 0.6).all()


def test_trainings_differ_by_their_seeds_and_the_first_is_shown(result, tmp_path):
    loss = values(result, "loss_3")
    assert (loss[0] != loss[1]).all()
    assert result.metrics["loss_3_last"] == loss[:, -1].mean()
    assert result.metrics["loss_3_last_std"] == loss[:, -1].std()
    alone = record(tmp_path, replace(CONFIG, seed_model=1, seed_views=2, repeats=1))
    np.testing.assert_array_equal(values(alone, "loss_3")[0], loss[1])
    assert (values(alone, "z3") != values(result, "z3")).any()
    # Spreads over draws of labels are arrays; among the metrics a spread is one over trainings.
    assert not [name for name in result.metrics if "_std_" in name]


def test_an_interrupted_run_gives_the_same(result, tmp_path):
    def stop(what, done, total, loss):
        if done == total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record(tmp_path, progress=stop)
    seen = []
    resumed = record(tmp_path, progress=lambda what, done, total, loss: seen.append(done))
    assert seen[0] > 1
    assert resumed.metrics == result.metrics
    same(resumed, result, result.arrays)


def test_labels_never_reach_the_training(result, tmp_path):
    rng = np.random.default_rng(5)
    other = replace(DATA, train=relabelled(DATA.train, rng), test=relabelled(DATA.test, rng))
    shuffled = record(tmp_path, data=other)
    same(shuffled, result, ("z3", "picture", "image", "loss_train_3", "loss_3", "top1_3", "uniformity_3"))
    assert (shuffled.arrays["label"].array != result.arrays["label"].array).any()


def drifting(count, seed):
    """Features of four moments: five groups that leave a cloud."""
    rng = np.random.default_rng(seed)
    cloud, centres = rng.normal(size=(count, 12)), 4 * rng.normal(size=(5, 12))
    return [cloud + share * centres[np.arange(count) % 5] for share in (0.0, 0.3, 0.6, 1.0)]


def test_points_move_and_do_not_jump():
    features = drifting(60, 0)
    drawn = stage_pictures(features, perplexity=10, steps=250)
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in features]
    apart = [
        tsne(rows, rng=np.random.default_rng(seed), perplexity=10, steps=250, early=60)
        for seed, rows in enumerate(unit)
    ]
    jumped = moved(align_trajectory(np.stack(apart)))
    assert moved(drawn.y).mean() < 0.6 * jumped.mean()
    # No turn of a picture brings it closer to the one before.
    for before, after in pairwise(drawn.y):
        assert np.linalg.eigvalsh((after.T @ before + before.T @ after) / 2).min() > -1e-6


def test_pictures_still_show_the_neighbours():
    features = drifting(60, 1)
    last = stage_pictures(features, perplexity=10, steps=250).y[-1]
    away = np.linalg.norm(last[:, None] - last, axis=2) + 1e9 * np.eye(60)
    nearest = away.argmin(1)
    assert (nearest % 5 == np.arange(60) % 5).mean() > 0.9


def test_moved_is_a_share_of_the_pictures_size():
    y = np.array([[[1.0, 0.0], [-1.0, 0.0]], [[0.0, 1.0], [0.0, -1.0]]])
    np.testing.assert_allclose(moved(y), [np.sqrt(2)])
    np.testing.assert_allclose(moved(7 * y), [np.sqrt(2)])


def test_stages():
    assert stages(40) == (0, 5, 10, 20, 40)
    assert stages(1) == (0, 1)


def test_the_data_is_that_of_the_settings():
    data = load(replace(CONFIG, dataset="factors", count=12, test_count=10, size=32))
    assert data.options == {"count": 12, "test_count": 10, "size": 32, "seed": 0}


@pytest.mark.parametrize("recipe", [trajectory.PHOTOS, trajectory.FACTORS], ids=lambda r: r.name)
def test_presets(recipe):
    assert set(recipe.presets) == {"cpu", "gpu", "small"}
    assert recipe.preset("gpu").encoder == "resnet18"
    assert {recipe.preset(p).dataset for p in recipe.presets} == {recipe.name.split("-")[0]}
    assert recipe.folder.parts[-3:] == ("sims", recipe.name, "data")
    assert recipe.preset("cpu").seeds() == {"data": 0, "model": 0, "views": 1, "measures": 2, "repeats": 3}
    assert recipe.modules == ("recipes/trajectory",)
    assert "recipes/image_run" in recipe.code


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"d": 2}, "d must be 3"),
        ({"thumbnail": 17}, "thumbnail must be <= size"),
        ({"epochs": 0}, "epochs must be a whole number >= 1"),
        ({"tau": 0.0}, "tau must be > 0"),
        ({"perplexity": 15.0}, "perplexity must lie between 1 and shown - 1"),
        ({"measured": 8}, "measured must be >= shown"),
        ({"warmup_epochs": 9}, "warmup_epochs must be <= epochs"),
        ({"seed_model": -1}, "seed_model must be a whole number >= 0"),
    ],
)
def test_a_wrong_setting_is_named(wrong, told):
    with pytest.raises(ValueError, match=told):
        replace(CONFIG, **wrong)


def test_more_images_than_there_are(tmp_path):
    with pytest.raises(ValueError, match="shown must be <= 24"):
        record(tmp_path, replace(CONFIG, shown=25))
