"""What the browser has not, as modules that let a test file be collected and skip what uses them.

A test file may import torch at its top, put `torch.float64` in a list of parameters and derive a
class from `torch.nn.Module`: none of that fails. The first use inside a running test skips that
test, with the package's name in the reason. All other tests of the file run.
"""

import contextlib
import functools
import importlib.abc
import importlib.machinery
import shutil
import subprocess
import sys
import types

ABSENT = (
    "PIL",
    "altair",
    "build_scripts",
    "kornia",
    "matplotlib",
    "pytorch_metric_learning",
    "scipy",
    "sklearn",
    "torch",
    "torchvision",
)
OWN = ("sim_engine", "numpy")
running = False  # whether a test is: before, files are being read


def reason(what):
    return f"needs {what}, which the browser has not"


def needs(what):
    """Skip the running test."""
    import pytest  # which itself needs what is installed here

    pytest.skip(reason(what))


def _used(name, *arguments):
    if running:
        needs(name.split(".")[0])
    if len(arguments) == 1 and isinstance(arguments[0], types.FunctionType):  # a decorator

        @functools.wraps(arguments[0])
        def decorated(*args, **kwargs):
            needs(name.split(".")[0])

        return decorated
    return StandIn(name)


class Derived:
    """The base of a class that was derived from a stand-in."""

    def __new__(cls, *args, **kwargs):
        if running:
            needs(cls._stands_for)
        return super().__new__(cls)

    def __init__(self, *args, **kwargs):
        pass


class StandIn:
    """Anything of a package that is not there: attribute, call, item and arithmetic give another."""

    def __init__(self, name):
        self.__dict__["_name"] = name
        self.__dict__["__name__"] = self.__dict__["__qualname__"] = name.rpartition(".")[2]
        self.__dict__["__module__"] = name.rpartition(".")[0]

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _used(f"{self._name}.{name}")

    def __setattr__(self, name, value):
        _used(self._name)

    def __call__(self, *args, **kwargs):
        return _used(self._name, *args, *kwargs)

    def __mro_entries__(self, bases):
        return (type("Derived", (Derived,), {"_stands_for": self._name.split(".")[0]}),)

    def __repr__(self):
        return self._name

    def __iter__(self):
        _used(self._name)
        return iter(())

    def __exit__(self, *error):
        return None

    def __hash__(self):
        return hash(self._name)

    def __instancecheck__(self, instance):
        _used(self._name)
        return False


OPERATIONS = "getitem enter eq ne lt le gt ge add radd sub rsub mul rmul truediv rtruediv matmul rmatmul"
for _operation in f"{OPERATIONS} pow rpow neg pos abs".split():
    setattr(StandIn, f"__{_operation}__", lambda self, *other: _used(self._name))
for _operation, _plain in {"bool": True, "len": 0, "float": 0.0, "int": 0, "index": 0}.items():
    setattr(StandIn, f"__{_operation}__", lambda self, plain=_plain: (_used(self._name), plain)[1])


class StandInModule(types.ModuleType):
    """A module that is not there."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _used(f"{self.__name__}.{name}")


def _importer():
    """The names of the module whose `import` is being served."""
    frame = sys._getframe(2)
    while frame and frame.f_globals.get("__name__", "").startswith(("importlib", "_frozen_importlib")):
        frame = frame.f_back
    return frame.f_globals if frame else {}


class Last(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Asked when all else has failed: absent packages, and what was trimmed off the standard library.

    The engine and NumPy get neither: they must do with what a reader's browser has.
    """

    def __init__(self, published):
        self.published = published

    def find_spec(self, fullname, path=None, target=None):
        importer = _importer()
        if importer.get("__name__", "").split(".")[0] in OWN:
            return None
        if fullname.split(".")[0] in ABSENT:
            ours = importer.get("__file__", "").startswith("/repo/")
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True) if ours else None
        folder = "/".join([self.published, *fullname.split(".")[:-1]])
        return importlib.machinery.PathFinder.find_spec(fullname, [folder])

    def create_module(self, spec):
        return StandInModule(spec.name)

    def exec_module(self, module):
        pass


def _process(original, what):
    @functools.wraps(original)
    def call(*args, **kwargs):
        return needs(what) if running else original(*args, **kwargs)

    return call


def install(published):
    """Serve what is missing; processes and other programs skip the test that asks for one.

    Args:
        published: the standard library as Pyodide publishes it, a zip file.
    """
    sys.meta_path.append(Last(published))
    for name in ("run", "check_output", "check_call", "call"):
        setattr(subprocess, name, _process(getattr(subprocess, name), "processes"))
    subprocess.Popen.__init__ = _process(subprocess.Popen.__init__, "processes")
    shutil.which = _process(shutil.which, "programs")
    threads = types.ModuleType("threadpoolctl")  # there is one thread
    threads.threadpool_limits = contextlib.nullcontext
    sys.modules["threadpoolctl"] = threads
