from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import transaction_pb2

from medfab_gateway import (
    AsyncNetwork,
    CommitError,
    CommitStatusError,
    ConnectionFailedError,
    EndorseError,
    Endpoint,
    EvaluateError,
    GatewayOptions,
    Hash,
    MedfabError,
    OutcomeUnknownError,
    RequestLimitError,
    SigningError,
    SubmitError,
    WaitingSigner,
    private_key_signer,
)
from unit.gateway.fake_gateway import (
    LIMITER_TEXT,
    Failure,
    FakeGateway,
    Proposal,
    make_identity,
    serve,
)
from unit.gateway.forms import Connect, only_async

IDENTITY, KEY = make_identity()
REFUSAL = 'chaincode response 403, {"code":"CONSENT_REQUIRED","message":"No consent."}'
DENIED = Failure(
    code=grpc.StatusCode.ABORTED,
    text="failed to endorse transaction, see attached details for more info",
    details=[("peer0.clinic:7051", "ClinicMSP", REFUSAL)],
)


@pytest.fixture
async def fake() -> FakeGateway:
    return FakeGateway()


@pytest.fixture
async def endpoint(fake: FakeGateway) -> AsyncIterator[Endpoint]:
    async with serve(fake) as endpoint:
        yield endpoint


@pytest.fixture
async def network(endpoint: Endpoint, connect: Connect) -> AsyncIterator[AsyncNetwork]:
    async with connect(endpoint, IDENTITY, private_key_signer(KEY)) as gateway:
        yield gateway.network("care")


async def test_evaluate(fake: FakeGateway, network: AsyncNetwork) -> None:
    fake.result = b"\x00answer"
    answer = await network.contract("ehr").evaluate(
        "Read", "ü", b"\xff", transient={"secret": b"S"}, target_organizations=["ClinicMSP"]
    )
    assert answer == b"\x00answer"
    [request] = fake.requests
    assert request.channel_id == "care"
    assert list(request.target_organizations) == ["ClinicMSP"]
    proposal = Proposal.read(request.proposed_transaction)
    assert request.transaction_id == proposal.channel_header.tx_id
    assert proposal.args == [b"Read", "ü".encode(), b"\xff"]
    assert proposal.chaincode == "ehr"
    assert dict(proposal.payload.TransientMap) == {"secret": b"S"}


async def test_submit(fake: FakeGateway, network: AsyncNetwork) -> None:
    contract = network.contract("ehr", "audit")
    assert await contract.submit("Log", "x", endorsing_organizations=["A", "B"]) == b"result"
    assert fake.calls == ["Endorse", "Submit", "CommitStatus"]
    endorse, submit, status = fake.requests
    assert Proposal.read(endorse.proposed_transaction).args == [b"audit:Log", b"x"]
    assert list(endorse.endorsing_organizations) == ["A", "B"]
    question = gateway_pb2.CommitStatusRequest.FromString(status.request)
    assert question.transaction_id == submit.transaction_id == endorse.transaction_id
    assert question.channel_id == submit.channel_id == "care"
    assert question.identity == IDENTITY.serialized


async def test_step_by_step(fake: FakeGateway, network: AsyncNetwork) -> None:
    proposal = network.contract("ehr").proposal("Move", transient={"k": b"SECRET"})
    unsigned = gateway_pb2.ProposedTransaction.FromString(proposal.bytes)
    assert unsigned.proposal.signature == b""
    assert proposal.digest == Hash.SHA256.digest(unsigned.proposal.proposal_bytes)
    assert unsigned.transaction_id == proposal.transaction_id

    transaction = await proposal.endorse()
    assert transaction.result == b"result"
    assert transaction.transaction_id == proposal.transaction_id
    prepared = gateway_pb2.PreparedTransaction.FromString(transaction.bytes)
    assert transaction.digest == Hash.SHA256.digest(prepared.envelope.payload)
    assert b"SECRET" not in transaction.bytes

    commit = await transaction.submit()
    status = await commit.status()
    assert (status.code, status.successful, status.block_number) == ("VALID", True, 7)
    assert status.transaction_id == proposal.transaction_id
    assert "SECRET" not in repr((proposal, transaction, commit, vars(proposal).keys()))


