"""Serves folders the way a static host does, and can be told to misbehave.

Used by the browser tests and by the benchmark: sub-paths, gzip, cache headers, a log of what was
asked for, and faults (a file missing, damaged, slow) that a test switches on and off.
"""

from __future__ import annotations

import gzip
import mimetypes
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from urllib.parse import unquote, urlsplit

__all__ = ["Answer", "Fault", "StaticServer", "blocked", "damaged", "missing", "slow"]

_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".wasm": "application/wasm",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".whl": "application/zip",
    ".npy": "application/octet-stream",
    ".py": "text/x-python",
}
_COMPRESSED = ("text/", "application/json", "image/svg+xml", "application/wasm", "text/javascript")


@dataclass(frozen=True)
class Answer:
    """One answered request: path below the prefix, status, bytes on the wire."""

    path: str
    status: int
    sent: int


Fault = Callable[[bytes], tuple[int, bytes]]


def missing(body: bytes) -> tuple[int, bytes]:
    """The file is not there."""
    return 404, b"not found"


def blocked(body: bytes) -> tuple[int, bytes]:
    """A filter refuses the file."""
    return 403, b"forbidden"


def damaged(body: bytes) -> tuple[int, bytes]:
    """The file comes whole but with one bit turned, three quarters in."""
    at = len(body) * 3 // 4
    return 200, body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]


def slow(seconds: float) -> Fault:
    """The file comes after so many seconds."""

    def wait(body: bytes) -> tuple[int, bytes]:
        time.sleep(seconds)
        return 200, body

    return wait


@lru_cache(maxsize=512)
def _zipped(path: str, stamp: int) -> bytes:
    return gzip.compress(Path(path).read_bytes(), 6, mtime=0)


class StaticServer:
    """A context manager that serves folders on a free port of 127.0.0.1.

    Args:
        mounts: URL folder ("" for the root, "sims" …) to folder on disk; the longest match that
            has the file wins, so a folder can be laid over another.
        prefix: base path such as "/repo-name".
        compress: answer with gzip where a static host would.
        max_age: seconds for Cache-Control; 0 asks the browser to revalidate.

    Attributes:
        faults: path ending to `Fault`; applies until it is removed.
        headers: sent with every answer, beside the usual ones; may be changed while it serves.
        log: the answers, in order.
    """

    def __init__(
        self, mounts: Mapping[str, Path] | Path, *, prefix: str = "", compress: bool = False, max_age: int = 0
    ) -> None:
        table = {"": mounts} if isinstance(mounts, Path) else dict(mounts)
        for folder in table.values():
            if not folder.is_dir():
                raise ValueError(f"{folder} is not a folder; `make site` builds the book")
        self.mounts = sorted(table.items(), key=lambda item: -len(item[0]))
        self.prefix = "/" + prefix.strip("/") if prefix.strip("/") else ""
        self.compress = compress
        self.max_age = max_age
        self.faults: dict[str, Fault] = {}
        self.headers: dict[str, str] = {}
        self.log: list[Answer] = []
        handler = type("Handler", (_Handler,), {"site": self})
        self._http = _Quiet(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        """The port that the system chose."""
        return int(self._http.server_address[1])

    @property
    def url(self) -> str:
        """Address of the site's root, with a closing slash."""
        return f"http://127.0.0.1:{self.port}{self.prefix}/"

    @property
    def other_site(self) -> str:
        """The same root under a name that a browser takes for another site."""
        return f"http://localhost:{self.port}{self.prefix}/"

    def __enter__(self) -> StaticServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.server_close()

    def find(self, path: str) -> Path | None:
        """Return the file on disk that answers `path` (below the prefix), or None."""
        for mount, folder in self.mounts:
            if mount and not (path == mount or path.startswith(mount + "/")):
                continue
            file = (folder / path[len(mount) :].lstrip("/")).resolve()
            if not file.is_relative_to(folder.resolve()):
                continue
            if file.is_dir():
                file = file / "index.html"
            if file.is_file():
                return file
        return None


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        # A browser that leaves a page drops its connections: no news, and no fault of a test.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: StaticServer

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        site = self.site
        whole = unquote(urlsplit(self.path).path)
        if not whole.startswith(site.prefix + "/"):
            return self._answer(whole, 404, b"outside the base path", "text/plain")
        path = whole[len(site.prefix) + 1 :]
        file = site.find(path)
        if file is None:
            return self._answer(path, 404, b"not found", "text/plain")
        if file.name == "index.html" and path and not path.endswith(("/", ".html")):
            self.send_response(301)
            self.send_header("Location", f"{site.prefix}/{path}/")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        kind = _TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        fault = next((f for ending, f in list(site.faults.items()) if path.endswith(ending)), None)
        if fault is not None:
            status, body = fault(file.read_bytes())
            return self._answer(path, status, body, kind, cache=False)
        accepts = "gzip" in self.headers.get("Accept-Encoding", "")
        if site.compress and accepts and kind.startswith(_COMPRESSED):
            body = _zipped(str(file), file.stat().st_mtime_ns)
            return self._answer(path, 200, body, kind, encoding="gzip")
        return self._answer(path, 200, file.read_bytes(), kind)

    def _answer(
        self, path: str, status: int, body: bytes, kind: str, *, encoding: str = "", cache: bool = True
    ) -> None:
        self.site.log.append(Answer(path, status, len(body)))
        text = kind.startswith("text/") or kind in ("application/json", "image/svg+xml")
        self.send_response(status)
        self.send_header("Content-Type", kind + ("; charset=utf-8" if text else ""))
        self.send_header("Content-Length", str(len(body)))
        age = f"max-age={self.site.max_age}" if self.site.max_age and cache else "no-store"
        self.send_header("Cache-Control", age)
        for name, value in self.site.headers.items():
            self.send_header(name, value)
        if encoding:
            self.send_header("Content-Encoding", encoding)
            self.send_header("Vary", "Accept-Encoding")
        self.end_headers()
        if self.command != "HEAD":
            try:
                self.wfile.write(body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True
