"""Names that a contract may not use: clocks, randomness, the network, the machine, hashes."""

import ast
from collections.abc import Iterator, Mapping

from ._rules import Finding
from ._source import Source

# A name forbids what is inside of it, too.
_MODULES = {
    "network": (
        "aiohttp", "ftplib", "grpc", "http.client", "http.server", "httpx", "imaplib", "poplib",
        "requests", "select", "selectors", "smtplib", "socket", "socketserver", "ssl",
        "urllib.request", "urllib3", "websockets", "xmlrpc",
    ),
    "gateway": ("medfab_gateway", "medfab_network"),
}  # fmt: skip

_NAMES = {
    "clock": (
        "time.asctime", "time.clock_gettime", "time.clock_gettime_ns", "time.ctime", "time.gmtime",
        "time.localtime", "time.monotonic", "time.monotonic_ns", "time.perf_counter",
        "time.perf_counter_ns", "time.process_time", "time.process_time_ns", "time.sleep",
        "time.strftime", "time.thread_time", "time.time", "time.time_ns",
        "datetime.date.today", "datetime.datetime.now", "datetime.datetime.today",
        "datetime.datetime.utcnow", "asyncio.sleep", "asyncio.timeout", "asyncio.timeout_at",
        "asyncio.wait_for",
    ),
    "random": (
        "cryptography.fernet.Fernet.generate_key", "numpy.random", "os.getrandom", "os.urandom",
        "random", "secrets", "uuid.uuid1", "uuid.uuid4", "uuid.uuid6", "uuid.uuid7",
    ),
    "network": (
        "asyncio.open_connection", "asyncio.open_unix_connection", "asyncio.start_server",
        "asyncio.start_unix_server",
    ),
    "process": (
        "asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell", "ctypes", "getpass",
        "glob", "input", "io.open", "locale", "multiprocessing", "open", "os", "pathlib.Path",
        "pathlib.PosixPath", "platform", "pwd", "resource", "shutil", "signal", "sqlite3",
        "subprocess", "sys", "tempfile", "time.timezone", "time.tzname", "zoneinfo",
    ),
    "order": ("asyncio.as_completed", "asyncio.wait", "concurrent.futures.as_completed"),
    "hash": ("hash", "id", "object.__hash__"),
}  # fmt: skip

_HARMLESS = (
    "os.PathLike", "os.fspath", "os.path.basename", "os.path.dirname", "os.path.join",
    "os.path.split", "os.path.splitext", "sys.exc_info", "sys.exit", "sys.maxsize",
)  # fmt: skip


def forbidden_names(source: Source) -> Iterator[Finding]:
    """Find modules where they are imported, and everything else where it is used."""
    for node in source.nodes:
        for module in _imported(node):
            if rule := _rule(module, _MODULES):
                yield source.finding(node, rule, f"the import of `{module}`")
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            name = source.name_of(node)
            is_whole = not isinstance(next(source.holders(node)), ast.Attribute)
            # `os.urandom` is in two rules: the first one is the one that names it.
            rule = _rule(name, _NAMES) if is_whole and not _within(name, _HARMLESS) else None
            if rule is not None:
                yield source.finding(node, rule, f"`{name}`")
        if isinstance(node, ast.Call) and _is_in_local_time(source, node):
            what = f"`{ast.unparse(node.func)}()` in the machine's time zone"
            yield source.finding(node, "process", what)


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def _rule(name: str, forbidden: Mapping[str, tuple[str, ...]]) -> str | None:
    return next((rule for rule, names in forbidden.items() if _within(name, names)), None)


def _within(name: str, outer: tuple[str, ...]) -> bool:
    return any(name == other or name.startswith(f"{other}.") for other in outer)


def _is_in_local_time(source: Source, call: ast.Call) -> bool:
    if call.keywords:
        return False
    if isinstance(call.func, ast.Attribute) and call.func.attr == "astimezone":
        return not call.args
    name = source.name_of(call.func)
    return len(call.args) == 1 and name in (
        "datetime.datetime.fromtimestamp",
        "datetime.date.fromtimestamp",
    )
