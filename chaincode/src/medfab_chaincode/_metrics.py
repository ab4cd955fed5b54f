"""Prometheus metrics (extra `metrics`). Imported only where they are switched on."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from medfab_chaincode._observation import TransactionReport

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Fabric's own timeout for a transaction, 30 s, is the last one."""


class Metrics:
    """An `Observer` that counts. Labels are functions that contracts declare, and statuses."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        # A registry of its own, so that several servers can be in one process.
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._transactions = Counter(
            "medfab_chaincode_transactions",
            "Transactions by function and status of the response",
            ["function", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "medfab_chaincode_transaction_seconds",
            "From the peer's TRANSACTION to the response",
            ["function"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._round_trips = Counter(
            "medfab_chaincode_round_trips",
            "Requests to the peer",
            ["function"],
            registry=self._registry,
        )
        self._streams = Gauge(
            "medfab_chaincode_streams", "Peers that are connected", registry=self._registry
        )

    def transaction_ended(self, report: TransactionReport) -> None:
        self._transactions.labels(report.function, report.status_text).inc()
        self._seconds.labels(report.function).observe(report.seconds)
        self._round_trips.labels(report.function).inc(report.round_trips)

    def streams_changed(self, count: int) -> None:
        self._streams.set(count)

    def exposition(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self._registry)
