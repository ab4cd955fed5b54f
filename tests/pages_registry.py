"""Which test runs which block of which page, or why none does.

A page's entries are tried in order: a block belongs to the first that takes it. `Run` names a test
function that runs the block and says so (`pages.ran`); `make test` fails where it did not. `NotRun`
gives the reason. Blocks of `text` are output and need neither. A block that nobody takes fails
`tests/unit/docs/test_pages.py`, as an entry does that takes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pages import Block, blocks, ran_by


@dataclass(frozen=True, kw_only=True)
class _Entry:
    section: str | None = None
    """Blocks below this heading alone."""
    language: str | None = None
    """Blocks in this language alone."""
    containing: str = ""
    """Blocks with these words alone."""

    def takes(self, block: Block) -> bool:
        return (
            self.section in (None, block.section)
            and self.language in (None, block.language)
            and self.containing in block.text
        )


@dataclass(frozen=True, kw_only=True)
class Run(_Entry):
    test: str
    """Below tests/, with its function: `unit/docs/test_pages.py::test_x`."""


@dataclass(frozen=True, kw_only=True)
class NotRun(_Entry):
    reason: str


_TUTORIAL = "integration/test_tutorial.py::test_the_tutorial_runs_as_written"
_ADMIN = "integration/test_admin_pages.py::test_the_page_runs_as_written"
_IDENTITIES = "integration/test_cli_identities.py"
_PHARMA = "integration/test_pharma_gateway.py"
_CONSUMERS = "integration/test_consumers.py"
_PROJECTIONS = "unit/consumers/test_consumers_page.py"
_PAGES = "integration/test_pages.py::test_the_tutorial"
_CONTAINERS = NotRun(
    reason="needs a Docker engine: tests/containers (make test-docker) runs these commands' code"
)

OWNERS: dict[str, Sequence[Run | NotRun]] = {
    "README.md": [
        Run(
            test="integration/test_readme.py::test_the_five_minute_tour_runs_as_written",
            section="Five-minute tour",
        ),
        NotRun(section="medfab", reason="the two commands: CI runs one, test_demo.py the other's"),
        NotRun(
            section="What the demo shows", reason="test_demo.py runs the demo with its settings"
        ),
    ],
    "chaincode/README.md": [
        Run(
            test="unit/chaincode/test_contract_example.py::test_the_example_works",
            language="python",
        ),
        Run(
            test="unit/chaincode/test_contract_example.py::test_the_command_of_the_readme",
            language="sh",
        ),
    ],
    "docs/add-an-organization.md": [Run(test=_ADMIN)],
    "docs/admin-first-day.md": [Run(test=_PAGES)],
    "docs/chaincode-cli.md": [
        NotRun(
            reason="the examples of the help texts: test_docs_contracts.py, test_shim_cli.py and "
            "test_contract_example.py run each command on contracts of their own"
        )
    ],
    "docs/cli.md": [
        NotRun(
            reason="the examples of the help texts: each is parsed by its command in "
            "unit/gateway/test_cli_help.py::test_examples_are_of_the_command_and_valid, and those "
            "of ca, wallet, profile and config are run in test_the_examples_of_the_help_texts_run"
        )
    ],
    "docs/consumer-tutorial.md": [Run(test=_PAGES)],
    "docs/consumers.md": [
        NotRun(containing="pip install", reason="the environment of the tests has it"),
        Run(test=f"{_CONSUMERS}::test_the_page_in_five_minutes", language="sh"),
        Run(test=f"{_CONSUMERS}::test_the_page_in_five_minutes", language="sql"),
        Run(test=f"{_CONSUMERS}::test_the_page_in_five_minutes", containing="[gateway]"),
        Run(test=f"{_CONSUMERS}::test_the_program_of_the_page", containing="AsyncGateway"),
        Run(test=f"{_PROJECTIONS}::test_the_private_projection_of_the_page", containing="NOTES"),
        Run(test=f"{_PROJECTIONS}::test_the_projection_of_the_page"),
    ],
    "docs/contracts.md": [
        Run(test="unit/chaincode/test_docs_contracts.py::test_the_contracts", language="json"),
        Run(test="unit/chaincode/test_docs_contracts.py::test_the_contracts", language="python"),
        Run(test="unit/chaincode/test_docs_contracts.py::test_the_package", language="sh"),
    ],
    "docs/docker.md": [_CONTAINERS],
    "docs/ehr-tour.md": [Run(test="integration/test_ehr_tour.py::test_the_tour")],
    "docs/events.md": [
        Run(
            test="integration/test_events_recovery.py::test_the_examples_of_the_page",
            language="python",
        ),
        Run(
            test="integration/test_events_recovery.py::test_the_command_goes_on_at_its_checkpoint",
            language="sh",
        ),
    ],
    "docs/integration-tutorial.md": [Run(test=_PAGES)],
    "docs/migrate-from-fabric-sdk-py.md": [
        Run(
            test="integration/test_pages.py::test_a_profile_of_fabric_sdk_py",
            section="The connection profile stays",
        ),
        NotRun(
            section="One call, before and after",
            reason="half of it is of fabric-sdk-py, which needs libraries of 2018; ours is the "
            "call of test_docstring_examples.py",
        ),
    ],
    "docs/orderers.md": [Run(test=_ADMIN)],
    "docs/production.md": [
        NotRun(
            section="Private data twice",
            reason="one line of a topology; integration/test_private_copies.py runs one with it",
        ),
        Run(test=_ADMIN),
    ],
    "docs/replace-a-node.md": [Run(test=_ADMIN)],
    "docs/pharma.md": [
        Run(
            test="unit/gateway/test_pharma_more.py::test_the_guides_example_prints_what_it_says",
            section="Codes and identifiers",
        ),
        Run(test=f"{_PHARMA}::test_the_tour_prints_what_the_page_says", section="Tour"),
        Run(test=f"{_PHARMA}::test_queries_of_the_page", section="Query"),
        Run(test=f"{_PHARMA}::test_the_python_example", section="From Python"),
    ],
    "docs/disaster-recovery.md": [
        Run(test="integration/test_rotation.py::test_a_whole_organisation_is_lost")
    ],
    "docs/revoke-someone.md": [Run(test=f"{_IDENTITIES}::test_the_page_runs")],
    "docs/rotate-certificates.md": [
        NotRun(
            language="sh",
            reason="restarts nodes for minutes: tests/integration/test_rotation.py calls the same, "
            "under load",
        ),
        Run(test=f"{_IDENTITIES}::test_the_page_runs"),
    ],
    "docs/signing.md": [
        Run(
            test="integration/test_gateway_signing.py::test_the_two_processes_of_the_documentation",
            section="Two processes",
        ),
        Run(
            test="integration/test_gateway_signing.py::test_the_token_of_the_documentation",
            section="Keys in a hardware security module",
        ),
    ],
    "docs/testing-contracts.md": [Run(test="unit/chaincode/test_testing_docs.py::test_snippet")],
    "docs/tutorial.md": [
        NotRun(containing="make setup", reason="the environment of the tests is made by it"),
        Run(test=_TUTORIAL),
    ],
    "docs/upgrade-a-contract.md": [Run(test=_ADMIN)],
    "gateway/README.md": [Run(test="integration/test_pages.py::test_the_readme_of_the_gateway")],
    "network/README.md": [
        NotRun(containing="pip install", reason="the environment of the tests has it"),
        Run(test="integration/test_pages.py::test_the_readme_of_the_network"),
    ],
}


def owner(block: Block) -> Run | NotRun | None:
    """The first entry of the block's page that takes it."""
    return next((each for each in OWNERS.get(block.page, ()) if each.takes(block)), None)


def unrun(passed: Collection[str]) -> list[str]:
    """What the passed test functions, by their ids, were to run and did not."""
    found = []
    for block in (block for page in OWNERS for block in blocks(page) if not block.is_output):
        entry = owner(block)
        if isinstance(entry, Run):
            test = f"tests/{entry.test}"
            if test in passed and block not in ran_by(test):
                found.append(f"{test} passed without {block}")
    return found
