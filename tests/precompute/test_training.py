"""Training makes the steps that one would write by hand, and goes on where it was killed."""

import copy
import math
import os
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from build_scripts.precompute import methods, models
from build_scripts.precompute.simclr import Diverged
from build_scripts.precompute.training import TrainConfig, fabric_for, fit, make_optimizer, seeded
from build_scripts.precompute.views import generator
from sim_engine import optim

# More threads on a busy machine wait for each other.
torch.set_num_threads(1)

CONFIG = TrainConfig(epochs=3, batch=16, learning_rate=1e-2, warmup_epochs=1)
IMAGES = np.random.default_rng(0).integers(0, 256, (40, 4, 4, 1), np.uint8)
LABELS = np.arange(40) % 3


class Flat(nn.Module):
    """An encoder without batch norm, so that rows do not depend on each other."""

    def __init__(self, features=6):
        super().__init__()
        self.features = features
        self.map = nn.Linear(16, features)

    def forward(self, images):
        return self.map(images.flatten(1)).relu()


def conv():
    """With batch norm, whose statistics a checkpoint must keep, too."""
    with seeded(1):
        return models.build("conv", channels=1, size=4, width=2)


def noisy(images, rng):
    return (images + 0.1 * torch.randn(images.shape, generator=rng)).clamp(0, 1)


def make(name="simclr", *, encoder=None, head="linear", **options):
    with seeded(0):
        options = ({"classes": 3} if name == "supervised" else {}) | options
        return methods.build(name, encoder=encoder or Flat(), d=4, hidden=5, head=head, **options)


def train(method, config=CONFIG, **more):
    fabric = fabric_for("cpu", precision=config.precision)
    labels = LABELS if method.needs_labels else None
    return fit(method, IMAGES, noisy, config, fabric, labels=labels, **more)


def same(a, b):
    state = b.state_dict()
    return all(torch.equal(value, state[key]) for key, value in a.state_dict().items())


def close(a, b, **tolerance):
    for key, value in a.state_dict().items():
        torch.testing.assert_close(value, b.state_dict()[key], **tolerance)


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("adamw", optim.Adam(weight_decay=0.03, decoupled=True)),
        ("adam", optim.Adam(weight_decay=0.03)),
        ("sgd", optim.Sgd(momentum=0.7, weight_decay=0.03)),
        ("lars", optim.Lars(momentum=0.7, weight_decay=0.03)),
    ],
)
def test_optimizers_step_as_the_engine_s(name, reference):
    config = replace(CONFIG, optimizer=name, momentum=0.7, weight_decay=0.03)
    rng = np.random.default_rng(0)
    layer = nn.Linear(5, 3).double()
    still = nn.Linear(2, 2, bias=False).double()  # LARS: a layer of zeros is not scaled
    nn.init.zeros_(still.weight)
    module = nn.ModuleDict({"layer": layer, "still": still})
    named = dict(module.named_parameters())
    params = {key: w.detach().numpy().copy() for key, w in named.items()}
    memory, optimizer = reference.init(params), make_optimizer(config, module)
    for step in range(6):
        rate = optim.cosine_schedule(step, peak=0.2, steps=6, warmup=2)
        grads = {key: rng.normal(size=w.shape) for key, w in params.items()}
        for key, w in named.items():
            w.grad = torch.tensor(grads[key])
        optimizer.param_groups[0]["lr"] = rate
        optimizer.step()
        params, memory = reference.step(params, grads, memory, rate)
        for key, w in named.items():
            np.testing.assert_allclose(w.detach().numpy(), params[key], rtol=1e-12, atol=1e-14)


def test_fit_is_the_loop_one_would_write():
    method, other = make(), make()
    records = train(method)
    fast = torch.optim.AdamW(other.parameters(), weight_decay=1e-4)
    pictures = torch.from_numpy(IMAGES).permute(0, 3, 1, 2).float() / 255
    for epoch in (1, 2, 3):
        rng = generator(1, epoch)
        order = torch.randperm(40, generator=rng)
        values = []
        for step in range(2):  # 40 images: two batches of 16, and 8 left out
            rows = pictures[order[step * 16 : step * 16 + 16]]
            fast.zero_grad()
            value = other(noisy(rows, rng), noisy(rows, rng))
            value.backward()
            at = 2 * (epoch - 1) + step
            fast.param_groups[0]["lr"] = optim.cosine_schedule(at, peak=1e-2, steps=6, warmup=2)
            fast.step()
            values.append(value.item())
        assert records[epoch]["loss"] == pytest.approx(np.mean(values), rel=1e-6)
    close(method, other, rtol=1e-6, atol=1e-7)
    assert not method.training


