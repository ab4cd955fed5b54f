"""A consumer with a checkpoint file, to be killed: `test_events_recovery.py`.

    event_consumer.py DIRECTORY CHECKPOINT HANDLED FIRST_BLOCK

Handles an event by adding its transaction to the file HANDLED, then saves the checkpoint.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from medfab_gateway import ConnectionProfile, FileCheckpointer, FileSystemWallet, Gateway


def main(directory: Path, checkpoint_file: Path, handled_file: Path, first_block: int) -> None:
    organization = directory / "organizations" / "hospital"
    profile = ConnectionProfile.load(organization / "connection.json")
    entry = FileSystemWallet(organization / "wallet").get("admin")
    with (
        FileCheckpointer(checkpoint_file) as checkpointer,
        Gateway.connect(
            profile.endpoint_for("hospital"), entry.identity, entry.signer()
        ) as gateway,
        gateway.network("shared").chaincode_events(
            "emitter", first_block, checkpoint=checkpointer.load()
        ) as events,
        handled_file.open("a") as handled,
    ):
        for event in events:
            handled.write(event.transaction_id + "\n")
            handled.flush()
            os.fsync(handled.fileno())
            checkpointer.checkpoint_chaincode_event(event)


main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
