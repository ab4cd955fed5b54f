"""`medfab pharma query`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from medfab_gateway.cli._exit_codes import NotFoundError
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli.pharma._client import UnusableError


@click.command(short_help="Query captured EPCIS events, by the standard's words.")
@click.argument("parameters", nargs=-1, metavar="[NAME=VALUE]...")
@click.option(
    "--database",
    required=True,
    help="SQLite file or postgresql:// URL that a consumer with `epcis` keeps.",
)
@click.option(
    "--save", "target", type=click.Path(path_type=Path), help="Write them as an EPCIS document."
)
@pass_output
def query(parameters: tuple[str, ...], database: str, target: Path | None, output: Output) -> None:
    """Find EPCIS events that the own organisation captured.

    By the parameters of EPCIS 2.0's query interface; one given twice means
    either value. Asks the tables of a consumer (`medfab events run`) that has
    the projection `epcis`, not the network. --save and --json give EPCIS 2.0
    JSON-LD.

    \b
    Examples:
      medfab pharma query --database supply.sqlite EQ_bizStep=shipping
      medfab pharma query --database supply.sqlite \\
          MATCH_anyEPC=urn:epc:id:sgtin:9521141.001234.4711 --save found.json
      medfab pharma query --database supply.sqlite perPage=100 \\
          GE_eventTime=2026-01-01T00:00:00Z
    """
    from medfab_gateway.consumers import PostgresStore, SqliteStore, Store
    from medfab_gateway.pharma import QueryError
    from medfab_gateway.pharma.epcis import document_fields, write_document
    from medfab_gateway.pharma.epcis._write import to_json
    from medfab_gateway.pharma.query import EpcisQuery

    given: dict[str, list[str]] = {}
    for each in parameters:
        name, equals, value = each.partition("=")
        if not equals:
            raise click.UsageError(f"{each!r}: give NAME=VALUE, e.g. EQ_bizStep=shipping.")
        given.setdefault(name, []).append(value)
    store: Store
    if database.startswith(("postgresql://", "postgres://")):
        store = PostgresStore(database)
    elif Path(database).is_file():
        store = SqliteStore(database)
    else:
        raise NotFoundError(f"There is no database {database}: `medfab events run` makes one.")
    store.open()
    try:
        if not store.has_table("epcis_events"):
            raise NotFoundError(f"{database}: no consumer with the projection `epcis` fills it.")
        page = EpcisQuery(store).events(given)
    except QueryError as error:
        raise UnusableError(str(error)) from error
    finally:
        store.close()
    if target is not None:
        target.write_text(write_document(page.document), encoding="utf-8")
    if output.as_json:
        output.text(to_json(document_fields(page.document), indent=2))
        return
    output.table([_row(event) for event in page.document.events], columns=_COLUMNS)
    if page.next_page_token is not None:
        output.line(f"more: nextPageToken={page.next_page_token}")


_COLUMNS = ["time", "type", "step", "disposition", "things", "error"]


def _row(event: Any) -> dict[str, Any]:
    from medfab_gateway.pharma.projections import names_of

    roles = {"epc", "parentID", "inputEPC", "outputEPC", "epcClass"}
    things = [name.removeprefix("https://id.gs1.org/") for role, name in names_of(event)
              if role in roles]  # fmt: skip
    more = [f"and {len(things) - 3} more"] if len(things) > 3 else []
    return {
        "time": f"{event.event_time:%Y-%m-%d %H:%M:%S}",
        "type": event.type,
        "step": event.biz_step,
        "disposition": event.disposition,
        "things": [*things[:3], *more],
        "error": event.error_declaration is not None,
    }
