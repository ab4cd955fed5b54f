"""`medfab chaincode`, its definitions: approve, readiness, commit, list, query, endorsers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medfab_gateway.cli._admin import discovery, read_file
from medfab_gateway.cli._chaincode_terms import Terms, definition_options
from medfab_gateway.cli._connection import (
    Connection,
    channel_option,
    identity_option,
    pass_connection,
)
from medfab_gateway.cli._exit_codes import ConflictError, NotFoundError
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._run import run

if TYPE_CHECKING:
    from medfab_gateway.admin import AsyncLifecycle, ChaincodeDefinition


@click.command()
@click.argument("name")
@definition_options
@click.option(
    "--package",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The package that your peers run for it.",
)
@click.option("--package-id", help="The same by its id; neither: your peers endorse nothing.")
@click.option("--in-force", is_flag=True, help="What the channel has; no other terms are given.")
@channel_option
@identity_option
@pass_connection
@pass_output
def approve(
    name: str,
    terms: Terms,
    package: Path | None,
    package_id: str | None,
    in_force: bool,
    channel: str,
    label: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """Approve a definition of NAME for your organisation.

    Repeating it does no harm. An organisation that has joined later approves
    what is --in-force, with its own package.

    \b
    Examples:
      medfab chaincode approve ehr --version 1.0 --package ehr.tgz \\
          --policy "OutOf(2, 'HospitalMSP.peer', 'ClinicMSP.peer')" \\
          --channel care --org hospital --identity admin
      medfab chaincode approve ehr --in-force --package ehr.tgz \\
          --channel care --org pharmacy2 --identity admin
    """
    from medfab_gateway.admin import AsyncLifecycle
    from medfab_gateway.admin import package_id as id_of

    if package is not None and package_id is not None:
        raise click.UsageError("Either --package or --package-id, not both.")
    identifier = id_of(read_file(package, "--package")) if package is not None else package_id
    msp_id = connection.entry(label).identity.msp_id

    async def call() -> dict[str, Any]:
        async with connection.gateway(label) as gateway:
            lifecycle = AsyncLifecycle(gateway.network(channel))
            definition = await terms.definition(name, lifecycle)
            changed = await lifecycle.approve(definition, identifier, msp_id=msp_id)
        return {
            **_facts(definition, channel),
            "approved_by": msp_id,
            "package_id": identifier,
            "changed": changed,
        }

    output.details(run(call))


@click.command()
@click.argument("name")
@definition_options
@channel_option
@identity_option
@pass_connection
@pass_output
def readiness(
    name: str,
    terms: Terms,
    channel: str,
    label: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """Show which organisations have approved exactly this definition of NAME.

    \b
    Example:
      medfab chaincode readiness ehr --version 1.1 \\
          --channel care --org hospital --identity admin
    """
    from medfab_gateway.admin import AsyncLifecycle

    async def ask() -> list[dict[str, Any]]:
        async with connection.gateway(label) as gateway:
            lifecycle = AsyncLifecycle(gateway.network(channel))
            definition = await terms.definition(name, lifecycle)
            if await lifecycle.committed(name) == definition:
                approvals = await lifecycle.approvals(name)
            else:
                approvals = await lifecycle.check_commit_readiness(definition)
        sequence = definition.sequence
        return [
            {"organisation": msp_id, "approved": approved, "sequence": sequence}
            for msp_id, approved in approvals.items()
        ]

    output.table(run(ask), columns=["organisation", "approved", "sequence"])


@click.command()
@click.argument("name")
@definition_options
@click.option(
    "--endorser",
    "endorsers",
    multiple=True,
    metavar="MSPID",
    help="Whose peers endorse it; default: all that have approved.",
)
@channel_option
@identity_option
@pass_connection
@pass_output
def commit(
    name: str,
    terms: Terms,
    endorsers: tuple[str, ...],
    channel: str,
    label: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """Put an approved definition of NAME into force.

    Repeating it does no harm. The exit code is 6 where too few organisations
    have approved it; nothing has changed then.

    \b
    Example:
      medfab chaincode commit ehr --version 1.0 \\
          --channel care --org hospital --identity admin
    """
    from medfab_gateway.admin import AsyncLifecycle

    async def call() -> dict[str, Any]:
        async with connection.gateway(label) as gateway:
            lifecycle = AsyncLifecycle(gateway.network(channel))
            definition = await terms.definition(name, lifecycle)
            facts = _facts(definition, channel)
            if await lifecycle.committed(name) == definition:
                return {**facts, "changed": False}
            approvals = await lifecycle.check_commit_readiness(definition)
            approved = [msp_id for msp_id, yes in approvals.items() if yes]
            # As the channel's policy LifecycleEndorsement is unless somebody has changed it; where
            # it asks for fewer, --endorser says whom.
            if not endorsers and len(approved) * 2 <= len(approvals):
                missing = ", ".join(msp_id for msp_id, yes in approvals.items() if not yes)
                raise ConflictError(
                    f"{name} {definition.version} (sequence {definition.sequence}) is approved by "
                    f"{', '.join(approved) or 'nobody'}, which is no majority. Let others "
                    f"approve exactly this (`medfab chaincode approve`): {missing}"
                )
            changed = await lifecycle.commit(
                definition, endorsing_organizations=list(endorsers) or approved
            )
        return {**facts, "changed": changed}

    output.details(run(call))


@click.command("list")
@channel_option
@identity_option
@pass_connection
@pass_output
def list_definitions(
    channel: str, label: str | None, connection: Connection, output: Output
) -> None:
    """List the definitions in force on a channel.

    \b
    Example:
      medfab chaincode list --channel care --org hospital --identity admin
    """
    from medfab_gateway.admin import AsyncLifecycle

    async def ask() -> list[dict[str, Any]]:
        async with connection.gateway(label) as gateway:
            lifecycle = AsyncLifecycle(gateway.network(channel))
            return [
                {**_facts(each, channel), "approved_by": await _approved_by(lifecycle, each.name)}
                for each in await lifecycle.definitions()
            ]

    rows = run(ask)
    if rows or output.as_json:
        output.table(rows, columns=["chaincode", "version", "sequence", "approved_by"])
    else:
        output.line(f"{channel} has no chaincode.")


@click.command()
@click.argument("name")
@channel_option
@identity_option
@pass_connection
@pass_output
def query(
    name: str, channel: str, label: str | None, connection: Connection, output: Output
) -> None:
    """Show the definition of NAME that is in force, and who has approved it.

    With --json also its endorsement policy and collections.

    \b
    Example:
      medfab chaincode query ehr --channel care --org hospital --identity admin
    """
    from medfab_gateway.admin import AsyncLifecycle

    async def ask() -> dict[str, Any]:
        async with connection.gateway(label) as gateway:
            lifecycle = AsyncLifecycle(gateway.network(channel))
            committed = await lifecycle.committed(name)
            if committed is None:
                raise NotFoundError(f"{channel} has no chaincode {name!r}")
            approved = await _approved_by(lifecycle, name)
        facts = {
            **_facts(committed, channel),
            "init_required": committed.init_required,
            "approved_by": approved,
        }
        return facts | (_terms_json(committed) if output.as_json else {})

    output.details(run(ask))


@click.command()
@click.argument("name")
@click.option("--collection", "collections", multiple=True, help="Written to by the call.")
@channel_option
@identity_option
@pass_connection
@pass_output
def endorsers(
    name: str,
    collections: tuple[str, ...],
    channel: str,
    label: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """Show whose peers can endorse a call of NAME now, in which combinations.

    \b
    Example:
      medfab chaincode endorsers ehr --channel care \\
          --org hospital --identity admin
    """

    async def ask() -> dict[str, Any]:
        async with discovery(connection, label) as asked:
            found = await asked.endorsers(channel, name, collections=collections)
        names = {
            group: " or ".join(f"{each.endpoint} ({each.msp_id})" for each in peers)
            for group, peers in found.groups.items()
        }
        return {
            "chaincode": found.chaincode,
            "combinations": [
                {names[group]: count for group, count in layout.items()} for layout in found.layouts
            ],
        }

    facts = run(ask)
    if output.as_json:
        output.json(facts)
        return
    rows = [
        {"combination": [f"{count} of {peers}" for peers, count in each.items()]}
        for each in facts["combinations"]
    ]
    output.table(rows, columns=["combination"])


async def _approved_by(lifecycle: AsyncLifecycle, name: str) -> list[str]:
    return [msp_id for msp_id, yes in (await lifecycle.approvals(name)).items() if yes]


def _facts(definition: ChaincodeDefinition, channel: str) -> dict[str, Any]:
    return {
        "chaincode": definition.name,
        "channel": channel,
        "version": definition.version,
        "sequence": definition.sequence,
    }


def _terms_json(definition: ChaincodeDefinition) -> dict[str, Any]:
    from fabric_protos.peer import collection_pb2, policy_pb2

    from medfab_gateway._message_json import message_json

    policy = policy_pb2.ApplicationPolicy.FromString(definition.endorsement_policy)
    collections = collection_pb2.CollectionConfigPackage.FromString(definition.collections)
    return {
        "endorsement_policy": message_json(policy),
        "collections": message_json(collections)["config"],
    }
