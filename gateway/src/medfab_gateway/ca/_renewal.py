# Made by scripts/make_sync.py from _renewal_async.py: change that, and run it.
"""New certificates for the identities of a wallet, before the old ones expire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from medfab_gateway.ca import _csr
from medfab_gateway.ca._client import CertificateAuthority
from medfab_gateway.ca._renewed import KeyMaker, terms_of
from medfab_gateway.ca._types import Credential
from medfab_gateway.ca.errors import (
    CertificateAuthorityError,
    CertificateAuthorityUnreachableError,
)
from medfab_gateway.errors import IdentityError
from medfab_gateway.identity import Identity
from medfab_gateway.wallet import Wallet


class Renewal:
    """Renews the identities of one wallet at one CA.

    ::

        with CertificateAuthority(
            url, ca_name="ca.hospital", tls_root_certificates=pem
        ) as ca:
            renewal = Renewal(ca, wallet)
            for label in renewal.due(timedelta(days=30)):
                identity = renewal.renew(label)
                print(label, identity.valid_until)
    """

    def __init__(
        self, ca: CertificateAuthority, wallet: Wallet, *, token: KeyMaker | None = None
    ) -> None:
        """token: where keys of entries that have theirs in a token are made (an `HsmToken`)."""
        self._ca = ca
        self._wallet = wallet
        self._token = token

    def due(self, within: timedelta, *, now: datetime | None = None) -> tuple[str, ...]:
        """The labels whose certificates expire within that time or have expired, sorted.

        now: None for the present. Raises `WalletError`.
        """
        limit = (now or datetime.now(UTC)) + within
        return tuple(
            label
            for label in self._wallet.list()
            if self._wallet.get(label).identity.valid_until <= limit
        )

    def renew(self, label: str) -> Identity:
        """A new certificate over a new key of the same kind, put in place of the old.

        Subject, hosts and kind (signing or TLS) are those of the old one; so are the names of its
        attributes, with the values that the CA has now, without those that it has no more. The old
        one stays in the wallet until the new one is written, and stays valid until it expires: who
        still has it may go on. An old key in a token stays there.

        Raises:
            AuthenticationFailedError: The certificate has expired or is revoked, or is of another
                CA: enrol with the secret again.
            IdentityError: The key is in a token, and there was none to make the new one in.
        """
        entry = self._wallet.get(label)
        old = entry.identity
        credential = Credential(certificate=old.certificate, signer=entry.signer())
        terms = terms_of(old.x509)
        if entry.private_key_pem is not None:
            enrolled = self._ca.reenroll(
                credential,
                hosts=terms.hosts,
                profile=terms.profile,
                attribute_requests=terms.attribute_requests,
                subject=terms.subject,
                key=terms.key,
            )
            new = enrolled.identity(old.msp_id)
            self._wallet.put(label, new, enrolled.private_key)
            return new
        if self._token is None:
            raise IdentityError(
                f"The key of {label!r} is in a token: renew it with the token open."
            )
        key = self._token.generate_key()
        try:
            issued = self._ca.reenroll_request(
                credential,
                _csr.signing_request(
                    key.public_key,
                    key,
                    common_name=_csr.common_name(old.certificate),
                    subject=terms.subject,
                    hosts=terms.hosts,
                ),
                profile=terms.profile,
                attribute_requests=terms.attribute_requests,
            )
        except CertificateAuthorityUnreachableError:
            raise  # it may be certified by now
        except CertificateAuthorityError:
            self._token.destroy_key(key.key_id)
            raise
        new = issued.identity(old.msp_id)
        self._wallet.put(label, new, None)
        return new
