"""What a gateway tells about its calls: log lines, spans and metrics, without any payload."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from fabric_protos.peer import transaction_pb2
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from medfab_gateway import (
    AsyncContract,
    CommitError,
    Endpoint,
    EvaluateError,
    GatewayOptions,
    RetryOptions,
    private_key_signer,
)
from medfab_gateway.telemetry import OpenTelemetryObserver
from unit.gateway.fake_gateway import Failure, FakeGateway, make_identity, serve
from unit.gateway.forms import Connect

IDENTITY, KEY = make_identity()
SECRETS = ("ARGUMENT", "TRANSIENT", "RESULT", "REFUSAL")


@dataclass
class Telemetry:
    """OpenTelemetry in this process, and what came of it."""

    spans: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    metrics: InMemoryMetricReader = field(default_factory=InMemoryMetricReader)

    def observer(self) -> OpenTelemetryObserver:
        tracers = TracerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(self.spans))
        return OpenTelemetryObserver(
            tracer_provider=tracers, meter_provider=MeterProvider([self.metrics])
        )

    def finished(self) -> list[ReadableSpan]:
        return list(self.spans.get_finished_spans())

    def points(self) -> list[tuple[dict[str, Any], int]]:
        data = self.metrics.get_metrics_data()
        assert data is not None
        return [
            (dict(point.attributes or {}), getattr(point, "count", 0))
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            for point in metric.data.data_points
        ]


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


@pytest.fixture
async def fake() -> FakeGateway:
    return FakeGateway(result=b"RESULT")


@pytest.fixture
async def endpoint(fake: FakeGateway) -> AsyncIterator[Endpoint]:
    async with serve(fake) as endpoint:
        yield endpoint


@pytest.fixture
async def contract(
    endpoint: Endpoint, connect: Connect, telemetry: Telemetry
) -> AsyncIterator[AsyncContract]:
    options = GatewayOptions(observer=telemetry.observer())
    signer = private_key_signer(KEY)
    async with connect(endpoint, IDENTITY, signer, options=options) as gateway:
        yield gateway.network("care").contract("ehr")


async def submit(contract: AsyncContract) -> bytes:
    return await contract.submit("File", "ARGUMENT", transient={"t": b"TRANSIENT"})


async def test_a_submission_is_one_span_with_its_steps_in_it(
    contract: AsyncContract, telemetry: Telemetry, endpoint: Endpoint, fake: FakeGateway
) -> None:
    await submit(contract)
    *steps, whole = telemetry.finished()
    assert [step.name for step in steps] == ["endorse", "order", "commit"]
    assert whole.name == "submit"
    assert whole.parent is None
    assert whole.context is not None
    assert {step.parent.span_id for step in steps if step.parent} == {whole.context.span_id}
    transaction_id = fake.requests[0].transaction_id
    assert dict(whole.attributes or {}) == {
        "fabric.channel": "care",
        "fabric.chaincode": "ehr",
        "fabric.function": "File",
        "fabric.transaction_id": transaction_id,
    }
    assert dict(steps[0].attributes or {}) == {
        "fabric.transaction_id": transaction_id,
        "fabric.peer": endpoint.address,
    }
    trace_id = f"{whole.context.trace_id:032x}"
    sent = fake.requests[0].SerializeToString()
    assert trace_id.encode() not in sent
    assert bytes.fromhex(trace_id) not in sent
    shown = "".join(span.to_json() for span in telemetry.finished())
    assert not [secret for secret in SECRETS if secret in shown]
    assert sorted((point["operation"], point["outcome"]) for point, _ in telemetry.points()) == [
        ("commit", "ok"),
        ("endorse", "ok"),
        ("order", "ok"),
        ("submit", "ok"),
    ]


async def test_retries_are_steps_of_one_evaluation(
    contract: AsyncContract, telemetry: Telemetry, fake: FakeGateway
) -> None:
    fake.failures["Evaluate"] = Failure(
        code=grpc.StatusCode.UNKNOWN,
        text='chaincode response 409, {"code":"BEHIND","message":"REFUSAL"}',
    )
    retry = RetryOptions(attempts=2, chaincode_codes=frozenset({"BEHIND"}))
    with pytest.raises(EvaluateError):
        await contract.evaluate("Read", retry=retry)
    *steps, whole = telemetry.finished()
    assert [step.name for step in steps] == ["query", "query"]
    for span in (*steps, whole):
        assert span.attributes is not None
        assert span.attributes["error.type"] == "EvaluateError"
        assert span.attributes["fabric.status"] == "UNKNOWN"
        assert not span.status.is_ok
        assert span.events == ()
    assert "REFUSAL" not in "".join(span.to_json() for span in telemetry.finished())
    counts = {point["operation"]: count for point, count in telemetry.points()}
    assert counts == {"query": 2, "evaluate": 1}


async def test_an_invalid_transaction(
    contract: AsyncContract, telemetry: Telemetry, fake: FakeGateway
) -> None:
    fake.code = int(transaction_pb2.MVCC_READ_CONFLICT)
    with pytest.raises(CommitError):
        await submit(contract)
    *_, commit, whole = telemetry.finished()
    assert whole.attributes is not None
    assert whole.attributes["fabric.status"] == "MVCC_READ_CONFLICT"
    assert commit.status.is_unset  # the question was answered


async def test_log_lines(
    endpoint: Endpoint, connect: Connect, fake: FakeGateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="medfab_gateway")
    async with connect(endpoint, IDENTITY, private_key_signer(KEY)) as gateway:
        contract = gateway.network("care").contract("ehr")
        await submit(contract)
        fake.failures["Evaluate"] = Failure(
            code=grpc.StatusCode.UNKNOWN, text="chaincode response 500, REFUSAL"
        )
        with pytest.raises(EvaluateError):
            await contract.evaluate("Read", "ARGUMENT")
    lines = [record.getMessage() for record in caplog.records if record.name.endswith(".calls")]
    transaction_id = fake.requests[0].transaction_id
    assert lines[0].startswith(
        f"endorse: done (transaction {transaction_id}, peer {endpoint.address}, "
    )
    assert [line.partition(" (")[0] for line in lines] == [
        "endorse: done",
        "order: done",
        "commit: done",
        "submit: done",
        "query: EvaluateError UNKNOWN",
        "evaluate: EvaluateError UNKNOWN",
    ]
    assert not [secret for secret in SECRETS if secret in caplog.text]


def test_nothing_of_opentelemetry_is_imported_unless_asked_for() -> None:
    program = "import sys, medfab_gateway; print('opentelemetry' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )
    assert run.stdout.strip() == "False", run.stderr
