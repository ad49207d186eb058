"""A killed training goes on to the very result of one that was left alone."""

import json
import signal
import time

import numpy as np
import torch


def epoch_reached(work):
    """The last whole epoch of the first training, -1 before there is one."""
    return max((torch.load(path, weights_only=True)["epoch"] for path in work.rglob("z2.ckpt")), default=-1)


def arrays(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.npy"))}


def test_killed_run_resumes_to_the_same_bytes(command, small_run, tmp_path):
    out, work = tmp_path / "data", tmp_path / "work"
    process = command(out, work)
    deadline = time.monotonic() + 120
    while epoch_reached(work) < 1 and time.monotonic() < deadline:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()
    process.stderr.close()
    # Steps have been taken, so that the optimiser has a past to lose; and steps are still to come.
    assert 1 <= epoch_reached(work) < 3
    assert not out.exists(), "nothing is exported before the end"

    again = command(out, work)
    _, errors = again.communicate(timeout=120)
    assert again.returncode == 0, errors
    assert arrays(out) == arrays(small_run)
    assert not list(work.rglob("*.ckpt")), "checkpoints are cleared once the result is written"
    told, expected = (json.loads((folder / "manifest.json").read_text()) for folder in (out, small_run))
    assert told["metrics"] == expected["metrics"]


def test_damaged_checkpoint_is_named(command, tmp_path, small_run):
    sha = json.loads((small_run / "manifest.json").read_text())["recipe_sha256"]
    broken = tmp_path / "work" / "digits-trajectory" / f"{sha[:16]}-cpu" / "z2.ckpt"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"not a checkpoint")
    process = command(tmp_path / "data", tmp_path / "work")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "z2.ckpt cannot be read" in errors
    assert "--fresh" in errors


def test_learning_happens(small_run):
    """Three small epochs already tell digits apart: the recorded numbers come from a model that learns."""
    metrics = json.loads((small_run / "manifest.json").read_text())["metrics"]
    assert metrics["loss_3_last"] < metrics["loss_3_first"] - 0.3
    assert metrics["knn_3_last"] > metrics["knn_3_first"] + 0.1
    assert np.isclose(metrics["loss_equal"], np.log(2 * 60 - 1), rtol=0, atol=1e-15)
