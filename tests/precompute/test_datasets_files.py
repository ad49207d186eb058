"""STL-10 and CIFAR-10: files of the published format, downloads that go wrong, damage of every kind."""

import errno
import hashlib
import io
import os
import re
import shutil
import tarfile
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from build_scripts.precompute import datasets
from build_scripts.precompute.datasets import archive, cifar10, files, stl10
from build_scripts.precompute.datasets.archive import Member, find

CONTENT = np.random.default_rng(0).integers(0, 256, 300_000, np.uint8).tobytes()
SIZE = len(CONTENT)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
WORDS = ["airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck"]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.delenv("LWL_DATA", raising=False)


@pytest.fixture
def server():
    """A server of one file; `drop` are the bytes after which each connection in turn breaks off."""
    state = SimpleNamespace(
        shift=0,
        content=CONTENT,
        drop=[],
        ranges=True,
        status=None,
        length=True,
        kind="application/gzip",
        asked=[],
    )

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            wanted = self.headers["Range"]
            state.asked.append(wanted)
            if state.status is not None:
                return self.send_error(state.status)
            start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) if wanted and state.ranges else 0
            start += state.shift if start else 0
            if start >= len(state.content):
                return self.send_error(416)
            body = state.content[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Type", state.kind)
            if start:
                last = len(state.content) - 1
                self.send_header("Content-Range", f"bytes {start}-{last}/{last + 1}")
            if state.length:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: state.drop.pop(0)] if state.drop else body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as web:
        thread = threading.Thread(target=web.serve_forever, args=(0.01,))
        thread.start()
        state.address = f"http://127.0.0.1:{web.server_address[1]}/some.tar.gz"
        yield state
        web.shutdown()
        thread.join()


@pytest.fixture
def get(server, tmp_path):
    """`get()` fetches the server's file to get.target."""

    def call(**changes):
        known = {"size": SIZE, "sha256": SHA256} | changes
        return files.fetch(server.address, call.target, **known)

    call.target = tmp_path / "deep" / "some.tar.gz"
    call.part = tmp_path / "deep" / "some.tar.gz.part"
    return call


def started(get, content):
    get.part.parent.mkdir()
    get.part.write_bytes(content)


# Downloads


def test_a_file_is_downloaded_once(server, get):
    seen = []
    get(progress=lambda *step: seen.append(step))
    assert get() == get.target
    assert get.target.read_bytes() == CONTENT
    assert server.asked == [None]
    assert not get.part.exists()
    assert ("some.tar.gz", SIZE, SIZE) in seen


def test_a_dropped_connection_is_resumed_by_range(server, get):
    server.drop = [100_000, 50_000]
    get()
    assert get.target.read_bytes() == CONTENT
    assert server.asked == [None, "bytes=100000-", "bytes=150000-"]


def test_an_interrupted_download_goes_on_in_the_next_call(server, get):
    def interrupt(what, done, total):
        if done > 100_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        get(progress=interrupt)
    assert not get.target.exists()
    kept = get.part.stat().st_size
    assert 100_000 < kept < SIZE
    get()
    assert get.target.read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={kept}-"]


def test_a_server_that_ignores_range_is_read_from_the_start(server, get):
    server.ranges = False
    started(get, b"another beginning")
    get()
    assert get.target.read_bytes() == CONTENT


@pytest.mark.parametrize("ranges", [True, False])
def test_a_server_that_always_breaks_off_is_given_up(server, get, ranges):
    server.ranges = ranges
    server.drop = [200_000] + [0] * 10
    with pytest.raises(ValueError, match=r"broke off after [\d,]+ of 300,000 bytes .*\.part: try again, or"):
        get()
    assert len(server.asked) == 2
    assert not get.target.exists()


def test_a_server_without_a_length_is_believed_only_for_the_right_bytes(server, get):
    server.length = False
    get()
    assert get.target.read_bytes() == CONTENT
    get.target.unlink()
    server.content = CONTENT + b"x"
    with pytest.raises(ValueError, match="sends more than 300,000 bytes"):
        get()
    assert not get.target.exists()


