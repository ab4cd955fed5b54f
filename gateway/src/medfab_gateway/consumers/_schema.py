"""The tables of projections in the database: made, migrated, emptied, replaced."""

from __future__ import annotations

import json
from collections.abc import Sequence

from medfab_gateway.consumers._projection import Projection
from medfab_gateway.consumers._state import ProjectionState, State
from medfab_gateway.consumers._store import Store
from medfab_gateway.consumers.errors import StoreError

STOPPED = -1
"""As the version of a projection that its consumer no longer has: it is not current."""


def form_of(projection: Projection) -> str:
    """What its tables are like, as text to compare and to find their names in."""
    return json.dumps(
        {
            "tables": {
                table.name: {
                    "columns": {
                        name: f"{column.name}{'?' if column.nullable else ''}"
                        for name, column in table.all_columns.items()
                    },
                    "key": [*table.key],
                    "indexes": [[*index] for index in table.indexes],
                }
                for table in projection.tables
            },
            "views": {view.name: view.query for view in projection.views},
        },
        sort_keys=True,
    )


def settle(
    store: Store, state: State, projections: Sequence[Projection], *, next_block: int
) -> list[Projection]:
    """Make, migrate or note what has to be: the ones returned are to be rebuilt.

    Within a transaction. Raises `StoreError` where a name belongs to somebody else.
    """
    present = state.projections()
    to_rebuild = []
    for projection in projections:
        stored = present.get(projection.name)
        _check_owner(store, state, projection, stored)
        form = form_of(projection)
        if stored is not None and (stored.version, stored.form) == (projection.version, form):
            continue
        if stored is not None and _migrate(store, projection, stored):
            state.save_projection(projection.name, version=projection.version, form=form)
        elif next_block == 0:
            replace(store, state, projection, stored)
        else:
            to_rebuild.append(projection)
    declared = {projection.name for projection in projections}
    for name, stored in present.items():
        if stored.consumer == state.consumer and name not in declared:
            state.save_projection(name, version=STOPPED, form=stored.form)
    return to_rebuild


def replace(
    store: Store, state: State, projection: Projection, stored: ProjectionState | None
) -> None:
    """Empty tables: the same ones where they have the right form, so that grants and views that
    others have made stay; else new ones."""
    form = form_of(projection)
    if stored is not None and stored.form == form:
        for table in projection.tables:
            store.execute(f"DELETE FROM {table.name}")  # noqa: S608
    else:
        if stored is not None:
            _drop(store, stored.form)
        for table in projection.tables:
            store.create(table)
        for view in projection.views:
            store.create_view(view)
    state.save_projection(projection.name, version=projection.version, form=form)
    state.drop_dead_letters(projection.name)


def _check_owner(
    store: Store, state: State, projection: Projection, stored: ProjectionState | None
) -> None:
    if stored is not None and stored.consumer != state.consumer:
        if stored.version == STOPPED:
            return
        raise StoreError(
            f"Projection {projection.name} belongs to consumer {stored.consumer} in this database, "
            f"and {state.consumer} cannot have it too.\nGive one of them another database, or "
            "take it out of one of the consumers and run that one once."
        )
    known = set() if stored is None else {*_names(stored.form)}
    for name in _names(form_of(projection)):
        if name not in known and store.has_table(name):
            raise StoreError(
                f"The database has a table {name} already, which is not of projection "
                f"{projection.name}.\nUse another database, or for PostgreSQL another `schema`."
            )


def _migrate(store: Store, projection: Projection, stored: ProjectionState) -> bool:
    """Whether there is a migration for each version since the stored one; they have been run."""
    steps = range(stored.version + 1, projection.version + 1)
    if stored.version < 0 or not steps or any(n not in projection.migrations for n in steps):
        return False
    for number in steps:
        for statement in projection.migrations[number]:
            store.execute(statement)
    return True


def _names(form: str) -> list[str]:
    described = json.loads(form)
    return [*described["tables"], *described["views"]]


def _drop(store: Store, form: str) -> None:
    described = json.loads(form)
    for name in described["views"]:
        store.execute(f"DROP VIEW IF EXISTS {name}")
    for name in described["tables"]:
        store.execute(f"DROP TABLE IF EXISTS {name}")
