"""Recorded arrays: read, widened, and refused by name when a file is not the one of the manifest."""

import hashlib
import json

import numpy as np
import pytest

from sim_engine import data


@pytest.fixture
def sim(tmp_path):
    """A sim's file beside a `data/` folder of one plain and one quantised array."""
    folder = tmp_path / "data"
    folder.mkdir()
    arrays = {"labels": np.arange(4, dtype=np.uint8), "z2": np.array([[-100, 0], [50, 100]], np.int16)}
    entries = {}
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
        sha = hashlib.sha256((folder / f"{name}.npy").read_bytes()).hexdigest()
        entries[name] = {"file": f"{name}.npy", "sha256": sha, "shape": list(array.shape)}
    entries["z2"] |= {"scale": 0.01, "offset": 0.5}
    (folder / "manifest.json").write_text(json.dumps({"metrics": {"loss": [1.5]}, "arrays": entries}))
    return tmp_path / "sim.py"


def rewrite(sim, change):
    path = sim.parent / "data" / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def test_arrays_come_back(sim):
    recorded = data.load(str(sim))
    assert list(recorded) == ["labels", "z2"]
    assert len(recorded) == 2
    assert recorded["labels"].dtype == np.uint8
    assert recorded["labels"].tolist() == [0, 1, 2, 3]
    assert recorded["z2"].dtype == np.float64
    np.testing.assert_allclose(recorded["z2"], [[-0.5, 0.5], [1.0, 1.5]])
    assert recorded.metrics == {"loss": [1.5]}
    assert recorded.manifest["metrics"] == recorded.metrics


def test_an_array_is_read_once_and_cannot_be_written(sim):
    recorded = data.load(sim)
    first = recorded["z2"]
    (sim.parent / "data" / "z2.npy").unlink()
    assert recorded["z2"] is first
    with pytest.raises(ValueError, match="read-only"):
        first[0, 0] = 1


def test_an_unknown_array_is_named_with_the_known(sim):
    with pytest.raises(KeyError, match="has no array 'z3'; it has labels, z2"):
        data.load(sim)["z3"]


def test_one_damaged_byte_is_found(sim):
    file = sim.parent / "data" / "z2.npy"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    recorded = data.load(sim)
    assert recorded["labels"].tolist() == [0, 1, 2, 3]
    with pytest.raises(ValueError, match=r"z2.npy is damaged: its sha256 is .*, the manifest says .*"):
        recorded["z2"]


def test_a_missing_file_is_named(sim):
    (sim.parent / "data" / "z2.npy").unlink()
    with pytest.raises(ValueError, match=r"z2.npy is missing; `make data` writes it"):
        data.load(sim)["z2"]


