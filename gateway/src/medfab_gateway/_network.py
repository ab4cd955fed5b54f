# Made by scripts/make_sync.py from _network_async.py: change that, and run it.
"""A channel, as the peers of the gateway's organisation see it."""

from __future__ import annotations

import time

from medfab_gateway._blocks import BlockEvents
from medfab_gateway._calls import Client
from medfab_gateway._commit import Commit
from medfab_gateway._contract import Contract
from medfab_gateway._messages.deliver import build_seek_payload


class Network:
    """A channel: its contracts, its blocks, and the outcome of its transactions."""

    def __init__(self, client: Client, channel_name: str) -> None:
        self._client = client
        self._channel_name = channel_name

    @property
    def channel_name(self) -> str:
        return self._channel_name

    def contract(self, chaincode_name: str, contract_name: str | None = None) -> Contract:
        """A contract of a chaincode; contract_name None: the chaincode's default contract."""
        return Contract(
            self._client,
            channel_name=self._channel_name,
            chaincode_name=chaincode_name,
            contract_name=contract_name,
        )

    def commit(self, transaction_id: str) -> Commit:
        """Asks for the outcome of any transaction of the channel, by its id.

        For what was submitted before, for instance by a process that has died since.
        """
        return Commit(self._client, channel_name=self._channel_name, transaction_id=transaction_id)

    def block_events(
        self, start_block: int | None = None, stop_block: int | None = None
    ) -> BlockEvents:
        """The channel's blocks, in order, as they are committed.

            with network.block_events(start_block=0) as blocks:
                for block in blocks:
                    print(block.number, len(block.transactions))

        start_block: number of the first; None: the next to be committed. stop_block: number of
        the last; None: without end. The request is valid for 15 minutes; nothing is sent before
        the first block is asked for. Iterating raises `DeliverError` or `ConnectionFailedError`.
        """
        for number in (start_block, stop_block):
            if number is not None and not 0 <= number < 2**64:
                raise ValueError(f"Block numbers are 0 … 2⁶⁴-1, not {number}.")
        if start_block is not None and stop_block is not None and stop_block < start_block:
            raise ValueError(f"stop_block {stop_block} lies before start_block {start_block}.")
        payload = build_seek_payload(
            identity=self._client.identity,
            channel_id=self._channel_name,
            start_block=start_block,
            stop_block=stop_block,
            timestamp_ns=time.time_ns(),
            tls_certificate_hash=self._client.peers.all[0].tls_certificate_hash,
        )
        return BlockEvents(self._client, channel_name=self._channel_name, payload=payload)
