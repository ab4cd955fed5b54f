"""What a demonstration did and found, for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medfab_gateway.ehr import ScanReport


@dataclass(frozen=True, kw_only=True)
class DemoReport:
    """A demonstration whose search has ended, whatever it found."""

    directory: Path
    kept: bool
    """Whether the network is left up."""
    nodes: int
    channel: str
    resources: int
    """Resources of the bundle, all filed."""
    filing_transactions: int
    """How many transactions the filing took."""
    search: ScanReport
    seconds: Mapping[str, float]
    """Stage → seconds, in order."""

    def as_document(self) -> dict[str, Any]:
        """For JSON; the keys do not change. No value of the patient is in it."""
        return {
            "passed": self.search.clean,
            "directory": str(self.directory),
            "kept": self.kept,
            "nodes": self.nodes,
            "channel": self.channel,
            "resources": self.resources,
            "filing_transactions": self.filing_transactions,
            "blocks": self.search.blocks,
            "transactions": self.search.transactions,
            "bytes_searched": self.search.bytes,
            "values_searched": self.search.long_values + self.search.short_values,
            "findings": [
                {
                    "block": finding.block_number,
                    "transaction_id": finding.transaction_id,
                    "kind": finding.kind,
                    "encoding": finding.encoding,
                    "where": finding.where,
                }
                for finding in self.search.findings
            ],
            "seconds": {name: round(value, 3) for name, value in self.seconds.items()},
        }
