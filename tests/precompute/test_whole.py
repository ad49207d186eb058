"""Files and folders are whole or not there: on a full disk, on one that refuses, and after a kill."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from build_scripts.precompute import checkpoint as digits_checkpoint
from build_scripts.precompute import export, methods, whole
from build_scripts.precompute.config import SimclrConfig
from build_scripts.precompute.quantise import Exported
from build_scripts.precompute.recipe import fabric_for
from build_scripts.precompute.simclr import Training
from build_scripts.precompute.training import TrainConfig, fit, seeded
from build_scripts.precompute.whole import NotWritten
from sim_engine.data import Recorded

ROOT = Path(__file__).resolve().parents[2]
IMAGES = np.random.default_rng(0).integers(0, 256, (16, 4, 4, 1), np.uint8)


class Flat(torch.nn.Module):
    def __init__(self, features):
        super().__init__()
        self.features = features
        self.map = torch.nn.Linear(16, features)

    def forward(self, images):
        return self.map(images.flatten(1)).relu()


def noisy(images, rng):
    return images + 0.1 * torch.randn(images.shape, generator=rng)


def train(folder, features=6, epochs=3):
    with seeded(0):
        method = methods.build("simclr", encoder=Flat(features), d=4, head="linear")
    config = TrainConfig(epochs=epochs, batch=8, warmup_epochs=1)
    return fit(method, IMAGES, noisy, config, fabric_for("cpu"), work=folder)


def write(folder, count, size=10):
    noise = np.random.default_rng(count).normal(size=size)
    export.write(folder, {"count": Exported(np.array(count), "any"), "noise": Exported(noise, "any")}, {})


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_full_disk_leaves_the_old_data_whole_and_nothing_else(small_disk):
    write(small_disk / "data", 1)
    with pytest.raises(NotWritten, match=r"the data could not be written to .*make room") as raised:
        write(small_disk / "data", 2, size=9000)
    assert raised.value.errno == errno.ENOSPC
    assert names(small_disk) == ["data"]
    assert int(Recorded(small_disk / "data")["count"]) == 1
    write(small_disk / "data", 3)
    assert int(Recorded(small_disk / "data")["count"]) == 3


def test_a_full_disk_without_old_data_leaves_nothing(small_disk):
    with pytest.raises(NotWritten, match="No space left on device"):
        write(small_disk / "deep" / "data", 1, size=9000)
    assert not [path for path in small_disk.rglob("*") if path.name != "deep"]


def test_a_full_disk_leaves_the_checkpoint_of_the_epoch_before(small_disk):
    filler = small_disk / "filler"
    filler.write_bytes(b"0" * 44_000)  # room for one checkpoint, which takes 8 kB, and not for a second
    with pytest.raises(NotWritten, match=r"the checkpoint could not be written .*make room") as raised:
        train(small_disk / "work", features=90)
    assert raised.value.errno == errno.ENOSPC
    assert names(small_disk / "work") == ["training.ckpt"]
    torch.load(small_disk / "work" / "training.ckpt", weights_only=True)
    filler.unlink()
    resumed = train(small_disk / "work", features=90)
    assert [r["loss"] for r in resumed[1:]] == [r["loss"] for r in train(None, features=90)[1:]]


def test_a_full_disk_leaves_no_half_checkpoint_of_the_digits(small_disk):
    config = SimclrConfig(width=2, features=4, hidden=4)
    fabric = fabric_for("cpu")
    training, path = Training.start(2, config, fabric), small_disk / "work" / "z2.ckpt"
    training.epoch = 0
    digits_checkpoint.save(path, fabric, training, [{}], 1.0)
    before = path.read_bytes()
    (small_disk / "filler").write_bytes(b"0" * (60 * 1024 - len(before) // 4096 * 4096))
    with pytest.raises(NotWritten, match="make room"):
        digits_checkpoint.save(path, fabric, training, [{"z": torch.rand(3000)}], 1.0)
    assert path.read_bytes() == before
    assert names(path.parent) == ["z2.ckpt"]


def test_a_disk_that_may_not_be_written_to_is_named(small_disk):
    write(small_disk / "data", 1)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(NotWritten, match=r"Read-only file system.*--out") as raised:
        write(small_disk / "data", 2)
    assert raised.value.errno == errno.EROFS
    with pytest.raises(NotWritten, match="--work"):
        train(small_disk / "work")
    assert int(Recorded(small_disk / "data")["count"]) == 1


def test_a_file_in_the_way_of_a_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(NotWritten, match=r"the data could not be written to .*file/data"):
        write(tmp_path / "file" / "data", 1)


def test_without_an_exchange_two_renames_do(tmp_path, monkeypatch):
    monkeypatch.setattr(whole, "_exchanged", lambda one, other: False)
    write(tmp_path / "data", 1)
    write(tmp_path / "data", 2)
    assert names(tmp_path) == ["data"]
    assert int(Recorded(tmp_path / "data")["count"]) == 2


# A process that kills itself at a moment of the second writing.
KILLED = """
import os, signal, sys
from pathlib import Path
from build_scripts.precompute import whole
from tests.precompute.test_whole import train, write

