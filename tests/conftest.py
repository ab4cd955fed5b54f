"""What all tests need of the process that runs them."""

from __future__ import annotations

import signal

import pytest

from pages import function_of
from pages_registry import unrun


def pytest_configure() -> None:
    """In the background of a shell signals are ignored, and would be in what tests start.

    Here, and not before each start: gRPC does not survive a `fork` of this process.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            interrupt = number is signal.SIGINT
            signal.signal(number, signal.default_int_handler if interrupt else signal.SIG_DFL)


_PASSED: dict[str, bool] = {}
_UNRUN: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Which functions have passed, with all of their parameters that this session runs."""
    if report.when == "call" or not report.passed:
        function = function_of(report.nodeid)
        _PASSED[function] = _PASSED.get(function, True) and report.passed


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A test that passed has run the blocks of pages that the registry says it runs."""
    options = session.config.option
    # A part of a parametrized function's cases runs a part of its blocks.
    if options.keyword or options.lf or any("[" in each for each in session.config.args):
        return
    _UNRUN.extend(unrun({function for function, passed in _PASSED.items() if passed}))
    if _UNRUN:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _UNRUN:
        terminalreporter.section("blocks that tests/pages_registry.py claims and nobody ran")
        for line in _UNRUN:
            terminalreporter.write_line(line)
