"""What the command line refuses, and how it says so."""

import errno
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from build_scripts.precompute.__main__ import main
from build_scripts.precompute.config import SimclrConfig
from build_scripts.precompute.recipes import RECIPES
from build_scripts.precompute.sweep import CellFailed
from build_scripts.precompute.whole import NotWritten

NAME = "digits-trajectory"


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["digit-trajectory"], ["'digit-trajectory'", "there are: digits-trajectory"]),
        ([], ["name a recipe", "there are: digits-trajectory"]),
        ([NAME, "--epochs", "0", "--out", "x"], ["epochs", ">= 1", "got 0"]),
        ([NAME, "--tau", "0", "--out", "x"], ["tau must be > 0", "got 0"]),
        ([NAME, "--tau", "nan", "--out", "x"], ["tau must be a finite number", "got nan"]),
        ([NAME, "--strength", "1.5", "--out", "x"], ["strength", "[0, 1]", "got 1.5"]),
        ([NAME, "--batch", "400", "--out", "x"], ["held_out must be >= batch (400)", "got 360"]),
        ([NAME, "--dimensions", "1", "--out", "x"], ["dimensions", ">= 2"]),
        ([NAME, "--device", "tpu"], ["device must be one of auto, cpu, cuda", "'tpu'"]),
        ([NAME, "--epochs", "3"], ["recipe's own settings", "--out DIR"]),
    ],
)
def test_bad_input_is_named(arguments, wanted, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    for part in wanted:
        assert part in error
    assert not list(tmp_path.iterdir())


def test_list_names_every_recipe_and_its_folder(capsys):
    assert main(["--list"]) == 0
    assert "digits-trajectory: " in (told := capsys.readouterr().out)
    assert "sims/embedding-training/data" in told


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_cuda_without_cuda_says_what_to_do(capsys):
    assert main([NAME, "--device", "cuda"]) == 2
    error = capsys.readouterr().err
    assert "sees no CUDA" in error
    assert "--device cpu" in error


def test_divergence_stops_with_step_and_settings(capsys, tmp_path):
    small = ["--epochs", "3", "--width", "4", "--dimensions", "2", "--device", "cpu"]
    assert (
        main(
            [
                NAME,
                *small,
                "--learning-rate",
                "1e38",
                "--out",
                str(tmp_path / "out"),
                "--work",
                str(tmp_path / "work"),
            ]
        )
        == 1
    )
    error = capsys.readouterr().err
    assert "the loss is nan at epoch 1, step " in error
    assert "learning_rate=1e+38" in error
    assert not (tmp_path / "out").exists()


def test_every_setting_is_an_option(capsys):
    with pytest.raises(SystemExit):
        main([NAME, "--help"])
    helped = capsys.readouterr().out
    for name in SimclrConfig.__dataclass_fields__:
        assert f"--{name.replace('_', '-')}" in helped


def test_torch_stays_out_of_the_engine():
    """Whoever imports the engine, as the site's build does, needs no torch."""
    code = "import sys, sim_engine.metrics, sim_engine.bridge; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_failing_cell_and_a_full_disk_are_sentences(capsys, monkeypatch, tmp_path):
    """What goes wrong in a run is one line that says what to do; no traceback."""

    def run(error):
        def fail(config, run):
            raise error

        monkeypatch.setitem(RECIPES, NAME, replace(RECIPES[NAME], run=fail))
        status = main([NAME, "--device", "cpu", "--out", str(tmp_path / "x"), "--work", str(tmp_path)])
        return status, capsys.readouterr().err

    status, said = run(CellFailed("cell 'a' with {}: ArithmeticError: no"))
    assert (status, said.count("error: cell 'a'")) == (1, 1)
    assert "finished cells are kept" in said
    status, said = run(OSError(errno.ENOSPC, "No space left on device", "/x"))
    assert status == 1
    assert "error: [Errno 28] No space left on device: '/x'; make room and run again" in said
    status, said = run(NotWritten(errno.EACCES, "the checkpoint could not be written to /x; do this"))
    assert "error: the checkpoint could not be written to /x; do this\n" in said


def test_a_folder_that_cannot_be_made_is_named(capsys, tmp_path):
    (tmp_path / "file").write_text("in the way")
    small = ["run", "collapse", "--preset", "small", "--device", "cpu", "--out", str(tmp_path / "out")]
    assert main([*small, "--work", str(tmp_path / "file")]) == 1
    said = capsys.readouterr().err
    assert "Not a directory" in said
    assert "run again" in said
    assert not (tmp_path / "out").exists()
