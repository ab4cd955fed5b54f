"""OpenTelemetry spans (extra `telemetry`). Imported only where they are switched on."""

from opentelemetry import trace

from medfab_chaincode._observation import TransactionReport


class Spans:
    """An `Observer` that makes one span of each transaction, once it is over.

    The tracer is that of the process: `opentelemetry-instrument`, or the program's own set-up,
    decides where spans go.
    """

    def __init__(self) -> None:
        self._tracer = trace.get_tracer("medfab_chaincode")

    def transaction_ended(self, report: TransactionReport) -> None:
        span = self._tracer.start_span(
            report.function,
            kind=trace.SpanKind.SERVER,
            start_time=report.began_ns,
            attributes={
                "fabric.transaction_id": report.transaction_id,
                "fabric.channel": report.channel_id,
                "fabric.status": report.status_text,
                "fabric.round_trips": report.round_trips,
            },
        )
        if report.status is None or report.status >= 500:
            span.set_status(trace.StatusCode.ERROR)
        span.end(report.began_ns + int(report.seconds * 1e9))

    def streams_changed(self, count: int) -> None:
        """Nothing: a span tells about a transaction."""
