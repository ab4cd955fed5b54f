"""The wire protocol, spoken by a fake peer over loopback TLS."""

import asyncio
import contextlib
import json
from pathlib import Path

import pytest
from fabric_protos.peer import chaincode_pb2, chaincode_shim_pb2

from medfab_chaincode import (
    Context,
    ContractError,
    PeerError,
    SettingsError,
    Stub,
    evaluate,
    submit,
)
from medfab_chaincode._execution import Executor
from medfab_chaincode._handler import StreamHandler
from medfab_chaincode._observation import TransactionLog
from medfab_chaincode._router import Router
from medfab_chaincode._server import ChaincodeServer
from medfab_chaincode._transport import PAYLOAD_BYTES
from unit.chaincode.conftest import CHAINCODE_ID, Certificates, Serving
from unit.chaincode.fake_peer import FakePeer, PeerRefusal, connect, until
from unit.chaincode.ledger_contract import Ledger

ChaincodeMessage = chaincode_shim_pb2.ChaincodeMessage


class Stubborn(Ledger):
    """Tries again whatever the peer says, until it is cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self.ended = asyncio.Event()

    @evaluate("Insist")
    async def insist(self, context: Context) -> None:
        self.entered.set()
        await self.released.wait()
        try:
            while True:
                with contextlib.suppress(PeerError):
                    await context.stub.get_private_data("secrets", "a")
        finally:
            self.ended.set()


def fill(peer: FakePeer) -> None:
    peer.ledger.update(
        {
            ("", "a"): b"1",
            ("", "b"): b"2",
            ("", "c"): b"3",
            ("secrets", "s"): b"secret",
            ("", Stub.create_composite_key("k", ["x", "1"])): b"!",
            ("", Stub.create_composite_key("k", ["x", ""])): b"!",
            ("", Stub.create_composite_key("k", ["xy"])): b"!",
            ("secrets", Stub.create_composite_key("k", ["x", "2"])): b"!",
        }
    )


async def test_handshake_and_call(serving: Serving, certificates: Certificates) -> None:
    async with (
        serving(Ledger()) as address,
        connect(address, certificates.credentials()) as peer,
    ):
        assert peer.chaincode_id == CHAINCODE_ID
        fill(peer)
        result = await peer.invoke("Get", "a")
        assert (result.status, result.payload, result.message) == (200, b"1", "")
        assert (await peer.invoke("ledger:Get", "absent")).payload == b""
        assert (await peer.invoke("Get", "a", kind="INIT")).payload == b"1"
        assert result.event is None


async def test_batching_changes_the_messages_and_nothing_else(
    serving: Serving, certificates: Certificates
) -> None:
    results = []
    async with serving(Ledger()) as address:
        for batching in (True, False):
            async with connect(address, certificates.credentials(), batching=batching) as peer:
                fill(peer)
                results.append(await peer.invoke("Mix"))
                assert peer.dropped == 0
    batched, single = results
    assert (
        batched.writes
        == single.writes
        == {
            ("", "a"): b"last",
            ("", "b"): None,
            ("", "c"): None,
            ("secrets", "s"): b"newer",
            ("secrets", "a"): b"the same key, elsewhere",
            ("secrets", "t"): None,
            ("secrets", "u"): None,
        }
    )
    assert batched.payload == single.payload
    values = json.loads(batched.payload)
    assert values[:7] == ["b'1'", "b'2'", "None", "b'3'", "b'1'", "b'secret'", "None"]
    assert batched.event == single.event == ("mixed", b"payload")
    # Batches of three: five keys, two keys, the hash, and seven writes in three messages.
    assert batched.requests == [
        *["GET_STATE_MULTIPLE"] * 3,
        "GET_PRIVATE_DATA_HASH",
        *["WRITE_BATCH_STATE"] * 3,
    ]
    assert single.requests == [
        *["GET_STATE"] * 7,
        "GET_PRIVATE_DATA_HASH",
        *["PUT_STATE", "DEL_STATE", "DEL_STATE", "PUT_STATE", "PUT_STATE"],
        *["DEL_STATE", "PURGE_PRIVATE_DATA"],
    ]


async def test_a_thousand_transactions_at_once_are_neither_lost_nor_crossed(
    serving: Serving, certificates: Certificates
) -> None:
    async with (
        serving(Ledger()) as address,
        connect(address, certificates.credentials()) as peer,
    ):
        gate = asyncio.Semaphore(64)

        async def one(number: int) -> None:
            # The same transaction id on two channels, as chaincode-to-chaincode calls have it.
            channel, transaction_id = ("care", "supply")[number % 2], f"tx{number // 2}"
            key = f"key{number}"
            peer.ledger["", key] = peer.ledger["secrets", key] = str(number).encode()
            async with gate:
                result = await peer.invoke(
                    "Swap", key, f"new{number}", channel=channel, transaction_id=transaction_id
                )
            old = str(number).encode()
            expected = f"{old!r} {old!r} {[old]!r} {transaction_id} {channel}"
            assert result.payload.decode() == expected
            new = f"new{number}".encode()
            assert result.writes == {("", key): new, ("secrets", key): new}

        await asyncio.gather(*(one(number) for number in range(1000)))
        assert peer.dropped == 0
        assert len(peer.terminals) == 1000
        assert set(peer.terminals.values()) == {1}


async def test_a_refused_read_raises_in_the_contract(
    serving: Serving, certificates: Certificates
) -> None:
    async with (
        serving(Ledger()) as address,
        connect(address, certificates.credentials()) as peer,
    ):
        peer.refusals["GET_STATE"] = "no read permission"
        assert (await peer.invoke("Catch")).payload == b"GET_STATE: no read permission"
        assert (await peer.invoke("Get", "a")).status == 500


@pytest.mark.parametrize("batching", [True, False])
async def test_a_refused_write_fails_the_transaction(
    serving: Serving, certificates: Certificates, batching: bool
) -> None:
    async with (
        serving(Ledger()) as address,
        connect(address, certificates.credentials(), batching=batching) as peer,
    ):
        peer.refusals["WRITE_BATCH_STATE"] = peer.refusals["PUT_STATE"] = "no write permission"
        result = await peer.invoke("Put", "a", "1")
        assert result.status == 500
        assert peer.ledger == {}


async def test_missing_values_are_not_taken_for_absent_keys(
    serving: Serving, certificates: Certificates
) -> None:
    async with (
        serving(Ledger()) as address,
        connect(address, certificates.credentials()) as peer,
    ):
        peer.swallow_values = True
        assert (await peer.invoke("Mix")).status == 500


async def test_error_forms(serving: Serving, certificates: Certificates) -> None:
    async with (
        serving(Ledger()) as address,
        connect(address, certificates.credentials()) as peer,
    ):
        refused = await peer.invoke("Refuse")
        assert (refused.status, refused.writes, refused.event) == (409, {}, None)
        assert refused.message == '{"code":"NO_THANKS","message":"no, thank you"}'
        for how in ("raise", "exit", "cancel", "float"):
            crashed = await peer.invoke("Crash", how, "canary")
            assert (crashed.status, crashed.writes) == (500, {})
            assert json.loads(crashed.message)["code"] == "INTERNAL"
            assert "canary" not in crashed.message
        for args, code in [
            (("Nothing",), "UNKNOWN_FUNCTION"),
            (("other:Get", "a"), "UNKNOWN_FUNCTION"),
            ((), "UNKNOWN_FUNCTION"),
            ((b"\xff",), "INVALID_ARGUMENT"),
            (("Get",), "INVALID_ARGUMENT"),
            (("Get", b"\xff"), "INVALID_ARGUMENT"),
        ]:
            result = await peer.invoke(*args)
            assert json.loads(result.message)["code"] == code
            assert 400 <= result.status < 500
        assert (await peer.invoke("Who", "s", proposal=False)).status == 500


async def test_ranges(serving: Serving, certificates: Certificates) -> None:
    async with (
        serving(Ledger()) as address,
        connect(address, certificates.credentials()) as peer,
    ):
        fill(peer)
        whole = await peer.invoke("Range", "", "")
        assert json.loads(whole.payload) == ["a", "b", "c"]
        assert whole.requests == ["GET_STATE_BY_RANGE", "QUERY_STATE_NEXT"]
        assert json.loads((await peer.invoke("Range", "b", "c")).payload) == ["b"]
        assert json.loads((await peer.invoke("Range", "x", "y")).payload) == []
        assert peer.closed_iterators == 0
        for way, requests in [
            ("with", ["GET_STATE_BY_RANGE", "QUERY_STATE_CLOSE"]),
            ("aclose", ["GET_STATE_BY_RANGE", "QUERY_STATE_CLOSE"]),
            ("break", ["GET_STATE_BY_RANGE"]),
        ]:
            first = await peer.invoke("First", way)
            assert (first.payload, first.requests) == (b"a", requests)
        public = await peer.invoke("Composite", "", "k")
        assert json.loads(public.payload) == [["x", ""], ["x", "1"]]
        private = await peer.invoke("Composite", "secrets", "k")
        assert json.loads(private.payload) == [["x", "2"]]


async def test_a_cancelled_read_does_not_hand_its_answer_to_the_next(
    serving: Serving, certificates: Certificates
) -> None:
    async with (
        serving(Ledger()) as address,
        connect(address, certificates.credentials()) as peer,
    ):
        fill(peer)
        peer.delay = 0.05
        # bytes in a JSON array are base64: b"2" is "Mg==".
        assert (await peer.invoke("Impatient")).payload == b'[null,"Mg=="]'
        assert peer.dropped == 0


async def test_requests_left_behind_do_not_disturb(
    serving: Serving, certificates: Certificates
) -> None:
    contract = Ledger()
    async with (
        serving(contract) as address,
        connect(address, certificates.credentials()) as peer,
    ):
        fill(peer)
        peer.delay = 0.01
        for _ in range(3):
            result = await peer.invoke("Stray", transaction_id="again")
            assert (result.payload, result.requests) == (b"returned", ["GET_STATE"])
            await asyncio.gather(*contract.stray_tasks, return_exceptions=True)
        assert (await peer.invoke("Get", "b", transaction_id="again")).payload == b"2"


async def test_stream_loss_fails_what_is_in_flight_and_serving_goes_on(
    serving: Serving, certificates: Certificates
) -> None:
    contract = Ledger()
    async with serving(contract) as address:
        async with connect(address, certificates.credentials()) as other:
            async with connect(address, certificates.credentials()) as peer:
                peer.silent.add("GET_STATE")
                waiting = [asyncio.create_task(peer.invoke("Wait")) for _ in range(3)]
                await until(lambda: peer.asked.qsize() == 3)
            for task in waiting:
                with pytest.raises((PeerRefusal, asyncio.CancelledError)):
                    await task
            await until(lambda: len(contract.seen) == 3)
            assert (await other.invoke("Get", "a")).status == 200
        async with connect(address, certificates.credentials()) as again:
            assert (await again.invoke("Get", "a")).status == 200


class Deaf:
    """A stream that brings transactions for ever and takes nothing but the first message."""

    def __init__(self) -> None:
        self._sent = 0
        self._received = 0

    async def receive(self) -> bytes:
        await asyncio.sleep(0.01)
        self._received += 1
        # The first one holds the end of the stream up.
        args = [b"Hold"] if self._received == 1 else [b"Get", b"a"]
        call = chaincode_pb2.ChaincodeInput(args=args).SerializeToString()
        message = ChaincodeMessage(type="TRANSACTION", payload=call, txid=str(self._received))
        return bytes(message.SerializeToString())

    async def send(self, message: bytes) -> None:
        self._sent += 1
        if self._sent > 1:
            raise OSError("nobody listens")


async def test_a_stream_that_takes_nothing_more_leaves_no_transaction_behind() -> None:
    executor = Executor(Router([Ledger()]))
    handler = StreamHandler(Deaf(), chaincode_id="x", executor=executor, observer=TransactionLog())
    await asyncio.wait_for(handler.run(), 60)
    await until(lambda: not handler._running)


async def test_a_repeated_transaction_is_refused_until_the_first_has_ended(
    serving: Serving, certificates: Certificates
) -> None:
    contract = Ledger()
    async with (
        serving(contract) as address,
        connect(address, certificates.credentials()) as peer,
    ):
        first = asyncio.create_task(peer.invoke("Hold", transaction_id="t"))
        await contract.entered.wait()
        with pytest.raises(PeerRefusal, match="running already"):
            await peer.invoke("Hold", transaction_id="t")
        contract.released.set()
        assert await peer.asked.get() == "WRITE_BATCH_STATE"  # answered "no ledger context"
        assert (await peer.invoke("Get", "a")).status == 200
        assert (await peer.invoke("Get", "a", transaction_id="t")).status == 200
        # The first has no answer: nobody waits for it, and it could meet the third.
        assert peer.terminals["care", "t"] == 2
        assert peer.ledger == {}
        first.cancel()


async def test_a_transaction_that_the_peer_gave_up_ends(
    serving: Serving, certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    """The peer timed out, never told, and answers the next request "no ledger context"."""
    caplog.set_level("INFO")
    contract = Stubborn()
    async with (
        serving(contract) as address,
        connect(address, certificates.credentials()) as peer,
    ):
        lost = asyncio.create_task(peer.invoke("Insist", transaction_id="t"))
        await contract.entered.wait()
        lost.cancel()
        await asyncio.gather(lost, return_exceptions=True)
        contract.released.set()
        await asyncio.wait_for(contract.ended.wait(), 60)
        assert peer.asked.qsize() == 1  # what followed never left the process
        assert (await peer.invoke("Get", "a", transaction_id="t")).status == 200
        assert peer.terminals == {("care", "t"): 1}
    ends = [vars(record)["status"] for record in caplog.records if record.message == "transaction"]
    assert ends == ["cancelled", 200]


async def test_keepalive_is_echoed_and_unknown_messages_are_ignored(
    serving: Serving, certificates: Certificates
) -> None:
    async with (
        serving(Ledger()) as address,
        connect(address, certificates.credentials()) as peer,
    ):
        peer.send(ChaincodeMessage(type=99))
        peer.send(ChaincodeMessage(type="RESPONSE", txid="nobody"))
        peer.send(ChaincodeMessage(type="KEEPALIVE"))
        await asyncio.wait_for(peer.echoed.wait(), 60)
        assert (await peer.invoke("Get", "a")).status == 200


async def test_large_values_pass_and_too_large_ones_fail_alone(
    serving: Serving, certificates: Certificates
) -> None:
    class Large(Ledger):
        @submit("Huge")
        def huge(self, context: Context) -> bytes:
            return bytes(100 * 1024 * 1024)

        @submit("Echo")
        async def echo(self, context: Context, value: bytes) -> bytes:
            return value

        @submit("PutHuge")
        def put_huge(self, context: Context) -> None:
            context.stub.put_state("huge", bytes(100 * 1024 * 1024))

    async with (
        serving(Large()) as address,
        connect(address, certificates.credentials()) as peer,
    ):
        value = bytes(5 * 1024 * 1024)  # gRPC's own limit is 4 MiB
        assert (await peer.invoke("Put", "big", value)).status == 200
        assert (await peer.invoke("Get", "big")).payload == value
        # Almost 100 MiB both ways.
        value = bytes(PAYLOAD_BYTES - 1024)
        assert (await peer.invoke("Echo", value, timeout=60)).payload == value
        assert (await peer.invoke("Huge")).status == 500
        assert (await peer.invoke("PutHuge")).status == 500
        assert (await peer.invoke("Get", "a")).status == 200


async def test_draining_finishes_what_runs_and_refuses_what_comes(
    certificates: Certificates,
) -> None:
    contract = Ledger()
    server = ChaincodeServer([contract], certificates.settings())
    async with connect(await server.start(), certificates.credentials()) as peer:
        held = asyncio.create_task(peer.invoke("Hold"))
        await contract.entered.wait()
        stopping = asyncio.create_task(server.stop())
        await until(lambda: all(handler._draining for handler in server.streams._handlers))
        with pytest.raises(PeerRefusal, match="shutting down"):
            await peer.invoke("Get", "a")
        contract.released.set()
        assert (await held).payload == b"done"
        await asyncio.wait_for(stopping, 60)
        assert peer.ledger["", "held"] == b"1"


async def test_draining_is_bounded(certificates: Certificates) -> None:
    contract = Ledger()
    server = ChaincodeServer([contract], certificates.settings(drain_seconds=0.05))
    async with connect(await server.start(), certificates.credentials()) as peer:
        held = asyncio.create_task(peer.invoke("Hold"))
        await contract.entered.wait()
        await asyncio.wait_for(server.stop(), 60)
        with pytest.raises(PeerRefusal):
            await held


def test_contract_error_status_is_the_client_s_kind() -> None:
    with pytest.raises(ValueError, match="400 to 499"):
        ContractError("x", status=500)


async def test_a_missing_chaincode_id_stops_the_start(
    certificates: Certificates, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="CHAINCODE_ID"):
        await ChaincodeServer([Ledger()], certificates.settings(chaincode_id="")).start()