def test_what_is_recorded():
    seen, told = [], []

    def record(method, epoch):
        assert not method.training
        seen.append(epoch)
        return {"number": epoch.number, "bias": method.encoder.map.bias.detach().clone()}

    records = train(make(), record=record, progress=lambda *a: told.append(a), what="here")
    assert [r["number"] for r in records] == [0, 1, 2, 3]
    assert math.isnan(seen[0].loss)
    assert all(e.loss > 0 and e.seconds > 0 for e in seen[1:])
    assert seen[1].images_per_second == pytest.approx(32 / seen[1].seconds)
    assert not torch.equal(records[0]["bias"], records[3]["bias"])
    assert [t[:3] for t in told] == [("here", i, 6) for i in range(1, 7)]


@pytest.mark.parametrize("name", methods.NAMES)
def test_every_method_is_trained_and_none_by_random(name, tmp_path):
    options = {"queue": 24} if name == "moco" else {}
    method = make(name, encoder=conv(), head="nonlinear", **options)
    start = copy.deepcopy(method)
    records = train(method, replace(CONFIG, epochs=1), work=tmp_path)
    assert len(records) == (1 if name == "random" else 2)
    assert same(method, start) == (name == "random")
    again = copy.deepcopy(start)
    assert len(train(again, replace(CONFIG, epochs=1), work=tmp_path)) == len(records)
    assert same(method, again)


@pytest.mark.parametrize(("name", "equal"), [("supervised", True), ("byol", True), ("simclr", False)])
def test_accumulation_is_the_whole_batch_where_images_are_not_compared(name, equal):
    results = []
    for parts in (1, 4):
        method = make(name, **({"predictor": False} if name == "byol" else {}))
        config = replace(CONFIG, accumulate=parts, optimizer="sgd", precision="64-true")
        results.append((method, train(method, config)[-1]["loss"]))
    (whole, loss), (accumulated, other) = results
    if equal:
        close(whole, accumulated, rtol=1e-10, atol=1e-12)
        assert loss == pytest.approx(other, rel=1e-6)
    else:  # 7 other views in place of 31: an easier question
        assert other < loss - 1


class Killed(Exception):
    pass


@pytest.mark.parametrize("killed_in", ["record", "checkpoint", "step"])
@pytest.mark.parametrize(("name", "optimizer"), [("moco", "adamw"), ("byol", "lars"), ("simclr", "sgd")])
def test_a_killed_training_goes_on_to_the_same_bits(name, optimizer, killed_in, tmp_path, monkeypatch):
    config = replace(CONFIG, optimizer=optimizer)

    def fresh():
        options = {"queue": 24} if name == "moco" else {}
        return make(name, encoder=conv(), head="nonlinear", **options)

    def record(method, epoch):
        z = method.embed(torch.from_numpy(IMAGES).permute(0, 3, 1, 2) / 255)[1]
        return {"loss": epoch.loss, "z": z.numpy(), "few": {"mean": np.float64(z.mean())}}

    whole = fresh()
    wanted = train(whole, config, record=record)

    calls = 0

    def killing(what, after):
        def call(*arguments, **more):
            nonlocal calls
            calls += 1
            if calls == after:
                raise Killed
            return what(*arguments, **more)

        return call

    views = killing(noisy, 11) if killed_in == "step" else noisy  # in the third epoch
    keep = killing(record, 3) if killed_in == "record" else record
    with monkeypatch.context() as patch:
        if killed_in == "checkpoint":
            patch.setattr(os, "replace", killing(os.replace, 3))
        with pytest.raises(Killed):
            fit(fresh(), IMAGES, views, config, fabric_for("cpu"), work=tmp_path, record=keep)
    assert (tmp_path / "training.ckpt").exists()

    steps = []
    again = fresh()
    found = train(again, config, work=tmp_path, record=record, progress=lambda *a: steps.append(a[1]))
    assert steps[0] > 2, "epochs that were done are not done again"
    assert same(whole, again)
    assert [r["loss"] for r in found[1:]] == [r["loss"] for r in wanted[1:]]
    assert all(np.array_equal(f["z"], w["z"]) for f, w in zip(found, wanted, strict=True))
    assert found[0]["few"] == wanted[0]["few"]
    assert isinstance(found[0]["z"], np.ndarray)
    # And a finished training is not repeated.
    assert len(train(fresh(), config, work=tmp_path, record=lambda *a: pytest.fail("trained again"))) == 4


