"""`medfab-chaincode serve` as a process: start, stop, logs, and what it says when it cannot."""

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import click
import pytest

from medfab_chaincode._serve_command import serve
from unit.chaincode.conftest import CHAINCODE_ID, Certificates, Serving
from unit.chaincode.fake_peer import FakePeer, PeerRefusal, connect
from unit.chaincode.ledger_contract import Ledger

TESTS = Path(__file__).parents[2]
LEDGER = "unit.chaincode.ledger_contract:Ledger"
CANARY = "canary-5f1d"


class Chaincode:
    """A running `medfab-chaincode serve`."""

    def __init__(self, process: asyncio.subprocess.Process, address: str) -> None:
        self.process = process
        self.address = address

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def ended(self) -> tuple[int, str, str]:
        """Wait for the end: exit code, standard output, standard error."""
        out, err = await asyncio.wait_for(self.process.communicate(), 60)
        assert self.process.returncode is not None
        return self.process.returncode, out.decode(), err.decode()


async def start(certificates: Certificates, *args: str, **env: str) -> asyncio.subprocess.Process:
    environment = {
        "CHAINCODE_SERVER_ADDRESS": "127.0.0.1:0",
        "CHAINCODE_ID": CHAINCODE_ID,
        "CHAINCODE_TLS_KEY_FILE": str(certificates.key_file),
        "CHAINCODE_TLS_CERT_FILE": str(certificates.certificate_file),
        "CHAINCODE_CLIENT_CA_CERT_FILE": str(certificates.client_ca_file),
    }
    return await run_command(*args, environment=environment | env)


