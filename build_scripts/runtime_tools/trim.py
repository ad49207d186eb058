"""Which files of the standard library and of NumPy's wheel a reader's browser gets.

A list of what goes, with the reason, not of what stays: an unforeseen import in a sim that a
reader edits then works. The checks import every module that stays, so a module can go only with
all that lean on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["DROPPED_MODULES", "keep_numpy", "keep_stdlib"]

_DROPPED = {
    "speaks to servers; a sim asks the network for nothing": """
        email ftplib http imaplib mailbox mimetypes netrc nturl2path poplib smtplib socketserver
        webbrowser wsgiref xmlrpc urllib.error urllib.request urllib.response urllib.robotparser""",
    "needs processes or a terminal; a worker has neither": """
        _pyrepl cmd code curses fileinput getpass multiprocessing optparse pty readline rlcompleter
        tty concurrent.futures.interpreter concurrent.futures.process concurrent.interpreters
        asyncio.__main__ asyncio.tools pathlib.__main__ pyodide.console""",
    "a tool of the developer": """
        __hello__ __phello__ antigravity bdb cProfile compileall doctest filecmp idlelib
        importlib.metadata._adapters importlib.metadata.diagnose json.__main__ json.tool modulefinder
        pdb pickletools profile profiling pstats py_compile pyclbr
        pydoc pydoc_data symtable sysconfig.__main__ tabnanny
        this trace tracemalloc unittest.__main__ unittest.async_case unittest.mock zipapp""",
    "formats that no sim reads": """
        configparser dbm html logging.config logging.handlers plistlib shelve sqlite3 tomllib wave
        xml zoneinfo""",
    "Python twins of modules that this runtime has in C": "_pydatetime _pyio",
    "the old installers and other systems": "ensurepip ntpath venv",
}
DROPPED_MODULES = {name: why for why, names in _DROPPED.items() for name in names.split()}

# UTF-8, what Python's own start and zip files ask for, and the byte-to-byte codecs; not the code
# pages of other decades.
_ENCODINGS = re.compile(
    r"^encodings/(__init__|aliases|ascii|base64_codec|charmap|cp1252|cp437|hex_codec|idna|latin_1|mbcs|oem"
    r"|iso8859_1|iso8859_15|punycode|raw_unicode_escape|rot_13|undefined|unicode_escape|utf_.*|zlib_codec)\.py$"
)
# importlib.metadata imports the bare package when NumPy is imported, and asks it for nothing.
_KEPT = frozenset({"email/__init__.py"})
_NUMPY_DROPPED = re.compile(
    r"(^|/)tests/|\.(pyi|h|a|c|pxd|in|ini|build|typed)$|/py\.typed$"  # tests; for compilers, checkers
    r"|^numpy/(f2py|distutils|_pyinstaller|_core/include|_core/lib|random/_examples|doc)/"
    r"|^numpy/matlib\.py$"  # deprecated, and drags f2py in
    r"|^numpy/conftest\.py$|\.dist-info/entry_points\.txt$"
    r"|^numpy/linalg/lapack_lite\."  # nothing imports it; numpy.linalg uses _umath_linalg
)


def _dropped(name: str) -> bool:
    parts = name.removesuffix(".py").split("/")
    return any(".".join(parts[: i + 1]) in DROPPED_MODULES for i in range(len(parts)))


def keep_stdlib(names: Iterable[str]) -> list[str]:
    """Return the members of `python_stdlib.zip` that stay, sorted."""
    return sorted(
        name
        for name in names
        if not name.endswith("/")
        and not name.startswith("site-packages/")
        and (name in _KEPT or not _dropped(name))
        and (not name.startswith("encodings/") or _ENCODINGS.match(name))
    )


def keep_numpy(names: Iterable[str]) -> list[str]:
    """Return the members of NumPy's wheel that stay, sorted; every licence among them."""
    return sorted(
        name
        for name in names
        if not name.endswith("/") and ("/licenses/" in name or not _NUMPY_DROPPED.search(name))
    )
