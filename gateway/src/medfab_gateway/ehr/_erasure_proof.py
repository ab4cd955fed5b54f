"""A certificate of erasure that a third party can check, without a network.

It holds the transactions by which the erasure was requested, carried out by each holder, and
completed, as they are on the ledger. Each has the signatures of the custodians' peers over what it
wrote; with the certificates of their authorities, from a source of one's own, anybody can check
who signed what. Not proven by it: that the peers found the transactions valid (Fabric does not
sign that; ask any peer with ``ReadErasure``), and that nobody kept a copy.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fabric_protos.common import common_pb2
from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from fabric_protos.msp import identities_pb2
from fabric_protos.peer import proposal_pb2, proposal_response_pb2, transaction_pb2

from medfab_gateway.ehr._fhir_time import from_milliseconds
from medfab_gateway.ehr.errors import CertificateOfErasureError

_FORM = "medfab-erasure-certificate-1"
STEPS = ("erasure-requested", "holder-erased", "erasure-completed")


@dataclass(frozen=True, kw_only=True)
class CertifiedHolder:
    """What a holder has destroyed."""

    holder_msp: str
    erased_at: datetime
    documents: int
    digest: str | None
    """SHA-256 over the names of the documents."""


@dataclass(frozen=True, kw_only=True)
class VerifiedErasure:
    """What the certificate proves."""

    patient: str
    """Pseudonym."""
    erasure_id: str
    requested_at: datetime
    completed_at: datetime
    holders: tuple[CertifiedHolder, ...]
    log_rows: int
    log_digest: str
    """SHA-256 over the skeleton of the audit at completion."""
    signed_by: tuple[str, ...]
    """Organisations whose peers signed the completion."""


def write_certificate(*, patient: str, channel: str, envelopes: Sequence[bytes]) -> str:
    """The certificate as JSON."""
    return json.dumps(
        {
            "form": _FORM,
            "patient": patient,
            "channel": channel,
            "transactions": [base64.b64encode(envelope).decode() for envelope in envelopes],
        },
        indent=2,
    )


def verify_erasure_certificate(
    certificate: str, *, authorities: Mapping[str, bytes], endorsers: int | None = None
) -> VerifiedErasure:
    """Check a certificate; raises :class:`CertificateOfErasureError`, which says what is wrong.

    ``authorities``: MSP id → certificate of the organisation's CA in PEM (several in one are fine),
    from a source that you trust. ``endorsers``: of how many of these organisations peers must have
    signed each transaction; None: of more than half of them.
    """
    needed = endorsers or len(authorities) // 2 + 1
    roots = {msp_id: _certificates(msp_id, pem) for msp_id, pem in authorities.items()}
    fields = _parsed(certificate)
    patient = str(fields["patient"])
    requested: dict[str, Any] | None = None
    completed: dict[str, Any] | None = None
    signed_by: tuple[str, ...] = ()
    holders = []
    for text in fields["transactions"]:
        transaction = _transaction(text)
        if transaction.channel != fields["channel"]:
            raise CertificateOfErasureError("a transaction is of another channel")
        signers = transaction.signers(roots)
        if len(signers) < needed:
            raise CertificateOfErasureError(
                f"a transaction has the signatures of {len(signers)} of the given organisations' "
                f"peers, and {needed} are needed"
            )
        for kind, attributes, value in transaction.writes:
            if attributes[:1] != (patient,):
                continue
            if kind == "erasure" and value["status"] == "erasing" and not value.get("cursor"):
                requested = value
            elif kind == "erasure" and value["status"] == "erased":
                completed, signed_by = value, signers
            elif kind == "holder" and value["status"] == "erased":
                holders.append((attributes[1], value))
    if requested is None or completed is None:
        raise CertificateOfErasureError("request or completion of the erasure is missing")
    if requested["erasure_id"] != completed["erasure_id"]:
        raise CertificateOfErasureError("request and completion are of two erasures")
    return VerifiedErasure(
        patient=patient,
        erasure_id=completed["erasure_id"],
        requested_at=_moment(requested["requested_at"]),
        completed_at=_moment(completed["completed_at"]),
        holders=tuple(
            CertifiedHolder(
                holder_msp=msp_id,
                erased_at=_moment(value["since"]),
                documents=value.get("documents", 0),
                digest=value.get("digest"),
            )
            for msp_id, value in holders
        ),
        log_rows=completed["log_rows"],
        log_digest=completed["log_digest"],
        signed_by=signed_by,
    )


@dataclass(frozen=True)
class _Transaction:
    channel: str
    payload: bytes
    """What the peers signed, each with its own identity."""
    endorsements: tuple[Any, ...]
    writes: tuple[tuple[str, tuple[str, ...], Any], ...]

    def signers(self, roots: Mapping[str, Sequence[x509.Certificate]]) -> tuple[str, ...]:
        found = set()
        for endorsement in self.endorsements:
            identity = identities_pb2.SerializedIdentity.FromString(endorsement.endorser)
            certificate = x509.load_pem_x509_certificate(identity.id_bytes)
            if not any(_issued(certificate, root) for root in roots.get(identity.mspid, ())):
                continue
            key = certificate.public_key()
            if not isinstance(key, ec.EllipticCurvePublicKey) or not _is_peer(certificate):
                continue
            try:
                key.verify(
                    endorsement.signature,
                    self.payload + endorsement.endorser,
                    ec.ECDSA(hashes.SHA256()),
                )
            except InvalidSignature:
                raise CertificateOfErasureError(
                    f"a signature of {identity.mspid} does not fit: the certificate was changed"
                ) from None
            found.add(identity.mspid)
        return tuple(sorted(found))


def _transaction(text: str) -> _Transaction:
    try:
        envelope = common_pb2.Envelope.FromString(base64.b64decode(text, validate=True))
        payload = common_pb2.Payload.FromString(envelope.payload)
        header = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
        (action,) = transaction_pb2.Transaction.FromString(payload.data).actions
        endorsed = transaction_pb2.ChaincodeActionPayload.FromString(action.payload).action
        signed = endorsed.proposal_response_payload
        response = proposal_response_pb2.ProposalResponsePayload.FromString(signed)
        results = proposal_pb2.ChaincodeAction.FromString(response.extension).results
        return _Transaction(
            channel=header.channel_id,
            payload=signed,
            endorsements=tuple(endorsed.endorsements),
            writes=tuple(_writes(results)),
        )
    except CertificateOfErasureError:
        raise
    except Exception:  # protobuf's errors have no common type
        raise CertificateOfErasureError("a transaction in the certificate cannot be read") from None


def _writes(results: bytes) -> Iterator[tuple[str, tuple[str, ...], Any]]:
    for space in rwset_pb2.TxReadWriteSet.FromString(results).ns_rwset:
        if space.namespace != "ehr":
            continue
        for write in kv_rwset_pb2.KVRWSet.FromString(space.rwset).writes:
            kind, *attributes = write.key.strip("\0").split("\0")
            if kind in ("erasure", "holder"):
                yield kind, tuple(attributes), json.loads(write.value)


def _certificates(msp_id: str, pem: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise CertificateOfErasureError(
            f"what is given for {msp_id} is no certificate in PEM"
        ) from None


def _parsed(certificate: str) -> dict[str, Any]:
    try:
        fields = json.loads(certificate)
        if fields["form"] == _FORM and isinstance(fields["transactions"], list):
            return dict(fields)
    except (ValueError, LookupError, TypeError):
        pass
    raise CertificateOfErasureError("the file is no certificate of erasure")


def _issued(certificate: x509.Certificate, root: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(root)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _is_peer(certificate: x509.Certificate) -> bool:
    units = certificate.subject.get_attributes_for_oid(x509.oid.NameOID.ORGANIZATIONAL_UNIT_NAME)
    return "peer" in {unit.value for unit in units}


def _moment(value: int) -> datetime:
    moment = from_milliseconds(value)
    assert moment is not None  # noqa: S101 - only None gives None
    return moment
