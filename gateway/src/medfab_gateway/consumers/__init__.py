"""Event consumers: what happens on a channel, in a database, exactly once.

    from medfab_gateway.consumers import Explorer, SqliteStore, replay

    store = SqliteStore("explorer.sqlite")
    replay(blocks, [Explorer()], store, channel="care")
    print(store.query("SELECT count(*) FROM ledger_transactions"))

A projection of one's own: `Projection`. As a service: `medfab events run consumers.toml`.
Guide: docs/consumers.md; reasons: docs/design/consumers.md.
"""

from medfab_gateway.consumers._changes import (
    Emitted,
    LedgerBlock,
    LedgerTransaction,
    PrivateWritten,
    Written,
)
from medfab_gateway.consumers._explorer import Explorer
from medfab_gateway.consumers._keys import (
    KeyPattern,
    any_key,
    composite,
    composite_key,
    plain,
    readable_key,
)
from medfab_gateway.consumers._postgres import PostgresStore
from medfab_gateway.consumers._projection import (
    OWN,
    Projection,
    on_block,
    on_event,
    on_private,
    on_transaction,
    on_write,
    private_reader,
)
from medfab_gateway.consumers._replay import replay
from medfab_gateway.consumers._sqlite import SqliteStore
from medfab_gateway.consumers._store import Store
from medfab_gateway.consumers._tables import (
    BOOLEAN,
    BYTES,
    INTEGER,
    JSON,
    NUMBER,
    TEXT,
    TIME,
    ColumnType,
    Operation,
    Table,
    View,
    optional,
)
from medfab_gateway.consumers.errors import (
    ChainError,
    ConfigurationError,
    ConsumerError,
    DeclarationError,
    LeadLostError,
    StoreError,
    StoreUnavailableError,
)

__all__ = [
    "BOOLEAN",
    "BYTES",
    "INTEGER",
    "JSON",
    "NUMBER",
    "OWN",
    "TEXT",
    "TIME",
    "ChainError",
    "ColumnType",
    "ConfigurationError",
    "ConsumerError",
    "DeclarationError",
    "Emitted",
    "Explorer",
    "KeyPattern",
    "LeadLostError",
    "LedgerBlock",
    "LedgerTransaction",
    "Operation",
    "PostgresStore",
    "PrivateWritten",
    "Projection",
    "SqliteStore",
    "Store",
    "StoreError",
    "StoreUnavailableError",
    "Table",
    "View",
    "Written",
    "any_key",
    "composite",
    "composite_key",
    "on_block",
    "on_event",
    "on_private",
    "on_transaction",
    "on_write",
    "optional",
    "plain",
    "private_reader",
    "readable_key",
    "replay",
]
