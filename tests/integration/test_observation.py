"""Spans of calls on the live network."""

from __future__ import annotations

import secrets

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from integration.conftest import Consortium
from medfab_gateway import AsyncGateway, GatewayOptions
from medfab_gateway.ehr import AsyncPatient
from medfab_gateway.telemetry import OpenTelemetryObserver

pytestmark = pytest.mark.integration


async def test_a_registration_is_one_span_with_its_steps_in_it(consortium: Consortium) -> None:
    pseudonym = secrets.token_hex(16)
    user = await consortium.enrol_user(
        "hospital", role="patient", attributes={"medfab.patient": pseudonym}
    )
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    options = GatewayOptions(observer=OpenTelemetryObserver(tracer_provider=provider))
    directory = consortium.running_network.directory
    async with AsyncGateway.connect_user(directory, "hospital", user, options=options) as gateway:
        contract = gateway.network("care").contract("ehr")
        await AsyncPatient(contract).register()
    *steps, whole = spans.get_finished_spans()
    assert [step.name for step in steps] == ["endorse", "order", "commit"]
    assert whole.context is not None
    assert {step.parent.span_id for step in steps if step.parent} == {whole.context.span_id}
    assert whole.attributes is not None
    assert (whole.name, whole.attributes["fabric.function"]) == ("submit", "RegisterPatient")
    shown = "".join(span.to_json() for span in (*steps, whole))
    assert pseudonym not in shown
