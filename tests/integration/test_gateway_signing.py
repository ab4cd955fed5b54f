"""Keys that are elsewhere, on the real network: in a token, and in another process."""

from __future__ import annotations

import ast
import asyncio
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from integration.conftest import Consortium
from medfab_gateway import (
    AsyncGateway,
    EndorseError,
    Endpoint,
    FileSystemWallet,
    Gateway,
    Hash,
    Identity,
    Signer,
    private_key_signer,
)
from medfab_gateway.ca import AttributeRequest, Credential, signing_request
from medfab_gateway.ehr import AsyncPatient, Patient
from medfab_gateway.hsm import HsmToken
from medfab_network._access import Access
from medfab_network._layout import Layout
from pages import ran
from softhsm import PIN, soft_hsm

pytestmark = pytest.mark.integration

DOCUMENT = Path(__file__).parents[2] / "docs" / "signing.md"
HOLDER = "hospital"


@pytest.fixture(scope="module")
def label() -> str:
    """Of a new token."""
    label = f"medfab-{secrets.token_hex(4)}"
    soft_hsm().add_token(label)
    return label


@pytest.fixture(scope="module")
def token(label: str) -> Iterator[HsmToken]:
    with HsmToken.open(soft_hsm().module, label, PIN) as token:
        yield token


async def enrol_patient(
    consortium: Consortium, public_key: ec.EllipticCurvePublicKey, signer: Signer
) -> Identity:
    """A new patient of the holder; the CA sees nothing of the key but a signing request."""
    network = consortium.running_network
    access = Access(Layout(network.directory))
    registrar = access.entry(HOLDER, "registrar")
    name = f"patient-{secrets.token_hex(4)}"
    attributes = {"medfab.role": "patient", "medfab.patient": secrets.token_hex(16)}
    async with access.certificate_authority(network.topology.organization(HOLDER)) as ca:
        secret = await ca.register(
            Credential(certificate=registrar.identity.certificate, signer=registrar.signer()),
            name,
            attributes={attribute: (value, True) for attribute, value in attributes.items()},
        )
        issued = await ca.enroll_request(
            name,
            secret,
            signing_request(public_key, signer, common_name=name),
            attribute_requests=[AttributeRequest(name=attribute) for attribute in attributes],
        )
    identity = issued.identity(consortium.msp_id(HOLDER))
    assert identity.x509.public_key() == public_key
    return identity


async def test_an_identity_whose_key_is_in_a_token(consortium: Consortium, token: HsmToken) -> None:
    endpoint = holder_endpoint(consortium)
    key = token.generate_key()
    identity = await enrol_patient(consortium, key.public_key, key)
    async with AsyncGateway.connect(endpoint, identity, token.signer(identity)) as gateway:
        patient = AsyncPatient(gateway.network("care").contract("ehr"))
        await patient.register()
        # Each call signs; the token takes one at a time, from several threads.
        lists = await asyncio.gather(*(patient.accesses() for _ in range(10)))
    assert lists == [()] * 10

    key = token.generate_key()
    identity = await enrol_patient(consortium, key.public_key, key)

    def register() -> None:
        with Gateway.connect(endpoint, identity, token.signer(identity)) as gateway:
            patient = Patient(gateway.network("care").contract("ehr"))
            patient.register()
            assert patient.accesses() == ()

    await asyncio.to_thread(register)


async def test_the_token_of_the_documentation(
    consortium: Consortium, label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/signing.md: a key is made in a token, enrolled, and found there by its identity."""
    monkeypatch.setenv("MEDFAB_HSM_PIN", PIN)
    section = DOCUMENT.read_text().partition("## Off-line signing")[0]
    opening, making = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    network = consortium.running_network
    access = Access(Layout(network.directory))
    registrar = access.entry(HOLDER, "registrar")
    names: dict[str, Any] = {"signing_request": signing_request}
    async with access.certificate_authority(network.topology.organization(HOLDER)) as ca:
        names |= {
            "ca": ca,
            "secret": await ca.register(
                Credential(certificate=registrar.identity.certificate, signer=registrar.signer()),
                "dr.okafor",
            ),
        }
        with HsmToken.open(soft_hsm().module, label) as token:
            names["token"] = token
            code = compile(making, "signing.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            await FunctionType(code, names)()
    moved = opening.replace("/usr/lib/softhsm/libsofthsm2.so", str(soft_hsm().module))
    asks = """
    with Gateway.connect(endpoint, identity, signer) as gateway:
        answer = gateway.network("care").contract("ehr").evaluate(
            "org.hyperledger.fabric:GetMetadata")
"""
    names |= {"endpoint": holder_endpoint(consortium), "Gateway": Gateway}
    await asyncio.to_thread(exec, moved.replace('"medfab"', repr(label)) + asks, names)
    assert b"RequestAccess" in names["answer"]
    ran(DOCUMENT, opening, making)


async def test_a_p384_key_signs_sha256(consortium: Consortium) -> None:
    """As `Identity.default_hash` has it: the MSP hashes with SHA-256 whatever the curve."""
    key = ec.generate_private_key(ec.SECP384R1())
    signer = private_key_signer(key)
    identity = await enrol_patient(consortium, key.public_key(), signer)
    endpoint = holder_endpoint(consortium)
    async with AsyncGateway.connect(endpoint, identity, signer, hash=Hash.SHA384) as gateway:
        with pytest.raises(EndorseError):
            await gateway.network("care").contract("ehr").submit("RegisterPatient")
    async with AsyncGateway.connect(endpoint, identity, signer) as gateway:
        await AsyncPatient(gateway.network("care").contract("ehr")).register()


def holder_endpoint(consortium: Consortium) -> Endpoint:
    network = consortium.running_network
    return Access(Layout(network.directory)).endpoint(
        network.topology.organization(HOLDER).peers[0]
    )


async def test_the_two_processes_of_the_documentation(
    consortium: Consortium, tmp_path: Path
) -> None:
    """docs/signing.md as it is written: one process has the key, the other the connection."""
    layout = Layout(consortium.running_network.directory)
    name = await consortium.enrol_user(
        HOLDER, role="patient", attributes={"medfab.patient": secrets.token_hex(16)}
    )
    entry = Access(layout).entry(HOLDER, name)
    FileSystemWallet(tmp_path / "wallet").put("patient", entry.identity, entry.private_key_pem)
    (tmp_path / "patient.pem").write_bytes(entry.identity.certificate)
    (tmp_path / "connection.json").write_bytes(layout.connection_profile(HOLDER).read_bytes())
    programs = re.findall(r"```python\n(# \w+\.py\n.*?)```", DOCUMENT.read_text(), re.DOTALL)
    for block in programs:
        (tmp_path / block.split()[1]).write_text(block)
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "sender.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "VALID\n", done.stderr
    ran(DOCUMENT, *programs)
