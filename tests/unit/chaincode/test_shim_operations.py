"""Health, metrics and spans: over HTTP and from the process as an operator starts it."""

import asyncio
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from medfab_chaincode import serve
from medfab_chaincode._operations import OperationsServer
from unit.chaincode.conftest import Certificates
from unit.chaincode.fake_peer import connect
from unit.chaincode.ledger_contract import Ledger
from unit.chaincode.test_shim_cli import CANARY, LEDGER, running

Answer = tuple[int, str, str]


def get(address: str, path: str, method: str = "GET") -> Answer:
    request = urllib.request.Request(f"http://{address}{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
            return response.status, response.headers["Content-Type"], response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read().decode()


async def ask(address: str, path: str, method: str = "GET") -> Answer:
    return await asyncio.to_thread(get, address, path, method)


async def test_health_and_metrics_of_a_process(certificates: Certificates) -> None:
    pytest.importorskip("prometheus_client", reason="the extra 'metrics' is not installed")
    async with running(
        certificates,
        LEDGER,
        CHAINCODE_OPERATIONS_ADDRESS="127.0.0.1:0",
        CHAINCODE_METRICS="true",
        CHAINCODE_LOG_FORMAT="json",
    ) as chaincode:
        assert chaincode.process.stderr is not None
        line = json.loads(await chaincode.process.stderr.readline())
        assert line["message"] == "operations endpoint"
        address = line["address"]
        assert (await ask(address, "/healthz"))[::2] == (200, '{"status":"OK"}')
        assert (await ask(address, "/readyz"))[::2] == (503, '{"streams": 0}')
        async with connect(chaincode.address, certificates.credentials()) as peer:
            assert (await ask(address, "/readyz"))[::2] == (200, '{"streams": 1}')
            for _ in range(3):
                assert (await peer.invoke("Get", CANARY)).status == 200
            assert (await peer.invoke("Crash", "raise", CANARY)).status == 500
            assert (await peer.invoke("Refuse")).status == 409
            assert (await peer.invoke(CANARY)).status == 404
            status, kind, text = await ask(address, "/metrics")
        assert status == 200
        assert kind.startswith("text/plain")
        samples = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
        name = "medfab_chaincode_transactions_total"
        assert samples[f'{name}{{function="ledger:Get",status="200"}}'] == "3.0"
        assert samples[f'{name}{{function="ledger:Crash",status="500"}}'] == "1.0"
        assert samples[f'{name}{{function="ledger:Refuse",status="409"}}'] == "1.0"
        assert samples[f'{name}{{function="<unknown>",status="404"}}'] == "1.0"
        trips = 'medfab_chaincode_round_trips_total{function="ledger:Get"}'
        assert samples[trips] == "3.0"
        assert samples['medfab_chaincode_transaction_seconds_count{function="ledger:Get"}'] == "3.0"
        assert samples["medfab_chaincode_streams"] == "1.0"
        assert float(samples["process_resident_memory_bytes"]) > 1e6
        assert CANARY not in text


async def test_http_by_the_book_and_otherwise() -> None:
    server = OperationsServer("127.0.0.1:0", streams=lambda: 0, metrics=None)
    address = await server.start()
    try:
        assert (await ask(address, "/metrics"))[0] == 404  # they are not switched on
        assert (await ask(address, "/nothing"))[0] == 404
        assert (await ask(address, "/healthz", "POST"))[0] == 405
        assert (await ask(address, "/healthz?verbose"))[0] == 200
        host, port = address.split(":")
        for wrong in (b"\x00\xff\r\n\r\n", b"GET\r\n\r\n", b"x" * 20_000, b""):
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(wrong)
            writer.write_eof()
            assert b" 200 " not in await asyncio.wait_for(reader.read(), 60)
            writer.close()
        assert (await ask(address, "/healthz"))[0] == 200
    finally:
        await server.stop()


async def test_a_span_of_each_transaction(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    stop = asyncio.Event()
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(
        serve(
            [Ledger()],
            certificates.settings(telemetry=True),
            stop=stop,
            on_listening=address.set_result,
        )
    )
    async with connect(await address, certificates.credentials()) as peer:
        before = time.time_ns()
        await peer.invoke("Get", CANARY, transaction_id="t")
        await peer.invoke("Refuse")
        await peer.invoke("Crash", "raise", CANARY)
    stop.set()
    await serving
    read, refused, failed = exporter.get_finished_spans()
    assert [span.name for span in (read, refused, failed)] == [
        "ledger:Get",
        "ledger:Refuse",
        "ledger:Crash",
    ]
    assert read.attributes == {
        "fabric.transaction_id": "t",
        "fabric.channel": "care",
        "fabric.status": "200",
        "fabric.round_trips": 1,
    }
    assert read.start_time is not None
    assert read.end_time is not None
    assert before <= read.start_time <= read.end_time <= time.time_ns()
    codes = [span.status.status_code.name for span in (read, refused, failed)]
    assert codes == ["UNSET", "UNSET", "ERROR"]
    assert CANARY not in failed.to_json()


@pytest.mark.parametrize("module", ["prometheus_client", "opentelemetry"])
def test_what_is_not_switched_on_is_not_imported(module: str) -> None:
    code = f"import sys, medfab_chaincode._cli; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=30).returncode == 0
