"""The command `medfab-chaincode serve`."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import click

from medfab_chaincode._contract import Contract
from medfab_chaincode._loading import load_contract, search_working_directory
from medfab_chaincode._log import LogFormat, configure_logging, log_unhandled
from medfab_chaincode._serve import serve as serve_contracts
from medfab_chaincode._settings import ClientSettings, ServerSettings
from medfab_chaincode.errors import ChaincodeError

_FILE = click.Path(path_type=Path)
_ADDRESS = "HOST:PORT"


@click.command()
@click.argument("contracts", nargs=-1, required=True, metavar="MODULE:CLASS...")
@click.option(
    "--address",
    envvar="CHAINCODE_SERVER_ADDRESS",
    metavar=_ADDRESS,
    help="Where to listen for peers; port 0 takes a free one.",
)
@click.option(
    "--peer-address",
    envvar="CORE_PEER_ADDRESS",
    metavar=_ADDRESS,
    help="Dial this peer instead of listening. Ignored where there is an --address.",
)
@click.option(
    "--chaincode-id",
    envvar=["CHAINCODE_ID", "CORE_CHAINCODE_ID_NAME"],
    required=True,
    metavar="LABEL:HASH",
    help="The package id that the peers installed.",
)
@click.option(
    "--tls-key-file",
    envvar=["CHAINCODE_TLS_KEY_FILE", "CORE_TLS_CLIENT_KEY_FILE"],
    type=_FILE,
    help="Private key, PEM.",
)
@click.option(
    "--tls-cert-file",
    envvar=["CHAINCODE_TLS_CERT_FILE", "CORE_TLS_CLIENT_CERT_FILE"],
    type=_FILE,
    help="Certificate, PEM.",
)
@click.option(
    "--client-ca-cert-file",
    envvar="CHAINCODE_CLIENT_CA_CERT_FILE",
    type=_FILE,
    help="Let only clients in that have a certificate of these CAs, PEM.",
)
@click.option(
    "--peer-ca-cert-file",
    envvar="CORE_PEER_TLS_ROOTCERT_FILE",
    type=_FILE,
    help="Dial only a peer that has a certificate of these CAs, PEM.",
)
@click.option(
    "--tls-disabled",
    envvar="CHAINCODE_TLS_DISABLED",
    is_flag=True,
    help="Plaintext: for development on one machine.",
)
@click.option(
    "--peer-tls-enabled",
    envvar="CORE_PEER_TLS_ENABLED",
    type=bool,
    default=True,
    show_default=True,
    help="false: dial the peer in plaintext.",
)
@click.option(
    "--reconnect",
    envvar="CHAINCODE_RECONNECT",
    is_flag=True,
    help="Dial again when the stream ends: for peers in development mode.",
)
@click.option(
    "--msp-id",
    envvar="CORE_PEER_LOCALMSPID",
    default="",
    help="The peer's organisation, for contracts that ask for it.",
)
@click.option(
    "--drain-seconds",
    envvar="CHAINCODE_DRAIN_SECONDS",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    help="How long running transactions may take to finish on SIGTERM.",
)
@click.option(
    "--operations-address",
    envvar="CHAINCODE_OPERATIONS_ADDRESS",
    metavar=_ADDRESS,
    help="Where to answer HTTP requests for /healthz, /readyz and /metrics.",
)
@click.option("--metrics", envvar="CHAINCODE_METRICS", is_flag=True, help="Prometheus metrics.")
@click.option("--telemetry", envvar="CHAINCODE_TELEMETRY", is_flag=True, help="OpenTelemetry.")
@click.option(
    "--log-format",
    envvar="CHAINCODE_LOG_FORMAT",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
)
@click.option(
    "--log-level",
    envvar="CHAINCODE_LOG_LEVEL",
    type=click.Choice(["debug", "info", "warning", "error"], case_sensitive=False),
    default="info",
    show_default=True,
)
@click.pass_context
def serve(
    context: click.Context,
    *,
    contracts: tuple[str, ...],
    address: str | None,
    peer_address: str | None,
    chaincode_id: str,
    tls_key_file: Path | None,
    tls_cert_file: Path | None,
    client_ca_cert_file: Path | None,
    peer_ca_cert_file: Path | None,
    tls_disabled: bool,
    peer_tls_enabled: bool,
    reconnect: bool,
    msp_id: str,
    drain_seconds: float,
    operations_address: str | None,
    metrics: bool,
    telemetry: bool,
    log_format: LogFormat,
    log_level: str,
) -> None:
    """Serve contract classes as chaincode. The first one is the default contract.

    With --address, peers dial this process (chaincode as a service); it prints "listening on
    HOST:PORT" when they can. With --peer-address it dials a peer, with the settings that a peer
    hands to chaincode that it starts, and prints "dialling HOST:PORT".

    SIGTERM and SIGINT let running transactions finish; a second one ends the process at once.
    Every option can be set by its environment variable, e.g. CHAINCODE_SERVER_ADDRESS.

    \b
    Example:
      medfab-chaincode serve medfab_chaincode.ehr:EhrContract \\
        --address 127.0.0.1:9999 --chaincode-id ehr:4f1c... \\
        --tls-key-file server.key --tls-cert-file server.pem --client-ca-cert-file ca.pem
    """
    configure_logging(log_format, log_level)
    common: dict[str, Any] = {
        "chaincode_id": chaincode_id,
        "tls_key_file": tls_key_file,
        "tls_certificate_file": tls_cert_file,
        "msp_id": msp_id,
        "drain_seconds": drain_seconds,
        "operations_address": operations_address,
        "metrics": metrics,
        "telemetry": telemetry,
    }
    settings: ServerSettings | ClientSettings
    if address:
        settings = ServerSettings(
            address=address,
            client_ca_certificate_file=client_ca_cert_file,
            tls_disabled=tls_disabled,
            **common,
        )
    elif peer_address:
        settings = ClientSettings(
            peer_address=peer_address,
            peer_ca_certificate_file=peer_ca_cert_file,
            tls_disabled=tls_disabled or not peer_tls_enabled,
            reconnect=reconnect,
            **common,
        )
    else:
        raise click.UsageError("set --address to listen, or --peer-address to dial a peer")
    search_working_directory()
    instances = [load_contract(name) for name in contracts]
    try:
        _run(instances, settings)
    except ChaincodeError as error:
        raise click.ClickException(str(error)) from error
    context.exit(0)


def _run(contracts: list[Contract], settings: ServerSettings | ClientSettings) -> None:
    try:
        import uvloop
    except ImportError:
        asyncio.run(_serve(contracts, settings))
    else:
        uvloop.run(_serve(contracts, settings))


async def _serve(contracts: list[Contract], settings: ServerSettings | ClientSettings) -> None:
    doing = "listening on" if isinstance(settings, ServerSettings) else "dialling"
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(log_unhandled)
    stop = asyncio.Event()

    def on_signal() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
            # The next one is the kernel's: it ends the process even if a contract hangs.
            signal.signal(number, signal.SIG_DFL)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    await serve_contracts(
        contracts,
        settings,
        stop=stop,
        on_listening=lambda address: click.echo(f"{doing} {address}"),
    )
