"""Options that say which network, which organisation and as whom; and what follows from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from medfab_gateway.cli._exit_codes import NotFoundError

if TYPE_CHECKING:
    from medfab_gateway import AsyncGateway
    from medfab_gateway.profile import ConnectionProfile
    from medfab_gateway.wallet import FileSystemWallet, WalletEntry

_F = TypeVar("_F", bound=Callable[..., Any])
DEFAULT_DIRECTORY = Path(".medfab")


@dataclass(frozen=True, kw_only=True)
class Connection:
    """Where to connect, from the options; each value has an environment variable too."""

    directory: Path
    organization: str | None
    profile_file: Path | None
    wallet_folder: Path | None

    def profile(self) -> ConnectionProfile:
        """The connection profile: the named file, or the one of the network directory."""
        from medfab_gateway.profile import ConnectionProfile

        return ConnectionProfile.load(self.profile_file or self._folder() / "connection.json")

    def wallet(self) -> FileSystemWallet:
        """The wallet: the named folder, or the one of the organisation in the directory."""
        from medfab_gateway.wallet import FileSystemWallet

        return FileSystemWallet(self.wallet_folder or self._folder() / "wallet")

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
        return wallet.get(label)

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

    @click.option(
        "--dir",
        "directory",
        type=click.Path(path_type=Path),
        default=DEFAULT_DIRECTORY,
        show_default=True,
        envvar="MEDFAB_DIR",
        help="Folder of a network made by `medfab network up`.",
    )
    @click.option("--org", "organization", envvar="MEDFAB_ORG", help="Organisation to act for.")
    @click.option(
        "--profile",
        "profile_file",
        type=click.Path(path_type=Path),
        envvar="MEDFAB_PROFILE",
        help="Fabric connection profile, in place of --dir.",
    )
    @click.option(
        "--wallet",
        "wallet_folder",
        type=click.Path(path_type=Path),
        envvar="MEDFAB_WALLET",
        help="Wallet folder, in place of --dir.",
    )
    def command(
        directory: Path,
        organization: str | None,
        profile_file: Path | None,
        wallet_folder: Path | None,
        **others: Any,
    ) -> Any:
        connection = Connection(
            directory=directory,
            organization=organization,
            profile_file=profile_file,
            wallet_folder=wallet_folder,
        )
        return function(connection=connection, **others)

    command.__name__ = function.__name__
    command.__doc__ = function.__doc__
    params = getattr(function, "__click_params__", [])
    command.__click_params__ = [*params, *command.__click_params__]  # type: ignore[attr-defined]
    return command  # type: ignore[return-value]


def identity_option(function: _F) -> _F:
    """`--identity`: who calls."""
    return click.option(
        "--identity",
        "label",
        envvar="MEDFAB_IDENTITY",
        help="Label of the wallet's identity.  [required]",
    )(function)


def channel_option(function: _F) -> _F:
    """`--channel`: which channel."""
    return click.option(
        "--channel",
        "channel",
        required=True,
        envvar="MEDFAB_CHANNEL",
        help="Name of the channel.",
    )(function)
