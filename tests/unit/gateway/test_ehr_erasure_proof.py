"""A certificate of erasure: what it proves is what enough custodians' peers have signed."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fabric_protos.common import common_pb2
from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from fabric_protos.msp import identities_pb2
from fabric_protos.peer import proposal_pb2, proposal_response_pb2, transaction_pb2

from medfab_gateway.ehr import CertificateOfErasureError, verify_erasure_certificate
from medfab_gateway.ehr._erasure_proof import write_certificate

Writes: TypeAlias = dict[tuple[str, ...], dict[str, Any]]

PATIENT = "0" * 32
ERASURE: dict[str, Any] = {
    "erasure_id": "e1",
    "status": "erasing",
    "requested_at": 1000,
    "completed_at": None,
    "cursor": "",
    "log_rows": 0,
    "log_digest": "",
}
COMPLETED: dict[str, Any] = ERASURE | {
    "status": "erased",
    "completed_at": 3000,
    "log_rows": 7,
    "log_digest": "d" * 64,
}
HOLDER: dict[str, Any] = {"status": "erased", "since": 2000, "documents": 2, "digest": "a" * 64}


class Organization:
    """An authority and a peer (or, by its unit, somebody else)."""

    def __init__(self, msp_id: str, unit: str = "peer") -> None:
        self.msp_id = msp_id
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._peer_key = ec.generate_private_key(ec.SECP256R1())
        root = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"ca.{msp_id}")])
        peer = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
                x509.NameAttribute(NameOID.COMMON_NAME, f"peer0.{msp_id}"),
            ]
        )
        self.root = self._certificate(root, root, self._key)
        certificate = self._certificate(peer, root, self._peer_key)
        self.identity = identities_pb2.SerializedIdentity(
            mspid=msp_id, id_bytes=certificate
        ).SerializeToString()

    def _certificate(
        self, subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
    ) -> bytes:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
        )
        made = builder.sign(self._key, hashes.SHA256())
        return made.public_bytes(serialization.Encoding.PEM)

    def endorse(self, payload: bytes) -> Any:
        signature = self._peer_key.sign(payload + self.identity, ec.ECDSA(hashes.SHA256()))
        return proposal_response_pb2.Endorsement(endorser=self.identity, signature=signature)


def envelope(
    writes: Writes,
    *signers: Organization,
    channel: str = "care",
    signed: Writes | None = None,
) -> bytes:
    """A transaction; `signed`: what the peers have signed, where that is something else."""

    def payload_of(written: Writes) -> bytes:
        sets = kv_rwset_pb2.KVRWSet(
            writes=[
                kv_rwset_pb2.KVWrite(
                    key="\0" + "".join(f"{part}\0" for part in key),
                    value=json.dumps(value).encode(),
                )
                for key, value in written.items()
            ]
        ).SerializeToString()
        spaces = [rwset_pb2.NsReadWriteSet(namespace="ehr", rwset=sets)]
        results = rwset_pb2.TxReadWriteSet(ns_rwset=spaces).SerializeToString()
        action = proposal_pb2.ChaincodeAction(results=results).SerializeToString()
        response = proposal_response_pb2.ProposalResponsePayload(extension=action)
        return bytes(response.SerializeToString())

    payload = payload_of(writes)
    endorsed = transaction_pb2.ChaincodeEndorsedAction(
        proposal_response_payload=payload,
        endorsements=[each.endorse(payload_of(signed) if signed else payload) for each in signers],
    )
    action = transaction_pb2.ChaincodeActionPayload(action=endorsed).SerializeToString()
    transaction = transaction_pb2.Transaction(
        actions=[transaction_pb2.TransactionAction(payload=action)]
    )
    header = common_pb2.ChannelHeader(channel_id=channel).SerializeToString()
    made = common_pb2.Envelope(
        payload=common_pb2.Payload(
            header=common_pb2.Header(channel_header=header), data=transaction.SerializeToString()
        ).SerializeToString()
    )
    return bytes(made.SerializeToString())


A, B, C = (Organization(name) for name in ("AMSP", "BMSP", "CMSP"))
AUTHORITIES = {each.msp_id: each.root for each in (A, B, C)}
REQUEST: Writes = {("erasure", PATIENT): ERASURE}
OTHER_REQUEST: Writes = {("erasure", PATIENT): ERASURE | {"erasure_id": "e0"}}
CONFIRMED: Writes = {("holder", PATIENT, "AMSP"): HOLDER}
COMPLETION: Writes = {("erasure", PATIENT): COMPLETED}


def certificate(*envelopes: bytes, patient: str = PATIENT) -> str:
    return write_certificate(patient=patient, channel="care", envelopes=envelopes)


WHOLE = certificate(
    envelope(REQUEST, A, B), envelope(CONFIRMED, A, B), envelope(COMPLETION, A, B, C)
)


def test_what_a_majority_has_signed_is_proven() -> None:
    verified = verify_erasure_certificate(WHOLE, authorities=AUTHORITIES)
    assert (verified.patient, verified.erasure_id) == (PATIENT, "e1")
    assert verified.signed_by == ("AMSP", "BMSP", "CMSP")
    assert (verified.log_rows, verified.log_digest) == (7, "d" * 64)
    (holder,) = verified.holders
    assert (holder.holder_msp, holder.documents, holder.digest) == ("AMSP", 2, "a" * 64)


@pytest.mark.parametrize(
    ("made", "complaint"),
    [
        (certificate(envelope(REQUEST, A, B)), "is missing"),
        (certificate(envelope(REQUEST, A), envelope(COMPLETION, A, B)), "signatures of 1"),
        (certificate(envelope(REQUEST, A, A), envelope(COMPLETION, A, B)), "signatures of 1"),
        (
            certificate(envelope(REQUEST, A, B), envelope(COMPLETION, A, B, signed=REQUEST)),
            "does not fit",
        ),
        (
            certificate(envelope(REQUEST, A, B, channel="x"), envelope(COMPLETION, A, B)),
            "another channel",
        ),
        (
            certificate(
                envelope(OTHER_REQUEST, A, B),
                envelope(COMPLETION, A, B),
            ),
            "two erasures",
        ),
        (
            certificate(envelope(REQUEST, A, B), envelope(COMPLETION, A, B), patient="1" * 32),
            "is missing",
        ),
        ("{}", "no certificate of erasure"),
        ("not json", "no certificate of erasure"),
        (certificate(b"\xff\xff"), "cannot be read"),
    ],
)
def test_anything_less_is_not(made: str, complaint: str) -> None:
    with pytest.raises(CertificateOfErasureError, match=complaint):
        verify_erasure_certificate(made, authorities=AUTHORITIES)


def test_peers_of_other_authorities_and_clients_do_not_count() -> None:
    impostor, client = Organization("BMSP"), Organization("CMSP", unit="client")
    made = certificate(envelope(REQUEST, A, impostor), envelope(COMPLETION, A, impostor))
    with pytest.raises(CertificateOfErasureError, match="signatures of 1"):
        verify_erasure_certificate(made, authorities=AUTHORITIES)
    made = certificate(envelope(REQUEST, A, client), envelope(COMPLETION, A, client))
    authorities = AUTHORITIES | {"CMSP": client.root}
    with pytest.raises(CertificateOfErasureError, match="signatures of 1"):
        verify_erasure_certificate(made, authorities=authorities)
    verify_erasure_certificate(made, authorities=authorities, endorsers=1)


def test_a_changed_byte_is_noticed() -> None:
    fields = json.loads(WHOLE)
    raw = base64.b64decode(fields["transactions"][2])
    fields["transactions"][2] = base64.b64encode(raw.replace(b"d" * 64, b"e" * 64)).decode()
    with pytest.raises(CertificateOfErasureError, match="does not fit"):
        verify_erasure_certificate(json.dumps(fields), authorities=AUTHORITIES)


def test_what_is_no_authority() -> None:
    with pytest.raises(CertificateOfErasureError, match="BMSP is no certificate"):
        verify_erasure_certificate(WHOLE, authorities=AUTHORITIES | {"BMSP": b"x"})
