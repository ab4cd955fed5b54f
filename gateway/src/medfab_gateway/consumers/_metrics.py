"""Metrics for Prometheus, and health: `/metrics` and `/healthz` of the service."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from medfab_gateway.consumers._progress import BATCH_SECONDS, Progress
from medfab_gateway.consumers.errors import ConfigurationError


class Operations:
    """Serves until `close()`, in a thread of its own."""

    def __init__(self, address: tuple[str, int], progress: Sequence[Progress]) -> None:
        """Raises `ConfigurationError` where the port is taken, or prometheus-client missing."""
        handler = _handler(progress, _renderer(progress))
        try:
            self._server = ThreadingHTTPServer(address, handler)
        except OSError as error:
            raise ConfigurationError(
                f"Metrics cannot be served at {address[0]}:{address[1]}: {error}.\n"
                "Give `listen` another port."
            ) from error
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def health(progress: Sequence[Progress]) -> dict[str, Any]:
    """What `/healthz` says."""
    return {
        "status": "OK" if all(each.is_well for each in progress) else "FAILING",
        "consumers": [
            {
                "consumer": each.consumer,
                "phase": each.phase,
                "next_block": each.next_block,
                "lag_blocks": each.lag,
                "error": each.last_error if not each.is_well else "",
            }
            for each in progress
        ],
    }


def _handler(
    progress: Sequence[Progress], render: Callable[[], tuple[bytes, str]]
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/healthz":
                answer = health(progress)
                self._answer(
                    200 if answer["status"] == "OK" else 503,
                    json.dumps(answer).encode() + b"\n",
                    "application/json",
                )
            elif self.path == "/metrics":
                self._answer(200, *render())
            else:
                self._answer(404, b"/metrics and /healthz\n", "text/plain")

        def _answer(self, status: int, body: bytes, content_type: str) -> None:
            self.send_response(status)
            self.send_header("content-type", content_type)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: a scrape every few seconds is no news."""

    return Handler


def _renderer(progress: Sequence[Progress]) -> Callable[[], tuple[bytes, str]]:
    try:
        from prometheus_client import CollectorRegistry, ProcessCollector
        from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
    except ImportError as error:
        raise ConfigurationError(
            "Metrics need prometheus-client: pip install 'medfab-gateway[consumers]'."
        ) from error
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_Collector(progress))
    return lambda: (generate_latest(registry), CONTENT_TYPE_LATEST)


class _Collector:
    """Reads the consumers' counts when they are asked for: counting costs no more than that."""

    def __init__(self, progress: Sequence[Progress]) -> None:
        self._progress = progress

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import (
            CounterMetricFamily,
            GaugeMetricFamily,
            HistogramMetricFamily,
        )

        gauges: dict[str, tuple[str, Callable[[Progress], float]]] = {
            "leading": ("1 where this process leads", lambda p: p.phase == "leading"),
            "healthy": ("0 where it waits or has failed", lambda p: p.is_well),
            "next_block": ("First block that is not handled yet", lambda p: p.next_block),
            "ledger_height": ("Blocks of the channel", lambda p: p.height),
            "lag_blocks": ("Blocks that are there and not handled", lambda p: p.lag),
            "lag_seconds": ("Since when it has not had all blocks", lambda p: p.lag_seconds),
        }
        counters: dict[str, tuple[str, Callable[[Progress], float]]] = {
            "blocks": ("Blocks handled", lambda p: p.blocks),
            "transactions": ("Transactions in them", lambda p: p.transactions),
            "dead_letters": ("Changes that could not be taken", lambda p: p.dead_letters),
            "rebuilds": ("Rebuilds of projections", lambda p: p.rebuilds),
        }
        labels = ["consumer", "channel"]
        for name, (text, value) in gauges.items():
            gauge = GaugeMetricFamily(f"medfab_consumer_{name}", text, labels=labels)
            for each in self._progress:
                gauge.add_metric([each.consumer, each.channel], float(value(each)))
            yield gauge
        for name, (text, value) in counters.items():
            counter = CounterMetricFamily(f"medfab_consumer_{name}", text, labels=labels)
            for each in self._progress:
                counter.add_metric([each.consumer, each.channel], float(value(each)))
            yield counter
        errors = CounterMetricFamily(
            "medfab_consumer_errors", "Interruptions and failures", labels=[*labels, "error"]
        )
        batches = HistogramMetricFamily(
            "medfab_consumer_batch_seconds", "From blocks to their commit", labels=labels
        )
        for each in self._progress:
            for error, count in [*each.errors.items()]:
                errors.add_metric([each.consumer, each.channel, error], count)
            buckets = [(str(end), each.batch_buckets[end]) for end in BATCH_SECONDS]
            batches.add_metric(
                [each.consumer, each.channel],
                [*buckets, ("+Inf", each.batches)],
                sum_value=each.batch_seconds,
            )
        yield errors
        yield batches
