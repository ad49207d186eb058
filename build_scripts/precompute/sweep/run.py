"""The sweep itself: what is finished is read back, the rest is run, in turn, at once or by Dask."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from build_scripts.precompute.sweep.cell import (
    SECONDS,
    Arrays,
    Cell,
    CellFailed,
    Work,
    as_arrays,
    check,
    run_cell,
)
from build_scripts.precompute.sweep.store import Store

__all__ = ["Results", "Together", "sweep"]

Progress = Callable[[str, int, int], None]
# Yields a cell, its results and their seconds for each of the cells that it can run at once with others.
Together = Callable[[list[Cell]], Iterator[tuple[Cell, Mapping[str, NDArray[Any] | float], float]]]
SCHEDULERS = ("serial", "grid", "local")


class Results(dict[str, Arrays]):
    """The results of a sweep's cells by key, in the order of the cells.

    Attributes:
        seconds: key to the seconds that the cell took where it was run, in this call or an earlier one; 0
            for a cell that was stored before its time was kept.
    """

    def __init__(self, found: Mapping[str, Arrays]) -> None:
        super().__init__({key: {n: a for n, a in own.items() if n != SECONDS} for key, own in found.items()})
        self.seconds = {key: float(own.get(SECONDS, 0.0)) for key, own in found.items()}


def _quiet(key: str, done: int, total: int) -> None:
    pass


def sweep(
    cells: Sequence[Cell],
    work: Work,
    folder: Path,
    *,
    fingerprint: str,
    scheduler: str = "serial",
    workers: int = 2,
    allowed_failures: int = 3,
    progress: Progress = _quiet,
    together: Together | None = None,
) -> Results:
    """Run every cell that is not finished yet; each becomes one file, `folder/<key>.npz`.

    Every scheduler but "grid" gives the same numbers to the last bit, since each cell is run on one thread.

    Args:
        cells: what to run; keys differ.
        work: a function of a module, from a cell's settings to named arrays and numbers. Its random
            numbers must come from seeds in the settings.
        folder: of the files; two sweeps at once in one folder are refused.
        fingerprint: of the code that decides the results. A cell that was made with another one, or
            with other settings, is run again.
        scheduler: "serial"; "grid", cells at once in this process where `together` can, the others in
            turn; "local", a Dask cluster of `workers` processes on this machine; or the
            address of a running Dask scheduler, "tcp://host:port", whose workers have one thread each
            and the same code. They need not share a file system: results come back and are written here.
        workers: processes of "local", >= 1.
        allowed_failures: how many workers may die on one cell before "local" gives it up, >= 0. A
            running scheduler has its own setting.
        progress: called with (key, done, total) for every cell, those that were finished before first.
        together: for "grid": runs what it can of the cells that are missing, and yields each when it is
            finished. A kill loses those that it has under way.

    Returns:
        The results by key, in the order of `cells`; a number is an array without dimensions.

    Raises:
        CellFailed: the work of a cell raised, or its workers died too often. Cells that are finished
            stay on disk.
        OSError: a result could not be written.
        ValueError: a bad argument, or a folder in use; names it and the remedy.
    """
    cells = list(cells)
    check(cells)
    if scheduler not in SCHEDULERS and not scheduler.startswith("tcp://"):
        raise ValueError(f"scheduler must be {', '.join(SCHEDULERS)} or tcp://host:port, got {scheduler!r}")
    if scheduler == "grid" and together is None:
        raise ValueError("scheduler 'grid' needs `together`, which runs cells at once; got None")
    if type(workers) is not int or workers < 1:
        raise ValueError(f"workers must be a whole number >= 1, got {workers!r}")
    if type(allowed_failures) is not int or allowed_failures < 0:
        raise ValueError(f"allowed_failures must be a whole number >= 0, got {allowed_failures!r}")
    if not isinstance(fingerprint, str) or not fingerprint:
        raise ValueError(f"fingerprint must be text that is not empty, got {fingerprint!r}")
    store = Store(folder, fingerprint)
    with store.locked():
        found = store.finished(cells)
        for done, key in enumerate(found, 1):
            progress(key, done, len(cells))
        missing = [cell for cell in cells if cell.key not in found]
        if scheduler == "grid" and together is not None:
            started = _grid(missing, work, together)
        else:
            started = _run(missing, work, scheduler, workers, allowed_failures)
        with closing(started) as results:
            for cell, arrays in results:
                store.save(cell, arrays)
                found[cell.key] = arrays
                progress(cell.key, len(found), len(cells))
    return Results({cell.key: found[cell.key] for cell in cells})


def _run(
    cells: list[Cell], work: Work, scheduler: str, workers: int, allowed_failures: int
) -> Generator[tuple[Cell, Arrays]]:
    """Yield each cell as it finishes."""
    if not cells:
        return
    if scheduler == "serial":
        yield from _serial(cells, work)
        return
    try:
        from build_scripts.precompute.sweep import cluster
    except ImportError as error:
        raise ValueError(
            f"scheduler {scheduler!r} needs Dask ({error}): pip install -c constraints.txt '.[data]'"
        ) from error
    if scheduler == "local":
        yield from cluster.local(cells, work, min(workers, len(cells)), allowed_failures)
    else:
        yield from cluster.running(cells, work, scheduler)


def _grid(cells: list[Cell], work: Work, together: Together) -> Generator[tuple[Cell, Arrays]]:
    left = {cell.key: cell for cell in cells}
    try:
        for cell, results, seconds in together(cells):
            del left[cell.key]
            yield cell, as_arrays(results, seconds)
    except Exception as error:
        raise CellFailed(f"cells that were run at once: {type(error).__name__}: {error}") from error
    yield from _serial(list(left.values()), work)


def _serial(cells: list[Cell], work: Work) -> Generator[tuple[Cell, Arrays]]:
    for cell in cells:
        try:
            arrays = run_cell(work, cell.settings)
        except (Exception, SystemExit) as error:
            raise CellFailed(
                f"cell {cell.key!r} with {cell.text}: {type(error).__name__}: {error}"
            ) from error
        yield cell, arrays
