from __future__ import annotations

import pytest

from unit.gateway.forms import FORMS, Connect


@pytest.fixture(params=sorted(FORMS))
def connect(request: pytest.FixtureRequest) -> Connect:
    """`AsyncGateway.connect`, and the same of the synchronous twin."""
    connect: Connect = FORMS[request.param]
    return connect
