"""What is written is true, whole, and small; what cannot be is refused."""

import hashlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from build_scripts.precompute import digits_trajectory, export
from build_scripts.precompute.quantise import Exported, quantise
from build_scripts.precompute.recipe import Run, fabric_for
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
        if "start" in entry:
            array = array[entry["start"] :][: np.prod(entry["shape"])].reshape(entry["shape"])
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


def test_the_first_training_is_shown_and_all_are_counted(small_run, tmp_path):
    """The second training is one of its own with the next seeds: its numbers are in the mean."""
    told = json.loads((small_run / "manifest.json").read_text())
    assert told["seeds"]["repeats"] == 2
    settings = told["config"] | {"dimensions": (2,), "repeats": 1, "seed_model": 1, "seed_views": 2}
    alone = digits_trajectory.run(
        digits_trajectory.TrajectoryConfig(**settings), Run(fabric_for("cpu"), tmp_path)
    )
    shown = told["metrics"]
    for name in ("loss_train", "loss", "top1", "alignment", "uniformity", "knn", "few_label_h"):
        for when in ("first", "last"):
            key = f"{name}_2_{when}"
            both = shown[key], alone.metrics[key]
            assert shown[f"{key}_mean"] == pytest.approx(np.mean(both), rel=1e-6), key
            assert shown[f"{key}_mean_std"] == pytest.approx(np.std(both), rel=1e-4, abs=1e-9), key
    assert shown["loss_2_last_mean_std"] > 0
    assert not [name for name in shown if name.startswith("few_label_std") and "mean" in name]


def test_every_pair_of_the_last_epoch_is_counted(small_run):
    recorded = Recorded(small_run)
    batches, views = 120 // 60, 120
    for d in (2, 3):
        assert recorded[f"negatives_hist_{d}"].sum() == batches * views * (views - 2)
        assert recorded[f"positives_hist_{d}"].sum() == 120


def test_a_changed_byte_is_refused(small_run, tmp_path):
    for path in small_run.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    file = json.loads((tmp_path / "manifest.json").read_text())["arrays"]["z2"]["file"]
    content = bytearray((tmp_path / file).read_bytes())
    content[-1] ^= 1
    (tmp_path / file).write_bytes(content)
    with pytest.raises(ValueError, match=f"{file} is damaged"):
        Recorded(tmp_path)["z2"]


KINDS = [np.uint8, np.int32, np.float64]


@given(
    st.lists(
        st.sampled_from(KINDS).flatmap(
            lambda kind: npst.arrays(kind, npst.array_shapes(min_dims=0, max_dims=3, max_side=12))
        ),
        min_size=1,
        max_size=9,
    )
)
def test_packed_arrays_come_back_bit_for_bit(tmp_path_factory, arrays):
    folder = tmp_path_factory.mktemp("packed") / "data"
    export.write(folder, {f"a{i}": Exported(array, "any") for i, array in enumerate(arrays)}, {})
    recorded = Recorded(folder)
    for i, array in enumerate(arrays):
        got = recorded[f"a{i}"]
        assert (got.dtype, got.shape, got.tobytes()) == (array.dtype, array.shape, array.tobytes())
    assert len(list(folder.glob("*.npy"))) <= len(KINDS) + sum(a.nbytes > export.SMALL for a in arrays)


def test_small_arrays_of_a_dtype_share_a_file_and_large_ones_do_not(tmp_path):
    folder = tmp_path / "data"
    rows = {name: np.arange(3.0) + i for i, name in enumerate("abc")}
    arrays = {"big": np.zeros(513), "one": np.arange(2, dtype=np.uint8), **rows}
    export.write(folder, {name: Exported(array, "any") for name, array in arrays.items()}, {})
    assert sorted(p.name for p in folder.iterdir()) == [
        "big.npy",
        "manifest.json",
        "one.npy",
        "small_float64.npy",
    ]
    entries = json.loads((folder / "manifest.json").read_text())["arrays"]
    assert [entries[name].get("start") for name in arrays] == [None, None, 0, 3, 6]
    clash = {**rows, "small_float64": np.zeros(600)}
    with pytest.raises(ValueError, match="no array may be called 'small_float64'"):
        export.write(folder, {name: Exported(array, "any") for name, array in clash.items()}, {})
    assert (folder / "big.npy").exists()


def test_a_folder_is_replaced_whole_and_never_too_large(tmp_path):
    folder = tmp_path / "data"
    export.write(folder, {"a": Exported(np.arange(3), "three"), "b": Exported(np.arange(2), "two")}, {})
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "small_int64.npy"]
    export.write(folder, {"a": Exported(np.arange(4), "four")}, {"recipe": "r"})
    assert sorted(path.name for path in folder.iterdir()) == ["a.npy", "manifest.json"]
    with pytest.raises(ValueError, match="the largest array is big"):
        export.write(folder, {"big": Exported(np.zeros(2**20), "too much")}, {})
    np.testing.assert_array_equal(Recorded(folder)["a"], np.arange(4))
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
