"""Many trainings that know nothing of each other: run in turn, on several processes or on other machines."""

from build_scripts.precompute.sweep.cell import Cell, CellFailed
from build_scripts.precompute.sweep.run import Results, Together, sweep
from build_scripts.precompute.sweep.store import Store

__all__ = ["Cell", "CellFailed", "Results", "Store", "Together", "sweep"]
