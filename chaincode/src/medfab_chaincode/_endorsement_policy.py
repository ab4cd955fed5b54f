"""Which organisations must endorse the changes of one key (state-based endorsement)."""

from typing import Literal, Self, cast

from fabric_protos.common import policies_pb2
from fabric_protos.msp import msp_principal_pb2
from google.protobuf.message import DecodeError

from medfab_chaincode import _keys
from medfab_chaincode.errors import InvalidArgumentError, StateFormatError

Role = Literal["MEMBER", "PEER"]


class KeyEndorsementPolicy:
    """A key's own endorsement policy: every one of its organisations must sign.

    ::

        policy = KeyEndorsementPolicy()
        policy.add_organizations("HospitalMSP", "ClinicMSP")
        context.stub.set_state_validation_parameter(key, policy.to_bytes())

    The bytes are those of the Go shim's `statebased` package for the same organisations.
    """

    def __init__(self) -> None:
        self._roles: dict[str, Role] = {}

    @classmethod
    def from_bytes(cls, parameter: bytes) -> Self:
        """Read a validation parameter, e.g. to add an organisation to it.

        Raises `StateFormatError` for a policy of any other form: written back it would mean
        something else.
        """
        try:
            envelope = policies_pb2.SignaturePolicyEnvelope.FromString(parameter)
            policy = cls()
            for identity in envelope.identities:
                role = msp_principal_pb2.MSPRole.FromString(identity.principal)
                name = msp_principal_pb2.MSPRole.MSPRoleType.Name(role.role)
                policy.add_organizations(role.msp_identifier, role=cast(Role, name))
            same = bool(policy._roles) and envelope == policy._envelope()
        except (DecodeError, ValueError, InvalidArgumentError):
            same = False
        if not same:
            raise StateFormatError(
                "the validation parameter is not of the form 'all of these organisations'"
            )
        return policy

    def add_organizations(self, *msp_ids: str, role: Role = "PEER") -> None:
        """Require the signature of each of these organisations.

        role: whose signature counts, that of a peer or of any member; a later call replaces it.
        Raises `InvalidArgumentError` for an empty MSP id or an unknown role.
        """
        if role not in ("MEMBER", "PEER"):
            raise InvalidArgumentError("the role in a key's policy is MEMBER or PEER")
        if not all(msp_ids):
            raise InvalidArgumentError("an MSP id must not be empty")
        for msp_id in msp_ids:
            self._roles[_keys.encodable(msp_id, "an MSP id")] = role

    def delete_organizations(self, *msp_ids: str) -> None:
        """Require these organisations no longer; no error for those that were not."""
        for msp_id in msp_ids:
            self._roles.pop(msp_id, None)

    def list_organizations(self) -> list[str]:
        """Return the MSP ids, sorted."""
        return sorted(self._roles)

    def to_bytes(self) -> bytes:
        """Return the validation parameter: the same bytes on every endorser.

        Raises `InvalidArgumentError` without organisations: nobody's signature would be enough.
        To return to the chaincode's policy, set an empty validation parameter.
        """
        if not self._roles:
            raise InvalidArgumentError("a key's policy needs an organisation")
        return cast(bytes, self._envelope().SerializeToString(deterministic=True))

    def _envelope(self) -> policies_pb2.SignaturePolicyEnvelope:
        principals = [
            msp_principal_pb2.MSPPrincipal(
                principal_classification="ROLE",
                principal=msp_principal_pb2.MSPRole(
                    msp_identifier=msp_id, role=self._roles[msp_id]
                ).SerializeToString(),
            )
            for msp_id in self.list_organizations()
        ]
        every = policies_pb2.SignaturePolicy.NOutOf(
            n=len(principals),
            rules=[policies_pb2.SignaturePolicy(signed_by=i) for i in range(len(principals))],
        )
        return policies_pb2.SignaturePolicyEnvelope(
            rule=policies_pb2.SignaturePolicy(n_out_of=every), identities=principals
        )
