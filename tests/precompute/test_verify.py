"""`verify` and `report`: every kind of fault is found, and a sound folder has none."""

import json
import shutil

import pytest

from build_scripts.precompute import export, recipes
from build_scripts.precompute import verify as verifying
from build_scripts.precompute.__main__ import main
from build_scripts.precompute.job import Job
from build_scripts.precompute.recipe import ROOT, Recipe, Run, fabric_for, manifest
from build_scripts.precompute.recipes import RECIPES
from build_scripts.precompute.runs import report
from build_scripts.precompute.table import Axis, Part, Table, table_recipe
from build_scripts.precompute.verify import record_small, small_metrics, verify

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
    edit(copied, lambda told: told.pop("small_metrics"))
    (fault,) = faults(train=True)
    assert "no small_metrics" in fault


def test_a_metric_that_its_curve_denies_is_found(copied):
    edit(copied, lambda told: told["metrics"].update(knn_3_last=told["metrics"]["knn_3_last"] - 0.01))
    (fault,) = faults()
    assert "the metric knn_3_last is 0.94, and the arrays say 0.95" in fault


def test_every_recipe_has_a_small_preset():
    assert all("small" in recipe.presets for recipe in RECIPES.values())


# A recipe of two cells that trains for real, in a second.
JOB = Job(train_on=200, width=16, d=4, hidden=8, epochs=2, batch=64, few_label_draws=1, view_draws=1)
TINY = Table({"p": Part(JOB, (Axis.over("tau", (0.1, 1.0)),), seeds=1, metrics=("loss", "knn", "few5"))})


def best(arrays):
    return {"best_knn": float(arrays["p_knn"].max()), "few5_there": float(arrays["p_few5"][0, 0])}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The data folder of the tiny recipe, with the small preset's numbers."""
    presets = {"cpu": TINY, "small": TINY}
    recipe = table_recipe(
        name="tiny", about="", slug="tiny", presets=presets, findings=best, file=recipes.temperature.__file__
    )
    folder = tmp_path_factory.mktemp("tiny")
    fabric = fabric_for("cpu")
    result = recipe.run(TINY, Run(fabric, folder / "work"))
    told = manifest(recipe, recipe.hashes(TINY), "cpu", TINY, result, fabric.device)
    told["small_metrics"] = small_metrics(recipe, quiet)
    export.write(folder / "data", result.arrays, told)
    return recipe, folder / "data"


@pytest.fixture
def tiny(made, tmp_path, monkeypatch):
    """The recipe and a copy of its folder, to be damaged."""
    shutil.copytree(made[1], tmp_path / "data")
    monkeypatch.setattr(Recipe, "folder", tmp_path / "data")
    return made[0], tmp_path / "data"


def test_a_recipe_that_was_just_run_has_no_fault(tiny):
    assert faults(tiny[0], train=True) == []


def damaged(folder, what):
    if what == "byte":
        (file,) = folder.glob("small_int16.npy")
        content = bytearray(file.read_bytes())
        content[-1] ^= 1
        file.write_bytes(content)
    elif what == "hash":
        edit(folder, lambda told: told.update(recipe_sha256="0" * 64))
    elif what == "preset":
        edit(folder, lambda told: told.update(preset="huge"))
    elif what == "metric":
        edit(folder, lambda told: told["metrics"].update(best_knn=told["metrics"]["best_knn"] + 0.01))
    elif what == "missing metric":
        edit(folder, lambda told: told["metrics"].pop("best_knn"))
    elif what == "retrained":
        edit(folder, lambda told: told["small_metrics"].update(mean_p_loss=1.0))
    else:  # a share of 2.5

        def shifted(told):
            told["arrays"]["p_knn"]["offset"] += 2
            told["metrics"]["best_knn"] += 2

        edit(folder, shifted)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("byte", "is damaged"),
        ("hash", "another version of the recipe"),
        ("preset", "another version of the recipe"),
        ("metric", "the metric best_knn is "),
        ("missing metric", "the metric best_knn is missing"),
        ("range", "p_knn is a share and lies in [2"),
    ],
)
def test_every_kind_of_damage_is_one_fault_with_its_remedy(tiny, what, said):
    recipe, folder = tiny
    damaged(folder, what)
    (fault,) = faults(recipe)
    assert said in fault
    assert "run tiny` and commit" in fault


def test_a_recipe_that_trains_otherwise_is_found_by_its_small_preset(tiny):
    damaged(tiny[1], "retrained")
    (fault,) = faults(tiny[0], train=True)
    assert "the small preset gives mean_p_loss = " in fault


def test_pictures_may_differ_more_than_other_numbers(tiny, monkeypatch):
    """t-SNE makes another picture of another rounding: the machines' numbers were 0.75 and 1.23."""
    recipe, folder = tiny
    found = {"picture_kl_last": 1.23, "loss": 1.0}
    monkeypatch.setattr(verifying, "small_metrics", lambda recipe, progress: found)
    edit(folder, lambda told: told.update(small_metrics={"picture_kl_last": 0.75, "loss": 1.01}))
    assert faults(recipe, train=True) == []
    found["picture_kl_last"], found["loss"] = 3.0, float("nan")
    assert len(faults(recipe, train=True)) == 2


def test_small_metrics_are_added_once_and_only_to_current_data(tiny):
    recipe, folder = tiny
    before = json.loads((folder / "manifest.json").read_text())
    with pytest.raises(ValueError, match="has its small_metrics"):
        record_small(recipe, quiet)
    edit(folder, lambda told: told.pop("small_metrics"))
    record_small(recipe, quiet)
    assert json.loads((folder / "manifest.json").read_text()) == before
    damaged(folder, "hash")
    edit(folder, lambda told: told.pop("small_metrics"))
    with pytest.raises(ValueError, match="another version"):
        record_small(recipe, quiet)


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


def test_the_report_tells_values_with_their_spread_and_no_rows(copied):
    def change(told):
        told["config"] = {
            "digits": {"axes": {"tau": {"0.1": {}, "0.5": {}}, "strength": {"0.0": {}, "1.0": {}}}}
        }
        told["run"] = {"processes": 2, "compile": False}
        told["metrics"] = {
            "few5_h_best": 0.88125,
            "few5_h_best_std": 0.01234,
            "digits_best_tau_row": 1.0,
            "best_strength_row": 0.0,
            "best_colour_row": 3.0,
            "few_label_3_last": 0.9183,
            "few_label_std_3_last": 0.0093951,
            "largest_std_over_seeds": 0.03,
            "pairs": 685440,
        }

    edit(copied, change)
    lines = [line for line in report([SOUND]).splitlines() if line.startswith("| ")]
    assert lines[-6:] == [
        "| few5_h_best | 0.8812 ± 0.012 |",
        "| digits_best_tau | 0.5 |",
        "| best_strength | 0.0 |",
        "| few_label_3_last | 0.9183 ± 0.0094 |",
        "| largest_std_over_seeds | 0.03 |",
        "| pairs | 685440 |",
    ]
    assert "2\N{NO-BREAK SPACE}processes" in lines[1]