def test_pickles_are_not_opened(sim):
    file = sim.parent / "data" / "labels.npy"
    np.save(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    sha = hashlib.sha256(file.read_bytes()).hexdigest()
    rewrite(sim, lambda m: m["arrays"]["labels"].update(sha256=sha))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        data.load(sim)["labels"]


def test_another_shape_than_the_manifests_is_refused(sim):
    rewrite(sim, lambda m: m["arrays"]["labels"].update(shape=[2, 2]))
    with pytest.raises(ValueError, match=r"labels.npy must have shape \[2, 2\] by its manifest, got \[4\]"):
        data.load(sim)["labels"]


def test_no_manifest(tmp_path):
    with pytest.raises(ValueError, match=r"manifest.json is missing; `make data` writes it"):
        data.load(tmp_path / "sim.py")


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b"{}", b"\xff\xfe", b'{"arrays": 3}', b'{"arrays": {"z": {}}}', b'{"arrays": {"z": []}}'],
)
def test_a_damaged_manifest(sim, content):
    (sim.parent / "data" / "manifest.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"manifest.json is damaged \(.*\); `make data` writes it anew"):
        data.load(sim)


# Several arrays in one file


@pytest.fixture
def packed(tmp_path):
    """A sim's file beside a `data/` folder whose one file holds three arrays."""
    folder = tmp_path / "data"
    folder.mkdir()
    np.save(folder / "many.npy", np.arange(10, dtype=np.int16))
    sha = hashlib.sha256((folder / "many.npy").read_bytes()).hexdigest()
    shapes = {"first": [4], "second": [4], "grid": [1, 2]}
    entries, start = {}, 0
    for name, shape in shapes.items():
        entries[name] = {"file": "many.npy", "sha256": sha, "start": start, "shape": shape, "dtype": "int16"}
        start += int(np.prod(shape))
    entries["grid"] |= {"scale": 0.5, "offset": 1.0}
    (folder / "manifest.json").write_text(json.dumps({"arrays": entries}))
    return tmp_path / "sim.py"


def test_arrays_of_one_file_come_back(packed, monkeypatch):
    recorded = data.load(packed)
    opened = []
    monkeypatch.setattr(data.hashlib, "sha256", lambda content: opened.append(1) or hashlib.sha1(content))
    with pytest.raises(ValueError, match="damaged"):
        recorded["first"]  # the hash is taken
    monkeypatch.undo()
    assert recorded["first"].tolist() == [0, 1, 2, 3]
    (packed.parent / "data" / "many.npy").unlink()  # and the file is read once for all
    assert recorded["second"].tolist() == [4, 5, 6, 7]
    np.testing.assert_allclose(recorded["grid"], [[5.0, 5.5]])
    assert opened == [1]
    with pytest.raises(ValueError, match="read-only"):
        recorded["second"][0] = 1


@pytest.mark.parametrize("at", [0, 100, -1])
def test_a_damaged_file_of_many_is_named_for_each(packed, at):
    file = packed.parent / "data" / "many.npy"
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)
    recorded = data.load(packed)
    for name in recorded:
        with pytest.raises(ValueError, match=r"many.npy is damaged: its sha256 is .*, the manifest says .*"):
            recorded[name]


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("second", {"start": 3}, r"many.npy .*, so second must start at element 4, the manifest says 3"),
        ("second", {"start": 0}, "second must start at element 4, the manifest says 0"),
        ("grid", {"start": 9}, "grid must start at element 8, the manifest says 9"),
        ("first", {"start": -4}, "first must start at element 0, the manifest says -4"),
        ("first", {"start": "0"}, "first must start at element 0, the manifest says '0'"),
        ("first", {"start": None}, "first must start at element 0, the manifest says None"),
        (
            "grid",
            {"shape": [2, 2]},
            r"many.npy must hold 12 elements in a row by its manifest, got shape \[10\]",
        ),
        ("grid", {"shape": [1]}, "must hold 9 elements in a row"),
        ("grid", {"shape": None}, "grid must have a shape, got None"),
        ("grid", {"shape": [-1, 2]}, r"grid must have a shape, got \[-1, 2\]"),
        ("first", {"dtype": "int32"}, "many.npy must hold int32 by its manifest, got int16"),
        ("second", {"sha256": "0" * 64}, "many.npy is damaged"),
    ],
)
def test_a_wrong_place_in_a_file_is_refused(packed, name, change, said):
    rewrite(packed, lambda m: m["arrays"][name].update(change))
    with pytest.raises(ValueError, match=said):
        data.load(packed)[name]


def test_arrays_that_changed_places_are_refused(packed):
    def swap(manifest):
        first, second = manifest["arrays"]["first"], manifest["arrays"]["second"]
        first["start"], second["start"] = second["start"], first["start"]

    rewrite(packed, swap)
    with pytest.raises(ValueError, match="first must start at element 0, the manifest says 4"):
        data.load(packed)["second"]


def test_an_entry_without_a_start_cannot_share_a_file(packed):
    rewrite(packed, lambda m: m["arrays"]["second"].pop("start"))
    with pytest.raises(ValueError, match="second must start at element 4, the manifest says None"):
        data.load(packed)["second"]
