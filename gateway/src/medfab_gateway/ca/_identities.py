# Made by scripts/make_sync.py from _identities_async.py: change that, and run it.
"""The identities that a CA knows."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from medfab_gateway.ca._registered import RegisteredIdentity, attribute_list
from medfab_gateway.ca._rest import RestClient
from medfab_gateway.ca._revocation import Revocation, RevocationReason
from medfab_gateway.ca._types import Credential


class Identities:
    """The registry of one CA: `ca.identities`.

        with CertificateAuthority(
            url, ca_name="ca.hospital", tls_root_certificates=pem
        ) as ca:
            for identity in ca.identities.list(registrar):
                print(identity.enrollment_id, identity.type, identity.affiliation)
            ca.identities.modify(registrar, "practitioner", attributes={"ward": ("4", True)})

    The caller (`Credential`) needs `hf.Registrar.Roles` with the type of each identity, and an
    affiliation equal to or above its own. Certificates that were issued before do not change:
    enrol or re-enrol to get one with new attributes.
    """

    def __init__(self, rest: RestClient) -> None:
        self._rest = rest

    def list(self, caller: Credential) -> tuple[RegisteredIdentity, ...]:
        """All that the caller may see, in the order of the CA."""
        result = self._rest.get("identities", "Cannot list identities", credential=caller)
        return tuple(map(RegisteredIdentity.parse, result.parts("identities")))

    def get(self, caller: Credential, enrollment_id: str) -> RegisteredIdentity:
        """One of them. Raises `NotFoundError`."""
        result = self._rest.get(
            _path(enrollment_id), f"Cannot show identity {enrollment_id!r}", credential=caller
        )
        return RegisteredIdentity.parse(result)

    def modify(
        self,
        caller: Credential,
        enrollment_id: str,
        *,
        type: str | None = None,
        affiliation: str | None = None,
        attributes: Mapping[str, tuple[str, bool] | None] | None = None,
        secret: str | None = None,
        max_enrollments: int | None = None,
    ) -> RegisteredIdentity:
        """Change what is given; None leaves a thing as it is. Returns how it is now.

        Args:
            caller: A registrar.
            enrollment_id: Whose entry.
            type: Another type.
            affiliation: Another affiliation; `.` for the root.
            attributes: Name to (value, whether certificates carry it), or to None, which takes it
                away. Those not named stay.
            secret: Another secret; unlocks an identity with too many wrong attempts.
            max_enrollments: How often the secret may be used, those before included; -1 without
                limit, 0 not any more.

        Raises:
            NotFoundError: There is no such identity.
            InvalidRequestError: There is no such affiliation.
        """
        body: dict[str, object] = {}
        if type is not None:
            body["type"] = type
        if affiliation is not None:
            body["affiliation"] = affiliation or "."
        if attributes:
            # The server takes an attribute away where its value is empty.
            given = {name: value or ("", False) for name, value in attributes.items()}
            body["attrs"] = attribute_list(given)
        if secret is not None:
            body["secret"] = secret
        if max_enrollments is not None:
            # For the server, 0 is "not given" and -2 is none.
            body["max_enrollments"] = max_enrollments or -2
        result = self._rest.post(
            _path(enrollment_id),
            f"Cannot modify identity {enrollment_id!r}",
            body,
            method="PUT",
            credential=caller,
            hidden=secret,
        )
        return RegisteredIdentity.parse(result)

    def remove(
        self, caller: Credential, enrollment_id: str, *, force: bool = False
    ) -> RegisteredIdentity:
        """Take an identity out of the registry, and revoke its certificates. Returns how it was.

        The server must allow it (`cfg.identities.allowremove`); `revoke` always works, and leaves
        a trace of who there was. force: even oneself.

        Raises:
            NotFoundError: There is no such identity.
            AuthorizationFailedError: The server does not allow it, or not to this caller.
        """
        result = self._rest.delete(
            _path(enrollment_id),
            f"Cannot remove identity {enrollment_id!r}",
            credential=caller,
            parameters={"force": "true" if force else "false"},
        )
        return RegisteredIdentity.parse(result)

    def revoke(
        self,
        caller: Credential,
        enrollment_id: str,
        *,
        reason: RevocationReason = RevocationReason.UNSPECIFIED,
        with_list: bool = False,
    ) -> Revocation:
        """Revoke all certificates of an identity, and let it enrol no more.

        At once for the CA. Peers and orderers go on accepting the certificates until the CRL is in
        the configuration of their channel.

        Args:
            caller: Needs `hf.Revoker`, except for itself.
            enrollment_id: Whose.
            reason: Why; the CA keeps it.
            with_list: Whether to give the CRL too, of which the new revocations are a part.

        Raises:
            NotFoundError: There is no such identity.
        """
        result = self._rest.post(
            "revoke",
            f"Cannot revoke {enrollment_id!r}",
            {"id": enrollment_id, "reason": reason.value, "gencrl": with_list},
            credential=caller,
        )
        return Revocation.parse(result, url=self._rest.url)


def _path(enrollment_id: str) -> str:
    return f"identities/{quote(enrollment_id, safe='')}"
