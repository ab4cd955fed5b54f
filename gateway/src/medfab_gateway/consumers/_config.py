"""A file of consumers: TOML → consumers. See docs/consumers.md for the keys."""

from __future__ import annotations

import importlib
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from medfab_gateway._gateway_async import AsyncGateway
from medfab_gateway.consumers._consumer import Consumer
from medfab_gateway.consumers._delivery import Selection
from medfab_gateway.consumers._function import FunctionSink
from medfab_gateway.consumers._json_lines import JsonLines
from medfab_gateway.consumers._postgres import PostgresStore
from medfab_gateway.consumers._projection import Projection
from medfab_gateway.consumers._sink import Sink
from medfab_gateway.consumers._sqlite import SqliteStore
from medfab_gateway.consumers._store import Store
from medfab_gateway.consumers._webhook import Webhook
from medfab_gateway.consumers.errors import ConfigurationError
from medfab_gateway.profile import ConnectionProfile
from medfab_gateway.wallet import FileSystemWallet

ENTRY_POINTS = "medfab.projections"
"""The group in which distributions name their projections."""


@dataclass(frozen=True, kw_only=True)
class ServiceConfiguration:
    """What a file says."""

    consumers: Sequence[ConsumerConfiguration]
    listen: tuple[str, int] | None
    """Host and port of metrics and health; None: there are none."""

    connect: Callable[[], AsyncGateway]
    """Makes a gateway. Raises `ProfileError`, `WalletError`."""

    def named(self, name: str) -> ConsumerConfiguration:
        """Raises `ConfigurationError`."""
        for each in self.consumers:
            if each.name == name:
                return each
        raise ConfigurationError(
            f"There is no consumer {name!r}; there are {', '.join(e.name for e in self.consumers)}."
        )


@dataclass(frozen=True, kw_only=True)
class ConsumerConfiguration:
    name: str
    channel: str
    projections: Sequence[Projection]
    store: Callable[[], Store]
    """Makes one that is not open; a new one each time."""

    sinks: Callable[[], Sequence[Sink]]
    options: Mapping[str, Any]
    """Of `Consumer`."""

    def consumer(self, connect: Callable[[], AsyncGateway]) -> Consumer:
        return Consumer(
            self.name,
            channel=self.channel,
            connect=connect,
            store=self.store(),
            projections=self.projections,
            sinks=self.sinks(),
            **self.options,
        )


def load_consumers(path: str | Path) -> ServiceConfiguration:
    """Read a file. Paths in it are relative to its folder, and modules may lie beside it.

    Raises `ConfigurationError`, which says what is wrong and where.
    """
    file = Path(path)
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigurationError(f"There is no file {file}.") from error
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}.") from error
    return _Reader(file).service(document)


