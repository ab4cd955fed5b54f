from __future__ import annotations

import inspect
import re

import grpc
import pytest

import medfab_gateway
from medfab_gateway import ChaincodeFailure, CommitError, ErrorDetail, GatewayError, errors
from medfab_gateway._rpc_errors import translate_rpc_error
from medfab_gateway.errors import EvaluateError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'chaincode response 409, {"code":"EXISTS","message":"It is there."}',
            (409, "EXISTS", "It is there."),
        ),
        ("chaincode response 500, line 1\nline 2", (500, None, "line 1\nline 2")),
        ('chaincode response 400, {"code":7}', (400, None, '{"code":7}')),
        ('chaincode response 400, {"code":"BARE"}', (400, "BARE", "")),
        ('chaincode response 400, ["code"]', (400, None, '["code"]')),
        ("chaincode response 400, ", (400, None, "")),
    ],
)
def test_chaincode_failures(text: str, expected: tuple[int, str | None, str]) -> None:
    for said in (text, f"evaluate call to endorser returned error: {text}"):
        failure = ChaincodeFailure.parse(said)
        assert failure is not None
        assert (failure.status, failure.code, failure.message) == expected


def test_the_fields_that_a_contract_names() -> None:
    body = '{"code":"INVALID","message":"x","fields":{"transient.terms":"a list is needed"}}'
    failure = ChaincodeFailure.parse(f"chaincode response 400, {body}")
    assert failure is not None
    assert failure.fields == {"transient.terms": "a list is needed"}
    for fields in ("[]", "null", '"x"'):
        odd = ChaincodeFailure.parse(f'chaincode response 400, {{"code":"X","fields":{fields}}}')
        assert odd is not None
        assert odd.fields == {}


@pytest.mark.parametrize("text", ["", "channel 'x' not found", "chaincode response abc, x"])
def test_no_chaincode_failure(text: str) -> None:
    assert ChaincodeFailure.parse(text) is None


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("MVCC_READ_CONFLICT", "as a new proposal"),
        ("PHANTOM_READ_CONFLICT", "as a new proposal"),
        ("ENDORSEMENT_POLICY_FAILURE", "which organizations endorsed"),
        ("CODE_99", "log of the peer"),
    ],
)
def test_commit_error_advises(code: str, advice: str) -> None:
    error = CommitError(code=code, transaction_id="00ff", block_number=3)
    assert "00ff is in block 3 but not valid" in str(error)
    assert advice in str(error)


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn: list[tuple[str, str]] = []
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^([\s│├└─]*)([A-Z]\w+Error)\b", line)
        if not found or line.strip().startswith("The "):
            continue
        depth, name = len(found[1]), found[2]
        while above and above[-1][0] >= depth:
            above.pop()
        drawn.append((name, above[-1][1] if above else "Exception"))
        above.append((depth, name))
    real = [
        (name, cls.__bases__[0].__name__)  # one of them is an ImportError as well
        for name, cls in vars(errors).items()
        if inspect.isclass(cls) and issubclass(cls, Exception)
    ]
    assert sorted(drawn) == sorted(real)


def test_every_error_is_exported() -> None:
    for name, cls in vars(errors).items():
        if inspect.isclass(cls) and cls.__module__ == errors.__name__:
            assert name in medfab_gateway.__all__


def rpc_error(text: str, metadata: tuple[tuple[str, bytes], ...] = ()) -> grpc.aio.AioRpcError:
    trailing = grpc.aio.Metadata(*metadata)
    return grpc.aio.AioRpcError(grpc.StatusCode.ABORTED, grpc.aio.Metadata(), trailing, text)


def translated(error: grpc.aio.AioRpcError) -> GatewayError:
    return translate_rpc_error(error, EvaluateError, action="Asking", address=None)


def test_unreadable_details_hide_no_failure() -> None:
    error = translated(rpc_error("why", (("grpc-status-details-bin", b"\xff\xff"),)))
    assert isinstance(error, EvaluateError)
    assert error.details == ()
    assert str(error).startswith("Asking failed (ABORTED): why")


def test_details_of_other_kinds_are_left_out() -> None:
    # google.rpc.Status{details: [Any{type_url: "x/other", value: "v"}]}
    status = b"\x1a\x0c\x0a\x07x/other\x12\x01v"
    assert translated(rpc_error("why", (("grpc-status-details-bin", status),))).details == ()


def test_a_detail_reads_well() -> None:
    detail = ErrorDetail(address="peer0:7051", msp_id="AMSP", message="no")
    assert str(detail) == "peer0:7051 (AMSP): no"


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("request unauthorized due to incorrect timestamp 2026", "clocks"),
        ("proposal client identity expired", "enrol"),
        ("error in simulation: could not launch chaincode ehr:00: connection refused", "process"),
    ],
)
def test_a_known_cause_has_its_own_advice(said: str, advice: str) -> None:
    happened, _, last = str(translated(rpc_error(said))).partition("\n")
    assert said in happened
    assert advice in last
    assert "Nothing was submitted." in last