@pytest.mark.parametrize("kind", ["md5", "sha256"])
def test_a_wrong_checksum_is_named_and_the_file_removed(server, get, kind):
    server.content = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])
    was = hashlib.new(kind, server.content).hexdigest()
    wanted = hashlib.new(kind, CONTENT).hexdigest()
    with pytest.raises(ValueError, match=f"{kind} {was}, wanted {wanted}; it was removed.*put it to"):
        get(**{"sha256": None, kind: wanted})
    assert list(get.target.parent.iterdir()) == []


def test_a_part_of_another_file_costs_one_download_only(server, get):
    started(get, bytes(1000))
    with pytest.raises(ValueError, match="it was removed; try again"):
        get()
    get()
    assert get.target.read_bytes() == CONTENT


def test_a_part_that_is_too_long_or_refused_starts_anew(server, get):
    started(get, bytes(SIZE + 5))
    get()
    assert get.target.read_bytes() == CONTENT
    get.target.unlink()
    server.content = CONTENT[:200_000]  # the server's own file is short: 416, then its real length
    get.part.write_bytes(bytes(250_000))
    with pytest.raises(ValueError, match="offers 200000 bytes from 0, wanted 300000"):
        get()


@pytest.mark.parametrize("status", [404, 500, 503])
def test_an_error_of_the_server_is_passed_on(server, get, status):
    server.status = status
    with pytest.raises(ValueError, match=f"{server.address} answers {status} .*{get.target}"):
        get()
    assert not get.target.exists()


def test_a_web_page_is_not_the_file(server, get):
    server.kind = "text/html; charset=utf-8"
    with pytest.raises(ValueError, match="answers with a web page"):
        get()
    assert not get.part.exists()


def test_another_length_is_refused_before_a_byte_is_kept(server, get):
    server.content = CONTENT + b"more"
    with pytest.raises(ValueError, match="offers 300004 bytes from 0, wanted 300000"):
        get()
    assert not get.part.exists()


def test_another_range_than_the_one_asked_for_is_refused(server, get):
    server.shift = 10
    started(get, CONTENT[:1000])
    with pytest.raises(ValueError, match="offers 300000 bytes from 1010, wanted 300000 from 1000"):
        get()
    assert get.part.read_bytes() == CONTENT[:1000]


def test_without_a_network_it_says_what_to_put_where(tmp_path):
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as web:
        address = f"http://127.0.0.1:{web.server_address[1]}/some.tar.gz"
    with pytest.raises(
        ValueError, match=f"no network here.*: download {address} elsewhere and put it to {tmp_path / 'x'}"
    ):
        files.fetch(address, tmp_path / "x", size=SIZE, sha256=SHA256)


def test_a_damaged_target_is_named_and_kept(server, get):
    started(get, b"")
    get.target.write_bytes(CONTENT[:-1])
    with pytest.raises(ValueError, match=r"cut short: it has 299,999 bytes, wanted 300,000; remove it"):
        get()
    get.target.write_bytes(bytes(SIZE))
    with pytest.raises(ValueError, match=f"wanted {SHA256}; remove it"):
        get()
    assert get.target.exists()
    assert server.asked == []


def test_too_small_a_disk_is_seen_before_the_download(server, get, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=1234))
    with pytest.raises(
        ValueError, match=r"needs 300,000 bytes in .*deep, whose disk has 1,234 free.*LWL_DATA"
    ):
        get()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here, which is a full disk")
def test_a_disk_that_fills_up_on_the_way_is_named(server, get):
    get.part.parent.mkdir()
    get.part.symlink_to("/dev/full")
    with pytest.raises(
        ValueError, match=r"no room for some.tar.gz: it needs 300,000 bytes in .*deep"
    ) as caught:
        get()
    assert caught.value.__cause__.errno == errno.ENOSPC


@pytest.mark.parametrize(
    ("address", "sums", "message"),
    [
        ("http://127.0.0.1/x", {}, "needs md5 or sha256"),
        ("file:///etc/passwd", {"sha256": SHA256}, "must begin with http"),
    ],
)
def test_fetch_refuses_what_it_cannot_check(tmp_path, address, sums, message):
    with pytest.raises(ValueError, match=message):
        files.fetch(address, tmp_path / "x", size=1, **sums)


# The two formats

