"""Downloads one published file: a break is resumed; no file gets its name before its checksums are right."""

from __future__ import annotations

import errno
import hashlib
import http.client
import os
import re
import shutil
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

__all__ = ["Progress", "Shown", "checksums", "compare", "fetch", "quiet", "room", "sized"]

Progress = Callable[[str, int, int], None]  # what, bytes done, bytes in all

_BLOCK = 1 << 20  # bytes
_PATIENCE = 30  # seconds without a byte
_CONNECTIONS = 50  # one after another, for one file


def quiet(what: str, done: int, total: int) -> None:
    """Show nothing."""


class Shown:
    """Progress on standard error, a line every few seconds; what takes less shows none."""

    def __init__(self, every: float = 5.0) -> None:
        self.every, self.last = every, time.monotonic()

    def __call__(self, what: str, done: int, total: int) -> None:
        if time.monotonic() - self.last >= self.every:
            self.last = time.monotonic()
            print(f"{what}: {done / 1e6:,.0f} of {total / 1e6:,.0f} MB", file=sys.stderr)


def fetch(
    address: str,
    target: Path,
    *,
    size: int,
    md5: str | None = None,
    sha256: str | None = None,
    progress: Progress = quiet,
) -> Path:
    """Download `address` to `target`, unless it is there, and return `target`.

    What has come lies in `target` + ".part" until it is whole. A later call goes on from there with a Range
    request, and starts anew where the server ignores it. One process at a time.

    Args:
        address: http or https.
        size: of the published file, in bytes.
        md5, sha256: its checksums, in hex; at least one.
        progress: called with (what, bytes done, bytes in all).

    Raises:
        ValueError: no network, an answer other than the file, a wrong length or checksum, a full disk; the
            message names the address, the path and what to do.
    """
    if md5 is None and sha256 is None:
        raise ValueError(f"fetch needs md5 or sha256 of {address}; without one, no damage would be seen")
    if urlsplit(address).scheme not in ("http", "https"):
        raise ValueError(f"address must begin with http:// or https://, got {address!r}")
    if target.exists():
        remedy = f"remove it, and it is downloaded again from {address}"
        sized(target, size, remedy)
        compare(target, checksums(target, progress), md5=md5, sha256=sha256, remedy=remedy)
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    _download(address, part, size, target, progress)
    try:
        remedy = f"it was removed; try again, or {_by_hand(address, target)}"
        compare(part, checksums(part, progress), md5=md5, sha256=sha256, remedy=remedy)
    except ValueError:
        part.unlink()
        raise
    os.replace(part, target)
    return target


def checksums(path: Path, progress: Progress = quiet) -> dict[str, str]:
    """Return the md5 and the sha256 of a file, in hex, read once."""
    sums = {"md5": hashlib.md5(usedforsecurity=False), "sha256": hashlib.sha256()}
    done, total = 0, path.stat().st_size
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            for one in sums.values():
                one.update(block)
            done += len(block)
            progress(f"checking {path.name}", done, total)
    return {name: one.hexdigest() for name, one in sums.items()}


def compare(path: Path, got: dict[str, str], *, md5: str | None, sha256: str | None, remedy: str) -> None:
    """Raise ValueError where a checksum that is known is another."""
    for kind, wanted in (("md5", md5), ("sha256", sha256)):
        if wanted is not None and got[kind] != wanted:
            raise ValueError(f"{path} has {kind} {got[kind]}, wanted {wanted}; {remedy}")


def sized(path: Path, size: int, remedy: str) -> None:
    """Raise ValueError where a file is missing or has another size, in bytes."""
    if not path.is_file():
        raise ValueError(f"there is no file {path}; {remedy}")
    got = path.stat().st_size
    if got != size:
        how = "cut short" if got < size else "too long"
        raise ValueError(f"{path} is {how}: it has {got:,} bytes, wanted {size:,}; {remedy}")


@contextmanager
def room(folder: Path, need: int, what: str) -> Iterator[None]:
    """Write `need` bytes within: a ValueError says so where the disk has no room, before or on the way."""

    def full() -> ValueError:
        free = shutil.disk_usage(folder).free
        return ValueError(
            f"no room for {what}: it needs {need:,} bytes in {folder}, whose disk has {free:,} free; make "
            "room, or set LWL_DATA to a folder that has it"
        )

    if shutil.disk_usage(folder).free < need:
        raise full()
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise full() from error


def _download(address: str, part: Path, size: int, target: Path, progress: Progress) -> None:
    """Fill `part` up to `size` bytes, by as many connections as each bring something new."""
    furthest, why = -1, "no connection was tried"
    for _ in range(_CONNECTIONS):
        have = part.stat().st_size if part.exists() else 0
        if have == size:
            return
        if have > size:  # of another file
            part.unlink()
            have = 0
        if have <= furthest:
            break
        furthest = have
        why = _transfer(address, part, have, size, target, progress)
    have = part.stat().st_size if part.exists() else 0
    if have == size:
        return
    raise ValueError(
        f"{address} broke off after {have:,} of {size:,} bytes ({why}); what came is kept in {part}: "
        f"try again, or {_by_hand(address, target)}"
    )


def _transfer(address: str, part: Path, have: int, size: int, target: Path, progress: Progress) -> str:
    """Put what one connection brings into `part`; return why it ended."""
    by_hand = _by_hand(address, target)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        answer = urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=_PATIENCE)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and have:
            part.unlink()
            return _transfer(address, part, 0, size, target, progress)
        raise ValueError(f"{address} answers {error.code} {error.reason}; try later, or {by_hand}") from None
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        host = urlsplit(address).netloc
        raise ValueError(f"no network here, or none to {host} ({reason}): {by_hand}") from error
    with answer:
        if answer.headers.get_content_type() == "text/html":
            raise ValueError(f"{address} answers with a web page, which is not the published file; {by_hand}")
        start, total = _offered(answer, have)
        if total not in (None, size) or start not in (0, have):
            raise ValueError(
                f"{address} offers {total} bytes from {start}, wanted {size} from {have}: it is not the "
                f"published file; {by_hand}"
            )
        with room(part.parent, size - start, target.name), part.open("ab" if start else "wb") as file:
            done = start
            while True:
                try:
                    block = answer.read(1 << 16)
                except (OSError, http.client.HTTPException) as error:
                    return str(error) or type(error).__name__
                if not block:
                    return "the server ended it"
                done += len(block)
                if done > size:
                    raise ValueError(f"{address} sends more than {size:,} bytes; {by_hand}")
                file.write(block)
                progress(target.name, done, size)


def _offered(answer: http.client.HTTPResponse, have: int) -> tuple[int, int | None]:
    """Return the first byte that an answer brings, and the length of the whole file where it says so."""
    if answer.status != 206:
        length = answer.headers.get("Content-Length")
        return 0, int(length) if length and length.isdigit() else None
    told = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", "").strip())
    if told is None:
        return have, None
    return int(told[1]), None if told[2] == "*" else int(told[2])


def _by_hand(address: str, target: Path) -> str:
    return f"download {address} elsewhere and put it to {target}"
