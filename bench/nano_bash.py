"""Fabric's test-network-nano-bash, step by step with Fabric's own programs, to its first commit.

The order of steps, the calls, and the settings are those of its scripts as of 2025 (`network.sh
start -ca`, then the README's chaincode as a service): three authorities, 40 calls of
fabric-ca-client one after the other, configtxgen, three orderers, four peers, three calls of
osnadmin and four of `peer channel join`; then package, install on one peer, approve, commit,
invoke. The scripts do not come with Fabric's modules, so this is a driver of our own. Where it
differs, it differs in their favour:

* Renaming and copying files is done here, without the dozens of `find`, `mv` and `awk`.
* Nodes log at INFO, not at DEBUG.
* The peers' health does not ask for a Docker engine.
* The chaincode is ours, in Python, as on the other side; building the sample's is not counted.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from medfab_network._binaries import Binaries
from medfab_network._nodes import NODE_OUS

CHANNEL = "mychannel"
_ADMIN_ATTRIBUTES = (
    "hf.Registrar.Roles=client,hf.Registrar.Attributes=*,hf.Revoker=true,hf.GenCRL=true,"
    "admin=true:ecert,abac.init=true:ecert"
)
_BUILDER = {
    "detect": "#!/bin/sh\nexit 0\n",
    "build": '#!/bin/sh\ncp "$1/connection.json" "$3/"\n',
    "release": (
        '#!/bin/sh\nmkdir -p "$2/chaincode/server"\n'
        'cp "$1/connection.json" "$2/chaincode/server/"\n'
    ),
}
_PATIENCE = 120.0
_NO_LEADER = "no Raft leader"


class _CallFailedError(Exception):
    """A program said no."""


@dataclass(frozen=True)
class Variant:
    """How the scripts are run."""

    name: str
    retry_seconds: float = 0.5
    """Between two looks at a node's health: the scripts' `sleep 0.5`."""
    batch_timeout: str = "2s"
    """Of the scripts' configtx.yaml."""


AS_IT_IS = Variant("test-network-nano-bash -ca")
WITHOUT_SLEEPS = Variant("test-network-nano-bash -ca, without its sleeps", 0.01)
OUR_BATCHES = Variant(
    "test-network-nano-bash -ca, without its sleeps, blocks after 250 ms as ours", 0.01, "250ms"
)


@dataclass
class _Organization:
    name: str
    msp_id: str
    ca_port: int
    nodes: list[tuple[str, str, int]]
    """Folder, name at the authority, first port."""
    kind: str
    folder: Path = field(default_factory=Path)


