"""Views of whole batches on the device: sim_engine.augment, each image with parameters of its own."""

from build_scripts.precompute.device_views.config import NAMES, SIMCLR, ViewConfig
from build_scripts.precompute.device_views.drawn import Drawn, Share
from build_scripts.precompute.device_views.views import DeviceViews, shift_colours

__all__ = ["NAMES", "SIMCLR", "DeviceViews", "Drawn", "Share", "ViewConfig", "shift_colours"]
