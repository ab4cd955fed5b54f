"""Revocation lists into the configuration of channels."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from medfab_gateway.cli._admin import channel_admin_of
from medfab_gateway.cli._connection import Connection
from medfab_gateway.cli._run import run

if TYPE_CHECKING:
    from medfab_gateway.admin import AsyncChannelAdmin

_ATTEMPTS = 3
"""Where somebody else's update comes in between, ours is computed anew."""


class Channels:
    """The channels into which a list is to go, looked at before anything is revoked."""

    def __init__(self, connection: Connection, admin: str, names: Iterable[str]) -> None:
        """admin: label of an administrator of the organisation. Raises what asking can raise."""
        self._names = tuple(names)
        if not self._names:
            return
        profile = connection.profile()
        organization = connection.organization_name(profile)
        self._msp_id = profile.msp_id(organization)
        self._open = partial(channel_admin_of, connection, connection.entry(admin))
        run(self._check)

    def put(self, pem: bytes) -> dict[str, int]:
        """Put the list into force; returns the number of each channel's configuration."""
        found: dict[str, int] = {}

        async def call() -> None:
            async with self._open() as channels:
                for name in self._names:
                    found[name] = await self._put(channels, name, pem)

        if self._names:
            run(call)
        return found

    async def _check(self) -> None:
        from medfab_gateway.admin import ConfigEditor

        async with self._open() as channels:
            for name in self._names:
                # Only to see whether the organisation is a member: the editor says so if not.
                editor = ConfigEditor(await channels.config(name))
                editor.set_revocation_lists(self._msp_id, [])

    async def _put(self, channels: AsyncChannelAdmin, name: str, pem: bytes) -> int:
        from medfab_gateway.admin import ConfigEditor, NoChangeError, UpdateConflictError

        for attempt in range(1, _ATTEMPTS + 1):
            editor = ConfigEditor(await channels.config(name))
            editor.add_revocation_list(self._msp_id, pem)
            try:
                await channels.submit(await channels.sign(editor.update()))
                break
            except NoChangeError:
                break
            except UpdateConflictError:
                if attempt == _ATTEMPTS:
                    raise
        return (await channels.config(name)).typed.sequence
