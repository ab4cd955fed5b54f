# Made by scripts/make_sync.py from _affiliations_async.py: change that, and run it.
"""The affiliations of a CA: a tree of dotted names, such as `hospital.cardiology`."""

from __future__ import annotations

from urllib.parse import quote

from medfab_gateway.ca._registered import Affiliation
from medfab_gateway.ca._rest import RestClient
from medfab_gateway.ca._types import Credential


class Affiliations:
    """The affiliations of one CA: `ca.affiliations`.

        with CertificateAuthority(
            url, ca_name="ca.hospital", tls_root_certificates=pem
        ) as ca:
            ca.affiliations.add(registrar, "hospital.cardiology")
            print((ca.affiliations.list(registrar)).names())

    The caller (`Credential`) needs `hf.AffiliationMgr`, and an affiliation equal to or above each.
    """

    def __init__(self, rest: RestClient) -> None:
        self._rest = rest

    def list(self, caller: Credential) -> Affiliation:
        """The tree that the caller may see, from its own affiliation downwards, without identities.

        Raises:
            NotFoundError: There is none at all.
        """
        result = self._rest.get("affiliations", "Cannot list affiliations", credential=caller)
        return Affiliation.parse(result)

    def get(self, caller: Credential, name: str) -> Affiliation:
        """One of them, with all below it, without identities. Raises `NotFoundError`."""
        result = self._rest.get(_path(name), f"Cannot show affiliation {name!r}", credential=caller)
        return Affiliation.parse(result)

    def add(self, caller: Credential, name: str, *, force: bool = False) -> Affiliation:
        """Add one; with `force`, its missing parents too.

        Raises:
            AlreadyExistsError: It is there already.
            NotFoundError: Its parent is missing.
        """
        result = self._rest.post(
            "affiliations",
            f"Cannot add affiliation {name!r}",
            {"name": name},
            credential=caller,
            parameters={"force": "true" if force else "false"},
        )
        return Affiliation.parse(result)

    def rename(
        self, caller: Credential, name: str, new_name: str, *, force: bool = False
    ) -> Affiliation:
        """Rename one, with all below it. `force`: also where identities have it; they get the new.

        Raises:
            NotFoundError: There is no such affiliation.
            InvalidRequestError: Identities have it, and `force` was not given.
        """
        result = self._rest.post(
            _path(name),
            f"Cannot rename affiliation {name!r}",
            {"name": new_name},
            method="PUT",
            credential=caller,
            parameters={"force": "true" if force else "false"},
        )
        return Affiliation.parse(result)

    def remove(self, caller: Credential, name: str, *, force: bool = False) -> Affiliation:
        """Remove one; with `force`, all below it and the identities that have it, revoked.

        The server must allow it (`cfg.affiliations.allowremove`, and for identities
        `cfg.identities.allowremove`). Returns what was removed.

        Raises:
            NotFoundError: There is no such affiliation.
            AuthorizationFailedError: The server does not allow it, or `force` is needed.
        """
        result = self._rest.delete(
            _path(name),
            f"Cannot remove affiliation {name!r}",
            credential=caller,
            parameters={"force": "true" if force else "false"},
        )
        return Affiliation.parse(result)


def _path(name: str) -> str:
    return f"affiliations/{quote(name, safe='')}"
