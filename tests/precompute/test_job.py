"""One training as a row of settings: what it promises, and the findings that the book rests on."""

import json

import numpy as np
import pytest
import torch

from build_scripts.precompute import datasets
from build_scripts.precompute import job as job_module
from build_scripts.precompute.datasets import Split
from build_scripts.precompute.job import Job, run_job
from build_scripts.precompute.job_views import views_of
from build_scripts.precompute.measures import (
    Measures,
    altered,
    as_images,
    embeddings,
    factor_score,
    measure,
)
from build_scripts.precompute.recipes import augmentation_ablation
from sim_engine import metrics

SHORT = Job(epochs=2, few_label_draws=2, view_draws=1, train_on=300)


def same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def test_the_settings_survive_json():
    job = SHORT.with_(method_options={"queue": 4}, views=("crop", "noise"), dataset_options={"seed": 3})
    assert Job.of(json.loads(json.dumps(job.settings()))) == job


def test_one_seed_gives_one_result_and_another_gives_another():
    first, again = (run_job(SHORT.settings()) for _ in range(2))
    same(first, again)
    other = run_job(SHORT.with_(seed=1).settings())
    assert other["loss"] != first["loss"]


def test_labels_reach_no_training_without_labels(monkeypatch):
    """Shuffled labels leave every measure as it is that knows no label."""
    before = run_job(SHORT.with_(shown=20).settings())
    data = job_module._dataset("digits", "{}")
    rng = np.random.default_rng(0)
    shuffled = Split(data.train.images, rng.permutation(data.train.labels), data.train.factors)

    def relabelled(name, options):
        return type(data)(**{**vars(data), "train": shuffled})

    monkeypatch.setattr(job_module, "_dataset", relabelled)
    after = run_job(SHORT.with_(shown=20).settings())
    for name in ("loss", "loss_train", "top1", "alignment", "uniformity", "rank_h", "z"):
        np.testing.assert_array_equal(before[name], after[name], err_msg=name)
    assert after["knn_h"] < before["knn_h"]


@pytest.mark.parametrize("method", ["raw", "histogram", "random"])
def test_a_baseline_trains_nothing(method):
    found = run_job(SHORT.with_(method=method, dataset="tinted-digits").settings())
    assert np.isnan(found.get("loss_train", np.nan))
    assert 0 < found["few5_h"] < 1


def test_a_histogram_knows_colours_and_not_places():
    """Colours alone find the other crop of a tinted digit, and say nothing of the digit."""
    found = run_job(SHORT.with_(method="histogram", dataset="tinted-digits", views=("crop",)).settings())
    assert found["top1"] > 0.7
    assert found["few5_h"] < 0.2


def test_a_supervised_network_on_all_labels_names_the_digits():
    found = run_job(SHORT.with_(method="supervised", epochs=10, train_on=0).settings())
    assert found["accuracy"] > 0.85
    few = run_job(SHORT.with_(method="supervised", epochs=10, train_on=0, labels=1, batch=64).settings())
    assert few["accuracy"] < found["accuracy"] - 0.2


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"tau": 0.0}, "tau must be > 0"),
        ({"strength": 1.5}, r"strength must lie in \[0, 1\]"),
        ({"epochs": -1}, "epochs must be a whole number >= 0"),
        ({"batch": 1}, "batch must be a whole number >= 2"),
        ({"probe": "x"}, "probe must be true, false, 'h' or 'z', got 'x'"),
        ({"temprature": 1.0}, "no setting temprature"),
    ],
)
def test_a_wrong_setting_is_named(changes, wanted):
    with pytest.raises(ValueError, match=wanted):
        SHORT.with_(**changes)


def test_unknown_names_are_answered_with_the_known():
    for changes, known in (
        ({"dataset": "digit"}, "tinted-digits"),
        ({"method": "simclrr"}, "simclr"),
        ({"encoder": "resnet9"}, "resnet18"),
    ):
        with pytest.raises(ValueError, match=known):
            run_job(SHORT.with_(**changes).settings())


def test_shifted_colours_are_those_of_test_images_alone():
    """A probe learns colours as they are: of images with every hue turned by half it is then wrong.

    Learned under the shift, it would be right again: a turn by half is linear in cosine and sine.
    """
    job = SHORT.with_(method="histogram", dataset="tinted-digits", train_on=0, factors=("background_hue",))
    plain, turned = (run_job(job.with_(hue=hue).settings()) for hue in (0.0, 0.5))
    assert plain["factor_background_hue_h"] > 0.2
    assert turned["factor_background_hue_h"] < -0.2
    assert plain["rank_h"] != turned["rank_h"]


def test_shifted_colours_leave_the_training_as_it_is():
    job = SHORT.with_(dataset="tinted-digits", views=("crop",))
    plain, dark = (run_job(job.with_(brightness=b).settings()) for b in (1.0, 0.7))
    assert plain["loss_train"] == dark["loss_train"]
    assert plain["knn_h"] != dark["knn_h"]


# ---- views ----


