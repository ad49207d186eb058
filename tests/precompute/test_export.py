"""What is written is true, whole, and small; what cannot be is refused."""

import hashlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from build_scripts.precompute import export
from build_scripts.precompute.quantise import Exported, quantise
from sim_engine.data import Recorded


@given(
    npst.arrays(
        np.float64,
        npst.array_shapes(max_dims=3, max_side=6),
        elements=st.floats(-1e6, 1e6, allow_subnormal=False),
    )
)
def test_quantisation_error_is_within_half_a_step(values):
    stored = quantise(values, "any")
    assert stored.array.dtype == np.int16
    back = stored.array.astype(np.float64) * stored.scale + stored.offset
    error = np.abs(back - values).max()
    assert error == stored.max_error
    assert error <= stored.scale / 2 + 1e-9 * np.abs(values).max()


@pytest.mark.parametrize("bad", [np.array([]), np.array([np.nan]), np.array([1.0, np.inf])])
def test_quantise_refuses_what_is_no_number(bad):
    with pytest.raises(ValueError, match="finite and not empty"):
        quantise(bad, "z")


def test_manifest_tells_the_truth(small_run):
    told = json.loads((small_run / "manifest.json").read_text())
    assert {path.name for path in small_run.iterdir()} == {
        "manifest.json",
        *(entry["file"] for entry in told["arrays"].values()),
    }
    for name, entry in told["arrays"].items():
        content = (small_run / entry["file"]).read_bytes()
        array = np.load(small_run / entry["file"])
        assert entry["sha256"] == hashlib.sha256(content).hexdigest(), name
        assert entry["shape"] == list(array.shape), name
        assert entry["dtype"] == str(array.dtype), name
        assert entry["about"], name
    assert told["config"]["epochs"] == 3
    recorded = Recorded(small_run)
    assert recorded["z2"].shape == (4, 120, 2)
    assert recorded["z3"].shape == (4, 120, 3)
    for d in (2, 3):
        off = np.abs(np.linalg.norm(recorded[f"z{d}"], axis=2) - 1).max()
        assert off <= 2 * told["arrays"][f"z{d}"]["max_error"]
        for name in ("loss_train", "loss", "top1", "knn", "few_label"):
            assert recorded[f"{name}_{d}"][-1] == told["metrics"][f"{name}_{d}_last"]


def test_every_pair_of_the_last_epoch_is_counted(small_run):
    recorded = Recorded(small_run)
    batches, views = 120 // 60, 120
    for d in (2, 3):
        assert recorded[f"negatives_hist_{d}"].sum() == batches * views * (views - 2)
        assert recorded[f"positives_hist_{d}"].sum() == 120


def test_a_changed_byte_is_refused(small_run, tmp_path):
    for path in small_run.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    content = bytearray((tmp_path / "z2.npy").read_bytes())
    content[-1] ^= 1
    (tmp_path / "z2.npy").write_bytes(content)
    with pytest.raises(ValueError, match=r"z2\.npy is damaged"):
        Recorded(tmp_path)["z2"]


def test_a_folder_is_replaced_whole_and_never_too_large(tmp_path):
    folder = tmp_path / "data"
    export.write(folder, {"a": Exported(np.arange(3), "three"), "b": Exported(np.arange(2), "two")}, {})
    export.write(folder, {"a": Exported(np.arange(4), "four")}, {"recipe": "r"})
    assert sorted(path.name for path in folder.iterdir()) == ["a.npy", "manifest.json"]
    with pytest.raises(ValueError, match="the largest array is big"):
        export.write(folder, {"big": Exported(np.zeros(2**20), "too much")}, {})
    np.testing.assert_array_equal(Recorded(folder)["a"], np.arange(4))
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_run_killed_between_the_renames_loses_nothing(tmp_path):
    folder = tmp_path / "data"
    export.write(folder, {"a": Exported(np.arange(3), "three")}, {})
    folder.rename(tmp_path / ".data.before")  # where a kill leaves it
    with pytest.raises(ValueError, match="the limit is"):
        export.write(folder, {"big": Exported(np.zeros(2**20), "too much")}, {})
    export.write(folder, {"a": Exported(np.arange(4), "four")}, {})
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    np.testing.assert_array_equal(Recorded(folder)["a"], np.arange(4))
