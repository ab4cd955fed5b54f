"""TLS credentials of both ends: complete and readable, or no start."""

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from medfab_chaincode._settings import ClientSettings, ServerSettings
from medfab_chaincode.errors import SettingsError

if TYPE_CHECKING:
    import grpc


def server_context(settings: ServerSettings) -> ssl.SSLContext | None:
    """Load the server's TLS files; None means that plaintext was asked for explicitly.

    The files are looked at again at each handshake: certificates are replaced while the server
    runs, and connections that are open stay so. Files that do not fit together (they are just
    being replaced) change nothing.

    Raises `SettingsError`, naming the setting and the file.
    """
    key, certificate = settings.tls_key_file, settings.tls_certificate_file
    authorities = settings.client_ca_certificate_file
    if _own_pair(settings, authorities) is None or certificate is None:
        return None
    files = (key, certificate, authorities)

    def versions() -> list[tuple[int, int] | None]:
        return [_version(path) for path in files]

    seen = versions()
    context = current = _loaded(certificate, key, authorities)

    def at_handshake(connection: ssl.SSLObject, name: str | None, first: ssl.SSLContext) -> None:
        nonlocal current, seen
        found = versions()
        if found != seen:
            try:
                _own_pair(settings, authorities)
                current = _loaded(certificate, key, authorities)
            except (SettingsError, OSError, ssl.SSLError):
                return
            seen = found
        connection.context = current

    context.sni_callback = at_handshake  # called whether or not the client names a server
    return context


def _version(path: Path | None) -> tuple[int, int] | None:
    """Changes when the file does."""
    try:
        found = path.stat() if path is not None else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_ino) if found is not None else None


def _loaded(certificate: Path, key: Path | None, ca_file: Path | None) -> ssl.SSLContext:
    """A context of a pair that has been checked."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")  # of TLS 1.2; those of 1.3 are all good
    context.set_alpn_protocols(["h2"])
    context.load_cert_chain(certificate, key, password="")
    if ca_file is not None:
        authorities = _authorities(ca_file, "the client CA certificate")
        context.load_verify_locations(cadata=authorities.decode("ascii"))
        context.verify_mode = ssl.CERT_REQUIRED
        # As Go and gRPC: an intermediate CA may be the one that is trusted.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_TRUSTED_FIRST
    return context


def client_credentials(settings: ClientSettings) -> "grpc.ChannelCredentials | None":
    """Load the TLS files for dialling a peer; None means explicit plaintext.

    Raises `SettingsError`, naming the setting and the file.
    """
    ca_file = settings.peer_ca_certificate_file
    pair = _own_pair(settings, ca_file)
    if pair is None:
        return None
    if ca_file is None:
        # Without it gRPC would believe every public CA.
        raise SettingsError("TLS to a peer needs CORE_PEER_TLS_ROOTCERT_FILE")
    import grpc  # a server does without

    key, certificate = pair
    return grpc.ssl_channel_credentials(
        _authorities(ca_file, "the peer's CA certificate"),
        private_key=key,
        certificate_chain=certificate,
    )


def _own_pair(
    settings: ServerSettings | ClientSettings, ca_file: Path | None
) -> tuple[bytes, bytes] | None:
    """Key and certificate; None for plaintext."""
    key_file = settings.tls_key_file
    certificate_file = settings.tls_certificate_file
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
    _check_pair(key_file, certificate_file)
    return key, certificate


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{what} cannot be read: {path}: {error.strerror}") from error


# As a client, gRPC takes broken PEM without a word and refuses every handshake later: hence the
# checks.


def _check_pair(key_file: Path, certificate_file: Path) -> None:
    try:
        # The empty password keeps an encrypted key from asking at the terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            certificate_file, key_file, password=""
        )
    except (ssl.SSLError, ValueError) as error:
        raise SettingsError(
            f"the TLS certificate {certificate_file} and the key {key_file} are no PEM pair that"
            " belongs together, or the key is encrypted"
        ) from error


def _authorities(path: Path, what: str) -> bytes:
    pem = _read(path, what)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem.decode("ascii"))
    except (ssl.SSLError, ValueError) as error:
        raise SettingsError(f"{what} is not PEM: {path}") from error
    return pem