def test_strength_zero_changes_nothing_and_one_much():
    images = torch.rand(8, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    names = ("crop", "color", "noise", "rotation")
    far = []
    for strength in (0.0, 0.3, 1.0):
        views = views_of(names, strength, {})(images, torch.Generator().manual_seed(1))
        far.append(float((views - images).abs().mean()))
    assert far[0] < 1e-5
    assert far[0] < far[1] < far[2]


def test_options_reach_their_view():
    images = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    grey = views_of(("grey",), 0.5, {"grey": 1.0})(images, torch.Generator().manual_seed(1))
    assert torch.allclose(grey[:, 0], grey[:, 1])
    for name, option in (("noise", "noise"), ("rotation", "turn"), ("crop", "geometry")):
        still = views_of((name,), 1.0, {option: 0.0})(images, torch.Generator().manual_seed(1))
        assert float((still - images).abs().max()) < 1e-5, name


def test_the_seven_views_of_the_ablation_are_seven():
    """On images of 8 pixels too, none leaves them as they are and no two do the same."""
    for part in (augmentation_ablation.TINTED, augmentation_ablation.PHOTOS):
        data = datasets.load(part.base.dataset, **part.base.dataset_options)
        images = as_images(data.test.images[:64])
        made = [
            views_of((name,), part.base.strength, part.base.view_options)(
                images, torch.Generator().manual_seed(0)
            )
            for name in augmentation_ablation.SEVEN
        ]
        for i, one in enumerate(made):
            for other in (images, *made[:i]):
                assert float((one - other).abs().mean()) > 1e-3, augmentation_ablation.SEVEN[i]


def test_every_hue_hides_a_tint():
    """SimCLR's own range leaves a red image reddish; half a turn either way leaves nothing of its hue."""
    red = torch.tensor([0.8, 0.2, 0.2])[None, :, None, None].expand(400, 3, 8, 8).contiguous()
    redness = []
    for options in ({}, {"hue": 0.5}):
        made = views_of(("color",), 1.0, {"color_p": 1.0, **options})(red, torch.Generator().manual_seed(0))
        redness.append(float((made[:, 0] - made[:, 1:].mean(dim=1)).mean()))
    assert redness[0] > 0.2
    assert abs(redness[1]) < 0.05
    still = views_of(("crop",), 0.0, {"hue": 0.5})(red, torch.Generator().manual_seed(0))
    assert float((still - red).abs().max()) < 1e-5  # without colour among the names there is no turn


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ((("crop",), 2.0, {}), "strength must lie"),
        ((("color",), 1.0, {"hue": 0.7}), r"hue must lie in \[0, 0.5\]"),
        ((("crop",), 0.5, {"speed": 1}), "no view option speed"),
        ((("digit", "crop"), 0.5, {}), "stands alone"),
    ],
)
def test_wrong_views_are_named(arguments, wanted):
    with pytest.raises(ValueError, match=wanted):
        views_of(*arguments)


# ---- measures ----


def parts(n=60, seed=0):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (n, 8, 8, 1), dtype=np.uint8)
    labels = np.arange(n, dtype=np.int64) % 3
    factors = {"x": images.mean(axis=(1, 2, 3)).astype(np.float64), "kind": labels}
    return Split(images, labels, factors)


def pixels(images):
    flat = images.flatten(1)
    return flat, flat - flat.mean(dim=1, keepdim=True)


def as_they_are(images, generator):
    return images


def test_the_measures_are_the_engines():
    train, test = parts(600), parts(40, seed=1)
    wanted = Measures(batch=20, view_draws=1, factors=("x", "kind"))
    found = measure(pixels, train, test, as_they_are, wanted, "cpu")
    h, z = embeddings(pixels, as_images(test.images))
    assert found["uniformity"] == metrics.uniformity(z)
    assert found["mean_vector"] == metrics.mean_vector_length(z)
    assert found["rank_h"] == metrics.effective_rank(h - h.mean(axis=0))
    # The views are the images, so every partner is found, at no distance.
    assert found["top1"] == 1.0
    assert found["alignment"] == 0.0
    # The mean of the pixels is linear in them.
    assert found["factor_x_h"] > 0.99


def test_an_angle_is_read_as_cosine_and_sine():
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, 300)
    rows = np.stack([np.cos(angle), np.sin(angle)], axis=1) @ rng.normal(size=(2, 5))
    truth = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    assert factor_score(rows[:200], truth[:200], rows[200:], truth[200:]) > 0.99
    noise = rng.normal(size=(300, 5))
    assert factor_score(noise[:200], truth[:200], noise[200:], truth[200:]) < 0.1


def test_a_unit_that_hardly_fires_decides_no_factor():
    """It fired by a millionth in one training image, and by 1 in a test image."""
    rng = np.random.default_rng(0)
    rows, truth = rng.normal(size=(300, 4)), rng.normal(size=(300, 1))
    truth += rows[:, :1]
    firing = np.zeros((300, 1))
    firing[5], firing[250] = 1e-6, 1.0
    wide = np.hstack([rows, firing])
    without, with_it = (factor_score(x[:200], truth[:200], x[200:], truth[200:]) for x in (rows, wide))
    assert with_it == pytest.approx(without, abs=0.01)


