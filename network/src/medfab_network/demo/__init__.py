"""The demonstration: from an empty folder to a consented, audited record read."""

from medfab_network.demo._demo import Demo

__all__ = ["Demo"]
