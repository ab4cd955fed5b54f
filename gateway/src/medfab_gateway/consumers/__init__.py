"""Event consumers: what happens on a channel, in a database, exactly once.

    from medfab_gateway.consumers import Consumer, Explorer, SqliteStore

    consumer = Consumer(
        "explorer",
        channel="care",
        connect=lambda: AsyncGateway.connect_user(".medfab", "hospital", "admin"),
        store=SqliteStore("explorer.sqlite"),
        projections=[Explorer()],
    )
    await consumer.run()

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
from medfab_gateway.consumers._config import ServiceConfiguration, load_consumers
from medfab_gateway.consumers._consumer import Consumer
from medfab_gateway.consumers._delivery import Delivery, Selection
from medfab_gateway.consumers._explorer import Explorer
from medfab_gateway.consumers._function import Database, FunctionSink
from medfab_gateway.consumers._json_lines import JsonLines
from medfab_gateway.consumers._keys import (
    KeyPattern,
    any_key,
    composite,
    composite_key,
    plain,
    readable_key,
)
from medfab_gateway.consumers._postgres import PostgresStore
from medfab_gateway.consumers._progress import Progress
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
from medfab_gateway.consumers._service import run_consumer, serve
from medfab_gateway.consumers._sink import Sink
from medfab_gateway.consumers._sqlite import SqliteStore
from medfab_gateway.consumers._state import DeadLetter
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
from medfab_gateway.consumers._webhook import Webhook, verify_signature
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
    "Consumer",
    "ConsumerError",
    "Database",
    "DeadLetter",
    "DeclarationError",
    "Delivery",
    "Emitted",
    "Explorer",
    "FunctionSink",
    "JsonLines",
    "KeyPattern",
    "LeadLostError",
    "LedgerBlock",
    "LedgerTransaction",
    "Operation",
    "PostgresStore",
    "PrivateWritten",
    "Progress",
    "Projection",
    "Selection",
    "ServiceConfiguration",
    "Sink",
    "SqliteStore",
    "Store",
    "StoreError",
    "StoreUnavailableError",
    "Table",
    "View",
    "Webhook",
    "Written",
    "any_key",
    "composite",
    "composite_key",
    "load_consumers",
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
    "run_consumer",
    "serve",
    "verify_signature",
]
