"""The server's TLS credentials: complete and readable, or no start."""

import ssl
from pathlib import Path

import grpc

from medfab_chaincode._settings import ServerSettings
from medfab_chaincode.errors import SettingsError


def server_credentials(settings: ServerSettings) -> grpc.ServerCredentials | None:
    """Load the TLS files; None means that plaintext was asked for explicitly.

    gRPC negotiates TLS 1.2 or 1.3 only. Raises `SettingsError`, naming the setting and the file.
    """
    key_file = settings.tls_key_file
    certificate_file = settings.tls_certificate_file
    ca_file = settings.client_ca_certificate_file
    if settings.tls_disabled:
        if key_file or certificate_file or ca_file:
            raise SettingsError(
                "TLS is disabled and TLS files are named: remove CHAINCODE_TLS_DISABLED for TLS,"
                " or the files for plaintext"
            )
        return None
    if key_file is None or certificate_file is None:
        raise SettingsError(
            "TLS needs both CHAINCODE_TLS_KEY_FILE and CHAINCODE_TLS_CERT_FILE"
            " (plaintext needs CHAINCODE_TLS_DISABLED=true)"
        )
    key = _read(key_file, "the TLS key")
    certificate = _read(certificate_file, "the TLS certificate")
    authorities = None if ca_file is None else _read(ca_file, "the client CA certificate")
    _check(key_file, certificate_file, ca_file, authorities)
    return grpc.ssl_server_credentials(
        [(key, certificate)],
        root_certificates=authorities,
        require_client_auth=authorities is not None,
    )


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{what} cannot be read: {path}: {error.strerror}") from error


def _check(
    key_file: Path, certificate_file: Path, ca_file: Path | None, authorities: bytes | None
) -> None:
    # gRPC takes broken PEM without a word and refuses every handshake later.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # The empty password keeps an encrypted key from asking at the terminal.
        context.load_cert_chain(certificate_file, key_file, password="")
    except (ssl.SSLError, ValueError) as error:
        raise SettingsError(
            f"the TLS certificate {certificate_file} and the key {key_file} are no PEM pair that"
            " belongs together, or the key is encrypted"
        ) from error
    if authorities is not None:
        try:
            context.load_verify_locations(cadata=authorities.decode("ascii"))
        except (ssl.SSLError, ValueError) as error:
            raise SettingsError(f"the client CA certificate is not PEM: {ca_file}") from error
