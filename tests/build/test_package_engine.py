"""The engine's wheel: quick to remake, deterministic, and an edit changes it and the lock alone."""

import hashlib
import json
import shutil
import zipfile
from pathlib import Path

import pytest

from build_scripts import package_engine, runtime
from build_scripts.runtime_tools.base import base_runtime
from build_scripts.runtime_tools.errors import RuntimeBuildError
from build_scripts.runtime_tools.sources import read_pyodide

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def browser_base():
    return base_runtime(read_pyodide(ROOT / "node_modules" / "pyodide"), runtime.CACHE)


@pytest.fixture
def project(tmp_path, browser_base):
    """A copy of what the engine is packed from, and a cache of its own for the wheels."""
    root = tmp_path / "project"
    root.mkdir()
    shutil.copytree(ROOT / "sim_engine", root / "sim_engine", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, root)
    return root


def edit(root, name, text):
    path = root / "sim_engine" / name
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def test_two_wheels_of_one_engine_are_byte_identical(project, browser_base, tmp_path):
    wheels = [package_engine.build(browser_base, cache=tmp_path / name, root=project).path for name in "ab"]
    assert wheels[0] != wheels[1]
    assert wheels[0].read_bytes() == wheels[1].read_bytes()


def test_the_wheel_holds_the_whole_engine(project, browser_base, tmp_path):
    wheel = package_engine.build(browser_base, cache=tmp_path, root=project)
    sources = {path.relative_to(project).as_posix() + "c" for path in (project / "sim_engine").rglob("*.py")}
    with zipfile.ZipFile(wheel.path) as archive:
        names = set(archive.namelist())
        metadata = archive.read(f"sim_engine-{wheel.version}.dist-info/METADATA").decode()
    assert sources <= names
    assert {name.split("/")[0] for name in names} == {"sim_engine", f"sim_engine-{wheel.version}.dist-info"}
    assert "Requires-Dist: numpy" in metadata
    assert f"Version: {wheel.version}" in metadata


def test_an_edit_is_picked_up_and_undone_from_the_cache(project, browser_base, tmp_path):
    first = package_engine.build(browser_base, cache=tmp_path, root=project)
    original = (project / "sim_engine" / "similarity.py").read_bytes()
    edit(project, "similarity.py", "\nADDED = 1\n")
    second = package_engine.build(browser_base, cache=tmp_path, root=project)
    assert second.entry["sha256"] != first.entry["sha256"]
    (project / "sim_engine" / "similarity.py").write_bytes(original)
    third = package_engine.build(browser_base, cache=tmp_path, root=project)
    assert third.path == first.path


def test_a_damaged_cached_wheel_is_made_anew(project, browser_base, tmp_path):
    wheel = package_engine.build(browser_base, cache=tmp_path, root=project)
    good = wheel.path.read_bytes()
    wheel.path.write_bytes(good[:-1])
    again = package_engine.build(browser_base, cache=tmp_path, root=project)
    assert again.path.read_bytes() == good


def test_a_syntax_error_names_file_and_line_and_leaves_the_old_runtime(project, tmp_path):
    (project / "node_modules").symlink_to(ROOT / "node_modules")
    out = tmp_path / "runtime"
    runtime.build(out, root=project)
    before = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in out.iterdir()}
    edit(project, "losses/nt_xent.py", "\ndef broken(:\n")
    with pytest.raises(RuntimeBuildError, match=r"sim_engine/losses/nt_xent\.py.*line \d+(?s:.*)SyntaxError"):
        runtime.build(out, root=project)
    assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in out.iterdir()} == before


def test_an_edit_changes_the_wheel_the_lock_and_the_list_alone(project, tmp_path):
    (project / "node_modules").symlink_to(ROOT / "node_modules")
    out = tmp_path / "runtime"
    before = {entry["path"]: entry["sha256"] for entry in runtime.build(out, root=project)["files"]}
    edit(project, "sphere.py", "\nADDED = 2\n")
    after = {entry["path"]: entry["sha256"] for entry in runtime.build(out, root=project)["files"]}
    changed = {path for path in after if after[path] != before[path]}
    assert changed == {"lock.json", next(path for path in after if path.startswith("sim_engine-"))}
    assert (
        json.loads((out / "runtime.json").read_text())["files"] == runtime.build(out, root=project)["files"]
    )


def test_a_missing_engine_is_named(project, browser_base, tmp_path):
    (project / "sim_engine" / "__init__.py").unlink()
    with pytest.raises(RuntimeBuildError, match=r"sim_engine: wanted the package"):
        package_engine.build(browser_base, cache=tmp_path, root=project)


def test_a_missing_loop_is_named(project, browser_base, tmp_path):
    (project / "sim_engine" / "exponential.wat").unlink()
    with pytest.raises(RuntimeBuildError, match=r"exponential\.wat: not found.*git checkout"):
        package_engine.build(browser_base, cache=tmp_path / "cache", root=project)


def test_the_command_writes_the_wheel_and_prints_its_hash(tmp_path, capsys):
    assert package_engine.main(["--out", str(tmp_path)]) == 0
    [wheel] = tmp_path.iterdir()
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() in capsys.readouterr().out