STL_COUNTS = {"train": 3, "test": 2, "unlabeled": 4}
CIFAR_COUNTS = dict(zip(cifar10.COUNTS, (2, 1, 3, 1, 2, 4), strict=True))


@pytest.fixture(scope="session")
def stl_folder(tmp_path_factory):
    """The folder stl10_binary of a few images, and the images as (n, H, W, C), written byte by byte."""
    folder = tmp_path_factory.mktemp("stl") / "stl10_binary"
    folder.mkdir()
    rng = np.random.default_rng(1)
    images = {part: rng.integers(0, 256, (n, 96, 96, 3), np.uint8) for part, n in STL_COUNTS.items()}
    for part, wanted in images.items():
        with (folder / f"{part}_X.bin").open("wb") as file:
            for image in wanted:
                for channel in range(3):
                    for column in range(96):
                        file.write(bytes(int(image[row, column, channel]) for row in range(96)))
    (folder / "train_y.bin").write_bytes(bytes([1, 10, 4]))
    (folder / "test_y.bin").write_bytes(bytes([7, 2]))
    (folder / "class_names.txt").write_text("\n".join(WORDS) + "\n")
    (folder / "fold_indices.txt").write_text("0 1 2\n")
    return folder, images


@pytest.fixture(scope="session")
def cifar_folder(tmp_path_factory):
    """The folder cifar-10-batches-bin of a few images, the images as (n, H, W, C), and their labels."""
    folder = tmp_path_factory.mktemp("cifar") / "cifar-10-batches-bin"
    folder.mkdir()
    rng = np.random.default_rng(2)
    images, labels = {}, {}
    for name, count in CIFAR_COUNTS.items():
        images[name] = rng.integers(0, 256, (count, 32, 32, 3), np.uint8)
        labels[name] = rng.permutation(10)[:count]
        with (folder / name).open("wb") as file:
            for image, label in zip(images[name], labels[name], strict=True):
                file.write(bytes([label]))
                for channel in range(3):
                    for row in range(32):
                        file.write(bytes(int(image[row, column, channel]) for column in range(32)))
    (folder / "batches.meta.txt").write_text("\n".join(WORDS) + "\n\n")
    return folder, images, labels


def copy(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "copy" / folder.name)


def test_stl10_is_read_column_by_column(stl_folder):
    folder, images = stl_folder
    names, train, test, unlabelled = stl10.read(folder, STL_COUNTS)
    assert names == tuple(WORDS)
    for split, part in ((train, "train"), (test, "test"), (unlabelled, "unlabeled")):
        np.testing.assert_array_equal(split.images, images[part])
        assert not np.array_equal(split.images, images[part].transpose(0, 2, 1, 3))
    assert train.labels.tolist() == [0, 9, 3]
    assert test.labels.tolist() == [6, 1]
    assert unlabelled.labels is None


def test_stl10_leaves_the_unlabelled_images_on_the_disk(stl_folder):
    folder, images = stl_folder
    _, train, _, unlabelled = stl10.read(folder, STL_COUNTS)
    assert isinstance(unlabelled.images, np.memmap)
    assert not unlabelled.images.flags.writeable
    assert not isinstance(train.images, np.memmap)
    assert train.images.flags.c_contiguous
    rows = np.array([3, 0])
    np.testing.assert_array_equal(unlabelled[rows].images, images["unlabeled"][rows])


def test_cifar10_is_read_row_by_row_batch_after_batch(cifar_folder):
    folder, images, labels = cifar_folder
    names, train, test = cifar10.read(folder, CIFAR_COUNTS)
    assert names == tuple(WORDS)
    np.testing.assert_array_equal(train.images, np.concatenate([images[name] for name in cifar10.TRAIN]))
    np.testing.assert_array_equal(train.labels, np.concatenate([labels[name] for name in cifar10.TRAIN]))
    np.testing.assert_array_equal(test.images, images["test_batch.bin"])
    np.testing.assert_array_equal(test.labels, labels["test_batch.bin"])