async def test_each_signature_is_made_once(
    fake: FakeGateway, endpoint: Endpoint, connect: Connect
) -> None:
    signer, digests = private_key_signer(KEY), []

    def counting(digest: bytes) -> bytes:
        digests.append(digest)
        return signer(digest)

    async with connect(endpoint, IDENTITY, counting) as gateway:
        proposal = gateway.network("care").contract("ehr").proposal("Read")
        await proposal.evaluate()
        transaction = await proposal.endorse()
        fake.before = lambda method: calls.append((method, len(digests)))
        calls: list[tuple[str, int]] = []
        commit = await transaction.submit()
        await commit.status()
        await commit.status()
    assert digests == [proposal.digest, transaction.digest, commit.digest]
    # The commit-status request is ready before anything is submitted.
    assert calls[0] == ("Submit", 3)


async def test_submit_async_leaves_the_outcome_open(
    fake: FakeGateway, network: AsyncNetwork
) -> None:
    fake.code = transaction_pb2.MVCC_READ_CONFLICT
    submitted = await network.contract("ehr").submit_async("Move")
    assert fake.calls == ["Endorse", "Submit"]
    assert submitted.result == b"result"
    assert "result=" not in repr(submitted)
    status = await submitted.commit.status()
    assert (status.code, status.successful) == ("MVCC_READ_CONFLICT", False)
    assert status.transaction_id == submitted.transaction_id


async def test_commit_error(fake: FakeGateway, network: AsyncNetwork) -> None:
    fake.code = transaction_pb2.ENDORSEMENT_POLICY_FAILURE
    with pytest.raises(CommitError, match=r"ENDORSEMENT_POLICY_FAILURE.*organizations") as raised:
        await network.contract("ehr").submit("Move")
    assert raised.value.code == "ENDORSEMENT_POLICY_FAILURE"
    assert raised.value.transaction_id == fake.requests[1].transaction_id
    assert (raised.value.block_number, raised.value.result) == (7, b"result")


async def test_validation_code_of_a_newer_fabric(fake: FakeGateway, network: AsyncNetwork) -> None:
    fake.code = 99
    assert (await network.commit("00ff").status()).code == "CODE_99"


async def test_commit_of_a_transaction_from_before(
    fake: FakeGateway, network: AsyncNetwork
) -> None:
    status = await network.commit("00ff").status()
    assert (status.transaction_id, status.successful) == ("00ff", True)


async def test_endorse_error_says_who_said_what(fake: FakeGateway, network: AsyncNetwork) -> None:
    fake.failures["Endorse"] = DENIED
    with pytest.raises(EndorseError) as raised:
        await network.contract("ehr").submit("Read", "NAME", transient={"k": b"SECRET"})
    error = raised.value
    assert error.code is grpc.StatusCode.ABORTED
    assert isinstance(error.__cause__, grpc.RpcError)
    assert error.transaction_id == fake.requests[0].transaction_id
    [detail] = error.details
    assert (detail.address, detail.msp_id) == ("peer0.clinic:7051", "ClinicMSP")
    assert detail.message == REFUSAL
    assert error.chaincode is not None
    assert (error.chaincode.status, error.chaincode.code) == (403, "CONSENT_REQUIRED")
    assert error.chaincode.message == "No consent."
    text = str(error)
    assert "Endorsing Read of chaincode ehr on channel care failed at localhost:" in text
    assert "peer0.clinic:7051 (ClinicMSP): chaincode response 403" in text
    assert "SECRET" not in text
    assert "NAME" not in text
    assert fake.calls == ["Endorse"]


