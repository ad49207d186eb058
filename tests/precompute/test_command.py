"""What the command line refuses, and how it says so."""

import contextlib
import errno
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from build_scripts.precompute import datasets
from build_scripts.precompute.__main__ import main
from build_scripts.precompute.config import SimclrConfig
from build_scripts.precompute.datasets import factors
from build_scripts.precompute.recipe import ROOT
from build_scripts.precompute.recipes import RECIPES
from build_scripts.precompute.sweep import CellFailed
from build_scripts.precompute.whole import NotWritten
from sim_engine.data import Recorded

NAME = "digits-trajectory"


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["digit-trajectory"], ["'digit-trajectory'", "there are: digits-trajectory"]),
        ([], ["name a recipe", "there are: digits-trajectory"]),
        ([NAME, "--epochs", "0", "--out", "x"], ["epochs", ">= 1", "got 0"]),
        ([NAME, "--repeats", "0", "--out", "x"], ["repeats", ">= 1", "got 0"]),
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


def test_a_full_disk_under_a_sweep_is_a_sentence(capsys, small_disk, tmp_path):
    (small_disk / "work" / "temperature").mkdir(parents=True)
    small = ["run", "temperature", "--preset", "small", "--device", "cpu", "--out", str(tmp_path / "out")]
    with open(small_disk / "filler", "wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(b"0" * 4096)
    assert main([*small, "--work", str(small_disk / "work")]) == 1
    said = capsys.readouterr().err
    assert "No space left on device" in said
    assert "make room and run again" in said
    assert not [p for p in (small_disk / "work").rglob("*") if p.is_file() and p.stat().st_size]
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_is_named(capsys, tmp_path):
    (tmp_path / "file").write_text("in the way")
    small = ["run", "collapse", "--preset", "small", "--device", "cpu", "--out", str(tmp_path / "out")]
    assert main([*small, "--work", str(tmp_path / "file")]) == 1
    said = capsys.readouterr().err
    assert "Not a directory" in said
    assert "run again" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (
            [NAME, "--processes", "2"],
            [f"{NAME} takes no --processes", "it is for photos-trajectory, factors-"],
        ),
        ([NAME, "--scheduler", "local"], ["takes no --scheduler", "loss-surface", "its own are: --epochs"]),
        (["collapse", "--accumulate", "2"], ["collapse takes no --accumulate", "stl10-report", "--repeats"]),
        (["collapse", "--precision=bf16"], ["collapse takes no --precision: it is for photos-trajectory"]),
        (["factors-trajectory", "--workers", "2"], ["factors-trajectory takes no --workers", "--accumulate"]),
        (["stl10-report", "--colour", "red"], ["takes no --colour: no recipe has it"]),
        (["stl10-report", "--download"], ["train on photos, which needs no download", "stl10 and cifar10"]),
        (
            ["stl10-report", "--accumulate", "3", "--out", "x"],
            ["accumulate must divide batch (128)", "got 3"],
        ),
        (["stl10-report", "--processes", "0"], ["processes must be a whole number >= 1, got 0"]),
        (["stl10-report", "--precision", "bf16"], ["the recipe's own settings", "--out DIR"]),
        (["report", "--processes", "2"], ["there is no --processes here"]),
    ],
)
def test_what_a_recipe_does_not_take_is_named(arguments, wanted, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    for part in wanted:
        assert part in error
    assert not list(tmp_path.iterdir())


@pytest.fixture
def asked(monkeypatch):
    """What a recipe would be run with: `asked(name, *options)` gives its settings and its run."""

    class Stop(Exception):
        pass

    def ask(name, *options):
        found = []

        def stop(config, run):
            found.extend([config, run])
            raise Stop

        monkeypatch.setitem(RECIPES, name, replace(RECIPES[name], run=stop))
        with pytest.raises(Stop):
            main(["run", name, "--device", "cpu", *options])
        return found

    return ask


def test_how_a_training_is_run_reaches_it(asked, tmp_path):
    elsewhere = ("--out", str(tmp_path / "out"), "--work", str(tmp_path / "work"))
    config, run = asked("stl10-report", *elsewhere)
    assert (config.precision, config.accumulate, run.compile) == ("32-true", 1, False)
    assert run.fabric.strategy.precision.precision == "32-true"
    options = ("--precision", "bf16", "--compile", "--accumulate", "2", *elsewhere)
    config, run = asked("stl10-report", *options)
    assert (config.precision, config.accumulate, run.compile) == ("bf16-mixed", 2, True)
    assert run.fabric.strategy.precision.precision == "bf16-mixed"
    assert (config.training().precision, config.training().accumulate) == ("bf16-mixed", 2)
    _, run = asked("collapse", *elsewhere)
    assert (run.scheduler, run.workers) == ("auto", 2)
    _, run = asked("collapse", "--scheduler", "grid", "--workers", "3", *elsewhere)
    assert (run.scheduler, run.workers) == ("grid", 3)


def test_precision_and_accumulation_are_in_the_hash_where_they_are_not_the_usual():
    recipe = RECIPES["stl10-report"]
    config = recipe.config
    assert {"precision", "accumulate"}.isdisjoint(config.as_dict())
    changed = [config, replace(config, precision="bf16-mixed"), replace(config, accumulate=2)]
    assert len({recipe.sha256(c) for c in changed}) == 3
    assert changed[1].as_dict()["precision"] == "bf16-mixed"


def test_download_comes_first_and_once(asked, monkeypatch, tmp_path):
    loaded = []
    monkeypatch.setattr(datasets, "load", lambda name, **options: loaded.append((name, options)))
    asked("stl10-report", "--preset", "cifar10", "--download", "--work", str(tmp_path))
    assert loaded == [("cifar10", {"download": True})]
    monkeypatch.setenv("LOCAL_RANK", "1")  # another process, which the first has started
    asked("stl10-report", "--preset", "cifar10", "--download", "--work", str(tmp_path))
    assert len(loaded) == 1


def test_rendered_sets_are_rendered_where_the_run_is(monkeypatch):
    places = []
    monkeypatch.setattr(factors, "render", lambda f, size, device, **more: places.append(device) or fake(f))

    def fake(drawn):
        return torch.zeros((len(drawn["shape"]), 32, 32, 3), dtype=torch.uint8)

    with datasets.rendered_on("cuda:1"):
        datasets.load("factors", count=10, test_count=10, size=32)
        datasets.load("factors", count=10, test_count=10, size=32, device="cpu")
    datasets.load("factors", count=10, test_count=10, size=32)
    assert places == ["cuda:1", "cuda:1", "cpu", "cpu", "cpu", "cpu"]


def test_two_processes_give_the_data_of_one(tmp_path):
    """The command starts the second itself; batch norm and negatives are those of the whole batch."""
    folders = {}
    for processes in ("1", "2"):
        folders[processes] = tmp_path / processes
        command = [sys.executable, "-m", "build_scripts.precompute", "run", "factors-trajectory"]
        options = ["--preset", "small", "--device", "cpu", "--processes", processes, "--epochs", "2"]
        places = ["--out", str(folders[processes]), "--work", str(tmp_path / f"work{processes}")]
        done = subprocess.run(
            [*command, *options, *places], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "destroy_process_group" not in done.stderr
    one, two = (Recorded(folders[processes]) for processes in ("1", "2"))
    assert two.manifest["run"] == {"processes": 2, "compile": False}
    assert "run" not in one.manifest
    assert two.manifest["recipe_sha256"] == one.manifest["recipe_sha256"]
    for name in ("loss_train_3", "loss_3", "uniformity_3", "rank_h_3"):
        np.testing.assert_allclose(two[name], one[name], rtol=5e-3, atol=5e-3, err_msg=name)
    np.testing.assert_allclose(two["z3"][1], one["z3"][1], atol=0.02)


def test_an_error_in_a_further_process_says_which(capsys, monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert main(["nothing"]) == 2
    assert capsys.readouterr().err.startswith("process 1: error: there is no recipe 'nothing'")
