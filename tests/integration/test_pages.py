"""Pages that are run as a reader would, on the network that most tests share."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from integration.conftest import Consortium, on_free_ports
from medfab_gateway import ConnectionProfile, FileSystemWallet
from medfab_network import parse_topology
from pages import ROOT, ran
from tutorial_page import run_page

pytestmark = pytest.mark.integration

LONGEST = 300
TUTORIALS = ("admin-first-day.md", "consumer-tutorial.md", "integration-tutorial.md")


def python(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def run(program: str, folder: Path) -> str:
    """What a Python program prints; it has to end well."""
    (folder / "program.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "program.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def folder(consortium: Consortium, tmp_path: Path) -> Path:
    """A folder with the running network in `.medfab`, as the pages have it."""
    (tmp_path / ".medfab").symlink_to(consortium.running_network.directory)
    return tmp_path


def test_the_readme_of_the_gateway(folder: Path) -> None:
    page = ROOT / "gateway" / "README.md"
    with_asyncio, blocking = python(page)
    printed = run(with_asyncio, folder).splitlines()
    assert "ACCESS_DENIED" in printed[1]
    assert [line[0] for line in printed[2:]] == ["0", "1", "2"]
    assert run(blocking, folder).splitlines()[1:] == ["0", "1", "2"]
    ran(page, with_asyncio, blocking)


def test_a_profile_of_fabric_sdk_py(folder: Path) -> None:
    """The running network as fabric-sdk-py describes one, and the guide's program with it."""
    page = ROOT / "docs" / "migrate-from-fabric-sdk-py.md"
    program = python(page)[0]
    organization = folder / ".medfab" / "organizations" / "hospital"
    profile = ConnectionProfile.load(organization / "connection.json")
    user = FileSystemWallet(organization / "wallet").get("practitioner")
    [name] = profile.peer_names("hospital")
    endpoint = profile.peer_endpoint(name)
    assert user.private_key_pem
    assert endpoint.tls_root_certificates
    (folder / "user.pem").write_bytes(user.identity.certificate)
    (folder / "user.key").write_bytes(user.private_key_pem)
    (folder / "tls.pem").write_bytes(endpoint.tls_root_certificates)
    node = {
        "url": endpoint.address,
        "grpcOptions": {"grpc.ssl_target_name_override": "localhost"},
        "tlsCACerts": {"path": "tls.pem"},
    }
    users = {"practitioner": {"cert": "user.pem", "private_key": "user.key"}}
    theirs = {
        "client": {"organization": "hospital", "credentialStore": {"path": "kvs"}},
        "organizations": {"hospital": {"mspid": "HospitalMSP", "peers": [name], "users": users}},
        "orderers": {},
        "peers": {name: node},
        "certificateAuthorities": {},
    }
    (folder / "network.json").write_text(json.dumps(theirs))
    assert "ehr" in run(program, folder)
    ran(page, program)


@pytest.mark.parametrize("page", TUTORIALS)
def test_the_tutorial(page: str, folder: Path) -> None:
    """As written; `medfab network up` is the fixture's."""
    try:
        run_page(ROOT / "docs" / page, folder, base_port=18000)
    finally:  # what a step that failed has left in the background
        for file in folder.glob("*.pid"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(file.read_text()), signal.SIGTERM)


@pytest.mark.usefixtures("binaries")
def test_the_readme_of_the_network(tmp_path: Path) -> None:
    """With a smaller consortium than the default one, and in a folder of its own."""
    page = ROOT / "network" / "README.md"
    [program] = python(page)
    users = [{"name": "practitioner", "attributes": {"medfab.role": "practitioner"}}]
    topology = on_free_ports(
        parse_topology(
            {
                "ordering": {"orderers": 1},
                "organizations": [{"name": "hospital", "msp_id": "HospitalMSP", "users": users}],
                "channels": [{"name": "care", "organizations": ["hospital"]}],
            }
        )
    )
    (tmp_path / "topology.yaml").write_text(yaml.safe_dump(dict(topology.source)))
    shown = 'Network(Path("/tmp/consortium"))'
    assert shown in program
    mine = 'Network(Path("consortium"), load_topology(Path("topology.yaml")))'
    imported = program.replace("import Network", "import Network, load_topology")
    assert run(imported.replace(shown, mine), tmp_path).splitlines()[-1] == "HospitalMSP"
    ran(page, program)