class _Reader:
    def __init__(self, file: Path) -> None:
        self._file = file
        self._folder = file.resolve().parent

    def service(self, document: Mapping[str, Any]) -> ServiceConfiguration:
        self._check("the file", document, {"gateway", "service", "consumer"})
        service = self._table("service", document.get("service", {}))
        self._check("[service]", service, {"listen"})
        tables = document.get("consumer", [])
        if not isinstance(tables, list) or not tables:
            raise self._wrong("it has no consumer", "Begin each with [[consumer]].")
        consumers = [self._consumer(self._table("[[consumer]]", table)) for table in tables]
        names = [each.name for each in consumers]
        if len(set(names)) != len(names):
            raise self._wrong("two consumers have one name", "Names tell consumers apart.")
        return ServiceConfiguration(
            consumers=consumers,
            listen=listen_address(service["listen"]) if "listen" in service else None,
            connect=self._connect(self._table("[gateway]", document.get("gateway", {}))),
        )

    def _connect(self, table: Mapping[str, Any]) -> Callable[[], AsyncGateway]:
        where = "[gateway]"
        self._check(where, table, {"directory", "organization", "identity", "profile", "wallet"})
        identity = self._text(where, table, "identity")
        organization = self._text(where, table, "organization")
        if "profile" in table or "wallet" in table:
            profile_file = self._path(self._text(where, table, "profile"))
            wallet_folder = self._path(self._text(where, table, "wallet"))
        else:
            directory = self._path(self._text(where, table, "directory", ".medfab"))
            folder = directory / "organizations" / organization
            profile_file, wallet_folder = folder / "connection.json", folder / "wallet"

        def connect() -> AsyncGateway:
            entry = FileSystemWallet(wallet_folder).get(identity)
            profile = ConnectionProfile.load(profile_file)
            endpoints = profile.endpoints_for(organization)
            return AsyncGateway.connect(endpoints, entry.identity, entry.signer())

        return connect

    def _consumer(self, table: Mapping[str, Any]) -> ConsumerConfiguration:
        name = self._text("[[consumer]]", table, "name")
        where = f"consumer {name}"
        options = {"start", "private", "max_transactions"}
        sinks = {"json_lines", "webhook", "function"}
        self._check(
            where,
            table,
            {"name", "channel", "database", "schema", "projections", *options, *sinks},
        )
        projections = table.get("projections", [])
        if not isinstance(projections, list):
            raise self._wrong(f"`projections` of {where} is no list", 'Write ["explorer"].')
        configuration = ConsumerConfiguration(
            name=name,
            channel=self._text(where, table, "channel"),
            projections=[self._projection(where, each) for each in projections],
            store=self._store(where, table),
            sinks=self._sinks(name, table),
            options={key: table[key] for key in options if key in table},
        )
        try:
            configuration.consumer(_unconnected)  # so that a wrong option shows now
        except TypeError as error:
            raise self._wrong(f"{where}: {error}", "See docs/consumers.md.") from error
        return configuration

    def _projection(self, where: str, entry: Any) -> Projection:
        options = {"use": entry} if isinstance(entry, str) else dict(self._table(where, entry))
        name = options.pop("use", None)
        if not isinstance(name, str):
            raise self._wrong(f"a projection of {where} has no `use`", 'As { use = "explorer" }.')
        made = self._load(where, name)
        try:
            projection = made(**options)
        except TypeError as error:
            raise self._wrong(f"projection {name} of {where}: {error}", "Mend its options.") from (
                error
            )
        if not isinstance(projection, Projection):
            raise self._wrong(f"{name} of {where} is no Projection", "Name a class of them.")
        return projection

    def _store(self, where: str, table: Mapping[str, Any]) -> Callable[[], Store]:
        database = self._text(where, table, "database")
        schema = self._text(where, table, "schema", "public")
        if database.startswith(("postgresql:", "postgres:")) or "=" in database:
            return lambda: PostgresStore(database, schema=schema)
        if "schema" in table:
            raise self._wrong(f"{where} has a `schema`", "Only PostgreSQL has schemas.")
        if database.startswith("sqlite:"):
            database = database.removeprefix("sqlite:").removeprefix("//")
        path = self._path(database)
        return lambda: SqliteStore(path)

    def _sinks(self, consumer: str, table: Mapping[str, Any]) -> Callable[[], Sequence[Sink]]:
        makers: list[Callable[[], Sink]] = []
        if "json_lines" in table:
            makers.append(self._json_lines(consumer, table["json_lines"]))
        if "webhook" in table:
            makers.append(self._webhook(consumer, table["webhook"]))
        if "function" in table:
            makers.append(self._function(consumer, table["function"]))
        return lambda: [make() for make in makers]

    def _json_lines(self, consumer: str, value: Any) -> Callable[[], Sink]:
        where = f"[consumer.json_lines] of {consumer}"
        table = self._table(where, value)
        self._check(where, table, {"path", *_SELECTION})
        path, selection = self._path(self._text(where, table, "path")), self._selection(table)
        return lambda: JsonLines("json_lines", path, selection)

    def _webhook(self, consumer: str, value: Any) -> Callable[[], Sink]:
        where = f"[consumer.webhook] of {consumer}"
        table = self._table(where, value)
        options = {"attempts", "first_pause", "longest_pause", "timeout"}
        self._check(where, table, {"url", "secret_file", "ca_file", *options, *_SELECTION})
        file = self._path(self._text(where, table, "secret_file"))
        try:
            secret = file.read_bytes().strip()
        except OSError as error:
            raise self._wrong(
                f"{where}: the secret cannot be read ({error})",
                f"Make one: openssl rand -hex 32 > {file}",
            ) from error
        more: dict[str, Any] = {key: table[key] for key in options if key in table}
        if "ca_file" in table:
            more["ca_file"] = self._path(self._text(where, table, "ca_file"))
        url, selection = self._text(where, table, "url"), self._selection(table)
        return lambda: Webhook("webhook", url, selection, secret=secret, **more)

    def _function(self, consumer: str, value: Any) -> Callable[[], Sink]:
        where = f"[consumer.function] of {consumer}"
        table = self._table(where, value)
        self._check(where, table, {"use", *_SELECTION})
        function = self._load(where, self._text(where, table, "use"))
        selection = self._selection(table)
        return lambda: FunctionSink("function", function, selection)

    def _selection(self, table: Mapping[str, Any]) -> Selection:
        return Selection(**{key: table[key] for key in _SELECTION if key in table})

    def _load(self, where: str, name: str) -> Any:
        """`module:attribute`, or the name of an entry point."""
        module, colon, attribute = name.partition(":")
        if not colon:
            points = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
            if name not in points:
                raise self._wrong(
                    f"{where} uses {name!r}, which is not installed",
                    f"There are {', '.join(sorted(points))}; your own is `module:Class`.",
                )
            return points[name].load()
        if str(self._folder) not in sys.path:
            sys.path.append(str(self._folder))
        try:
            return getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise self._wrong(
                f"{where}: {name} cannot be loaded ({error})",
                "It is looked for among the installed modules, and beside the file.",
            ) from error

    def _table(self, where: str, value: Any) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self._wrong(f"{where} is no table", "See docs/consumers.md.")
        return value

    def _text(
        self, where: str, table: Mapping[str, Any], key: str, default: str | None = None
    ) -> str:
        value = table.get(key, default)
        if not isinstance(value, str) or not value:
            raise self._wrong(f"{where} has no `{key}`", f'Add a line like {key} = "…".')
        return value

    def _path(self, text: str) -> Path:
        return self._folder / Path(text).expanduser()

    def _check(self, where: str, table: Mapping[str, Any], known: set[str]) -> None:
        unknown = sorted(table.keys() - known)
        if unknown:
            raise self._wrong(
                f"{where} has {', '.join(unknown)}",
                f"What it can have: {', '.join(sorted(known))}.",
            )

    def _wrong(self, what: str, advice: str) -> ConfigurationError:
        return ConfigurationError(f"{self._file}: {what}.\n{advice}")


def listen_address(text: Any) -> tuple[str, int]:
    """Host and port, of `127.0.0.1:9464`. Raises `ConfigurationError`."""
    host, colon, port = str(text).rpartition(":")
    if not colon or not port.isdigit() or not 0 <= int(port) < 65536:
        raise ConfigurationError(f'`listen` is {text!r}; write it as "127.0.0.1:9464".')
    return host.strip("[]") or "127.0.0.1", int(port)


_SELECTION = ("chaincode", "events", "what")


def _unconnected() -> AsyncGateway:
    raise AssertionError("only looked at, never run")
