"""`medfab channel edit`: change a channel's configuration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medfab_gateway.cli._admin import (
    channel_admin,
    host_and_port,
    out_option,
    read_file,
    read_text,
    write_file,
)
from medfab_gateway.cli._channel_update import described, submit_request
from medfab_gateway.cli._confirm import confirm, yes_option
from medfab_gateway.cli._connection import (
    Connection,
    channel_option,
    identity_option,
    pass_connection,
)
from medfab_gateway.cli._group import Group
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._run import run

if TYPE_CHECKING:
    from medfab_gateway.admin import ChannelConfig, ConfigEditor, ConfigUpdateRequest

_Edit = Callable[..., Any]


@click.group(cls=Group)
def edit() -> None:
    """Change the configuration of a channel.

    Each command reads the configuration in force, changes it, signs the
    update, and hands it in. With --out it writes the signed update to a file
    instead, for other organisations to sign (`medfab channel update`): most
    changes need a majority of them. What concerns one organisation alone
    (anchor, crl) needs its own administrator only.

    \b
    Examples:
      medfab channel edit anchor HospitalMSP localhost:17042 \\
          --channel care --org hospital --identity admin
      medfab channel edit batch --timeout 1s --max-messages 100 \\
          --channel care --org hospital --identity admin --out update.pb
    """


def _edits(question: str | None = None) -> Callable[[_Edit], Callable[..., None]]:
    """A command of a function that changes a `ConfigEditor`; with a question, one that asks."""

    def decorate(function: _Edit) -> Callable[..., None]:
        @channel_option
        @identity_option
        @out_option("Write the signed update to this file, and do not hand it in.")
        @pass_connection
        @pass_output
        def command(
            channel: str,
            label: str | None,
            out: Path | None,
            connection: Connection,
            output: Output,
            yes: bool = True,
            **arguments: Any,
        ) -> None:
            change = _prepared(function, arguments)
            found = _config(connection, label, channel)
            request = _changed(found, change, output)
            if request is None:
                return
            if question is not None and out is None:
                confirm(question.format(channel=channel, **arguments), yes=yes)
            entry = connection.entry(label)
            signed = request.sign(entry.identity, entry.signer())
            if out is None:
                submit_request(signed, label, connection, output)
                return
            write_file(out, signed.to_bytes())
            facts = described(signed, found) | {"file": str(out)}
            if output.as_json:
                output.json(facts)
            else:
                output.table(facts["changes"], columns=["action", "kind", "path", "needs"])
                output.line(f"Signed by {', '.join(facts['signed_by'])}, and written to {out}.")

        decorated = command if question is None else yes_option(command)
        decorated.__name__ = function.__name__
        decorated.__doc__ = function.__doc__
        own = getattr(function, "__click_params__", [])
        decorated.__click_params__ = [*decorated.__click_params__, *own]  # type: ignore[attr-defined]
        return decorated

    return decorate


def _prepared(function: _Edit, arguments: dict[str, Any]) -> Callable[[ConfigEditor], object]:
    """The change; files are read before any node is asked."""
    return lambda editor: function(editor, **arguments)


def _changed(
    found: ChannelConfig, change: Callable[[ConfigEditor], object], output: Output
) -> ConfigUpdateRequest | None:
    """The update, or None where the configuration is like that already."""
    from medfab_gateway.admin import ConfigEditor, NoChangeError

    editor = ConfigEditor(found)
    change(editor)
    try:
        return editor.update()
    except NoChangeError as error:
        output.line(f"{error}.")
        if output.as_json:
            sequence = found.typed.sequence
            facts = {"channel": found.channel_name, "changed": False, "sequence": sequence}
            output.json(facts)
        return None


def _config(connection: Connection, label: str | None, channel: str) -> ChannelConfig:
    async def ask() -> ChannelConfig:
        async with channel_admin(connection, label) as channels:
            return await channels.config(channel)

    return run(ask)


@edit.command()
@click.option("--timeout", help="How long the first transaction of a block waits: 250ms, 2s.")
@click.option("--max-messages", type=int, help="Transactions in a block.")
@click.option("--max-bytes", type=int, help="A larger transaction is refused.")
@click.option("--preferred-bytes", type=int, help="A block is cut before it becomes larger.")
@_edits()
def batch(
    editor: ConfigEditor,
    timeout: str | None,
    max_messages: int | None,
    max_bytes: int | None,
    preferred_bytes: int | None,
) -> None:
    """Change how large blocks become, and how soon they come.

    \b
    Example:
      medfab channel edit batch --timeout 1s --max-messages 100 \\
          --channel care --org hospital --identity admin --out update.pb
    """
    editor.set_batch(
        max_message_count=max_messages,
        absolute_max_bytes=max_bytes,
        preferred_max_bytes=preferred_bytes,
        timeout=timeout,
    )


@edit.command()
@click.argument("resource")
@click.argument("policy", required=False)
@_edits()
def acl(editor: ConfigEditor, resource: str, policy: str | None) -> None:
    """Let those who satisfy POLICY use RESOURCE; without POLICY, Fabric's default again.

    \b
    Examples:
      medfab channel edit acl qscc/GetBlockByNumber /Channel/Application/Admins \\
          --channel care --org hospital --identity admin --out update.pb
      medfab channel edit acl qscc/GetBlockByNumber \\
          --channel care --org hospital --identity admin --out update.pb
    """
    editor.set_acl(resource, policy)


@edit.command()
@click.argument("msp_id", metavar="MSPID")
@click.argument("peers", nargs=-1, metavar="[HOST:PORT]...")
@_edits()
def anchor(editor: ConfigEditor, msp_id: str, peers: tuple[str, ...]) -> None:
    """Say which peers of MSPID others turn to first; none removes them.

    \b
    Example:
      medfab channel edit anchor HospitalMSP peer0.hospital.example:7051 \\
          --channel care --org hospital --identity admin
    """
    editor.set_anchor_peers(msp_id, [host_and_port(each, "HOST:PORT") for each in peers])


@edit.command("add-org")
@click.argument("definition", type=click.Path(path_type=Path, dir_okay=False))
@_edits()
def add_org(editor: ConfigEditor, definition: Path) -> None:
    """Take in the organisation in DEFINITION (`medfab org definition` writes it).

    Look at it first with `medfab org show`, and compare the fingerprint of
    its root certificate with the organisation by another way.

    \b
    Example:
      medfab channel edit add-org pharmacy2.json --channel care \\
          --org hospital --identity admin --out join.pb
    """
    from medfab_gateway.admin import OrganizationDefinition

    text = read_text(definition, "DEFINITION")
    editor.add_organization(OrganizationDefinition.from_json(text))


@edit.command("remove-org")
@click.argument("msp_id", metavar="MSPID")
@_edits("Put {msp_id} out of {channel}? Its peers keep the blocks that they have.")
def remove_org(editor: ConfigEditor, msp_id: str) -> None:
    """Put an organisation out. Its peers keep the blocks that they have.

    \b
    Example:
      medfab channel edit remove-org Pharmacy2MSP --channel care \\
          --org hospital --identity admin --out leave.pb
    """
    editor.remove_organization(msp_id)


@edit.command("add-orderer")
@click.argument("address", metavar="HOST:PORT")
@click.argument("msp_id", metavar="MSPID")
@click.option(
    "--tls-certificate",
    "certificate",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The orderer's TLS certificate, PEM.",
)
@click.option(
    "--identity-certificate",
    "identity",
    type=click.Path(path_type=Path, dir_okay=False),
    help="BFT: the certificate that it signs blocks with, PEM (msp/signcerts).",
)
@_edits()
def add_orderer(
    editor: ConfigEditor, address: str, msp_id: str, certificate: Path, identity: Path | None
) -> None:
    """Take the orderer HOST:PORT of MSPID into the consensus, and list it for clients.

    Let it join before, with the newest configuration block (`medfab block
    fetch config`, `medfab channel orderer join`): it follows then, and has all
    blocks when it is counted. One at a time.

    \b
    Example:
      medfab channel edit add-orderer orderer3.example:7050 OrdererMSP \\
          --tls-certificate orderer3.pem --channel care \\
          --org hospital --identity admin --out update.pb
    """
    host, port = host_and_port(address, "HOST:PORT")
    pem = read_file(certificate, "--tls-certificate")
    editor.add_orderer(
        host,
        port,
        msp_id=msp_id,
        client_tls_certificate=pem,
        server_tls_certificate=pem,
        identity_certificate=read_file(identity, "--identity-certificate") if identity else None,
    )


@edit.command("remove-orderer")
@click.argument("address", metavar="HOST:PORT")
@_edits("Take the orderer {address} out of the consensus of {channel}?")
def remove_orderer(editor: ConfigEditor, address: str) -> None:
    """Take the orderer HOST:PORT out of the consensus and out of every list.

    \b
    Example:
      medfab channel edit remove-orderer orderer3.example:7050 \\
          --channel care --org hospital --identity admin --out update.pb
    """
    editor.remove_orderer(*host_and_port(address, "HOST:PORT"))


_PEM = click.Path(path_type=Path, dir_okay=False)


@edit.command("replace-orderer")
@click.argument("address", metavar="HOST:PORT")
@click.option("--tls-certificate", type=_PEM, help="Its new TLS certificate, PEM.")
@click.option("--identity-certificate", type=_PEM, help="Its new identity, PEM; BFT alone.")
@_edits()
def replace_orderer(
    editor: ConfigEditor,
    address: str,
    tls_certificate: Path | None,
    identity_certificate: Path | None,
) -> None:
    """Give the orderer HOST:PORT other certificates.

    From the moment that this is in force it is locked out, until it is
    started again with them. One orderer at a time, on each of its channels.

    \b
    Example:
      medfab channel edit replace-orderer orderer2.example:7050 \\
          --tls-certificate new.pem --channel care \\
          --org hospital --identity admin --out update.pb
    """
    host, port = host_and_port(address, "HOST:PORT")
    if tls_certificate is None and identity_certificate is None:
        raise click.UsageError("Give --tls-certificate, --identity-certificate, or both.")
    tls = read_file(tls_certificate, "--tls-certificate") if tls_certificate else None
    identity = None
    if identity_certificate is not None:
        identity = read_file(identity_certificate, "--identity-certificate")
    editor.replace_orderer_certificates(
        host,
        port,
        client_tls_certificate=tls,
        server_tls_certificate=tls,
        identity_certificate=identity,
    )


@edit.command()
@click.argument("msp_id", metavar="MSPID")
@click.option("--root", "roots", type=_PEM, multiple=True, required=True, help="Of identities.")
@click.option("--tls-root", "tls_roots", type=_PEM, multiple=True, required=True, help="Of TLS.")
@_edits()
def roots(
    editor: ConfigEditor, msp_id: str, roots: tuple[Path, ...], tls_roots: tuple[Path, ...]
) -> None:
    """Set the root certificates of MSPID: what others have issued is refused.

    For a new root of its authorities: first the old and the new one; then
    the new one alone, when nobody uses certificates of the old one any more.
    The organisation's own administrator suffices.

    \b
    Example:
      medfab channel edit roots HospitalMSP --root old.pem --root new.pem \\
          --tls-root old-tls.pem --tls-root new-tls.pem --channel care \\
          --org hospital --identity admin
    """
    editor.set_roots(
        msp_id,
        roots=[read_file(each, "--root") for each in roots],
        tls_roots=[read_file(each, "--tls-root") for each in tls_roots],
    )


@edit.command()
@click.argument("msp_id", metavar="MSPID")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_edits()
def crl(editor: ConfigEditor, msp_id: str, file: Path) -> None:
    """Put the revocation list in FILE (PEM) into force for MSPID.

    It takes the place of an earlier list of the same certificate authority.
    The organisation's own administrator suffices.

    \b
    Example:
      medfab channel edit crl HospitalMSP hospital.crl --channel care \\
          --org hospital --identity admin
    """
    editor.add_revocation_list(msp_id, read_file(file, "FILE"))


@edit.command("json")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_edits()
def edit_json(editor: ConfigEditor, file: Path) -> None:
    """Make the configuration what FILE says, for all that has no command.

    FILE is what `medfab channel config --json` has written, with your changes.

    \b
    Example:
      medfab channel edit json care.json --channel care \\
          --org hospital --identity admin --out update.pb
    """
    editor.set_json(read_text(file, "FILE"))
