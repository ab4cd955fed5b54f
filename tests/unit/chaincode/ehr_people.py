"""People with certificates, and the ehr clients in front of the contract on a fake peer."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, cast

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fabric_protos.msp import identities_pb2

from medfab_gateway import AsyncContract
from medfab_gateway.errors import ChaincodeFailure, EndorseError
from unit.chaincode.fake_peer import FakePeer, Result

ATTRIBUTES = x509.ObjectIdentifier("1.2.3.4.5.6.7.8.1")


@cache
def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@cache
def creator(
    msp_id: str,
    name: str,
    *attributes: tuple[str, str],
    issuer_name: str = "",
    units: tuple[str, ...] = (),
) -> bytes:
    """A serialised identity whose certificate has Fabric CA's attributes, and units (OU)."""
    subject = x509.Name(
        [
            *(x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit) for unit in units),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer_name or f"ca of {msp_id}")])
    extension = json.dumps({"attrs": dict(attributes)}).encode()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(_key().public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=9999))
        .add_extension(x509.UnrecognizedExtension(ATTRIBUTES, extension), critical=False)
        .sign(_key(), hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    return bytes(identities_pb2.SerializedIdentity(mspid=msp_id, id_bytes=pem).SerializeToString())


def patient_creator(msp_id: str, pseudonym: str) -> bytes:
    return creator(
        msp_id, f"patient of {msp_id}", ("medfab.role", "patient"), ("medfab.patient", pseudonym)
    )


def practitioner_creator(msp_id: str, name: str, *, issuer_name: str = "") -> bytes:
    return creator(
        msp_id,
        name,
        ("medfab.role", "practitioner"),
        ("medfab.practitioner", name),
        issuer_name=issuer_name,
    )


@dataclass
class Caller:
    """Stands where an `AsyncContract` does, and asks the fake peer."""

    peer: FakePeer
    creator: bytes
    last: Result | None = None
    organizations: Sequence[str] | None = None
    """Those named in the last call."""

    @property
    def contract(self) -> AsyncContract:
        return cast(AsyncContract, self)

    async def submit(
        self,
        name: str,
        *args: str,
        transient: Mapping[str, bytes] | None = None,
        endorsing_organizations: Sequence[str] | None = None,
    ) -> bytes:
        self.organizations = endorsing_organizations
        return await self._invoke(name, *args, transient=transient)

    async def evaluate(
        self, name: str, *args: str, target_organizations: Sequence[str] | None = None
    ) -> bytes:
        self.organizations = target_organizations
        answer = await self._invoke(name, *args)
        assert self.last is not None
        assert self.last.writes == {}
        return answer

    async def _invoke(self, name: str, *args: str, **options: Any) -> bytes:
        self.last = await self.peer.invoke(name, *args, creator=self.creator, **options)
        if self.last.status >= 400:
            text = f"chaincode response {self.last.status}, {self.last.message}"
            raise EndorseError(
                text, code=grpc.StatusCode.ABORTED, chaincode=ChaincodeFailure.parse(text)
            )
        return self.last.payload
