"""The same calls to the same contract in four implementations show the same."""

from __future__ import annotations

import pytest

from conformance.case import Case
from conformance.cases import CASES
from conformance.report import Outcomes

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("section", "case"), CASES, ids=[f"{section}: {case.name}" for section, case in CASES]
)
async def test_case(section: str, case: Case, outcomes: Outcomes) -> None:
    assert case.judge(outcomes[section, case.name]) == {}