async def test_what_one_peer_said_is_said_once(fake: FakeGateway, network: AsyncNetwork) -> None:
    said = "error validating proposal: access denied: channel [care] creator org [HospitalMSP]"
    fake.failures["Evaluate"] = Failure(
        code=grpc.StatusCode.FAILED_PRECONDITION,
        text=f"evaluate call to endorser returned error: {said}",
        details=[("peer0.hospital:7051", "HospitalMSP", said)],
    )
    with pytest.raises(EvaluateError, match="its key belongs to it") as raised:
        await network.contract("ehr").evaluate("Read")
    assert str(raised.value).count("access denied") == 1
    assert "returned error\n  peer0.hospital:7051 (HospitalMSP): error val" in str(raised.value)


async def test_evaluate_error_without_details(fake: FakeGateway, network: AsyncNetwork) -> None:
    fake.failures["Evaluate"] = Failure(
        code=grpc.StatusCode.UNKNOWN,
        text="evaluate call to endorser returned error: chaincode response 500, boom",
    )
    with pytest.raises(EvaluateError) as raised:
        await network.contract("ehr").evaluate("Read")
    assert raised.value.details == ()
    failure = raised.value.chaincode
    assert failure is not None
    assert (failure.status, failure.code, failure.message) == (500, None, "boom")


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (grpc.StatusCode.ABORTED, "did not take the transaction"),
        (grpc.StatusCode.FAILED_PRECONDITION, "did not take the transaction"),
    ],
)
async def test_submit_error(
    fake: FakeGateway, network: AsyncNetwork, code: grpc.StatusCode, advice: str
) -> None:
    fake.failures["Submit"] = Failure(
        code=code, text="no orderers", details=[("orderer0:7050", "OrdererMSP", "down")]
    )
    with pytest.raises(SubmitError, match=advice) as raised:
        await network.contract("ehr").submit("Move")
    assert "orderer0:7050 (OrdererMSP): down" in str(raised.value)
    assert raised.value.transaction_id == fake.requests[0].transaction_id
    assert raised.value.result == b"result"
    assert fake.calls == ["Endorse", "Submit"]


async def test_commit_status_error_keeps_the_result(
    fake: FakeGateway, network: AsyncNetwork
) -> None:
    fake.failures["CommitStatus"] = Failure(code=grpc.StatusCode.UNAVAILABLE, text="going away")
    with pytest.raises(CommitStatusError, match="outcome is not known yet") as raised:
        await network.contract("ehr").submit("Move", timeout=1)
    transaction_id = fake.requests[0].transaction_id
    assert raised.value.result == b"result"
    assert raised.value.transaction_id == transaction_id
    fake.failures.clear()
    assert (await network.commit(transaction_id).status()).successful


@pytest.mark.parametrize("method", ["Evaluate", "Endorse", "Submit"])
async def test_request_limit(fake: FakeGateway, network: AsyncNetwork, method: str) -> None:
    fake.failures[method] = Failure(code=grpc.StatusCode.UNKNOWN, text=LIMITER_TEXT)
    contract = network.contract("ehr")
    call = contract.evaluate if method == "Evaluate" else contract.submit
    with pytest.raises(RequestLimitError, match="had no effect") as raised:
        await call("F", timeout=1)
    assert len(fake.calls) > 2  # it was tried again
    assert raised.value.transaction_id


async def test_request_limit_after_submitting_promises_nothing(
    fake: FakeGateway, network: AsyncNetwork
) -> None:
    fake.failures["CommitStatus"] = Failure(code=grpc.StatusCode.UNKNOWN, text=LIMITER_TEXT)
    with pytest.raises(CommitStatusError, match="has been submitted") as raised:
        await network.contract("ehr").submit("F", timeout=1)
    assert "had no effect" not in str(raised.value)
    assert raised.value.result == b"result"
    with pytest.raises(RequestLimitError):
        await network.commit("00ff").status(timeout=1)


async def test_a_chaincode_that_quotes_the_limiter_is_not_the_limiter(
    fake: FakeGateway, network: AsyncNetwork
) -> None:
    fake.failures["Evaluate"] = Failure(
        code=grpc.StatusCode.UNKNOWN, text=f"chaincode response 500, {LIMITER_TEXT}"
    )
    with pytest.raises(EvaluateError):
        await network.contract("ehr").evaluate("F")


