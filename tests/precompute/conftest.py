"""Small runs of the recipe, made once a session."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

# Small sums: two threads under load wait for each other far longer than one works.
torch.set_num_threads(1)

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "build_scripts.precompute", "digits-trajectory", "--device", "cpu"]
# Every part of the recipe, in seconds.
SMALL = [
    *("--epochs", "3", "--warmup-epochs", "1", "--width", "4", "--batch", "60", "--held-out", "120"),
    *("--few-label-draws", "1", "--view-draws", "1", "--repeats", "2"),
]


@pytest.fixture(scope="session")
def command():
    """The command line of a small run, and how to run it: `command(out, work, *more)` gives a process."""

    def start(out, work, *more):
        arguments = [*COMMAND, *SMALL, "--out", str(out), "--work", str(work), *more]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(arguments, cwd=ROOT, text=True, **pipes)

    return start


@pytest.fixture(scope="session")
def small_run(command, tmp_path_factory):
    """The data folder of an uninterrupted small run."""
    folder = tmp_path_factory.mktemp("small") / "data"
    process = command(folder, folder.parent / "work")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "Warning" not in errors
    return folder


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 KiB."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root may mount a small file system, on Linux")
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"mounting is not permitted here: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)
