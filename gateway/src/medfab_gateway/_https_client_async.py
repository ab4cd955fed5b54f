"""The HTTPS client of Fabric's REST services: certificate authorities, orderer administration."""

from __future__ import annotations

import httpx

from medfab_gateway._https import check_url, timeouts, tls_context


def https_client(
    url: str,
    *,
    tls_root_certificates: bytes,
    client_certificate: bytes | None = None,
    client_key: bytes | None = None,
    timeout: float,
) -> httpx.AsyncClient:
    """A client for one server; `timeout` is in seconds and covers each read, write and connect.

    Trusted are the given roots and no others. Proxies of the environment are not used.

    Raises:
        ValueError: The URL is not https, or a PEM cannot be read.
    """
    check_url(url)
    return httpx.AsyncClient(
        base_url=url,
        verify=tls_context(url, tls_root_certificates, client_certificate, client_key),
        timeout=timeouts(timeout),
        trust_env=False,
    )