def test_a_checkpoint_that_does_not_fit_is_named(tmp_path):
    train(make(), work=tmp_path)
    with pytest.raises(ValueError, match=r"is of a run with other settings \(batch 16, not 8\)"):
        train(make(), replace(CONFIG, batch=8), work=tmp_path)
    with pytest.raises(ValueError, match="method 'SimCLR', not 'VICReg'"):
        train(make("vicreg"), work=tmp_path)
    with pytest.raises(ValueError, match="does not fit this method"):
        train(make(encoder=Flat(7)), work=tmp_path)
    (tmp_path / "training.ckpt").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"training\.ckpt cannot be read"):
        train(make(), work=tmp_path)
    with pytest.raises(ValueError, match="a record must hold numbers"):
        train(make(), work=tmp_path / "new", record=lambda *a: {"odd": object()})


def test_a_loss_that_is_no_number_stops_with_its_place():
    calls = 0

    def views(images, rng):
        nonlocal calls
        calls += 1
        return images * math.nan if calls == 7 else images  # the second batch of epoch 2

    with pytest.raises(
        Diverged, match=r"the loss is nan at epoch 2, step 1 of 2, with TrainConfig\(epochs=3"
    ):
        fit(make(), IMAGES, views, CONFIG, fabric_for("cpu"))


@pytest.mark.parametrize("name", ["simclr", "supcon"])
def test_a_method_is_told_of_every_step_and_of_labels_if_it_needs_them(name):
    method = make(name)
    steps, told = [], []
    loss = method.loss
    method.after_step = lambda step, total: steps.append((step, total))
    method.loss = lambda a, b, labels: told.append(labels) or loss(a, b, labels)
    fit(method, IMAGES, noisy, CONFIG, fabric_for("cpu"), labels=LABELS)
    assert steps == [(step, 6) for step in range(6)]
    if name == "simclr":
        assert told == [None] * 6
    else:
        order = torch.randperm(40, generator=generator(1, 1))
        assert torch.equal(told[0], torch.from_numpy(LABELS)[order[:16]])


def test_the_second_view_may_be_of_other_pictures():
    other = np.random.default_rng(1).integers(0, 256, (40, 2, 8, 1), np.uint8)
    seen = set()

    def views(images, rng):
        seen.add(tuple(images.shape))
        return noisy(images, rng)

    method = make("clip", second=Flat())
    records = fit(
        method, IMAGES, views, replace(CONFIG, epochs=15), fabric_for("cpu"), second=other, record=None
    )
    assert seen == {(16, 1, 4, 4), (16, 1, 2, 8)}
    assert records[-1]["loss"] < records[1]["loss"]


def test_images_may_be_a_file_s(tmp_path):
    kept = np.memmap(tmp_path / "images", np.uint8, "w+", shape=IMAGES.shape)
    kept[:] = IMAGES
    kept.flush()
    filed = np.memmap(tmp_path / "images", np.uint8, "r", shape=IMAGES.shape)
    plain, other = make(), make()
    fabric = fabric_for("cpu")
    fit(plain, IMAGES, noisy, CONFIG, fabric)
    fit(other, filed, noisy, CONFIG, fabric)
    assert same(plain, other)


def test_bfloat16_trains_nearly_as_float32():
    plain, mixed = make(), make()
    wanted, found = train(plain), train(mixed, replace(CONFIG, precision="bf16-mixed"))
    assert found[1]["loss"] != wanted[1]["loss"]
    assert found[-1]["loss"] == pytest.approx(wanted[-1]["loss"], rel=0.02)
    assert {w.dtype for w in mixed.parameters()} == {torch.float32}


