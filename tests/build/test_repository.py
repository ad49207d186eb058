"""What is committed: versions without addresses, no path of a machine, nothing that only one machine has."""

import json
import re
import subprocess
from fnmatch import fnmatch
from importlib.metadata import distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REGISTRIES = ("pypi" + ".org", "pythonhosted", "registry" + ".npmjs", "registry" + ".yarnpkg", "index-url")
# Folders of a machine; what follows must look like a path, so that prose about "/home" is none.
MACHINE = re.compile(r"(?<![\w./~}-])/(?:home|root|Users|work|opt|tmp|mnt|srv)/[\w.-]+")
# The home folder of the browser's Python, which is the same everywhere, and a regular expression's.
ALLOWED = ("/home/pyodide",)


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture(scope="module")
def committed():
    """Every committed text file: `{path: text}`."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    texts = {}
    for name in filter(None, listed.stdout.split("\0")):
        data = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b"\0"
        if b"\0" not in data:
            texts[name] = data.decode("utf-8")
    return texts


def test_no_registry_and_no_machine_is_named(committed):
    assert len(committed) > 100
    own = "tests/build/test_repository.py"
    faults = []
    for name, text in committed.items():
        for number, line in enumerate(text.split("\n"), 1):
            found = [r for r in REGISTRIES if r in line] + [
                p for p in MACHINE.findall(line) if not p.startswith(ALLOWED)
            ]
            if found and name != own:
                faults.append(f"{name}:{number}: {found}")
    assert faults == []


def test_the_npm_lock_has_versions_and_hashes_and_no_addresses():
    lock = json.loads((ROOT / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert len(packages) > 50
    for name, entry in packages.items():
        assert "resolved" not in entry, name
        assert entry.get("link") or entry["integrity"].startswith("sha512-"), name
    wanted = json.loads((ROOT / "package.json").read_text())
    for name, version in (wanted.get("dependencies", {}) | wanted.get("devDependencies", {})).items():
        assert re.fullmatch(r"\d+\.\d+\.\d+\S*", version), f"{name} {version} is not one version"
        assert packages[f"node_modules/{name}"]["version"] == version


def constraints():
    lines = (ROOT / "constraints.txt").read_text().split("\n")
    return {
        canonical(line.partition("==")[0]): line.partition("==")[2]
        for line in lines
        if line and not line.startswith("#")
    }


def test_constraints_are_plain_versions():
    assert len(constraints()) > 100
    for name, version in constraints().items():
        assert re.fullmatch(r"\d+(\.\d+)*(\.?(post|dev|a|b|rc)\d+)*", version), f"{name}=={version}"


def test_constraints_hold_everything_that_the_extras_need():
    """From the book's own requirements through those of what is installed: each has its version."""
    requirement = re.compile(r"([A-Za-z0-9._-]+)\s*(\[[^]]*\])?")
    installed = {canonical(d.metadata["Name"]): d for d in distributions()}
    held = constraints()
    queue = [("sim-engine", {"book", "data", "test"})]
    seen, missing = set(), []
    while queue:
        name, extras = queue.pop()
        if (name, frozenset(extras)) in seen or name not in installed:
            continue
        seen.add((name, frozenset(extras)))
        if name != "sim-engine":
            version = installed[name].version.partition("+")[0]
            if name not in held:
                missing.append(name)
            elif held[name] != version:
                missing.append(f"{name}: {held[name]} is pinned, {version} is installed")
        for text in installed[name].requires or []:
            needed, _, marker = text.partition(";")
            extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)", marker)
            if extra and extra[1] not in extras:
                continue
            found = requirement.match(needed)
            queue.append((canonical(found[1]), set(re.findall(r"[\w-]+", found[2] or ""))))
    assert len(seen) > 100
    assert missing == []


def test_no_folder_of_tests_is_passed_by(pytestconfig):
    """pytest skips folders of some names, "build" among them, without a word."""
    skipped = pytestconfig.getini("norecursedirs")
    folders = {path.parent.name for path in (ROOT / "tests").rglob("test_*.py")}
    assert {"build", "browser", "engine", "precompute"} <= folders
    assert not [name for name in folders if any(fnmatch(name, pattern) for pattern in skipped)]
