"""Who must sign for a change of an item's key: an authority, and who has it in custody."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from fabric_protos.common import policies_pb2
from fabric_protos.msp import msp_principal_pb2


@lru_cache(maxsize=256)
def custody_policy(authorities: tuple[str, ...], parties: tuple[str, ...]) -> bytes:
    """Make a key's validation parameter: a peer of one authority *and* of one of the parties.

    The holder's signature alone would let it write what it likes; the authority's alone would
    move goods without their holder.
    """
    named = sorted({*authorities, *parties})
    both = [_one_of(authorities, named), _one_of(parties, named)]
    envelope = policies_pb2.SignaturePolicyEnvelope(
        rule=_out_of(2, both), identities=[_peer_of(msp_id) for msp_id in named]
    )
    parameter: bytes = envelope.SerializeToString(deterministic=True)
    return parameter


def _one_of(msp_ids: Iterable[str], named: Sequence[str]) -> policies_pb2.SignaturePolicy:
    signatures = [
        policies_pb2.SignaturePolicy(signed_by=named.index(msp_id)) for msp_id in sorted(msp_ids)
    ]
    return _out_of(1, signatures)


def _out_of(
    count: int, rules: Sequence[policies_pb2.SignaturePolicy]
) -> policies_pb2.SignaturePolicy:
    return policies_pb2.SignaturePolicy(
        n_out_of=policies_pb2.SignaturePolicy.NOutOf(n=count, rules=rules)
    )


def _peer_of(msp_id: str) -> msp_principal_pb2.MSPPrincipal:
    role = msp_principal_pb2.MSPRole(
        msp_identifier=msp_id, role=msp_principal_pb2.MSPRole.MSPRoleType.PEER
    )
    return msp_principal_pb2.MSPPrincipal(
        principal_classification="ROLE", principal=role.SerializeToString(deterministic=True)
    )
