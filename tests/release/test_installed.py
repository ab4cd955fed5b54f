"""Each distribution alone in a clean environment, outside this repository, used as a user would."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from integration.conftest import TOPOLOGY, on_free_ports
from medfab_network import load_topology
from release.built import FULL, Clean, environment

pytestmark = pytest.mark.integration

full = pytest.mark.skipif(not FULL, reason="in full with make test-release")
Installed = Callable[..., Clean]

IMPORTS = """
import importlib, pkgutil, sys


def public(name):
    try:
        module = importlib.import_module(name)
    except (ImportError, SystemExit) as error:
        print(f"{name}: {error}")
        return
    assert "/env/lib/" in module.__file__, module.__file__
    for child in pkgutil.iter_modules(getattr(module, "__path__", [])):
        if not child.name.startswith("_"):
            public(f"{name}.{child.name}")


public(sys.argv[1])
"""


@pytest.fixture(scope="module")
def gateway(installed: Installed) -> Clean:
    return installed("medfab-gateway")


@pytest.fixture(scope="module")
def chaincode(installed: Installed) -> Clean:
    return installed("medfab-chaincode")


@pytest.fixture(scope="module")
def network(installed: Installed) -> Clean:
    return installed("medfab-network[chaincode]")


def test_the_gateway_alone_says_which_extra_a_part_needs(gateway: Clean) -> None:
    needs = dict(
        line.split(": ", 1) for line in gateway.python(IMPORTS, "medfab_gateway").splitlines()
    )
    assert set(needs) == {
        *("medfab_gateway.cli", "medfab_gateway.hsm", "medfab_gateway.pharma"),
        "medfab_gateway.telemetry",
    }
    for module, advice in needs.items():
        assert f"pip install 'medfab-gateway[{module.rpartition('.')[2]}]'" in advice


def test_the_command_without_its_extra_says_which(gateway: Clean) -> None:
    done = gateway.run("medfab", "--version", check=False)
    assert done.returncode == 1
    assert "pip install 'medfab-gateway[cli]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_each_says_its_version(gateway: Clean, chaincode: Clean, network: Clean) -> None:
    version = gateway.python("import medfab_gateway as m\nprint(m.__version__)").strip()
    said = [
        chaincode.python("import medfab_chaincode as m\nprint(m.__version__)"),
        network.python("import medfab_network as m\nprint(m.__version__)"),
        network.run("medfab", "--version").stdout.removeprefix("medfab, version "),
        chaincode.run("medfab-chaincode", "--version").stdout.rpartition(" ")[2],
    ]
    assert {line.strip() for line in said} == {version}


def test_nobody_needs_another_than_it_names(gateway: Clean, chaincode: Clean) -> None:
    which = (
        "from importlib.metadata import distributions\n"
        "print(*sorted(d.name for d in distributions() if d.name.startswith('medfab')))"
    )
    assert gateway.python(which).split() == ["medfab-gateway"]
    assert chaincode.python(which).split() == ["medfab-chaincode"]


NOTES = '''
from medfab_chaincode import Context, Contract, ContractError, evaluate, submit


class Notes(Contract):
    """Notes that are written once."""

    name = "notes"

    @submit("CreateNote")
    async def create_note(self, context: Context, note_id: str) -> None:
        if await context.stub.get_state(note_id) is not None:
            raise ContractError("the note exists already", code="EXISTS", status=409)
        context.stub.put_state(note_id, context.transient["text"])

    @evaluate("ReadNote")
    async def read_note(self, context: Context, note_id: str) -> bytes | None:
        return await context.stub.get_state(note_id)
'''

RUN_NOTES = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
from medfab_chaincode import ContractError
from medfab_chaincode.ehr import EhrContract
from medfab_chaincode.pharma import PharmaContract
from medfab_chaincode.testing import Identity, Ledger
from notes import Notes


async def main():
    hill = Identity("HospitalMSP", "dr-hill")
    ledger = Ledger(Notes, organizations=["HospitalMSP", "ClinicMSP"])
    await ledger.submit("CreateNote", "n1", caller=hill, transient={"text": b"rest"})
    print(await ledger.evaluate("ReadNote", "n1", caller=hill))
    try:
        await ledger.submit("CreateNote", "n1", caller=hill, transient={"text": b"rest"})
    except Exception as error:
        print(error)


asyncio.run(main())
"""


def test_the_chaincode_alone_checks_tests_and_serves_a_contract(chaincode: Clean) -> None:
    assert chaincode.python(IMPORTS, "medfab_chaincode") == ""
    (chaincode.folder / "notes.py").write_text(NOTES)
    chaincode.run("medfab-chaincode", "check", "notes:Notes")
    told = chaincode.python(RUN_NOTES, str(chaincode.folder))
    assert "b'rest'" in told
    assert "EXISTS" in told
    with serving(chaincode) as first_line:
        assert first_line.startswith("listening on 127.0.0.1:")


