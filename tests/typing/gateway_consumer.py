"""A program that uses medfab_gateway, for type checkers: `assert_type` fails where a type is lost.

It is checked by tests/unit/gateway/test_typing.py, and never run.
"""

# pyright: strict

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_type

from medfab_gateway import (
    AsyncContract,
    AsyncGateway,
    AsyncSubmittedTransaction,
    Block,
    BlockTransaction,
    CommitError,
    CommittedEvent,
    ConnectionProfile,
    Contract,
    Creator,
    Endorser,
    Endpoint,
    ErrorDetail,
    FileSystemWallet,
    Gateway,
    GatewayError,
    GatewayOptions,
    NamespaceReadWriteSet,
    RetryOptions,
    Status,
    Write,
    block_json,
    decode_block,
    json_result,
)
from medfab_gateway.channel_config import ConfigGroup, Configuration
from medfab_gateway.telemetry import OpenTelemetryObserver


@dataclass(frozen=True)
class Asset:
    id: str
    ward: str


def connect() -> AsyncGateway:
    profile = ConnectionProfile.load("connection.json")
    entry = FileSystemWallet("wallet").get("practitioner")
    options = GatewayOptions(endorse_timeout=10, observer=OpenTelemetryObserver())
    assert_type(profile.endpoint_for("hospital"), Endpoint)
    return AsyncGateway.connect(profile, entry.identity, entry.signer(), options=options)


async def call(contract: AsyncContract) -> None:
    assert_type(await contract.evaluate("Read", "1"), bytes)
    assert_type(await contract.evaluate("Read", "1", result=json_result(Asset)), Asset)
    assert_type(await contract.submit("Move", retry=RetryOptions(), transient={"t": b""}), bytes)
    assert_type(await contract.submit("Move", result=json_result(list[Asset])), list[Asset])
    submitted = await contract.submit_async("Move", result=json_result(Asset))
    assert_type(submitted, AsyncSubmittedTransaction[Asset])
    assert_type(submitted.result, Asset)
    assert_type(await submitted.commit.status(), Status)


async def step_by_step(contract: AsyncContract) -> str:
    proposal = contract.proposal("Move", "1", "ward-3")
    assert_type(proposal.digest, bytes)
    transaction = await proposal.endorse(timeout=5)
    try:
        status = await (await transaction.submit()).status()
    except CommitError as error:
        assert_type(error.code, str)
        raise
    except GatewayError as error:
        assert_type(error.details, tuple[ErrorDetail, ...])
        raise
    return status.code


async def follow(gateway: AsyncGateway) -> None:
    network = gateway.network("care")
    async with network.chaincode_events("ehr") as events:
        async for event in events:
            assert_type(event, CommittedEvent)
    async with network.block_events(start_block=0) as blocks:
        async for block in blocks:
            take_apart(block)


def take_apart(block: Block) -> None:
    for transaction in block.transactions:
        assert_type(transaction, BlockTransaction)
        assert_type(transaction.creator, Creator)
        assert_type(transaction.timestamp, datetime | None)
        assert_type(transaction.args, tuple[bytes, ...])
        assert_type(transaction.endorsers, tuple[Endorser, ...])
        assert_type(transaction.read_write_sets, tuple[NamespaceReadWriteSet, ...])
        for sets in transaction.read_write_sets:
            assert_type(sets.writes, tuple[Write, ...])
        if transaction.config is not None:
            assert_type(transaction.config, Configuration)
            assert_type(transaction.config.channel.groups["Application"], ConfigGroup)
    block_json(decode_block(block.raw).raw)


def without_asyncio(gateway: Gateway) -> None:
    contract = gateway.network("care").contract("ehr")
    assert_type(contract, Contract)
    assert_type(contract.evaluate("Read", "1", result=json_result(Asset)), Asset)
    for block in gateway.network("care").block_events(0, 5):
        assert_type(block, Block)