async def run_command(*args: str, environment: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("medfab-chaincode"),
        "serve",
        *args,
        env={"PYTHONPATH": str(TESTS), **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@asynccontextmanager
async def running(certificates: Certificates, *args: str, **env: str) -> AsyncIterator[Chaincode]:
    process = await start(certificates, *args, **env)
    try:
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
        assert line.startswith("listening on 127.0.0.1:"), await process.communicate()
        yield Chaincode(process, line.removeprefix("listening on ").strip())
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_lets_running_transactions_finish(
    certificates: Certificates, number: signal.Signals
) -> None:
    async with running(certificates, LEDGER) as chaincode:
        async with connect(chaincode.address, certificates.credentials()) as peer:
            peer.ledger["", "slow"] = b"but there"
            peer.delay = 0.3
            waiting = asyncio.create_task(peer.invoke("Wait"))
            await peer.asked.get()
            chaincode.signal(number)
            result = await waiting
            assert (result.status, result.payload) == (200, b"but there")
        assert (await chaincode.ended())[0] == 0


async def refused(peer: FakePeer) -> None:
    """Until the chaincode has noticed that it shall end."""
    with contextlib.suppress(PeerRefusal):
        while True:
            await peer.invoke("NoSuchFunction")


async def test_a_second_signal_ends_at_once(certificates: Certificates) -> None:
    async with (
        running(certificates, LEDGER) as chaincode,
        connect(chaincode.address, certificates.credentials()) as peer,
    ):
        peer.silent.add("GET_STATE")
        waiting = asyncio.create_task(peer.invoke("Wait"))
        await peer.asked.get()
        chaincode.signal(signal.SIGTERM)
        await refused(peer)
        assert chaincode.process.returncode is None
        chaincode.signal(signal.SIGTERM)
        assert (await chaincode.ended())[0] == -signal.SIGTERM
        await asyncio.gather(waiting, return_exceptions=True)


@pytest.mark.parametrize("log_format", ["text", "json"])
async def test_no_argument_and_no_transient_value_is_logged(
    certificates: Certificates, log_format: str
) -> None:
    args = (LEDGER, "--log-format", log_format, "--log-level", "debug")
    async with running(certificates, *args) as chaincode:
        async with connect(chaincode.address, certificates.credentials()) as peer:
            secret = {"secret": CANARY.encode()}
            who = await peer.invoke("Who", CANARY, transient=secret)
            assert who.status == 200
            assert CANARY.encode() not in who.payload
            for how in ("raise", "exit", "cancel", "float", "task"):
                assert (await peer.invoke("Crash", how, CANARY, transient=secret)).status == 500
            peer.refusals["GET_STATE"] = CANARY
            assert (await peer.invoke("Get", CANARY)).status == 500
            refused = [
                await peer.invoke(CANARY),
                await peer.invoke(f"{CANARY}:Get", "a"),
                await peer.invoke("Get", CANARY, CANARY),
                await peer.invoke("Get", b"\xff" + CANARY.encode()),
            ]
            assert all(400 <= result.status < 500 for result in refused)
            assert CANARY not in "".join(result.message for result in refused)
        chaincode.signal(signal.SIGTERM)
        _, out, err = await chaincode.ended()
    assert CANARY not in out + err
    assert "ledger_contract.py:" in err
    assert "builtins.RuntimeError" in err
    assert "something failed that nobody awaits" in err
    if log_format == "json":
        lines = [json.loads(line) for line in err.splitlines()]
        transactions = [line for line in lines if line["message"] == "transaction"]
        assert len(transactions) == 11
        assert transactions[0].keys() == {
            *("time", "level", "logger", "message"),
            *("transaction_id", "function", "status", "milliseconds", "messages"),
        }
        functions = [line["function"] for line in transactions]
        assert functions[0] == "ledger:Who"
        assert functions[7:9] == ["<unknown>", "<unknown>"]
        # TRANSACTION, GET_STATE, ERROR, COMPLETED
        assert transactions[6]["messages"] == 4


async def test_a_taken_port_is_one_sentence_and_exit_code_1(
    serving: Serving, certificates: Certificates
) -> None:
    async with serving(Ledger()) as address:
        process = await start(certificates, LEDGER, CHAINCODE_SERVER_ADDRESS=address)
        out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert out == b""
    assert err.decode() == f"Error: cannot listen on {address}: Address already in use\n"


@pytest.mark.parametrize(
    ("args", "env", "code", "text"),
    [
        ((), {}, 2, "Missing argument"),
        ((LEDGER,), {"CHAINCODE_ID": ""}, 2, "--chaincode-id"),
        ((LEDGER,), {"CHAINCODE_TLS_KEY_FILE": ""}, 1, "TLS needs both"),
        ((LEDGER,), {"CHAINCODE_TLS_DISABLED": "true"}, 1, "TLS is disabled and TLS files"),
        ((LEDGER,), {"CHAINCODE_TLS_DISABLED": "perhaps"}, 2, "not a valid boolean"),
        (("no_such_module:X",), {}, 1, "no_such_module:X: cannot import"),
        (("unit.chaincode.ledger_contract:No",), {}, 1, "has no class 'No'"),
        (("unit.chaincode.ledger_contract",), {}, 1, "has no class ''"),
        (("json:loads",), {}, 1, "not a subclass of medfab_chaincode.Contract"),
        ((LEDGER, LEDGER), {}, 1, "two contracts have the name 'ledger'"),
    ],
)
async def test_what_stops_the_start(
    certificates: Certificates, args: tuple[str, ...], env: dict[str, str], code: int, text: str
) -> None:
    process = await start(certificates, *args, **env)
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, out) == (code, b"")
    assert text in err.decode()
    assert "Traceback" not in err.decode()


async def test_help_has_an_example(certificates: Certificates) -> None:
    process = await start(certificates, "--help")
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    assert b"Example:\n    medfab-chaincode serve " in out


def test_every_option_and_variable_is_in_the_manual() -> None:
    manual = (TESTS.parent / "docs" / "chaincode-operations.md").read_text()
    for option in serve.params:
        if isinstance(option, click.Option):
            variables = [option.envvar] if isinstance(option.envvar, str) else option.envvar or []
            for name in (*option.opts, *variables):
                assert f"`{name}`" in manual, name


async def test_a_server_does_without_grpc() -> None:
    """It is a third of the start, and 12 MB."""
    code = "import sys, medfab_chaincode; sys.exit('grpc' in sys.modules)"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    assert await asyncio.wait_for(process.wait(), 60) == 0