@contextmanager
def serving(chaincode: Clean) -> Iterator[str]:
    """The contract as a peer would dial it; the first line that its process prints."""
    process = subprocess.Popen(
        [
            *(chaincode.bin / "medfab-chaincode", "serve", "notes:Notes", "--tls-disabled"),
            *("--address", "127.0.0.1:0", "--chaincode-id", "notes:0"),
        ],
        cwd=chaincode.folder,
        env={**environment(chaincode.bin), "PYTHONPATH": str(chaincode.folder)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout:
        try:
            yield process.stdout.readline()
        finally:
            process.terminate()
            assert process.wait(30) == 0


CONNECT = """
import asyncio, sys
from pathlib import Path
from medfab_gateway import AsyncGateway, ConnectionProfile, EvaluateError, FileSystemWallet, Gateway

folder = Path(sys.argv[1])
profile = ConnectionProfile.load(folder / "connection.json")
me = FileSystemWallet(folder / "wallet").get("practitioner")


async def ask():
    async with AsyncGateway.connect(profile, me.identity, me.signer()) as gateway:
        network = gateway.network("care")
        async for block in network.block_events(start_block=0):
            print("block", block.number)
            break
        try:
            await network.contract("ehr").evaluate("ListAccess")
        except EvaluateError as error:
            print(error.chaincode.status, error.chaincode.code)


asyncio.run(ask())
with Gateway.connect(profile, me.identity, me.signer()) as gateway:
    try:
        gateway.network("care").contract("ehr").evaluate("ListAccess")
    except EvaluateError as error:
        print(error.chaincode.status, error.chaincode.code)
"""


def test_the_network_alone_tells_the_demo_and_the_gateway_alone_connects_to_it(
    network: Clean, gateway: Clean
) -> None:
    topology = on_free_ports(load_topology(TOPOLOGY))
    (network.folder / "topology.yaml").write_text(yaml.safe_dump(dict(topology.source)))
    where = ["--dir", str(network.folder / "net"), "--topology", "topology.yaml"]
    try:
        told = network.run("medfab", "demo", "--keep", "--json", *where, timeout=900)
        report = json.loads(told.stdout)
        assert report["kept"] is True
        assert report["findings"] == [], report
        answers = gateway.python(
            CONNECT, str(network.folder / "net" / "organizations" / "clinic")
        ).splitlines()
        assert answers[0] == "block 0"
        assert answers[1] == answers[2]
        assert answers[1].startswith("403 ")
    finally:
        network.run("medfab", "network", "clean", "--yes", *where[:2], check=False)


EXTRAS: dict[str, str | tuple[str, ...]] = {
    "cli": ("medfab", "config", "show"),
    "consumers": "from medfab_gateway.consumers import Explorer\nimport prometheus_client",
    "ehr": (
        "from medfab_gateway.ehr import example_bundle, load_bundle\n"
        "print(len(load_bundle(example_bundle()).resources))"
    ),
    "s3": "import s3fs, medfab_gateway.ehr",
    "hsm": "from medfab_gateway.hsm import HsmToken",
    "pharma": ("from medfab_gateway.pharma.identifiers import Gtin\nprint(Gtin('09521321000018'))"),
    "postgres": "import psycopg, medfab_gateway.consumers",
    "telemetry": (
        "from medfab_gateway.telemetry import OpenTelemetryObserver\nOpenTelemetryObserver()"
    ),
}


@full
@pytest.mark.parametrize("extra", sorted(EXTRAS))
def test_every_extra_of_the_gateway_by_itself(installed: Installed, extra: str) -> None:
    clean = installed(f"medfab-gateway[{extra}]")
    needs = clean.python(IMPORTS, "medfab_gateway")
    assert f"medfab_gateway.{extra}:" not in needs
    use = EXTRAS[extra]
    if isinstance(use, tuple):
        clean.run(*use)
    else:
        clean.python(use)


@full
@pytest.mark.parametrize("extra", ["fast", "metrics", "telemetry"])
def test_every_extra_of_the_chaincode_by_itself(installed: Installed, extra: str) -> None:
    clean = installed(f"medfab-chaincode[{extra}]")
    modules = {"fast": "uvloop", "metrics": "prometheus_client", "telemetry": "opentelemetry"}
    clean.python(f"import {modules[extra]}, medfab_chaincode")
    (clean.folder / "notes.py").write_text(NOTES)
    with serving(clean) as first_line:
        assert first_line.startswith("listening on")


@full
@pytest.mark.parametrize("kind", ["whl", "tar.gz"])
def test_plain_pip_installs_them_all(dist: Path, versions: Path, tmp_path: Path, kind: str) -> None:
    """Without uv, from the wheels and from the source distributions."""
    venv.create(tmp_path / "env", with_pip=True)
    clean = Clean(tmp_path)
    files = sorted(str(path) for path in dist.glob(f"*.{kind}"))
    assert len(files) == 3
    clean.run("python", "-m", "pip", "install", "--quiet", "-c", str(versions), *files, timeout=900)
    clean.run("python", "-m", "pip", "check")
    assert "network" in clean.run("medfab", "--help").stdout
    assert sys.version_info >= (3, 11)
