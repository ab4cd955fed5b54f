"""HTTPS as Fabric's REST services need it: TLS contexts from PEM bytes, failures in plain words."""

from __future__ import annotations

import ssl
import tempfile
from dataclasses import dataclass

import httpx

CONNECT_TIMEOUT = 5.0


@dataclass(frozen=True)
class Failure:
    """Why no HTTP answer came."""

    is_tls: bool
    """The connection was made, the handshake failed."""
    reason: str
    """What happened."""
    advice: str
    """What to look at."""


def check_url(url: str) -> None:
    """Raises `ValueError` where the URL is not https."""
    if not url.startswith("https://"):
        raise ValueError(
            f"The URL must begin with https://, not {url!r}: what is sent to it is secret or "
            "decides who may join"
        )


def timeouts(timeout: float) -> httpx.Timeout:
    """Seconds for each read, write and connect; a connection is made quickly or not at all."""
    return httpx.Timeout(timeout, connect=min(timeout, CONNECT_TIMEOUT))


NO_ANSWER = (httpx.HTTPError, ssl.SSLError)
"""What sending can raise. With TLS 1.3 a server refuses a client certificate after the handshake,
in answer to the first request; httpx passes that on as it is."""


def explain(error: Exception) -> Failure:
    """Plain words for one of `NO_ANSWER`."""
    if isinstance(error, httpx.TimeoutException):
        return Failure(False, "no answer in time", "Is the server overloaded or paused?")
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError) and "expired" in cause.verify_message:
            return Failure(
                is_tls=True,
                reason=f"its TLS certificate is not accepted ({cause.verify_message})",
                advice="Whoever runs the server has to renew its TLS certificate, and to start it "
                "again (unless the clock of this machine is wrong)",
            )
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Failure(
                is_tls=True,
                reason=f"its TLS certificate is not accepted ({cause.verify_message})",
                advice="tls_root_certificates must hold the root that signed it, and the host of "
                "the URL must be among its names",
            )
        if isinstance(cause, ssl.SSLError) and "EXPIRED" in (cause.reason or ""):
            return Failure(
                is_tls=True,
                reason=f"the TLS handshake failed ({cause.reason})",
                advice="The client certificate that was shown has expired: renew it (for example "
                "with `medfab ca renew-files`), and connect again",
            )
        if isinstance(cause, ssl.SSLError):
            return Failure(
                is_tls=True,
                reason=f"the TLS handshake failed ({cause.reason})",
                advice="Does the server speak TLS on this port, and does it want a client "
                "certificate of an authority that it trusts?",
            )
        cause = cause.__cause__ or cause.__context__
    return Failure(
        is_tls=False,
        reason=f"no connection ({error or type(error).__name__})",
        advice="Is the server running and listening there?",
    )


def tls_context(
    url: str, roots: bytes, client_certificate: bytes | None, client_key: bytes | None
) -> ssl.SSLContext:
    """Trusts the given roots and no others. Raises `ValueError` for a PEM that cannot be read."""
    try:
        # Without data, the ssl module would trust the system's roots instead.
        context = ssl.create_default_context(cadata=roots.decode("ascii") or "no certificate")
    except (ssl.SSLError, UnicodeDecodeError) as error:
        raise ValueError(
            f"tls_root_certificates for {url} holds no readable PEM certificate: give the "
            "content of the file, not its path"
        ) from error
    if client_certificate is None or client_key is None:
        return context
    # The ssl module reads certificate and key from a file only; this one has mode 0600.
    with tempfile.NamedTemporaryFile(prefix="medfab-tls-") as file:
        file.write(client_certificate + b"\n" + client_key)
        file.flush()
        try:
            context.load_cert_chain(file.name)
        except ssl.SSLError as error:
            raise ValueError(
                f"The client certificate and key for {url} are no PEM or do not belong together"
            ) from error
    return context
