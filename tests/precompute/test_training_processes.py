"""Two processes that share a batch train as one that has it all: negatives, queue and statistics included."""

import contextlib
import os
import socket
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import distributed, multiprocessing, nn

from build_scripts.precompute import methods, models
from build_scripts.precompute.training import TrainConfig, fabric_for, fit, gather_rows, seeded
from build_scripts.precompute.whole import NotWritten

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 4, 4, 1), np.uint8)
LABELS = np.arange(20) % 3
CONFIG = TrainConfig(
    epochs=2, batch=8, learning_rate=0.05, optimizer="sgd", warmup_epochs=0, precision="64-true"
)
OPTIONS = {
    "simclr": {},
    "supcon": {},
    "moco": {"queue": 12},
    "byol": {"predictor": False},
    "simsiam": {"predictor": False},
    "barlow_twins": {},
    "vicreg": {},
    "clip": {},
    "supervised": {"classes": 3},
}


class Flat(nn.Module):
    """An encoder without batch norm."""

    features = 6

    def __init__(self):
        super().__init__()
        self.map = nn.Linear(16, 6)

    def forward(self, images):
        return self.map(images.flatten(1)).relu()


def noisy(images, rng):
    return (images + 0.1 * torch.randn(images.shape, generator=rng)).clamp(0, 1)


def make(name, normed=False):
    """A method without batch norm, or with it in encoder, head and predictor."""
    with seeded(0):
        if not normed:
            return methods.build(name, encoder=Flat(), d=4, head="linear", **OPTIONS[name])
        options = {n: v for n, v in OPTIONS[name].items() if n != "predictor"}
        encoder = models.build("conv", channels=1, size=4, width=2)
        return methods.build(name, encoder=encoder, d=4, hidden=6, head="nonlinear", **options)


class Killed(Exception):
    pass


def killed_in_the_second_epoch():
    calls = 0

    def views(images, rng):
        nonlocal calls
        calls += 1
        if calls == 6:  # two steps an epoch, two views a step
            raise Killed
        return noisy(images, rng)

    return views


def trained(name, fabric, folder=None, config=CONFIG, views=noisy, normed=False):
    method = make(name, normed)
    labels = LABELS if method.needs_labels else None
    records = fit(method, IMAGES, views, config, fabric, labels=labels, work=folder)
    return {"losses": [r["loss"] for r in records], "state": method.state_dict()}


def gradient(fabric, gather):
    """The loss and every gradient of one step of SimCLR, each process with its half of the batch."""
    method = make("simclr").double()
    model = fabric.setup(method)
    rows = np.array_split(np.arange(20), fabric.world_size)[fabric.global_rank]
    views = torch.from_numpy(IMAGES[rows]).permute(0, 3, 1, 2).double() / 255
    method.gather = gather or method.gather
    loss = model(views, views.flip(3))
    fabric.backward(loss)
    return {"loss": loss.item(), "grads": [w.grad.clone() for w in method.parameters()]}


def work(rank, port, folder):
    """What each of the two processes does; both write what they found."""
    torch.set_num_threads(1)
    place = {"LOCAL_RANK": rank, "NODE_RANK": 0, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ |= {name: str(value) for name, value in place.items()}
    fabric = fabric_for("cpu", precision="64-true", processes=2)
    fabric.launch()
    found = {name: trained(name, fabric) for name in OPTIONS}
    found |= {f"{name} normed": trained(name, fabric, normed=True) for name in OPTIONS}
    found["accumulated"] = trained("byol", fabric, config=replace(CONFIG, accumulate=2))
    with contextlib.suppress(Killed):
        trained("moco", fabric, folder / "moco", views=killed_in_the_second_epoch())
    found["resumed"] = trained("moco", fabric, folder / "moco")
    found["gradient"] = gradient(fabric, gather_rows)
    found["alone"] = gradient(fabric, None)
    (folder / f"file{rank}").write_text("in the way")
    try:
        trained("simclr", fabric, folder / "file0")
    except NotWritten as error:
        found["refused"] = error.strerror
    try:
        fit(make("simclr"), IMAGES, noisy, replace(CONFIG, batch=7), fabric)
    except ValueError as error:
        found["odd batch"] = str(error)
    torch.save(found, folder / f"{rank}.pt")
    distributed.destroy_process_group()


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """What two processes found, each."""
    folder = tmp_path_factory.mktemp("two")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    multiprocessing.spawn(work, args=(port, folder), nprocs=2)
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


@pytest.fixture(scope="module")
def one():
    """The fabric of one process."""
    return fabric_for("cpu", precision="64-true")


def agree(found, wanted, rtol=1e-10):
    np.testing.assert_allclose(found["losses"], wanted["losses"], rtol=1e-6)  # Fabric returns float32
    for name, value in wanted["state"].items():
        torch.testing.assert_close(found["state"][name], value, rtol=rtol, atol=rtol / 100)


@pytest.mark.parametrize("name", OPTIONS)
def test_two_processes_train_as_one(name, both, one):
    wanted = trained(name, one)
    for found in both:
        agree(found[name], wanted)


@pytest.mark.parametrize("name", OPTIONS)
def test_batch_norm_takes_the_statistics_of_the_whole_batch(name, both, one):
    """In encoder, head and predictor: weights and running statistics are those of one process."""
    wanted = trained(name, one, normed=True)
    for found in both:
        agree(found[f"{name} normed"], wanted, rtol=1e-7)


def test_without_shared_statistics_the_training_is_another():
    """Else the test above would hold of anything: half a batch has other statistics."""
    method = make("simclr", normed=True).double()
    rows = torch.from_numpy(IMAGES[:8]).permute(0, 3, 1, 2).double() / 255
    whole = method.head(method.encoder(rows))
    halves = torch.cat([method.head(method.encoder(half)) for half in rows.chunk(2)])
    assert (whole - halves).abs().max() > 0.05


def test_the_gradient_is_that_of_the_whole_batch(both, one):
    wanted = gradient(one, None)
    for found in both:
        assert found["gradient"]["loss"] == pytest.approx(wanted["loss"], rel=1e-6)
        for grad, whole in zip(found["gradient"]["grads"], wanted["grads"], strict=True):
            torch.testing.assert_close(grad, whole, rtol=1e-10, atol=1e-12)


def test_without_gathering_the_negatives_are_those_of_one_process(both, one):
    """Else the test above would hold of anything."""
    wanted = gradient(one, None)
    assert all(found["alone"]["loss"] < wanted["loss"] - 0.3 for found in both)
    apart = [
        (grad - whole).norm() / whole.norm()
        for grad, whole in zip(both[0]["alone"]["grads"], wanted["grads"], strict=True)
    ]
    assert max(apart) > 0.05


def test_accumulation_and_checkpoints_with_two_processes(both, one):
    accumulated, whole = trained("byol", one, config=replace(CONFIG, accumulate=2)), trained("moco", one)
    for found in both:
        agree(found["accumulated"], accumulated)
        agree(found["resumed"], whole)


def test_what_two_processes_cannot_share_is_named(both):
    for found in both:
        assert "the checkpoint could not be written" in found["refused"]
        assert "batch must be a multiple of accumulate x processes (1 x 2)" in found["odd batch"]
