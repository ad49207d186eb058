"""A sweep on Dask: processes here, or a scheduler that is running. Imported when asked for."""

# mypy: untyped-calls-exclude="distributed"

from __future__ import annotations

import logging
import os
import pickle
import tempfile
import traceback
from collections import deque
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from distributed import Client, Future, KilledWorker, LocalCluster, as_completed, get_worker

from build_scripts.precompute.sweep.cell import Arrays, Cell, CellFailed, Work, run_cell

__all__ = ["local", "processes", "running"]

_PATIENCE = 30  # s, for a scheduler to answer and for its first worker
# glibc's, in bytes. By Dask's own wish a worker returns to the system whatever more than 64 KiB it has freed,
# and a training asks for as much at its next step: a third of the time of a small one's.
_KEPT_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(2**28), "MALLOC_MMAP_THRESHOLD_": str(2**25)}


def local(
    cells: list[Cell], work: Work, workers: int, allowed_failures: int
) -> Generator[tuple[Cell, Arrays]]:
    """Yield each cell as it finishes, from `workers` processes of one thread on this machine."""
    _check(work)
    with (
        processes(workers, allowed_failures) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield from _through(client, cells, work)


@contextmanager
def processes(workers: int, allowed_failures: int = 3) -> Iterator[LocalCluster]:
    """Give a cluster of `workers` processes of one thread, which keep the memory that they free."""
    with (
        _environment(),
        tempfile.TemporaryDirectory(prefix="sweep-") as scratch,
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            # No limit: Dask would pause a worker at a share of it, and the sweep would stand still.
            memory_limit=None,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.ERROR,
            local_directory=scratch,
            scheduler_kwargs={"allowed_failures": allowed_failures},
        ) as cluster,
    ):
        yield cluster


def running(cells: list[Cell], work: Work, address: str) -> Generator[tuple[Cell, Arrays]]:
    """Yield each cell as it finishes, from the workers of a running scheduler.

    Raises:
        ValueError: no scheduler answers at the address, it has no workers, or they have several threads.
    """
    _check(work)
    try:
        client = Client(address, set_as_default=False, timeout=_PATIENCE)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"scheduler: nothing answers at {address} ({error}); start one with `dask scheduler`"
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=_PATIENCE)
        except TimeoutError as error:
            raise ValueError(
                f"scheduler: {address} has no workers; start some with `dask worker {address} --nthreads 1`"
            ) from error
        if wide := [worker for worker, threads in client.nthreads().items() if threads != 1]:
            raise ValueError(_threads(wide[0]))
        yield from _through(client, cells, work)


def _through(client: Client, cells: list[Cell], work: Work) -> Generator[tuple[Cell, Arrays]]:
    """Keep as many cells under way as there are workers, so that memory does not grow with the sweep.

    One to a worker also keeps the count of deaths true: Dask charges a death to every cell that waits
    on the worker, whichever of them was running.
    """
    waiting = _Waiting(cells)
    under_way: dict[Future[Any], tuple[Cell, str]] = {}
    finished = as_completed(loop=client.loop)

    def fill() -> None:
        while len(under_way) < max(1, len(workers := client.nthreads())):
            given = {worker for _, worker in under_way.values()}
            # A cell whose worker has died is somewhere else: who is idle, Dask alone knows.
            idle = [worker for worker in workers if worker not in given] if given <= workers.keys() else []
            if (cell := waiting.next(worker := idle[0] if idle else "")) is None:
                return
            # Not pure: a key of its own, so that another sweep's cell is never taken for this one.
            future = client.submit(
                _on_worker,
                work,
                dict(cell.settings),
                pure=False,
                workers=worker or None,
                allow_other_workers=bool(worker),
            )
            under_way[future] = cell, worker
            finished.add(future)

    try:
        fill()
        while under_way:
            future = next(finished)
            cell, _ = under_way.pop(future)
            arrays = _result(future, cell)
            future.release()
            del future
            fill()
            yield cell, arrays
            del arrays
    finally:
        client.cancel(list(under_way), force=True)


class _Waiting:
    """The cells that are left, by what they share: a worker goes on where it keeps something."""

    def __init__(self, cells: list[Cell]) -> None:
        self._left: dict[str, deque[Cell]] = {}
        for cell in cells:
            self._left.setdefault(cell.shares, deque()).append(cell)
        self._at: dict[str, str] = {}

    def next(self, worker: str) -> Cell | None:
        """Return a cell for a worker ("": for any), and None when none is left.

        A worker whose cells are all done begins with some that no other is at, in their order; where there
        are none, it helps where most are left.
        """
        if not self._left:
            return None
        shares = self._at.get(worker, "")
        if not shares or shares not in self._left:
            others = set(self._at.values()) - {""}
            free = [name for name in self._left if name not in others]
            shares = free[0] if free else max(self._left, key=lambda name: len(self._left[name]))
        own = self._left[shares]
        cell = own.popleft()
        if not own:
            del self._left[shares]
        if worker:
            self._at[worker] = shares
        return cell


def _result(future: Future[Any], cell: Cell) -> Arrays:
    said = f"cell {cell.key!r} with {cell.text}: "
    try:
        arrays, said_there, trace = future.result()
    except KilledWorker as killed:
        raise CellFailed(
            f"{said}{killed.allowed_failures + 1} workers died while they ran it; too little memory is the "
            "usual reason: try fewer workers"
        ) from killed
    except Exception as error:  # the work could not be sent, read or found there; or the scheduler is gone
        raise CellFailed(f"{said}{type(error).__name__}: {error}") from error
    if arrays is None:
        failed = CellFailed(said + said_there)
        failed.add_note(f"On the worker:\n{trace}")
        raise failed
    checked: Arrays = arrays
    return checked


def _on_worker(work: Work, settings: Mapping[str, Any]) -> tuple[Arrays | None, str, str]:
    """Return (arrays, "", "") or (None, error, traceback): not every exception survives the way back."""
    worker = get_worker()
    if worker.state.nthreads != 1:
        raise ValueError(_threads(worker.address))
    try:
        return run_cell(work, settings), "", ""
    except (Exception, SystemExit) as error:
        return None, f"{type(error).__name__}: {error}", traceback.format_exc()


@contextmanager
def _environment() -> Iterator[None]:
    """Have workers keep freed memory, and undo what Dask sets in this process for them to inherit."""
    before = dict(os.environ)
    try:
        for name, size in _KEPT_MEMORY.items():
            os.environ.setdefault(name, size)
        yield
    finally:
        for name in set(os.environ) - set(before):
            del os.environ[name]
        os.environ.update(before)


def _threads(worker: str) -> str:
    return (
        f"scheduler: workers must have one thread each, and {worker} has more; "
        "start them with `dask worker ADDRESS --nthreads 1`"
    )


def _check(work: Work) -> None:
    try:
        pickle.dumps(work)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ValueError(
            f"work must be a function of a module, which other processes can import: {error}"
        ) from None
