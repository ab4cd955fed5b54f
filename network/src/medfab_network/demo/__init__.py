"""The demonstration: from an empty folder to a consented, audited record read."""

from medfab_network.demo._demo import Demo
from medfab_network.demo._narrator import Narrator
from medfab_network.demo._report import DemoReport

__all__ = ["Demo", "DemoReport", "Narrator"]
