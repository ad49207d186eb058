"""The package as a whole: what it exports, what it imports, and that importing it is cheap."""

import ast
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import sim_engine
from sim_engine import floors, losses

ROOT = Path(sim_engine.__file__).parent


def loaded_by(statement):
    """Modules loaded by `statement` in a fresh interpreter that has NumPy already."""
    code = f"import sys, json, numpy; before = set(sys.modules); {statement}; "
    code += "print(json.dumps(sorted(set(sys.modules) - before)))"
    run = [sys.executable, "-c", code]
    return set(json.loads(subprocess.run(run, capture_output=True, cwd=ROOT.parent, check=True).stdout))


def test_public_names():
    for name in sim_engine.__all__:
        assert getattr(sim_engine, name).__name__ == f"sim_engine.{name}"
    assert set(sim_engine.__all__) <= set(dir(sim_engine))
    with pytest.raises(AttributeError, match="sim_engine has no module 'loses'; it has augment, bridge"):
        sim_engine.loses  # noqa: B018  # the access is the test


def test_version_is_the_projects():
    project = tomllib.loads((ROOT.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert sim_engine.__version__ == project["version"]


def test_a_submodule_is_loaded_when_it_is_used():
    assert loaded_by("import sim_engine") <= {"sim_engine"}
    loaded = loaded_by("import sim_engine; sim_engine.floors.equal(256)")
    assert "sim_engine.floors" in loaded
    assert not loaded & {"sim_engine.microsim", "sim_engine.losses", "sim_engine.projection"}


@pytest.mark.parametrize("package", [losses, floors])
def test_every_public_name_of_a_package_is_there(package):
    short = package.__name__
    for name in package.__all__:
        found = getattr(package, name)
        assert found.__name__ in (name, f"{short}.{name}")
        assert name in dir(package)
    with pytest.raises(AttributeError, match=f"{short} has no 'nt_zent'; it has "):
        package.nt_zent  # noqa: B018  # the access is the test


def test_a_loss_is_loaded_when_it_is_used():
    loaded = loaded_by("from sim_engine import losses; losses.nt_xent_value")
    assert "sim_engine.losses.nt_xent" in loaded
    assert not loaded & {f"sim_engine.losses.{name}" for name in ("dino", "moco", "triplet", "clip")}
    loaded = loaded_by("from sim_engine import floors; floors.equal(256)")
    assert not loaded & {f"sim_engine.floors.{name}" for name in ("clip", "sup_con", "vicreg")}


@pytest.mark.parametrize(
    "first",
    [
        "import sim_engine.losses.dcl",
        "from sim_engine.losses.dcl import dcl",
        "from sim_engine import train; train.simclr",
    ],
)
def test_a_name_is_the_function_though_its_module_was_imported_first(first):
    code = (
        f"{first}\nfrom sim_engine import losses as l\nprint(type(l.dcl).__name__, type(l.nt_xent).__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT.parent, check=True
    )
    assert done.stdout.split() == ["function", "function"]


def test_nothing_heavy_is_loaded():
    everything = "; ".join(f"import sim_engine.{name}" for name in sim_engine.__all__)
    loaded = loaded_by(everything)
    heavy = {"unittest", "asyncio", "scipy", "torch", "http", "email", "pydoc", "multiprocessing", "ssl"}
    heavy |= {f"numpy.{part}" for part in ("testing", "ma", "polynomial", "fft", "random", "f2py")}
    assert not loaded & heavy


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_imports_numpy_and_the_standard_library_alone(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names.add(node.module.split(".")[0])
    assert names <= {"numpy", "sim_engine"} | set(sys.stdlib_module_names)


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_products_of_matrices_go_through_one_helper(path):
    if path.name == "_matmul.py":
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    used = [n.lineno for n in ast.walk(tree) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.MatMult)]
    assert not used


def test_every_public_function_is_documented():
    missing = []
    for path in sorted(ROOT.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if not ast.get_docstring(tree):
            missing.append(path.name)
        classes = [n for n in tree.body if isinstance(n, ast.ClassDef)]
        for node in [n for parent in (tree, *classes) for n in parent.body]:
            if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
                continue
            inherited = path.name == "_controls.py" and node.name in {"accept", "values", "spec"}
            if not ast.get_docstring(node) and not inherited:
                missing.append(f"{path.name}:{node.lineno} {node.name}")
    assert missing == []
