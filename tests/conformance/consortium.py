"""Two organisations with the same contract four times, and a call to all four at once."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from integration.conftest import on_free_ports
from medfab_network import Topology, parse_topology
from official import go_program, node, node_project

TESTS = Path(__file__).parent.parent
CHANNEL, OTHER_CHANNEL = "care", "alone"
HOSPITAL, CLINIC = "HospitalMSP", "ClinicMSP"
COLLECTION = "shared"
"""Held by both organisations."""

IMPLEMENTATIONS = ("ours", "raw", "go", "node")
"""Ours with the contract API and raw on the shim, then the official ones."""

CONTRACTS = ("ledger:Ledger", "types:Types", "types:Hooks", "types:Colon")


def chaincode_name(implementation: str) -> str:
    return f"{implementation}-conformance"


async def topology() -> Topology:
    """The consortium, with every chaincode's program built; ports that are free now."""
    official = TESTS / "official"
    commands: Mapping[str, list[Any]] = {
        "ours": ["medfab-chaincode", "serve", *(f"conformance.contracts.{c}" for c in CONTRACTS)],
        "raw": [sys.executable, "-m", "conformance.contracts.raw"],
        "go": [await go_program(official / "conformance-go-contract")],
        "node": [node(), node_project(official / "conformance-node") / "server.js"],
    }
    both = ["hospital", "clinic"]
    return on_free_ports(
        parse_topology(
            {
                "ordering": {"orderers": 1},
                "organizations": [
                    {"name": "hospital", "msp_id": HOSPITAL},
                    {"name": "clinic", "msp_id": CLINIC},
                ],
                "channels": [
                    {"name": CHANNEL, "organizations": both},
                    {"name": OTHER_CHANNEL, "organizations": ["hospital"]},
                ],
                "chaincodes": [
                    *(
                        {
                            "name": chaincode_name(implementation),
                            "channel": CHANNEL,
                            "command": [str(part) for part in commands[implementation]],
                            "custodians": both,
                            "collections": [COLLECTION],
                        }
                        for implementation in IMPLEMENTATIONS
                    ),
                    _callee("callee", CHANNEL, commands["raw"]),
                    _callee("remote", OTHER_CHANNEL, commands["raw"]),
                ],
            }
        )
    )


def _callee(name: str, channel: str, command: list[Any]) -> dict[str, Any]:
    return {"name": name, "channel": channel, "command": command}