async def test_deadline_of_the_call(fake: FakeGateway, network: AsyncNetwork) -> None:
    fake.delays["Evaluate"] = 30
    with pytest.raises(
        EvaluateError, match=r"no answer from localhost:\d+ within 0.05 s"
    ) as raised:
        await network.contract("ehr").evaluate("F", timeout=0.05)
    assert raised.value.code is grpc.StatusCode.DEADLINE_EXCEEDED


@pytest.mark.parametrize(
    ("method", "error_type"),
    [
        ("Evaluate", EvaluateError),
        ("Endorse", EndorseError),
        ("Submit", OutcomeUnknownError),
        ("CommitStatus", CommitStatusError),
    ],
)
async def test_deadlines_of_the_gateway(
    fake: FakeGateway,
    endpoint: Endpoint,
    method: str,
    error_type: type[MedfabError],
    connect: Connect,
) -> None:
    fake.delays[method] = 30
    options = GatewayOptions(
        evaluate_timeout=0.05 if method == "Evaluate" else 20,
        endorse_timeout=0.05 if method == "Endorse" else 20,
        submit_timeout=0.05 if method == "Submit" else 20,
        commit_status_timeout=0.05 if method == "CommitStatus" else 20,
    )
    signer = private_key_signer(KEY)
    async with connect(endpoint, IDENTITY, signer, options=options) as gateway:
        contract = gateway.network("care").contract("ehr")
        calls: dict[str, Any] = {"Evaluate": contract.evaluate, "Submit": contract.submit_async}
        with pytest.raises(error_type):
            async with asyncio.timeout(60):
                await calls.get(method, contract.submit)("F")


@pytest.mark.parametrize(
    ("method", "error_type"),
    [
        ("Endorse", EndorseError),
        ("Submit", OutcomeUnknownError),
        ("CommitStatus", CommitStatusError),
    ],
)
async def test_timeout_of_submit_is_for_every_step(
    fake: FakeGateway, network: AsyncNetwork, method: str, error_type: type[MedfabError]
) -> None:
    fake.delays[method] = 30
    with pytest.raises(error_type):
        async with asyncio.timeout(60):
            await network.contract("ehr").submit("F", timeout=0.1 if method == "Endorse" else 2)


async def test_timeout_of_submit_is_for_all_steps_together(
    fake: FakeGateway, network: AsyncNetwork
) -> None:
    fake.delays = {"Endorse": 0.8, "Submit": 0.8, "CommitStatus": 0.8}
    with pytest.raises(CommitStatusError) as raised:
        await network.contract("ehr").submit("F", timeout=2)
    assert raised.value.code is grpc.StatusCode.DEADLINE_EXCEEDED


@only_async
async def test_cancelling_a_call_cancels_it_at_the_peer(
    fake: FakeGateway, network: AsyncNetwork
) -> None:
    fake.delays["Evaluate"] = 30
    begun = asyncio.Event()
    fake.before = lambda _: begun.set()
    task = asyncio.create_task(network.contract("ehr").evaluate("F"))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(60):
        while not fake.cancelled["Evaluate"]:
            await asyncio.sleep(0.01)


async def test_closing_the_gateway_is_told_and_cancels_no_task(
    fake: FakeGateway, endpoint: Endpoint, connect: Connect
) -> None:
    fake.delays["Submit"] = 30
    begun = asyncio.Event()
    fake.before = lambda method: begun.set() if method == "Submit" else None
    gateway = connect(endpoint, IDENTITY, private_key_signer(KEY))
    task = asyncio.create_task(gateway.network("care").contract("ehr").submit("F"))
    async with asyncio.timeout(60):
        await begun.wait()
        await gateway.close()
        with pytest.raises(OutcomeUnknownError, match=r"(?s)gateway is closed.*not known yet"):
            await task


async def test_answer_about_another_transaction_is_not_signed(
    fake: FakeGateway, network: AsyncNetwork
) -> None:
    fake.answered_transaction_id = "ab" * 32
    with pytest.raises(EndorseError, match="Nothing was signed or submitted"):
        await network.contract("ehr").submit("F")
    assert fake.calls == ["Endorse"]