def test_channels_last_is_another_order_in_memory_alone():
    # Not Adam: it makes steps of full size out of a rounding's gradient.
    plain, last = make(encoder=conv()), make(encoder=conv())
    train(plain, replace(CONFIG, optimizer="sgd"))
    train(last, replace(CONFIG, optimizer="sgd", channels_last=True))
    weight = next(w for w in last.parameters() if w.ndim == 4 and w.shape[1] > 1)
    assert weight.is_contiguous(memory_format=torch.channels_last)
    close(plain, last, rtol=1e-3, atol=1e-4)


def test_a_missing_compiler_is_named(monkeypatch):
    def compile(function):
        raise RuntimeError("no compiler\nmore lines")

    monkeypatch.setattr(torch, "compile", compile)
    with pytest.raises(ValueError, match=r"needs a C\+\+ compiler .* \(RuntimeError: no compiler\); or use"):
        train(make(), replace(CONFIG, compile=True))


def test_compile_compiles_the_encoder_and_keeps_the_checkpoint_s_names(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(torch, "compile", lambda function: asked.append("probe") or function)
    monkeypatch.setattr(Flat, "compile", lambda self: asked.append(self))
    method = make()
    train(method, replace(CONFIG, compile=True), work=tmp_path)
    assert asked == ["probe", method.encoder]
    assert len(train(make(), replace(CONFIG, compile=False), work=tmp_path / "plain")) == 4


def test_devices():
    assert fabric_for("cpu").device.type == "cpu"
    with pytest.raises(ValueError, match="device must be one of auto, cpu, cuda, got 'gpu'"):
        fabric_for("gpu")
    with pytest.raises(ValueError, match="precision must be one of"):
        fabric_for("cpu", precision="16")
    with pytest.raises(ValueError, match="processes must be"):
        fabric_for("cpu", processes=0)
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="sees no CUDA"):
            fabric_for("cuda")


def test_seeded_leaves_the_global_generator():
    torch.manual_seed(3)
    wanted = torch.rand(2)
    torch.manual_seed(3)
    train(make())
    assert torch.equal(torch.rand(2), wanted)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"epochs": 0}, "epochs must be a whole number >= 1"),
        ({"batch": 16.0}, "batch must be a whole number"),
        ({"learning_rate": 0.0}, "learning_rate must be > 0"),
        ({"learning_rate": math.nan}, "learning_rate must be a finite number"),
        ({"optimizer": "adamax"}, "optimizer must be one of adamw, adam, sgd, lars"),
        ({"momentum": 1.0}, r"momentum must lie in \[0, 1\)"),
        ({"weight_decay": -1.0}, "weight_decay must be >= 0"),
        ({"warmup_epochs": 4}, r"warmup_epochs must be <= epochs \(3\)"),
        ({"accumulate": 3}, r"accumulate must divide batch \(16\)"),
        ({"accumulate": 16}, "equal parts of >= 2"),
        ({"precision": "fp8"}, "precision must be one of"),
        ({"compile": 1}, "compile must be True or False"),
    ],
)
def test_settings_out_of_range_are_named(changes, named):
    with pytest.raises(ValueError, match=named):
        replace(CONFIG, **changes)


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"images": IMAGES[:, :, :, 0]}, "images must be uint8"),
        ({"images": IMAGES / 255}, "images must be uint8"),
        ({"images": IMAGES[:8]}, "batch must be <= the 8 training images, got 16"),
        ({"second": IMAGES[:8]}, "second must hold one row for each of 40"),
        ({"labels": LABELS[:8]}, r"labels must be int64 \(40,\)"),
        ({"method": make("supcon")}, "SupCon needs labels"),
        ({"config": replace(CONFIG, precision="bf16-mixed")}, "the fabric's '32-true'"),
    ],
)
def test_data_that_does_not_fit_is_named(more, named):
    given = {"method": make(), "images": IMAGES, "config": CONFIG} | more
    with pytest.raises(ValueError, match=named):
        fit(given.pop("method"), given.pop("images"), noisy, given.pop("config"), fabric_for("cpu"), **given)
