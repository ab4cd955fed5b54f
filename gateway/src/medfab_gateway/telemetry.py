"""OpenTelemetry spans and metrics of a gateway (extra `telemetry`).

    options = GatewayOptions(observer=OpenTelemetryObserver())
    gateway = AsyncGateway.connect(endpoint, identity, signer, options=options)

One span for each `evaluate()`, `submit()` and `submit_async()`, with a span for each request to a
peer in it: `query`, or `endorse`, `order` and `commit`. Where spans and metrics go is for the
program's own set-up of OpenTelemetry, or `opentelemetry-instrument`. Nothing of a trace enters a
proposal: blocks are for all members of a channel to read.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from medfab_gateway._observation import Operation, outcome_of
from medfab_gateway.errors import MissingExtraError

try:
    from opentelemetry import metrics, trace
except ModuleNotFoundError as _error:
    raise MissingExtraError("medfab_gateway.telemetry", "telemetry") from _error

__all__ = ["OpenTelemetryObserver"]


class OpenTelemetryObserver:
    """An `Observer` that makes spans and metrics.

        options = GatewayOptions(observer=OpenTelemetryObserver())

    Attributes of spans: `fabric.channel`, `fabric.chaincode`, `fabric.function`,
    `fabric.transaction_id`, `fabric.peer`; of failed ones `error.type` and `fabric.status`, the
    gRPC or validation code. The metric `medfab.gateway.duration` is a histogram in seconds, of
    operations by `operation`, `outcome` (`ok`, or the type of the error) and `fabric.status`; its
    count is the number of calls.
    """

    def __init__(
        self,
        *,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
    ) -> None:
        """None: those of the process."""
        self._tracer = trace.get_tracer("medfab_gateway", tracer_provider=tracer_provider)
        meter = metrics.get_meter("medfab_gateway", meter_provider=meter_provider)
        self._duration = meter.create_histogram(
            "medfab.gateway.duration", unit="s", description="How long operations took"
        )

    @contextmanager
    def watch(self, operation: Operation) -> Iterator[None]:
        began = time.perf_counter()
        labels = {"operation": operation.name, "outcome": "ok"}
        kind = trace.SpanKind.CLIENT if operation.is_step else trace.SpanKind.INTERNAL
        # No exceptions in spans: their text has what contracts say.
        with self._tracer.start_as_current_span(
            operation.name, kind=kind, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield
            except BaseException as error:
                labels["outcome"], status = outcome_of(error)
                span.set_attribute("error.type", labels["outcome"])
                if status is not None:
                    labels["fabric.status"] = status
                    span.set_attribute("fabric.status", status)
                span.set_status(trace.StatusCode.ERROR)
                raise
            finally:
                span.set_attributes(_attributes(operation))
                self._duration.record(time.perf_counter() - began, labels)


def _attributes(operation: Operation) -> dict[str, str]:
    known = {
        "fabric.channel": operation.channel,
        "fabric.chaincode": operation.chaincode,
        "fabric.function": operation.function,
        "fabric.transaction_id": operation.transaction_id,
        "fabric.peer": operation.peer,
    }
    return {name: value for name, value in known.items() if value is not None}
