"""A grid of models trained at once is each of them trained alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from build_scripts.precompute import digits
from build_scripts.precompute.simclr import Diverged
from build_scripts.precompute.sweep import Cell
from build_scripts.precompute.sweep.affine import Affine, many_views
from build_scripts.precompute.sweep.grid import GridConfig, _Step, alone, train_grid
from build_scripts.precompute.training import TrainConfig, fabric_for, fit
from build_scripts.precompute.views import generator

CELLS = [
    Cell("a", {"tau": 0.1, "strength": 0.5, "seed": 0}),
    Cell("b", {"tau": 0.5, "strength": 0.0, "seed": 0}),
    Cell("c", {"tau": 0.5, "strength": 1.0, "seed": 1}),
    Cell("d", {"tau": 1, "strength": 0.25, "seed": 7}),
]
TRAIN = TrainConfig(epochs=2, batch=50, warmup_epochs=1)
CONFIG = GridConfig(width=24, d=8, train=TRAIN)


@pytest.fixture(scope="module")
def images():
    pixels = digits.load().images[:160]
    return (pixels * 15.9375).astype(np.uint8)[..., None]  # 3 steps of 50, and 10 left out


def changed(**settings):
    return replace(CONFIG, train=replace(TRAIN, **settings))


def fitted(cell, config, images):
    method, views, train = alone(cell, config, channels=1, size=8)
    records = fit(method, images, views, train, fabric_for("cpu", precision=train.precision))
    return method, np.array([record["loss"] for record in records[1:]])


# Views are float32 in any precision, and warped in another order: about 1e-7 apart. In float32 Adam
# turns rounding into steps where a gradient is nearly 0, hence the width there.
@pytest.mark.parametrize(
    ("optimizer", "precision", "tolerance"),
    [
        ("adamw", "64-true", 2e-6),
        ("adam", "64-true", 2e-6),
        ("sgd", "64-true", 2e-6),
        ("sgd", "32-true", 1e-4),
        ("adamw", "32-true", 2e-2),
    ],
)
def test_each_model_is_what_fit_makes_of_it_alone(images, optimizer, precision, tolerance):
    config = changed(optimizer=optimizer, precision=precision)
    trained = train_grid(images, CELLS, config)
    assert [model.cell for model in trained] == CELLS
    probe = torch.from_numpy(images).permute(0, 3, 1, 2) / 255
    for model in trained:
        method, losses = fitted(model.cell, config, images)
        np.testing.assert_allclose(model.loss, losses, rtol=min(tolerance, 1e-4))
        wanted = method.state_dict()
        assert wanted.keys() == model.method.state_dict().keys()
        for got, want in zip(model.method.embed(probe), method.embed(probe), strict=True):
            np.testing.assert_allclose(got, want, atol=tolerance * float(want.abs().max()))
        for name, value in model.method.state_dict().items():
            if name.endswith("num_batches_tracked"):
                assert value == wanted[name] == 6
            elif precision == "64-true":
                np.testing.assert_allclose(value, wanted[name], rtol=1e-3, atol=2e-6, err_msg=name)


@pytest.mark.parametrize("head", ["linear", "nonlinear"])
def test_loss_and_gradient_of_every_model_are_its_own(images, head):
    config = replace(CONFIG, head=head)
    made = [alone(cell, config, channels=1, size=8) for cell in CELLS]
    batch = torch.from_numpy(images[:50]).permute(0, 3, 1, 2) / 255
    pair = [
        torch.stack([views(batch, generator(k, i)) for i, (_, views, _) in enumerate(made)]) for k in (0, 1)
    ]
    step = _Step([method for method, _, _ in made], [cell.settings["tau"] for cell in CELLS], TRAIN)
    losses = step(*pair, 0, 3)
    for i, (method, _, _) in enumerate(made):
        method.train()
        loss = method.loss(pair[0][i], pair[1][i])
        loss.backward()
        assert losses[i].item() == pytest.approx(loss.item(), rel=1e-6)
        for name, w in method.named_parameters():
            np.testing.assert_allclose(
                step.params[name].grad[i],
                w.grad,
                rtol=1e-4,
                atol=1e-6 * float(w.grad.abs().max()),
                err_msg=name,
            )


def test_models_take_no_notice_of_each_other(images):
    config = changed(precision="64-true")
    together = train_grid(images, CELLS, config)
    (by_itself,) = train_grid(images, CELLS[2:3], config)
    np.testing.assert_allclose(together[2].loss, by_itself.loss, rtol=1e-6)
    assert len({model.loss[-1] for model in together}) == 4


def test_the_views_are_those_of_random_views():
    rng = torch.Generator().manual_seed(0)
    images = torch.rand(3, 5, 2, 8, 8, generator=rng)
    strengths = [0.0, 0.5, 1.0]
    together = many_views(images, strengths, [generator(i) for i in range(3)])
    for i, strength in enumerate(strengths):
        torch.testing.assert_close(together[i], Affine(strength)(images[i], generator(i)))
    assert not torch.equal(together[1], images[1])
    torch.testing.assert_close(together[0], images[0])


def test_progress_and_losses_are_finite_or_named(images):
    calls = []
    train_grid(images, CELLS[:1], CONFIG, progress=lambda *called: calls.append(called[:3]))
    assert calls == [("grid", 3, 6), ("grid", 6, 6)]
    with pytest.raises(Diverged, match=r"cell 'c' with \{.*\} is nan at epoch \d, step \d of 3"):
        train_grid(images, CELLS[2:3], changed(optimizer="sgd", learning_rate=1e30, epochs=3))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tau": 0.5, "strength": 0.5}, "must have the settings"),
        ({"tau": 0, "strength": 0.5, "seed": 0}, "tau of cell 'x' must be > 0"),
        ({"tau": "1", "strength": 0.5, "seed": 0}, "tau of cell 'x' must be a finite"),
        ({"tau": 1, "strength": 1.5, "seed": 0}, "strength of cell 'x'"),
        ({"tau": 1, "strength": 1, "seed": 0.5}, "seed of cell 'x'"),
    ],
)
def test_bad_settings_are_named(images, settings, message):
    with pytest.raises(ValueError, match=message):
        train_grid(images, [Cell("x", settings)], CONFIG)


def test_bad_images_and_configs_are_named(images):
    with pytest.raises(ValueError, match="images must be uint8"):
        train_grid(images / 255, CELLS, CONFIG)
    with pytest.raises(ValueError, match="batch must be <= the 40"):
        train_grid(images[:40], CELLS, CONFIG)
    with pytest.raises(ValueError, match="optimizer must be one of adamw, adam, sgd"):
        changed(optimizer="lars")
    with pytest.raises(ValueError, match="precision must be"):
        changed(precision="bf16-mixed")
    with pytest.raises(ValueError, match="accumulate, compile"):
        changed(accumulate=2)
    with pytest.raises(ValueError, match="head must be"):
        replace(CONFIG, head="none")
    assert train_grid(images, [], CONFIG) == []
