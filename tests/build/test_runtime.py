"""The browser's Python: complete, deterministic, checked by hash, and plain about what is wrong."""

import base64
import dataclasses
import hashlib
import json
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from build_scripts import runtime
from build_scripts.runtime_tools import base, checks, node, sources
from build_scripts.runtime_tools.errors import RuntimeBuildError
from build_scripts.static_server import StaticServer

ROOT = Path(__file__).resolve().parents[2]
NPM = ROOT / "node_modules" / "pyodide"
WHEEL = "numpy-2.4.3-cp314-cp314-pyemscripten_2026_0_wasm32.whl"


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built") / "runtime"
    return folder, runtime.build(folder)


@pytest.fixture(scope="session")
def good_wheel(built):
    return sources.numpy_wheel(sources.read_pyodide(NPM), runtime.CACHE)


@pytest.fixture
def pyodide():
    """The npm package with no other source than the ones a test gives it."""
    return dataclasses.replace(sources.read_pyodide(NPM), official="")


def contents(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


# --- what comes out


def test_runtime_json_lists_every_file_with_its_hash_and_size(built):
    folder, manifest = built
    assert json.loads((folder / "runtime.json").read_text()) == manifest
    assert list(manifest) == [
        "pyodide", "python", "numpy", "engine", "module", "stdlib", "lock", "packages", "files",
    ]  # fmt: skip
    listed = {entry["path"]: entry for entry in manifest["files"]}
    assert set(contents(folder)) == {*listed, "runtime.json", "NOTICE.txt"}
    for path, entry in listed.items():
        raw = (folder / path).read_bytes()
        assert entry["sha256"] == hashlib.sha256(raw).hexdigest(), path
        assert entry["bytes"] == len(raw), path
        assert 0 < entry["gzip"] <= len(raw), path
    assert [listed[manifest[name]]["phase"] for name in ("module", "stdlib", "lock")] == ["runtime"] * 3
    assert [entry["phase"] for entry in manifest["files"]].count("numpy") == 1
    assert manifest["python"].startswith("3.14.")


def test_the_lock_holds_numpy_and_the_engine_alone_with_the_hashes_of_the_wheels(built):
    folder, manifest = built
    lock = json.loads((folder / manifest["lock"]).read_text())
    assert manifest["packages"] == ["numpy", "sim_engine"]
    assert {package["name"] for package in lock["packages"].values()} == {"numpy", "sim_engine"}
    for package in lock["packages"].values():
        assert package["sha256"] == hashlib.sha256((folder / package["file_name"]).read_bytes()).hexdigest()
    assert "://" not in json.dumps(lock)


@pytest.mark.parametrize("name", ["numpy", "sim_engine"])
def test_wheels_hold_bytecode_a_true_record_and_licences(built, name):
    folder, manifest = built
    lock = json.loads((folder / manifest["lock"]).read_text())
    with zipfile.ZipFile(folder / lock["packages"][name.replace("_", "-")]["file_name"]) as wheel:
        members = {n: wheel.read(n) for n in wheel.namelist()}
    assert not [n for n in members if n.endswith(".py")]
    assert [n for n in members if "/licenses/" in n]
    record = next(n for n in members if n.endswith(".dist-info/RECORD"))
    rows = [line.rsplit(",", 2) for line in members[record].decode().splitlines()]
    assert sorted(path for path, _, _ in rows) == sorted(members)
    for path, digest, size in rows:
        if path != record:
            want = hashlib.sha256(members[path]).digest()
            assert digest == "sha256=" + base64.urlsafe_b64encode(want).rstrip(b"=").decode()
            assert int(size) == len(members[path])


def test_every_licence_of_numpy_is_kept(built, good_wheel):
    with zipfile.ZipFile(good_wheel) as published, zipfile.ZipFile(built[0] / WHEEL) as ours:
        licences = {n for n in published.namelist() if "/licenses/" in n}
        assert licences
        assert licences <= set(ours.namelist())


def test_two_builds_are_byte_identical(built, good_wheel, tmp_path):
    cache = tmp_path / "cache"
    cache.mkdir()
    shutil.copy(good_wheel, cache)
    runtime.build(tmp_path / "again", cache=cache)
    assert contents(tmp_path / "again") == contents(built[0])


# --- damage


def test_an_unchanged_build_touches_nothing(built):
    folder, manifest = built
    before = {path: path.stat().st_ino for path in folder.iterdir()}
    assert runtime.build(folder) == manifest
    assert {path: path.stat().st_ino for path in folder.iterdir()} == before


@pytest.mark.parametrize("harm", ["flip", "truncate", "remove"])
def test_a_damaged_output_is_made_whole(built, tmp_path, harm):
    folder = tmp_path / "runtime"
    shutil.copytree(built[0], folder)
    victim = folder / "python_stdlib.zip"
    raw = bytearray(victim.read_bytes())
    if harm == "flip":
        raw[1000] ^= 1
        victim.write_bytes(raw)
    elif harm == "truncate":
        victim.write_bytes(raw[:-10])
    else:
        victim.unlink()
    runtime.build(folder)
    assert contents(folder) == contents(built[0])
    assert [path.name for path in tmp_path.iterdir()] == ["runtime"]


def test_a_damaged_cached_runtime_is_not_used(built, tmp_path, capsys):
    key = max((runtime.CACHE / "base").iterdir(), key=lambda path: path.stat().st_mtime)
    folder = tmp_path / key.name
    shutil.copytree(key, folder)
    assert base._cached(folder, key.name) is not None
    with (folder / "pyodide.asm.wasm").open("r+b") as file:
        file.seek(5000)
        file.write(b"\0\0\0\0\0\0\0\0")
    assert base._cached(folder, key.name) is None
    assert str(folder) in capsys.readouterr().err


# --- where the wheel comes from


def test_a_damaged_cached_wheel_is_fetched_again(pyodide, good_wheel, tmp_path, capsys):
    (tmp_path / WHEEL).write_bytes(good_wheel.read_bytes()[:1000])
    with StaticServer(good_wheel.parent) as server:
        wheel = sources.numpy_wheel(dataclasses.replace(pyodide, official=server.url), tmp_path, carrier="")
    assert wheel.read_bytes() == good_wheel.read_bytes()
    said = capsys.readouterr().err
    assert f"{tmp_path / WHEEL}: damaged" in said
    assert f"{WHEEL}: 2." in said  # the download shows how far it has come


def test_a_wheel_with_another_hash_is_refused_and_named(pyodide, good_wheel, tmp_path):
    served, cache = tmp_path / "served", tmp_path / "cache"
    served.mkdir()
    raw = bytearray(good_wheel.read_bytes())
    raw[-1] ^= 1
    (served / WHEEL).write_bytes(raw)
    with StaticServer(served) as server, pytest.raises(RuntimeBuildError) as refused:
        sources.numpy_wheel(dataclasses.replace(pyodide, official=server.url), cache, carrier="")
    message = str(refused.value)
    assert WHEEL in message
    assert "0cad9c1b" in message
    assert hashlib.sha256(raw).hexdigest() in message
    assert str(cache / WHEEL) in message
    assert list(cache.iterdir()) == []


def test_a_download_that_breaks_off_is_refused(pyodide, good_wheel, tmp_path):
    with StaticServer(good_wheel.parent) as server:
        server.faults[".whl"] = lambda body: (200, body[: len(body) // 2])
        with pytest.raises(RuntimeBuildError, match=WHEEL):
            sources.numpy_wheel(dataclasses.replace(pyodide, official=server.url), tmp_path, carrier="")


def test_without_any_source_every_attempt_is_named(pyodide, tmp_path):
    gone = dataclasses.replace(pyodide, official="http://127.0.0.1:9/")
    with pytest.raises(RuntimeBuildError) as refused:
        sources.numpy_wheel(gone, tmp_path, carrier="")
    assert "http://127.0.0.1:9/" + WHEEL in str(refused.value)
    assert "pyodide-lock.json" in str(refused.value)


def test_the_official_address_is_the_one_the_package_names():
    pyodide = sources.read_pyodide(NPM)
    assert pyodide.official.startswith("https://")
    assert pyodide.official.endswith(f"/v{sources.PYODIDE_VERSION}/full/")


# --- a trim that takes too much, a number that differs


def test_the_build_fails_when_a_module_that_others_need_is_missing(pyodide, good_wheel, built, tmp_path):
    folder = tmp_path / "runtime"
    shutil.copytree(built[0], folder)
    with (
        zipfile.ZipFile(built[0] / "python_stdlib.zip") as whole,
        zipfile.ZipFile(folder / "python_stdlib.zip", "w") as less,
    ):
        for name in whole.namelist():
            if name != "fractions.pyc":
                less.writestr(name, whole.read(name))
    numpy = json.loads((folder / "lock.json").read_text())["packages"]["numpy"]
    with pytest.raises(RuntimeBuildError) as failed:
        checks.check_base(pyodide, good_wheel, folder, numpy)
    message = str(failed.value)
    assert "import statistics: ModuleNotFoundError: No module named 'fractions'" in message
    assert "numbers_of_every_kind: raised in the browser's Python" in message
    assert "trim.py" in message


def test_a_result_that_differs_is_named():
    same = {"a": [1.0, float("nan")], "b": "text"}
    assert checks.compare(same, {"a": [1.0 + 1e-11, float("nan")], "b": "text"}) == []
    off = {"a": [1.0 + 1e-8, float("nan")], "b": "other"}
    assert [line.split(":")[0] for line in checks.compare(same, off)] == ["a", "b"]
    assert checks.compare(same, {"b": "text"}) == ["a: raised in the browser's Python: the check did not run"]


# --- the command


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project folder that a test may break."""
    (tmp_path / "node_modules").mkdir()
    monkeypatch.setattr(runtime, "ROOT", tmp_path)
    monkeypatch.setattr(runtime.build, "__kwdefaults__", {"cache": runtime.CACHE, "root": tmp_path})
    return tmp_path


def test_the_command_prints_sizes_and_hashes(tmp_path, capsys):
    assert runtime.main(["--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    for entry in json.loads((tmp_path / "out" / "runtime.json").read_text())["files"]:
        line = next(line for line in said.splitlines() if line.endswith(entry["path"]))
        assert f"{entry['bytes']:,}" in line
        assert entry["sha256"][:16] in line


def test_a_missing_npm_package_is_named(project, capsys):
    assert runtime.main(["--out", str(project / "out")]) == 1
    assert "npm ci" in capsys.readouterr().err
    assert not (project / "out").exists()


def test_another_version_of_the_npm_package_is_refused(project, capsys):
    folder = project / "node_modules" / "pyodide"
    folder.mkdir()
    (folder / "package.json").write_text('{"version": "0.29.0"}')
    assert runtime.main(["--out", str(project / "out")]) == 1
    said = capsys.readouterr().err
    assert "wanted pyodide 314.0.3, got 0.29.0" in said
    assert "npm ci" in said


def test_a_file_missing_from_the_npm_package_is_named(project, capsys):
    folder = project / "node_modules" / "pyodide"
    folder.mkdir()
    shutil.copy(NPM / "package.json", folder)
    assert runtime.main(["--out", str(project / "out")]) == 1
    assert str(folder / "pyodide.mjs") in capsys.readouterr().err


def test_a_missing_node_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeBuildError, match=r"node: not found.*Install Node"):
        node.find_node()


def test_an_old_node_is_refused(monkeypatch, tmp_path):
    fake = tmp_path / "node"
    fake.write_text("#!/bin/sh\necho v18.19.0\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(RuntimeBuildError, match=r"version 20 or newer.*v18\.19\.0"):
        node.find_node()


def test_python_that_never_ends_is_stopped(built, tmp_path):
    script = tmp_path / "forever.py"
    script.write_text("while True: pass\n")
    with pytest.raises(RuntimeBuildError, match=r"forever\.py: no end after"):
        node.run_inside(script, [], index=built[0], mounts={}, lock=built[0] / "lock.json", timeout=4)