@pytest.fixture(params=["stl10", "cifar10"])
def copied(request, tmp_path):
    """A copy of a folder, its reader, a file of images, and the one of its labels with where they lie."""
    if request.param == "stl10":
        folder = copy(request.getfixturevalue("stl_folder")[0], tmp_path)
        read = lambda: stl10.read(folder, STL_COUNTS)  # noqa: E731
        return SimpleNamespace(
            folder=folder,
            read=read,
            images="unlabeled_X.bin",
            labels="train_y.bin",
            step=1,
            names="class_names.txt",
        )
    folder = copy(request.getfixturevalue("cifar_folder")[0], tmp_path)
    read = lambda: cifar10.read(folder, CIFAR_COUNTS)  # noqa: E731
    name = "data_batch_3.bin"
    return SimpleNamespace(
        folder=folder, read=read, images=name, labels=name, step=cifar10.IMAGE, names="batches.meta.txt"
    )


@pytest.mark.parametrize(("change", "how"), [(-1, "cut short"), (1, "too long")])
@pytest.mark.parametrize("which", ["images", "labels"])
def test_a_file_of_another_size_is_named(copied, which, change, how):
    path = copied.folder / getattr(copied, which)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] if change < 0 else whole + b"\1")
    sizes = f"it has {len(whole) + change:,} bytes, wanted {len(whole):,}"
    message = re.escape(f"{path} is {how}: {sizes}; remove {copied.folder}")
    with pytest.raises(ValueError, match=message):
        copied.read()


def test_a_missing_file_is_named(copied):
    path = copied.folder / copied.images
    path.unlink()
    with pytest.raises(ValueError, match=re.escape(f"there is no file {path}; remove")):
        copied.read()


@pytest.mark.parametrize("value", [11, 255])
def test_a_label_out_of_range_is_named(copied, value):
    path = copied.folder / copied.labels
    content = bytearray(path.read_bytes())
    content[2 * copied.step] = value
    path.write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(f"{path}: label {value} of image 2 ")):
        copied.read()


def test_the_least_label_of_stl10_is_1(stl_folder, tmp_path):
    folder = copy(stl_folder[0], tmp_path)
    (folder / "test_y.bin").write_bytes(bytes([0, 3]))
    with pytest.raises(ValueError, match=r"label 0 of image 0 .* is not in 1 to 10"):
        stl10.read(folder, STL_COUNTS)


def test_class_names_are_ten(copied):
    path = copied.folder / copied.names
    path.write_text("\n".join(WORDS[:9]))
    with pytest.raises(ValueError, match=re.escape(f"{path} has 9 class names, wanted 10")):
        copied.read()
    path.unlink()
    with pytest.raises(ValueError, match="there is no file"):
        copied.read()


def test_the_published_sizes_and_checksums_are_well_formed():
    """Sizes from the authors' pages: 10,000 times 3073 bytes; so many images of 96 x 96 x 3 bytes."""
    assert {member.size for member in cifar10.ARCHIVE.members.values()} == {30_730_000}
    sizes = {name: member.size for name, member in stl10.ARCHIVE.members.items()}
    assert sizes == {
        "train_X.bin": 138_240_000,
        "train_y.bin": 5000,
        "test_X.bin": 221_184_000,
        "test_y.bin": 8000,
        "unlabeled_X.bin": 2_764_800_000,
    }
    for published in (stl10.ARCHIVE, cifar10.ARCHIVE):
        assert published.name.endswith("binary.tar.gz")
        for known in (published, *published.members.values()):
            assert known.md5 or known.sha256
            assert known.md5 is None or re.fullmatch("[0-9a-f]{32}", known.md5)
            assert known.sha256 is None or re.fullmatch("[0-9a-f]{64}", known.sha256)


# From archive to dataset


def packed(folder, extra=()):
    """Return a .tar.gz of the folder, as the authors' is, with `extra` (name, content) members."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as tar:
        tar.add(folder, folder.name)
        for name, content in extra:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return raw.getvalue()


def described(published, folder, content, address):
    """Return the archive's description for these few images: all checksums known."""
    members = {
        name: Member((folder / name).stat().st_size, **files.checksums(folder / name))
        for name in published.members
    }
    sums = {kind: hashlib.new(kind, content).hexdigest() for kind in ("md5", "sha256")}
    return replace(published, address=address, size=len(content), members=members, **sums)