def test_altered_images_are_what_their_class_says():
    images = torch.rand(80, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    turned, quarters = altered(images, "turned", np.random.default_rng(1))
    assert np.bincount(quarters).tolist() == [20] * 4
    for i in range(80):
        torch.testing.assert_close(torch.rot90(turned[i], -int(quarters[i]), (1, 2)), images[i])
    for name, share in (("corrupted", 0.01), ("greyed", 0.1)):
        changed, classes = altered(images, name, np.random.default_rng(1))
        assert np.bincount(classes).tolist() == [40, 40]
        far = (changed - images).abs().mean(dim=(1, 2, 3)).numpy()
        assert (far[classes == 0] == 0).all()
        assert (far[classes == 1] > share).all()
    assert torch.allclose(changed[classes == 1][:, 0], changed[classes == 1][:, 2])


def test_probes_of_altered_images_have_their_chance_and_read_what_is_plain():
    data = datasets.load("tinted-digits")
    wanted = Measures(view_draws=1, factors=("turned", "greyed"), few_labels=())
    train, test = data.train[:600], data.test[:200]
    found = measure(pixels, train, test, as_they_are, wanted, "cpu")
    assert found["chance_turned"] == 0.25
    assert found["chance_greyed"] == 0.5
    again = measure(pixels, train, test, as_they_are, wanted, "cpu")
    assert found["factor_greyed_h"] == again["factor_greyed_h"]
    grey = Split(np.repeat(data.train.images[:600].mean(axis=3, keepdims=True).astype(np.uint8), 3, 3))
    blind = measure(pixels, grey, grey[:200], as_they_are, Measures(factors=("greyed",)), "cpu")
    assert abs(blind["factor_greyed_h"] - 0.5) < 0.1  # grey images look the same in grey


def test_a_probe_of_h_alone_can_be_asked_for():
    found = measure(pixels, parts(), parts(40, seed=1), as_they_are, Measures(batch=20, probe="h"), "cpu")
    assert "probe_h" in found
    assert "probe" not in found


def test_a_dead_encoder_is_one_point_and_no_error():
    def dead(images):
        return torch.zeros(len(images), 4), torch.zeros(len(images), 3)

    found = measure(dead, parts(), parts(40, seed=1), as_they_are, Measures(batch=20, view_draws=1), "cpu")
    assert found["mean_vector"] == pytest.approx(1.0)
    assert found["rank_z"] == 1.0
    assert found["loss"] == pytest.approx(np.log(39))


def test_an_unknown_factor_is_named():
    with pytest.raises(ValueError, match="no factor hue; there are: x, kind, turned, corrupted, greyed"):
        measure(pixels, parts(), parts(), as_they_are, Measures(factors=("hue",)), "cpu")


# ---- the findings, each over three seeds ----


def over_seeds(job):
    return [run_job(job.with_(seed=seed).settings()) for seed in range(3)]


def test_finding_the_loss_and_the_probe_prefer_different_trainings():
    """On a grid of strength and temperature the lowest NT-Xent and the best features are in two cells."""
    base = Job(epochs=12, view_draws=1, few_label_draws=3)
    grid = [(s, tau) for s in (0.0, 0.5) for tau in (0.05, 0.5)]
    found = [over_seeds(base.with_(strength=s, tau=tau)) for s, tau in grid]
    loss, few = (np.array([[r[name] for r in cell] for cell in found]) for name in ("loss_train", "few5_h"))
    lowest, best = int(loss.mean(axis=1).argmin()), int(few.mean(axis=1).argmax())
    assert grid[lowest] == (0.0, 0.05)
    assert grid[best] == (0.5, 0.5)
    assert (loss.argmin(axis=0) == lowest).all()
    assert (few[best] > few[lowest] + 0.01).all()


def test_finding_a_sphere_shows_more_than_a_circle():
    base = Job(epochs=20, view_draws=1, few_label_draws=1)
    circle, sphere = over_seeds(base.with_(d=2)), over_seeds(base.with_(d=3))
    assert max(r["knn"] for r in circle) < min(r["knn"] for r in sphere) - 0.05


def test_finding_colour_is_a_shortcut_until_it_is_distorted():
    """Crops of a tinted digit are told by colour alone; with distorted colours the digit is learned."""
    few = {"few_labels": (20,), "few_label_draws": 2}
    base = augmentation_ablation.TINTED.base.with_(epochs=14, probe="z", **few)
    crop, both = over_seeds(base.with_(views=("crop",))), over_seeds(base.with_(views=("crop", "color")))
    assert min(r["top1"] for r in crop) > 0.95
    # Near chance, 0.1, only after a longer training: the recorded table of `shortcut` says so.
    assert max(r["probe"] for r in crop) < 0.55
    assert min(r["probe"] for r in both) > 0.82
    assert np.mean([r["probe"] for r in both]) > 0.85
    assert min(r["few20_h"] for r in both) > max(r["few20_h"] for r in crop) + 0.1