class NanoBash:
    """One network, in one folder; `run` once, then `stop`."""

    def __init__(self, folder: Path, binaries: Binaries, base_port: int, variant: Variant) -> None:
        self._folder = folder
        self._binaries = binaries
        self._base = base_port
        self._variant = variant
        self._children: list[subprocess.Popen[bytes]] = []
        self.seconds: dict[str, float] = {}
        self.calls = 0
        self.slept = 0.0
        self.leaderless = 0.0
        """Seconds in which approving was tried again, as the orderers had no leader yet."""
        orderers = [(f"orderer{n}", f"orderer{n}", base_port + 10 + 4 * n) for n in range(1, 4)]
        # The scripts enrol five orderers, and start three.
        spare = [(f"orderer{n}", f"orderer{n}", 0) for n in (4, 5)]
        self._ordering = _Organization(
            "example", "OrdererMSP", base_port, orderers + spare, "orderer"
        )
        self._members = [
            _Organization(
                f"org{n}",
                f"Org{n}MSP",
                base_port + 2 * n,
                [(f"peer{p}", f"org{n}peer{p}", base_port + 30 * n + 4 * p) for p in (0, 1)],
                "peer",
            )
            for n in (1, 2)
        ]
        for organization in (self._ordering, *self._members):
            organization.folder = folder / "crypto-config" / organization.name

    def run(self) -> None:
        """From nothing to the first committed transaction."""
        (self._folder / "logs").mkdir(parents=True)
        self._prepare()
        with self._stage("certificate authorities"):
            for organization in self._all():
                self._start_ca(organization)
            self._wait_for_health([o.ca_port + 1 for o in self._all()])
        with self._stage("enrolment: 40 calls"):
            self._enrol()
        with self._stage("genesis block"):
            self._call("configtxgen", "-profile", "Channel", "-outputBlock", self._block,
                       "-channelID", CHANNEL, "-configPath", self._folder)  # fmt: skip
        with self._stage("orderers"):
            for folder, _, port in self._ordering.nodes[:3]:
                self._start_orderer(folder, port)
            self._wait_for_health([port + 1 for _, _, port in self._ordering.nodes[:3]])
        with self._stage("peers"):
            for member in self._members:
                for number, (folder, _, port) in enumerate(member.nodes):
                    self._start_peer(member, folder, port, member.nodes[1 - number][2])
            self._wait_for_health([p + 1 for m in self._members for _, _, p in m.nodes])
        with self._stage("channel"):
            for _, _, port in self._ordering.nodes[:3]:
                self._call("osnadmin", "channel", "join", "--channelID", CHANNEL, "--config-block",
                           self._block, "-o", f"localhost:{port + 2}")  # fmt: skip
            for member in self._members:
                for folder, _, port in member.nodes:
                    self._peer(member, folder, port, "channel", "join", "-b", self._block)
        with self._stage("chaincode"):
            self._deploy()
        with self._stage("first transaction"):
            self._invoke()

    def stop(self) -> None:
        for child in self._children:
            child.terminate()
        for child in self._children:
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def processes(self) -> list[int]:
        return [child.pid for child in self._children]

    # --- the steps ------------------------------------------------------------------------

    def _prepare(self) -> None:
        """What comes with the samples and is not made by the scripts."""
        shutil.copytree(self._binaries.config, self._folder / "config", dirs_exist_ok=True)
        core = yaml.safe_load((self._folder / "config" / "core.yaml").read_text())
        core["chaincode"]["externalBuilders"] = [
            {"name": "ccaas_builder", "path": str(self._folder / "builder")}
        ]
        (self._folder / "config" / "core.yaml").write_text(yaml.safe_dump(core))
        (self._folder / "builder" / "bin").mkdir(parents=True)
        for name, text in _BUILDER.items():
            path = self._folder / "builder" / "bin" / name
            path.write_text(text)
            path.chmod(0o755)
        (self._folder / "configtx.yaml").write_text(yaml.safe_dump(self._configtx()))

    def _start_ca(self, organization: _Organization) -> None:
        home = self._data_ca(organization)
        for name in ("ca", "tlsca", "db"):
            (home / name).mkdir(parents=True)
        database = home / "db" / "fabric-ca-server.db"
        for name in ("ca", "tlsca"):
            (home / name / "fabric-ca-server-config.yaml").write_text(
                yaml.safe_dump(_authority(name, home, database, organization.ca_port))
            )
        self._start(f"{organization.name}ca", "fabric-ca-server",
                    "start", "-b", "admin:adminpw", "--home", home / "ca",
                    environment={})  # fmt: skip

    def _enrol(self) -> None:
        for organization in self._all():
            self._enrol_one(organization, "admin", organization.folder / "ca")
        for organization in self._all():
            users = organization.folder / "users"
            self._register(organization, f"{organization.name}admin", "admin", users / "admin")
            if organization is not self._ordering:
                self._register(organization, f"{organization.name}user1", "client", users / "user1")
        for organization in self._all():
            for folder, name, _ in organization.nodes:
                target = organization.folder / folder
                self._register(organization, name, organization.kind, target)
                self._enrol_tls(organization, name, target / "tls")
        for organization in self._all():
            msp = organization.folder / "msp"
            for name, authority in (("cacerts", "ca"), ("tlscacerts", "tlsca")):
                (msp / name).mkdir(parents=True)
                shutil.copy(self._root(organization, authority), msp / name / "ca.pem")
            (msp / "config.yaml").write_text(NODE_OUS)

    def _register(self, organization: _Organization, name: str, kind: str, folder: Path) -> None:
        attributes = _ADMIN_ATTRIBUTES if kind == "admin" else ""
        self._call("fabric-ca-client", "register", "-u", f"https://localhost:{organization.ca_port}",
                   "--id.name", name, "--id.secret", f"{name}pw", "--id.type", kind, "--id.attrs",
                   attributes, "--caname", "ca", "--tls.certfiles", self._root(organization, "ca"),
                   "--mspdir", organization.folder / "ca" / "msp")  # fmt: skip
        self._enrol_one(organization, name, folder)

    def _enrol_one(self, organization: _Organization, name: str, folder: Path) -> None:
        url = f"https://{name}:{name}pw@localhost:{organization.ca_port}"
        self._call("fabric-ca-client", "enroll", "-u", url, "--caname", "ca", "--mspdir",
                   folder / "msp", "--tls.certfiles", self._root(organization, "ca"))  # fmt: skip
        (root,) = (folder / "msp" / "cacerts").iterdir()
        root.rename(root.with_name("ca.pem"))
        (folder / "msp" / "config.yaml").write_text(NODE_OUS)

    def _enrol_tls(self, organization: _Organization, name: str, folder: Path) -> None:
        url = f"https://{name}:{name}pw@localhost:{organization.ca_port}"
        self._call("fabric-ca-client", "enroll", "-u", url, "--caname", "tlsca", "--mspdir", folder,
                   "--tls.certfiles", self._root(organization, "ca"),
                   "--csr.hosts", "localhost,127.0.0.1")  # fmt: skip
        (key,) = (folder / "keystore").iterdir()
        (root,) = (folder / "cacerts").iterdir()
        shutil.copy(key, folder / "server.key")
        shutil.copy(root, folder / "ca.crt")
        shutil.copy(folder / "signcerts" / "cert.pem", folder / "server.crt")

    def _start_orderer(self, folder: str, port: int) -> None:
        home, data = self._ordering.folder / folder, self._folder / "data" / folder
        self._start(folder, "orderer", environment={
            "FABRIC_LOGGING_SPEC": "INFO",
            "ORDERER_GENERAL_LISTENPORT": port,
            "ORDERER_GENERAL_LOCALMSPID": self._ordering.msp_id,
            "ORDERER_GENERAL_LOCALMSPDIR": home / "msp",
            "ORDERER_GENERAL_TLS_ENABLED": "true",
            "ORDERER_GENERAL_TLS_PRIVATEKEY": home / "tls" / "server.key",
            "ORDERER_GENERAL_TLS_CERTIFICATE": home / "tls" / "server.crt",
            "ORDERER_GENERAL_TLS_ROOTCAS": home / "tls" / "ca.crt",
            "ORDERER_GENERAL_BOOTSTRAPMETHOD": "none",
            "ORDERER_CHANNELPARTICIPATION_ENABLED": "true",
            "ORDERER_FILELEDGER_LOCATION": data,
            "ORDERER_CONSENSUS_WALDIR": data / "consensus" / "wal",
            "ORDERER_CONSENSUS_SNAPDIR": data / "consensus" / "snap",
            "ORDERER_OPERATIONS_LISTENADDRESS": f"127.0.0.1:{port + 1}",
            "ORDERER_ADMIN_LISTENADDRESS": f"127.0.0.1:{port + 2}",
        })  # fmt: skip

    def _start_peer(self, member: _Organization, folder: str, port: int, other: int) -> None:
        home = member.folder / folder
        data = self._folder / "data" / f"{folder}.{member.name}"
        self._start(f"{folder}.{member.name}", "peer", "node", "start", environment={
            "FABRIC_LOGGING_SPEC": "INFO",
            "CORE_VM_ENDPOINT": "",
            "CORE_PEER_TLS_ENABLED": "true",
            "CORE_PEER_TLS_CERT_FILE": home / "tls" / "server.crt",
            "CORE_PEER_TLS_KEY_FILE": home / "tls" / "server.key",
            "CORE_PEER_TLS_ROOTCERT_FILE": home / "tls" / "ca.crt",
            "CORE_PEER_ID": f"{folder}.{member.name}",
            "CORE_PEER_ADDRESS": f"127.0.0.1:{port}",
            "CORE_PEER_LISTENADDRESS": f"127.0.0.1:{port}",
            "CORE_PEER_CHAINCODEADDRESS": f"127.0.0.1:{port + 2}",
            "CORE_PEER_CHAINCODELISTENADDRESS": f"127.0.0.1:{port + 2}",
            "CORE_PEER_GOSSIP_BOOTSTRAP": f"127.0.0.1:{other}",
            "CORE_PEER_GOSSIP_EXTERNALENDPOINT": f"127.0.0.1:{port}",
            "CORE_PEER_LOCALMSPID": member.msp_id,
            "CORE_PEER_MSPCONFIGPATH": home / "msp",
            "CORE_OPERATIONS_LISTENADDRESS": f"127.0.0.1:{port + 1}",
            "CORE_PEER_FILESYSTEMPATH": data,
            "CORE_LEDGER_SNAPSHOTS_ROOTDIR": data / "snapshots",
        })  # fmt: skip

    def _deploy(self) -> None:
        address = f"127.0.0.1:{self._base + 100}"
        package = self._folder / "basic.tgz"
        connection = {"address": address, "dial_timeout": "10s", "tls_required": False}
        code = _tar({"connection.json": json.dumps(connection).encode()})
        metadata = json.dumps({"type": "ccaas", "label": "basic_1"}).encode()
        package.write_bytes(_tar({"metadata.json": metadata, "code.tar.gz": code}))
        self._first("lifecycle", "chaincode", "install", package)
        identifier = self._first("lifecycle", "chaincode", "calculatepackageid", package).strip()
        self._start("basic", Path(sys.executable).parent / "medfab-chaincode", "serve",
                    "bench.assets:Assets", environment={
            "CHAINCODE_ID": identifier,
            "CHAINCODE_SERVER_ADDRESS": address,
            "CHAINCODE_TLS_DISABLED": "true",
            "PYTHONPATH": Path(__file__).parents[1],
        })  # fmt: skip
        what = ("--channelID", CHANNEL, "--name", "basic", "--version", "1", "--sequence", "1")
        began = time.monotonic()
        while True:
            asked = time.monotonic()
            try:
                self._first("lifecycle", "chaincode", "approveformyorg", *self._orderer, *what,
                            "--package-id", identifier)  # fmt: skip
                break
            except _CallFailedError as error:
                if _NO_LEADER not in str(error) or asked - began > _PATIENCE:
                    raise
                time.sleep(self._variant.retry_seconds)
        self.leaderless = asked - began
        self._first("lifecycle", "chaincode", "commit", *self._orderer, *what)

    def _invoke(self) -> None:
        self._first("chaincode", "invoke", *self._orderer, "-C", CHANNEL, "-n", "basic", "-c",
                    json.dumps({"Args": ["Put", "1", "blue"]}), "--waitForEvent")  # fmt: skip

    # --- programs -------------------------------------------------------------------------

    def _all(self) -> tuple[_Organization, ...]:
        return (self._ordering, *self._members)

    @property
    def _block(self) -> Path:
        return self._folder / "channel-artifacts" / f"{CHANNEL}.block"

    @property
    def _orderer(self) -> tuple[str, ...]:
        folder, _, port = self._ordering.nodes[0]
        root = self._ordering.folder / folder / "tls" / "ca.crt"
        return ("-o", f"127.0.0.1:{port}", "--tls", "--cafile", str(root))

    def _first(self, *arguments: object) -> str:
        member = self._members[0]
        folder, _, port = member.nodes[0]
        return self._peer(member, folder, port, *arguments)

    def _peer(self, member: _Organization, folder: str, port: int, *arguments: object) -> str:
        return self._call("peer", *arguments, environment={
            "FABRIC_LOGGING_SPEC": "INFO",
            "CORE_PEER_TLS_ENABLED": "true",
            "CORE_PEER_TLS_ROOTCERT_FILE": member.folder / folder / "tls" / "ca.crt",
            "CORE_PEER_ADDRESS": f"127.0.0.1:{port}",
            "CORE_PEER_LOCALMSPID": member.msp_id,
            "CORE_PEER_MSPCONFIGPATH": member.folder / "users" / "admin" / "msp",
        })  # fmt: skip

    def _call(
        self, program: str, *arguments: object, environment: Mapping[str, object] | None = None
    ) -> str:
        done = subprocess.run(
            [self._binaries[program], *map(str, arguments)],
            env=self._environment(environment or {}),
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
        if done.returncode != 0:
            raise _CallFailedError(f"{program} {arguments[:3]} failed:\n{done.stderr[-2000:]}")
        self.calls += 1
        return done.stdout

    def _start(
        self, name: str, program: str | Path, *arguments: object, environment: Mapping[str, object]
    ) -> None:
        path = self._binaries[program] if isinstance(program, str) else program
        with (self._folder / "logs" / f"{name}.log").open("wb") as log:
            self._children.append(
                subprocess.Popen(
                    [str(path), *map(str, arguments)],
                    env=self._environment(environment),
                    cwd=self._folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            )

    def _environment(self, more: Mapping[str, object]) -> dict[str, str]:
        own = {
            "PATH": os.environ["PATH"],
            "HOME": str(self._folder),
            "FABRIC_CFG_PATH": str(self._folder / "config"),
        }
        return own | {name: str(value) for name, value in more.items()}

    def _wait_for_health(self, ports: list[int]) -> None:
        """As the scripts wait: port after port, asked again after a sleep."""
        deadline = time.monotonic() + _PATIENCE
        for port in ports:
            while not _is_well(port):
                if time.monotonic() > deadline:
                    raise RuntimeError(f"nothing well at {port}: see {self._folder / 'logs'}")
                time.sleep(self._variant.retry_seconds)
                self.slept += self._variant.retry_seconds

    @contextlib.contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - began

    # --- documents ------------------------------------------------------------------------

    def _data_ca(self, organization: _Organization) -> Path:
        return self._folder / "data_ca" / organization.name

    def _root(self, organization: _Organization, authority: str) -> Path:
        return self._data_ca(organization) / authority / "ca-cert.pem"

    def _configtx(self) -> dict[str, Any]:
        consenters = []
        for folder, _, port in self._ordering.nodes[:3]:
            certificate = str(self._ordering.folder / folder / "tls" / "server.crt")
            consenters.append(
                {
                    "Host": "127.0.0.1",
                    "Port": port,
                    "ClientTLSCert": certificate,
                    "ServerTLSCert": certificate,
                }
            )
        peers = _signature("peer", *self._members)
        return {
            "Profiles": {
                "Channel": {
                    "Policies": _policies(),
                    "Capabilities": {"V2_0": True},
                    "Orderer": {
                        "OrdererType": "etcdraft",
                        "BatchTimeout": self._variant.batch_timeout,
                        "BatchSize": {
                            "MaxMessageCount": 10,
                            "AbsoluteMaxBytes": "99 MB",
                            "PreferredMaxBytes": "512 KB",
                        },
                        "EtcdRaft": {
                            "Consenters": consenters,
                            "Options": {
                                "TickInterval": "2500ms",
                                "ElectionTick": 5,
                                "HeartbeatTick": 1,
                                "MaxInflightBlocks": 5,
                                "SnapshotIntervalSize": "16 MB",
                            },
                        },
                        "Organizations": [
                            {
                                **_organization(self._ordering),
                                "OrdererEndpoints": [
                                    f"127.0.0.1:{port}" for _, _, port in self._ordering.nodes[:3]
                                ],
                            }
                        ],
                        "Policies": {
                            **_policies(),
                            "BlockValidation": {"Type": "ImplicitMeta", "Rule": "ANY Writers"},
                        },
                        "Capabilities": {"V2_0": True},
                    },
                    "Application": {
                        "Organizations": [
                            {
                                **_organization(member),
                                "AnchorPeers": [{"Host": "127.0.0.1", "Port": member.nodes[0][2]}],
                            }
                            for member in self._members
                        ],
                        "Policies": {
                            **_policies(),
                            "LifecycleEndorsement": peers,
                            "Endorsement": peers,
                        },
                        "Capabilities": {"V2_5": True},
                    },
                }
            }
        }


def _authority(name: str, home: Path, database: Path, port: int) -> dict[str, Any]:
    usage = ["digital signature"]
    if name == "tlsca":
        usage = ["signing", "key encipherment", "server auth", "client auth", "key agreement"]
    document: dict[str, Any] = {
        "ca": {"name": name},
        "registry": {
            "maxenrollments": -1,
            "identities": [
                {
                    "name": "admin",
                    "pass": "adminpw",
                    "type": "client",
                    "affiliation": "",
                    "attrs": {
                        "hf.Registrar.Roles": "*",
                        "hf.Registrar.DelegateRoles": "*",
                        "hf.Revoker": True,
                        "hf.IntermediateCA": True,
                        "hf.GenCRL": True,
                        "hf.Registrar.Attributes": "*",
                        "hf.AffiliationMgr": True,
                    },
                }
            ],
        },
        "db": {"type": "sqlite3", "datasource": str(database)},
        "affiliations": {"org1": ["department1"], "org2": ["department1"]},
        "signing": {"default": {"usage": usage, "expiry": "8760h"}},
        "csr": {
            "cn": f"{name}.{home.name}",
            "keyrequest": {"algo": "ecdsa", "size": 256},
            "hosts": ["localhost", "127.0.0.1"],
            "ca": {"expiry": "131400h", "pathlength": 1},
        },
        "bccsp": {
            "default": "SW",
            "sw": {
                "hash": "SHA2",
                "security": 256,
                "filekeystore": {"keystore": "msp/keystore"},
            },
        },
    }
    if name == "ca":
        document |= {
            "port": port,
            "debug": False,
            "tls": {"enabled": True},
            "cafiles": [str(home / "tlsca" / "fabric-ca-server-config.yaml")],
            "operations": {"listenAddress": f"127.0.0.1:{port + 1}"},
            "metrics": {"provider": "disabled"},
        }
    return document


def _organization(organization: _Organization) -> dict[str, Any]:
    def of(*roles: str) -> dict[str, str]:
        members = ", ".join(f"'{organization.msp_id}.{role}'" for role in roles)
        return {"Type": "Signature", "Rule": f"OR({members})"}

    policies = {"Readers": of("member"), "Writers": of("member"), "Admins": of("admin")}
    if organization.kind == "peer":
        policies = {
            "Readers": of("admin", "peer", "client"),
            "Writers": of("admin", "client"),
            "Admins": of("admin"),
            "Endorsement": of("peer"),
        }
    return {
        "Name": organization.msp_id,
        "ID": organization.msp_id,
        "MSPDir": str(organization.folder / "msp"),
        "Policies": policies,
    }


def _signature(role: str, *organizations: _Organization) -> dict[str, str]:
    members = ", ".join(f"'{o.msp_id}.{role}'" for o in organizations)
    return {"Type": "Signature", "Rule": f"OR({members})"}


def _policies() -> dict[str, Any]:
    return {
        "Readers": {"Type": "ImplicitMeta", "Rule": "ANY Readers"},
        "Writers": {"Type": "ImplicitMeta", "Rule": "ANY Writers"},
        "Admins": {"Type": "ImplicitMeta", "Rule": "MAJORITY Admins"},
    }


def _tar(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _is_well(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return bool(json.load(answer)["status"] == "OK")
    except (urllib.error.URLError, OSError):
        return False
