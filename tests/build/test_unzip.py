"""The player's own reader of wheels: what it unpacks is what Python's zipfile unpacks."""

import hashlib
import json
import subprocess
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import { readFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { unzip } from "./unzip.mjs";
const zip = new Uint8Array(readFileSync(process.argv[2]));
const entries = await unzip(zip).catch((error) => error.message);
const digest = (bytes) => createHash("sha256").update(bytes).digest("hex");
const told = typeof entries === "string" ? entries : entries.map((e) => [e.path, digest(e.bytes)]);
console.log(JSON.stringify(told));
"""


@pytest.fixture(scope="module")
def unzip(tmp_path_factory):
    """`unzip(path)`: [[name, sha256], …] by the player's code under Node, or its error's message."""
    folder = tmp_path_factory.mktemp("unzip")
    (folder / "run.mjs").write_text(SCRIPT, encoding="utf-8")
    bundle = [
        ROOT / "node_modules/.bin/esbuild",
        ROOT / "sims/player/src/unzip.ts",
        "--format=esm",
        f"--outfile={folder / 'unzip.mjs'}",
        "--log-level=warning",
    ]
    subprocess.run(bundle, check=True, cwd=ROOT)

    def run(path):
        done = subprocess.run(
            ["node", folder / "run.mjs", path], check=True, capture_output=True, text=True, timeout=60
        )
        return json.loads(done.stdout)

    return run


@pytest.fixture
def archive(tmp_path):
    """A zip with stored and deflated files, an empty one, a folder, a name that is not ASCII."""
    path = tmp_path / "a.whl"
    with zipfile.ZipFile(path, "w") as zip:
        zip.writestr("pkg/__init__.pyc", b"\x00" * 70_000 + b"end", zipfile.ZIP_DEFLATED)
        zip.writestr("pkg/", b"")
        zip.writestr("pkg/empty", b"", zipfile.ZIP_DEFLATED)
        zip.writestr("pkg/é.txt", bytes(range(256)), zipfile.ZIP_STORED)
    return path


def digests(path):
    with zipfile.ZipFile(path) as zip:
        names = [n for n in zip.namelist() if not n.endswith("/")]
        return [[n, hashlib.sha256(zip.read(n)).hexdigest()] for n in names]


def test_every_file_comes_out_whole(unzip, archive):
    assert len(digests(archive)) == 3
    assert unzip(archive) == digests(archive)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda b: b[:10], "not a zip file as the build writes them"),
        (lambda b: b[:-4], "not a zip file as the build writes them"),
        (lambda b: b.replace(b"PK\x01\x02", b"PK\x09\x09", 1), "the zip file's directory is damaged"),
    ],
)
def test_what_is_no_wheel_is_refused(unzip, archive, damage, message):
    archive.write_bytes(damage(archive.read_bytes()))
    assert unzip(archive) == message


def test_a_method_that_the_build_never_writes_is_named(unzip, tmp_path):
    path = tmp_path / "a.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as zip:
        zip.writestr("x", b"abc")
    assert unzip(path) == "the zip file uses method 12, which the build never writes"


def test_damaged_data_is_an_error_and_not_another_file(unzip, archive):
    data = bytearray(archive.read_bytes())
    at = data.index(b"pkg/__init__.pyc") + len(b"pkg/__init__.pyc")
    data[at] = 0xFF  # no deflate block begins so
    archive.write_bytes(bytes(data))
    assert isinstance(unzip(archive), str)


@pytest.mark.parametrize(("said", "word"), [(70_002, "longer"), (70_004, "shorter")])
def test_a_file_of_another_length_than_said_is_refused(unzip, archive, said, word):
    data = archive.read_bytes()
    true = (70_003).to_bytes(4, "little")
    assert data.count(true) == 2  # the local header and the directory
    archive.write_bytes(data.replace(true, said.to_bytes(4, "little")))
    assert unzip(archive) == f"a file in the zip is {word} than its directory says"