@pytest.fixture
def small(server, stl_folder, cifar_folder, monkeypatch):
    """`small("stl10")` makes that dataset its few images, which the server sends as one archive."""

    def make(name, extra=()):
        module, counts, folder = {
            "stl10": (stl10, STL_COUNTS, stl_folder[0]),
            "cifar10": (cifar10, CIFAR_COUNTS, cifar_folder[0]),
        }[name]
        server.content = packed(folder, extra)
        description = described(module.ARCHIVE, folder, server.content, server.address)
        monkeypatch.setattr(module, "ARCHIVE", description)
        monkeypatch.setattr(module, "COUNTS", counts)
        return description

    return make


@pytest.mark.parametrize("name", ["stl10", "cifar10"])
def test_a_dataset_is_downloaded_unpacked_and_read_once(small, server, name, tmp_path):
    published = small(name)
    server.drop = [1000]
    data = datasets.load(name, root=tmp_path, download=True)
    assert len(server.asked) == 2
    assert datasets.load(name, root=tmp_path).sha256 == data.sha256
    assert len(server.asked) == 2
    assert {path.name for path in tmp_path.iterdir()} == {published.folder, published.name, ".lock"}
    sizes = {"stl10": {"train": 3, "test": 2, "unlabelled": 4}, "cifar10": {"train": 9, "test": 4}}
    told = data.provenance()
    assert told["sizes"] == sizes[name]
    assert told["name"] == data.name == name
    assert "none is stated" in told["licence"]
    assert str(tmp_path) not in str(told)
    assert data.classes == tuple(WORDS)


@pytest.mark.parametrize("name", ["stl10", "cifar10"])
def test_archive_and_folder_put_there_by_hand_give_the_same(small, server, name, tmp_path, monkeypatch):
    published = small(name)
    archived, unpacked = tmp_path / "a" / name, tmp_path / "b" / name
    archived.mkdir(parents=True)
    (archived / published.name).write_bytes(server.content)
    with tarfile.open(archived / published.name) as tar:
        tar.extractall(unpacked, filter="data")
    one = datasets.load(name, root=str(archived))
    monkeypatch.setenv("LWL_DATA", str(tmp_path / "b"))
    other = datasets.load(name)
    assert one.sha256 == other.sha256
    assert one.provenance() == other.provenance()
    np.testing.assert_array_equal(one.train.images, other.train.images)
    assert server.asked == []


def test_the_place_is_root_then_the_environment_then_the_cache(tmp_path, monkeypatch):
    assert archive.root_of("stl10", None).parts[-3:] == (".cache", "datasets", "stl10")
    monkeypatch.setenv("LWL_DATA", str(tmp_path))
    assert archive.root_of("stl10", None) == tmp_path / "stl10"
    assert archive.root_of("stl10", "here") == Path("here")


@pytest.mark.parametrize("name", ["stl10", "cifar10"])
def test_nothing_is_downloaded_unasked(name, tmp_path):
    with pytest.raises(ValueError, match=r"neither .* nor .*: load with download=True, or download http"):
        datasets.load(name, root=tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_the_package_imports_both():
    """This file imports them itself, so what `datasets.names()` says here would prove nothing."""
    text = Path(datasets.__file__).read_text()
    assert {"stl10", "cifar10"} <= set(re.findall(r"\w+", text.partition("__all__")[0]))


def test_an_unknown_option_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"stl10.*folds"):
        datasets.load("stl10", root=tmp_path, folds=3)