moment, what, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
if moment == "no exchange":
    whole._exchanged = lambda one, other: False
exchanged, count = whole._exchanged, 0

def kill():
    os.kill(os.getpid(), signal.SIGKILL)

def counted(call, last):
    def called(*arguments):
        global count
        count += 1
        if count == last and moment != "after":
            kill()
        result = call(*arguments)
        if count == last:
            kill()
        return result
    return called

if what == "checkpoint":
    os.replace = counted(os.replace, 2)
    train(folder / "work")
else:
    write(folder / "data", 1)
    if moment == "no exchange":
        os.rename = counted(os.rename, 2)  # between the two renames
    else:
        whole._exchanged = counted(exchanged, 1)
    write(folder / "data", 2)
"""


def killed(moment, what, folder):
    command = [sys.executable, "-c", KILLED, moment, what, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize(("moment", "left"), [("before", 1), ("after", 2)])
def test_a_kill_beside_the_rename_leaves_whole_data(tmp_path, moment, left):
    killed(moment, "export", tmp_path)
    recorded = Recorded(tmp_path / "data")
    assert int(recorded["count"]) == left
    np.testing.assert_array_equal(recorded["noise"], np.random.default_rng(left).normal(size=10))
    assert names(tmp_path) == [".data.aside", "data"]
    write(tmp_path / "data", 3)
    assert names(tmp_path) == ["data"]


def test_a_kill_between_two_renames_is_made_good_by_the_next_writing(tmp_path):
    killed("no exchange", "export", tmp_path)
    assert names(tmp_path) == [".data.aside", ".data.before"]
    assert int(Recorded(tmp_path / ".data.before")["count"]) == 1
    with pytest.raises(ValueError, match="the limit is"):
        write(tmp_path / "data", 2, size=2**20)
    write(tmp_path / "data", 3)
    assert names(tmp_path) == ["data"]


@pytest.mark.parametrize(("moment", "epochs"), [("before", 1), ("after", 2)])
def test_a_kill_beside_the_rename_leaves_a_whole_checkpoint(tmp_path, moment, epochs):
    killed(moment, "checkpoint", tmp_path)
    state = torch.load(tmp_path / "work" / "training.ckpt", weights_only=True)
    assert len(state["records"]) == epochs
    assert names(tmp_path / "work") == [".training.ckpt.part", "training.ckpt"][epochs - 1 :]
    assert [r["loss"] for r in train(tmp_path / "work")[1:]] == [r["loss"] for r in train(None)[1:]]
    assert names(tmp_path / "work") == ["training.ckpt"]


def test_what_to_do_about_an_error():
    assert "make room" in whole.remedy(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert "--out" in whole.remedy(PermissionError(errno.EACCES, "no"))
    assert "run again" in whole.remedy(OSError(errno.EIO, "no"))