async def test_without_a_signer(fake: FakeGateway, endpoint: Endpoint, connect: Connect) -> None:
    async with connect(endpoint, IDENTITY) as gateway:
        proposal = gateway.network("care").contract("ehr").proposal("F")
        assert len(proposal.digest) == 32
        with pytest.raises(SigningError, match="no signer"):
            await proposal.evaluate()
        with pytest.raises(SigningError, match="no signer"):
            await proposal.endorse()
    assert fake.calls == []


async def test_ed25519_identities_sign_the_message(
    fake: FakeGateway, endpoint: Endpoint, connect: Connect
) -> None:
    identity, key = make_identity(key=ed25519.Ed25519PrivateKey.generate())
    async with connect(endpoint, identity, private_key_signer(key)) as gateway:
        assert await gateway.network("care").contract("ehr").submit("F") == b"result"


@only_async  # the other form: test_gateway_sync.py
async def test_a_supplied_channel_is_left_open(
    fake: FakeGateway, endpoint: Endpoint, connect: Connect
) -> None:
    async with endpoint.open_channel() as channel:
        for _ in range(2):
            async with connect(channel, IDENTITY, private_key_signer(KEY)) as gateway:
                assert await gateway.network("care").contract("ehr").evaluate("F") == b"result"


async def test_a_gateway_of_an_endpoint_closes_its_channel(
    endpoint: Endpoint, connect: Connect
) -> None:
    async with connect(endpoint, IDENTITY, private_key_signer(KEY)) as gateway:
        contract = gateway.network("care").contract("ehr")
        await contract.evaluate("F")
    with pytest.raises(ConnectionFailedError, match=r"(?s)gateway is closed.*no effect"):
        await contract.evaluate("F")


async def test_nobody_at_the_address(connect: Connect) -> None:
    endpoint = Endpoint("localhost:1", insecure=True)
    async with connect(endpoint, IDENTITY, private_key_signer(KEY)) as gateway:
        with pytest.raises(
            ConnectionFailedError, match=r"(?s)localhost:1 cannot be reached.*running"
        ):
            await gateway.network("care").contract("ehr").evaluate("F")


async def test_peer_of_another_authority(endpoint: Endpoint, connect: Connect) -> None:
    async with serve(FakeGateway()) as other:
        wrong = Endpoint(other.address, tls_root_certificates=endpoint.tls_root_certificates)
        async with connect(wrong, IDENTITY, private_key_signer(KEY)) as gateway:
            with pytest.raises(ConnectionFailedError, match="TLS CA certificate"):
                await gateway.network("care").contract("ehr").submit("F")


async def test_messages_larger_than_grpcs_own_limit(
    fake: FakeGateway, network: AsyncNetwork
) -> None:
    fake.result = bytes(5 * 1024 * 1024)
    assert len(await network.contract("ehr").evaluate("F")) == 5 * 1024 * 1024


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (("\ud800 SECRET",), {}, "half a surrogate pair"),
        ((7,), {}, "An argument is int"),
        ((), {"transient": {"record": "SECRET"}}, "under 'record' is str"),
        ((), {"endorsing_organizations": "AMSP"}, r"write \['AMSP'\]"),
    ],
)
async def test_values_of_a_wrong_type_are_named_not_quoted(
    network: AsyncNetwork, arguments: Any, options: Any, words: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=words) as raised:
        network.contract("ehr").proposal("F", *arguments, **options)
    assert "SECRET" not in repr(raised.value)


@only_async
async def test_a_signer_that_waits_does_so_in_a_thread(
    endpoint: Endpoint, connect: Connect
) -> None:
    sign, threads = private_key_signer(KEY), []

    class Device(WaitingSigner):
        def __call__(self, digest: bytes) -> bytes:
            threads.append(threading.current_thread())
            return sign(digest)

    async with connect(endpoint, IDENTITY, Device()) as gateway:
        assert await gateway.network("care").contract("ehr").submit("Move") == b"result"
    assert len(threads) == 3
    assert threading.main_thread() not in threads
