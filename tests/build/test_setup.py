"""`setup.sh` names what a machine lacks, and the remedy. No network: every tool is a stand-in."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NPM_FILES = ("package.json", "package-lock.json")
TOOLS = ("sh", "dirname", "cat", "cksum", "cut", "rm", "touch", "mkdir", "chmod", "cp", "id")

GOOD_PIP = "case \"$*\" in *'pip install'*) echo pip-installed >> done.log;; esac"
BAD_PIP = "case \"$*\" in *'pip install'*) echo 'ERROR: no matching distribution' >&2; exit 1;; esac"
# `-m venv DIR` leaves the stand-in for the environment's own Python, which is all that the script asks for.
PYTHON = """case "$*" in
  *version_info*) exit 0;;
  --version) echo "Python 3.11.2";;
  *ensurepip*) exit 0;;
  "-m venv .venv") mkdir -p .venv/bin; cp venv-python .venv/bin/python; chmod +x .venv/bin/python;;
esac"""
OLD_PYTHON = """case "$*" in *version_info*) exit 1;; --version) echo "Python 3.9.2";; esac"""
NO_VENV = """case "$*" in *ensurepip*) exit 1;; --version) echo "Python 3.11.2";; esac"""
NODE = 'case "$1" in --version) echo v20.19.0;; esac'
OLD_NODE = 'case "$1" in --version) echo v18.20.4;; -e) exit 1;; esac'
NPM = "mkdir -p node_modules; echo npm-installed >> done.log"


@pytest.fixture
def machine(tmp_path):
    """A copy of what the script reads, on a machine that has these tools and no others."""
    book = tmp_path / "book"
    (book / "build_scripts").mkdir(parents=True)
    for name in ("build_scripts/setup.sh", "pyproject.toml", "constraints.txt", *NPM_FILES):
        shutil.copy(ROOT / name, book / name)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in TOOLS:
        (tools / name).symlink_to(shutil.which(name) or pytest.fail(f"{name} is missing here"))

    def run(want="book", *, pip=GOOD_PIP, path="", **present):
        present = {"python3": PYTHON, "node": NODE, "npm": NPM, "chromium": "exit 0"} | present
        for name, body in present.items():
            (tools / name).unlink(missing_ok=True)
            if body is not None:
                (tools / name).write_text(f"#!/bin/sh\n{body}\n")
                (tools / name).chmod(0o755)
        (book / "venv-python").write_text(f"#!/bin/sh\n{pip}\n")
        if (book / ".venv").exists():
            (book / ".venv/bin/python").write_text(f"#!/bin/sh\n{pip}\n")
        done = subprocess.run(
            ["/bin/sh", "build_scripts/setup.sh", want],
            cwd=book,
            env={"PATH": str(tools), "HOME": str(tmp_path), "LC_ALL": "C"},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        log = book / "done.log"
        installed = log.read_text().split() if log.exists() else []
        log.unlink(missing_ok=True)
        return done, installed

    return run


LACKS = {
    "no Python": ({"python3": None}, ["no Python", "3.11", "apt-get install python3", "PYTHON="]),
    "an old Python": ({"python3": OLD_PYTHON}, ["Python 3.9.2", "too old", "3.11 or newer", "PYTHON="]),
    "no venv module": ({"python3": NO_VENV}, ["no venv module", "apt-get install python3-venv"]),
    "no Node": ({"node": None}, ["Node.js is missing", "20 or newer", "apt-get install nodejs npm"]),
    "an old Node": ({"node": OLD_NODE}, ["v18.20.4", "too old", "20 or newer", "nvm install 20"]),
    "no npm": ({"npm": None}, ["npm is missing", "apt-get install npm"]),
}


@pytest.mark.parametrize("lack", LACKS)
def test_a_missing_tool_is_named_with_its_remedy(lack, machine):
    present, said = LACKS[lack]
    done, installed = machine(**present)
    assert done.returncode == 1
    for words in said:
        assert words.lower() in done.stderr.lower()
    # Nothing is begun that cannot be ended, and no shell trace is all that is said.
    assert installed == []
    assert "set-up stopped:" in done.stderr
    assert "not found" not in done.stderr


def test_a_failed_install_is_not_taken_for_a_set_up(machine):
    done, installed = machine(pip=BAD_PIP)
    assert done.returncode == 1
    assert "no matching distribution" in done.stderr
    assert "pip could not install" in done.stderr
    assert "again" in done.stderr
    done, installed = machine()  # the same command again finishes the work
    assert done.returncode == 0, done.stderr
    assert "npm-installed" in installed


def test_a_failed_npm_is_not_taken_for_a_set_up(machine):
    done, _ = machine(npm="mkdir -p node_modules; echo 'npm error network' >&2; exit 1")
    assert done.returncode == 1
    assert "npm could not install" in done.stderr
    done, installed = machine()
    assert done.returncode == 0, done.stderr
    assert installed == ["npm-installed"]


def test_the_second_run_installs_nothing(machine):
    first = machine()
    assert first[0].returncode == 0, first[0].stderr
    assert first[1] == ["pip-installed", "npm-installed"]
    second = machine()
    assert second[0].returncode == 0
    assert second[1] == []
    assert second[0].stdout == ""


def test_what_is_set_up_for_the_tests_is_set_up_for_the_book(machine):
    assert machine("test")[1] == ["pip-installed", "npm-installed"]
    assert machine("book")[1] == []
    assert machine("test")[1] == []


def test_the_tests_need_more_than_the_book(machine):
    assert machine("book")[1] == ["pip-installed", "npm-installed"]
    assert machine("test")[1] == ["pip-installed"]


def test_tests_without_chromium_say_how_to_get_it(machine):
    done, _ = machine("test", chromium=None)
    assert done.returncode == 1
    assert "Chromium is missing" in done.stderr
    assert "CHROMIUM=" in done.stderr
    assert machine("book", chromium=None)[0].returncode == 0  # readers of the book need none


def test_debians_chromium_is_installed_for_the_tests(machine):
    sudo_or_root = {"sudo": 'exec "$@"', "apt-get": "echo apt-$2$3 >> done.log", "env": 'shift; exec "$@"'}
    done, installed = machine("test", chromium=None, **sudo_or_root)
    assert done.returncode == 0, done.stderr
    assert [line for line in installed if line.startswith("apt-")] == ["apt-update", "apt-install-y"]


def test_chromium_that_cannot_be_installed_stops_the_set_up_at_its_end(machine):
    failing = "echo 'E: Unable to locate package chromium' >&2; exit 100"
    tools = {"sudo": 'exec "$@"', "apt-get": failing, "env": 'shift; exec "$@"'}
    done, installed = machine("test", chromium=None, **tools)
    assert done.returncode == 1
    assert "Unable to locate package" in done.stderr
    assert "apt-get could not install chromium" in done.stderr
    assert installed == ["pip-installed", "npm-installed"]  # begun beside it, and kept


def test_a_set_up_that_fails_waits_for_what_it_began(machine):
    slow = "/bin/sleep 0.3; echo apt-$2 >> done.log"
    tools = {"sudo": 'exec "$@"', "apt-get": slow, "env": 'shift; exec "$@"'}
    done, installed = machine("test", chromium=None, pip=BAD_PIP, **tools)
    assert done.returncode == 1
    assert "pip could not install" in done.stderr
    assert [line for line in installed if line.startswith("apt-")] == ["apt-update", "apt-install"]


def test_an_unknown_set_is_refused(machine):
    done, _ = machine("books")
    assert done.returncode == 1
    assert "book and test" in done.stderr


def test_the_first_line_of_a_makefile_target_is_the_set_up():
    """`make serve` and the others go through the script that names what is missing."""
    text = (ROOT / "Makefile").read_text()
    for target in ("serve", "site", "test", "bench", "data", "check"):
        rule = next(line for line in text.splitlines() if line.startswith(f"{target}:"))
        assert "book-tools" in rule or "test-tools" in rule
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