def test_two_at_once_download_once(small, server, tmp_path):
    published = small("cifar10")
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(find(published, tmp_path, download=True)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert server.asked == [None]


def test_a_damaged_archive_is_named(small, server, tmp_path):
    published = small("cifar10")
    path = tmp_path / published.name
    path.write_bytes(server.content[:-7])
    with pytest.raises(ValueError, match=f"{path} is cut short.*remove it"):
        datasets.load("cifar10", root=tmp_path)
    path.write_bytes(bytes(len(server.content)))
    with pytest.raises(ValueError, match=f"{path} has md5 .*, wanted {published.md5}; remove it"):
        datasets.load("cifar10", root=tmp_path)
    assert not (tmp_path / published.folder).exists()


def test_an_archive_that_cannot_be_unpacked_leaves_nothing(small, server, tmp_path):
    published = small("cifar10")
    path = tmp_path / published.name
    raw = server.content[: len(server.content) // 2]
    path.write_bytes(raw)
    cut = replace(
        published, size=len(raw), md5=hashlib.md5(raw).hexdigest(), sha256=hashlib.sha256(raw).hexdigest()
    )
    with pytest.raises(ValueError, match=f"{path} cannot be unpacked .*; remove it and load again"):
        find(cut, tmp_path)
    assert {entry.name for entry in tmp_path.iterdir()} == {published.name, ".lock"}


def test_no_member_leaves_the_folder(small, server, tmp_path):
    published = small("cifar10", extra=[("../outside", b"x")])
    root = tmp_path / "root"
    with pytest.raises(ValueError, match=r"cannot be unpacked .*outside"):
        find(published, root, download=True)
    assert not (tmp_path / "outside").exists()
    assert not (root / "outside").exists()
    assert not (root / published.folder).exists()


def test_an_archive_without_a_member_is_named(small, tmp_path):
    published = small("cifar10")
    members = {**published.members, "data_batch_6.bin": Member(1)}
    with pytest.raises(ValueError, match=r"no file .*data_batch_6.bin; .* does not hold what it should"):
        find(replace(published, members=members), tmp_path, download=True)
    assert not (tmp_path / published.folder).exists()


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), OSError(errno.ENOSPC, "full")])
def test_an_unpacking_that_stops_leaves_no_half_folder(small, tmp_path, monkeypatch, stop):
    published = small("cifar10")

    def half(tar, path, **_):
        tar.extract(f"{published.folder}/data_batch_1.bin", path, filter="data")
        raise stop

    with monkeypatch.context() as patch:
        patch.setattr(tarfile.TarFile, "extractall", half)
        with pytest.raises((KeyboardInterrupt, ValueError)) as caught:
            find(published, tmp_path, download=True)
    if isinstance(stop, OSError):
        assert "no room for what some.tar.gz holds" in str(caught.value)
    assert {path.name for path in tmp_path.iterdir()} == {published.name, ".lock"}
    left = tmp_path / f".{published.folder}.unpacking" / published.folder
    left.mkdir(parents=True)
    (left / "of a run that was killed").touch()
    folder, _ = find(published, tmp_path)
    assert {path.name for path in folder.iterdir()} == {*CIFAR_COUNTS, "batches.meta.txt", ".checked.json"}


def test_a_changed_byte_is_seen_even_after_a_good_load(small, tmp_path):
    published = small("stl10")
    folder, _ = find(published, tmp_path, download=True)
    path = folder / "unlabeled_X.bin"
    content = bytearray(path.read_bytes())
    content[5] ^= 1
    path.write_bytes(content)
    wanted = published.members["unlabeled_X.bin"].md5
    with pytest.raises(
        ValueError, match=f"{path} has md5 .*, wanted {wanted}; remove {folder} and load again"
    ):
        find(published, tmp_path)


def test_a_file_is_read_for_its_checksum_once(small, tmp_path, monkeypatch):
    published = small("cifar10")
    first = find(published, tmp_path, download=True)
    read = []
    whole = files.checksums
    monkeypatch.setattr(
        archive, "checksums", lambda path, *rest: read.append(path.name) or whole(path, *rest)
    )
    assert find(published, tmp_path) == first
    assert read == []
    os.utime(first[0] / "test_batch.bin")
    assert find(published, tmp_path) == first
    assert read == ["test_batch.bin"]
    (first[0] / ".checked.json").write_text("[")
    assert find(published, tmp_path) == first
    assert len(read) == 1 + len(published.members)


def test_a_root_that_is_no_folder_is_named(small, tmp_path):
    published = small("cifar10")
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"file.* cannot be used"):
        find(published, tmp_path / "file" / "root", download=True)


def test_long_work_is_shown_every_few_seconds(capsys):
    files.Shown(every=1000)("some.tar.gz", 10**6, 3 * 10**6)
    assert capsys.readouterr().err == ""
    files.Shown(every=0)("some.tar.gz", 10**6, 3 * 10**6)
    assert capsys.readouterr().err == "some.tar.gz: 1 of 3 MB\n"
