"""`verify` and `report`: every kind of fault is found, and a sound folder has none."""

import json
import shutil
from dataclasses import replace

import pytest

from build_scripts.precompute.__main__ import main
from build_scripts.precompute.recipe import ROOT, Recipe
from build_scripts.precompute.recipes import RECIPES
from build_scripts.precompute.runs import report
from build_scripts.precompute.verify import verify

SOUND = RECIPES["digits-trajectory"]


def quiet(what, done, total, loss):
    pass


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A recipe whose data folder is a copy, to be damaged."""
    shutil.copytree(SOUND.folder, tmp_path / "data")
    monkeypatch.setattr(Recipe, "folder", tmp_path / "data")
    return tmp_path / "data"


def faults(recipe=SOUND, *, train=False):
    return list(verify(recipe, quiet, train=train))


def edit(folder, change):
    path = folder / "manifest.json"
    told = json.loads(path.read_text())
    change(told)
    path.write_text(json.dumps(told))


def test_the_committed_data_is_sound(capsys):
    assert main(["verify", "--quick"]) == 0
    assert "0 faults" in capsys.readouterr().out


def test_a_changed_byte_is_found(copied):
    file = copied / "z3.npy"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    (fault,) = faults()
    assert "z3" in fault
    assert "run digits-trajectory" in fault


def test_missing_data_is_found(copied):
    shutil.rmtree(copied)
    (fault,) = faults()
    assert "has no data" in fault


def test_another_version_is_found(copied):
    edit(copied, lambda told: told.update(recipe_sha256="0" * 64))
    (fault,) = faults()
    assert "another version" in fault


def test_an_infinite_metric_is_found(copied):
    edit(copied, lambda told: told["metrics"].update(knn_3_last=float("inf")))
    (fault,) = faults()
    assert "knn_3_last is inf" in fault


def test_a_share_beyond_one_is_found(copied):
    def change(told):
        told["arrays"]["knn_3"]["offset"] = told["arrays"]["knn_3"].get("offset", 0) + 1
        told["arrays"]["knn_3"].setdefault("scale", 1)

    edit(copied, change)
    assert any("knn_3 is a share" in fault for fault in faults())


def test_a_folder_without_small_metrics_is_found(copied):
    with_small = replace(SOUND, presets={"small": SOUND.config})
    (fault,) = faults(with_small, train=True)
    assert "no small_metrics" in fault


def test_the_page_of_trainings_is_the_report():
    page = ROOT / "docs" / "develop" / "trainings.md"
    assert page.read_text(encoding="utf-8") == report(list(RECIPES.values())), (
        "run `python -m build_scripts.precompute report --out docs/develop/trainings.md`"
    )


def test_the_report_names_every_recipe_and_says_what_was_not_run(copied):
    text = report(list(RECIPES.values()))
    assert all(f"| {name} |" in text or f"| [{name}](#{name}) |" in text for name in RECIPES)
    assert "| knn_3_last | 0.95 |" in text
    shutil.rmtree(copied)
    assert "not run yet" in report([SOUND])
