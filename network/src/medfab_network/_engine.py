"""What the Docker engine says when it cannot."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from medfab_network.errors import EngineError


@contextlib.contextmanager
def engine_errors() -> Iterator[None]:
    """The engine's own words, as an error of ours."""
    try:
        import docker
    except ImportError:
        yield  # whoever connects will say so
        return
    try:
        yield
    except (docker.errors.DockerException, OSError) as error:
        raise EngineError(f"the Docker engine says: {error}") from error
