"""Options that say which network, which organisation and as whom; and what follows from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from medfab_gateway.cli._exit_codes import NotFoundError
from medfab_gateway.cli._expiry import check_expiry
from medfab_gateway.cli._settings import (
    CHANNEL,
    DIR,
    HSM_MODULE,
    HSM_TOKEN,
    IDENTITY,
    ORG,
    PROFILE,
    WALLET,
    setting_option,
    source_of,
)

if TYPE_CHECKING:
    from medfab_gateway import AsyncGateway
    from medfab_gateway.hsm import HsmToken
    from medfab_gateway.profile import ConnectionProfile
    from medfab_gateway.wallet import FileSystemWallet, WalletEntry

_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class Connection:
    """Where to connect, from the settings."""

    directory: Path
    organization: str | None
    profile_file: Path | None
    wallet_folder: Path | None
    hsm_module: str | None = None
    hsm_token: str | None = None
    set_aside: frozenset[str] = frozenset()
    """Parameters that are set, but by something that counts less than what set `directory`."""

    def profile(self) -> ConnectionProfile:
        """The connection profile: the named file, or the one of the network directory."""
        from medfab_gateway.profile import ConnectionProfile

        return ConnectionProfile.load(self.profile_file or self._folder() / "connection.json")

    def wallet(self) -> FileSystemWallet:
        """The wallet: the named folder, or the one of the organisation in the directory."""
        from medfab_gateway.wallet import FileSystemWallet

        return FileSystemWallet(self.wallet_path())

    def wallet_path(self) -> Path:
        """Where the wallet is; other secrets of the organisation are kept beside it."""
        return self.wallet_folder or self._folder() / "wallet"

    def organization_name(self, profile: ConnectionProfile) -> str:
        """The organisation to act for: named, or the profile's own."""
        name = self.organization or profile.client_organization
        if name is None:
            raise click.UsageError(
                "Which organisation? Give --org; the profile has "
                + ", ".join(profile.organizations)
            )
        if name not in profile.organizations:
            raise NotFoundError(
                f"The connection profile has no organisation {name!r}; it has "
                + ", ".join(profile.organizations)
            )
        return name

    def entry(self, label: str | None) -> WalletEntry:
        """The wallet's identity `label`; where it is None, the error lists those there are."""
        wallet = self.wallet()
        if label is None:
            known = ", ".join(wallet.list()) or "nothing; `medfab ca enroll` puts identities there"
            raise click.UsageError(f"As whom? Give --identity; the wallet holds {known}.")
        entry = wallet.get(label)
        check_expiry(entry)
        if entry.private_key_pem is None:
            from medfab_gateway.hsm import HsmWallet

            return HsmWallet(wallet, self.token()).get(label)
        return entry

    def token(self) -> HsmToken:
        """The token that the settings name, open for as long as the command runs."""
        if self.hsm_module is None or self.hsm_token is None:
            raise click.UsageError(
                f"Which token has the key? Set {HSM_MODULE.variable} and {HSM_TOKEN.variable}, or "
                f"{HSM_MODULE.name} and {HSM_TOKEN.name} in medfab.toml; the PIN in MEDFAB_HSM_PIN."
            )
        from medfab_gateway.hsm import HsmToken

        token = HsmToken.open(self.hsm_module, self.hsm_token)
        click.get_current_context().call_on_close(token.close)
        return token

    def gateway(self, label: str | None) -> AsyncGateway:
        """A gateway at the organisation's first peer, as the wallet's identity `label`."""
        from medfab_gateway import AsyncGateway

        profile = self.profile()
        entry = self.entry(label)
        endpoint = profile.endpoint_for(self.organization_name(profile))
        return AsyncGateway.connect(endpoint, entry.identity, entry.signer())

    def _folder(self) -> Path:
        organizations = self.directory / "organizations"
        if not organizations.is_dir():
            raise NotFoundError(
                f"There is no network in {self.directory}: start one with `medfab network up`, "
                "name its folder with --dir, or give --profile and --wallet."
            )
        known = sorted(path.name for path in organizations.iterdir() if path.is_dir())
        if self.organization is None:
            raise click.UsageError(f"Which organisation? Give --org: {', '.join(known)}")
        if self.organization not in known:
            raise NotFoundError(
                f"There is no organisation {self.organization!r}; there are {', '.join(known)}"
            )
        return organizations / self.organization


def pass_connection(function: _F) -> _F:
    """Adds the connection's options, and gives the command a `Connection`."""

    @setting_option(DIR, "directory")
    @setting_option(ORG, "organization")
    @setting_option(PROFILE, "profile_file")
    @setting_option(WALLET, "wallet_folder")
    @setting_option(HSM_MODULE, "hsm_module", hidden=True)
    @setting_option(HSM_TOKEN, "hsm_token", hidden=True)
    def command(
        directory: Path,
        organization: str | None,
        profile_file: Path | None,
        wallet_folder: Path | None,
        hsm_module: str | None,
        hsm_token: str | None,
        **others: Any,
    ) -> Any:
        context = click.get_current_context()
        set_aside = {
            name
            for name, value in (("profile_file", profile_file), ("wallet_folder", wallet_folder))
            if value is not None and source_of(context, "directory") < source_of(context, name)
        }
        connection = Connection(
            directory=directory,
            organization=organization,
            profile_file=None if "profile_file" in set_aside else profile_file,
            wallet_folder=None if "wallet_folder" in set_aside else wallet_folder,
            hsm_module=hsm_module,
            hsm_token=hsm_token,
            set_aside=frozenset(set_aside),
        )
        return function(connection=connection, **others)

    command.__name__ = function.__name__
    command.__doc__ = function.__doc__
    params = getattr(function, "__click_params__", [])
    command.__click_params__ = [*params, *command.__click_params__]  # type: ignore[attr-defined]
    return command  # type: ignore[return-value]


def identity_option(function: _F) -> _F:
    """`--identity`: who calls."""
    return setting_option(IDENTITY, "label", help=f"{IDENTITY.help}  [required]")(function)


def channel_option(function: _F) -> _F:
    """`--channel`: which channel."""
    return setting_option(CHANNEL, "channel", required=True)(function)
