"""The report: every number that it promises, from trainings that see no label."""

from dataclasses import replace

import numpy as np
import pytest

from build_scripts.precompute.datasets import Dataset, Split
from build_scripts.precompute.recipe import Run, fabric_for
from build_scripts.precompute.recipes.image_run import CURVES, load
from build_scripts.precompute.recipes.stl10_report import RECIPE, SMALL, record_report, stages
from build_scripts.precompute.training import fabric_for as training_fabric

CONFIG = replace(
    SMALL, size=16, batch=16, hidden=8, d=4, shown=16, few_labels=2, neighbours=5, perplexity=4.0,
    picture_steps=30,
)  # fmt: skip


def split(count, seed):
    """Squares of one of three colours at a random place."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    images = rng.integers(0, 60, (count, 16, 16, 3)).astype(np.uint8)
    for image, label, (top, left) in zip(images, labels, rng.integers(0, 8, (count, 2)), strict=True):
        image[top : top + 8, left : left + 8, label] = 250
    return Split(images, labels.astype(np.int64))


DATA = Dataset("squares", "a test", "-", "-", "0" * 64, ("r", "g", "b"), split(60, 0), split(24, 1))


def report(work, config=CONFIG, data=DATA, progress=lambda *told: None):
    return record_report(config, data, Run(fabric_for("cpu"), work, progress))


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return report(tmp_path_factory.mktemp("whole"))


def stored(result, name):
    return result.arrays[name].array


def test_every_promised_array_is_there_and_finite(result):
    assert stored(result, "stage").tolist() == [1, 2, 3]
    assert stored(result, "picture").shape == (3, 16, 2)
    for name, _, _ in CURVES.values():
        assert stored(result, name).shape == (2, 4), name
    for name in ("class_precision", "class_recall", "class_f1"):
        assert stored(result, name).shape == (2, 3)
    for name in ("efficiency_trained", "efficiency_untrained", "efficiency_trained_std"):
        assert stored(result, name).shape == (2, 3)
    for name in result.arrays:
        assert np.isfinite(stored(result, name)).all(), name
    assert all(np.isfinite(value) for value in result.metrics.values())


def test_no_image_is_exported(result):
    """The published sets state no licence."""
    assert not [name for name, e in result.arrays.items() if e.array.dtype == np.uint8 and e.array.ndim > 1]


def test_the_scores_are_those_of_the_confusion(result):
    confusions = stored(result, "confusion")
    for i, counts in enumerate(confusions):
        assert counts.sum(1).tolist() == [8, 8, 8]
        np.testing.assert_allclose(stored(result, "class_recall")[i], np.diag(counts) / 8)
        both = counts.sum(0) + counts.sum(1)
        np.testing.assert_allclose(stored(result, "class_f1")[i], 2 * np.diag(counts) / both)
    right = np.trace(confusions, axis1=1, axis2=2) / 24
    np.testing.assert_allclose(result.metrics["accuracy"], right.mean())
    np.testing.assert_allclose(result.metrics["accuracy_std"], right.std())
    np.testing.assert_allclose(result.metrics["f1_mean"], stored(result, "class_f1").mean())


def test_each_training_is_the_one_with_its_seeds_alone(result, tmp_path):
    second = report(tmp_path, replace(CONFIG.each()[1], repeats=1))
    for name in ("loss", "knn_h", "confusion", "efficiency_trained"):
        np.testing.assert_array_equal(stored(second, name)[0], stored(result, name)[1], err_msg=name)
    assert (stored(result, "loss")[0, 1:] != stored(result, "loss")[1, 1:]).all()
    np.testing.assert_allclose(result.metrics["loss_last"], stored(result, "loss")[:, -1].mean())
    np.testing.assert_allclose(result.metrics["loss_last_std"], stored(result, "loss")[:, -1].std())
    assert second.metrics["loss_last_std"] == 0


def test_label_efficiency_ends_at_the_report(result):
    """All labels are the probe of the report; 1 % of 20 is one label a class, 10 % are two."""
    assert stored(result, "labels_a_class").tolist() == [1, 2, 0]
    all_labels = stored(result, "efficiency_trained")[:, -1]
    np.testing.assert_allclose(all_labels, np.trace(stored(result, "confusion"), axis1=1, axis2=2) / 24)
    assert result.metrics["trained_100_percent"] == all_labels.mean() == result.metrics["accuracy"]
    assert (stored(result, "efficiency_trained_std")[:, -1] == 0).all()


def test_an_interrupted_run_gives_the_same(result, tmp_path):
    seen = []

    def stop(what, done, total, loss):
        seen.append(done)
        if seen.count(total // 2) == 2:  # halfway through the second training
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        report(tmp_path, progress=stop)
    resumed = report(tmp_path)
    assert resumed.metrics == result.metrics
    for name in result.arrays:
        np.testing.assert_array_equal(stored(resumed, name), stored(result, name), err_msg=name)


def test_labels_never_reach_the_training(result, tmp_path):
    rng = np.random.default_rng(5)
    parts = (replace(part, labels=rng.permutation(part.labels)) for part in (DATA.train, DATA.test))
    shuffled = report(tmp_path, data=replace(DATA, **dict(zip(("train", "test"), parts, strict=True))))
    for name in ("picture", "loss_train", "loss", "top1", "top5", "uniformity"):
        np.testing.assert_array_equal(stored(shuffled, name), stored(result, name), err_msg=name)
    assert (stored(shuffled, "confusion") != stored(result, "confusion")).any()


def test_unlabelled_images_are_trained_on_where_there_are_some(result, tmp_path):
    unlabelled = Split(split(32, 7).images)
    other = report(tmp_path, data=replace(DATA, unlabelled=unlabelled))
    assert (result.metrics["train_images"], other.metrics["train_images"]) == (60, 32)
    assert other.metrics["labelled_images"] == 60
    assert (stored(other, "loss_train") != stored(result, "loss_train")).all()


def test_a_test_part_without_labels_is_refused(tmp_path):
    with pytest.raises(ValueError, match="squares has no labels"):
        report(tmp_path, data=replace(DATA, test=replace(DATA.test, labels=None)))


def test_stages():
    assert stages(300) == (1, 100, 200, 300)
    assert stages(2) == (1, 2)
    with pytest.raises(ValueError, match="epochs must be >= 2"):
        replace(CONFIG, epochs=1)


def test_the_students_recipe():
    for name in ("gpu", "stl10", "cifar10"):
        config = RECIPE.preset(name)
        assert (config.encoder, config.batch, config.epochs) == ("resnet18", 256, 300)
        assert (config.optimizer, config.learning_rate, config.perplexity) == ("adam", 3e-4, 50.0)
        assert config.dataset == {"gpu": "factors"}.get(name, name)
    assert RECIPE.preset("gpu").size == 96


def test_missing_files_are_named_with_the_way_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setenv("LWL_DATA", str(tmp_path))
    with pytest.raises(ValueError, match="stl10_binary"):
        load(RECIPE.preset("stl10"))


def test_the_gpu_preset_runs_whole_at_a_tiny_size(tmp_path):
    """Rendered factors of 96 pixels, ResNet-18 with the large stem, bfloat16, a batch in two parts."""
    tiny = replace(
        RECIPE.preset("gpu"), count=40, test_count=20, width=4, d=8, epochs=2, batch=16, warmup_epochs=1,
        measured=20, shown=16, few_labels=2, few_label_draws=1, view_draws=1, share_draws=1, neighbours=5,
        perplexity=4.0, picture_steps=20, precision="bf16-mixed", accumulate=2, repeats=1,
    )  # fmt: skip
    assert (tiny.dataset, tiny.size, tiny.encoder) == ("factors", 96, "resnet18")
    fabric = training_fabric("cpu", precision="bf16-mixed")
    found = RECIPE.run(tiny, Run(fabric, tmp_path))
    assert found.dataset["name"] == "factors"
    assert found.dataset["options"]["size"] == 96
    assert found.metrics["train_images"] == 40
    assert all(np.isfinite(value) for value in found.metrics.values())
    assert stored(found, "loss").shape == (1, 3)
    assert stored(found, "confusion").sum() == 20
