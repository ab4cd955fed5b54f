"""Whether a node answers, with the TLS certificate that is expected of it."""

from __future__ import annotations

import asyncio
import ssl

from medfab_gateway.endpoint import Endpoint


async def tls_problem(endpoint: Endpoint, timeout: float) -> str | None:
    """What is wrong, in words; None: a connection was made, and TLS agreed upon.

    timeout: in seconds.
    """
    host, _, port = endpoint.address.rpartition(":")
    context = None
    if not endpoint.insecure:
        roots = endpoint.tls_root_certificates
        context = ssl.create_default_context(cadata=roots.decode("ascii") if roots else None)
        context.set_alpn_protocols(["h2"])
    try:
        async with asyncio.timeout(timeout):
            _, writer = await asyncio.open_connection(
                host.strip("[]"),
                int(port),
                ssl=context,
                server_hostname=(endpoint.server_name or host) if context else None,
            )
    except TimeoutError:
        return f"no answer within {timeout:g} s: is it running, and not behind a firewall?"
    except ssl.SSLCertVerificationError as error:
        if "expired" in error.verify_message:
            return (
                f"its TLS certificate is not accepted ({error.verify_message}): whoever runs it "
                "has to renew the certificate, and to start the node again"
            )
        return (
            f"its TLS certificate is not accepted ({error.verify_message}): are tlsCACerts and the "
            "host name (ssl-target-name-override) those of this node?"
        )
    except ssl.SSLError as error:
        return f"the TLS handshake failed ({error.reason}): does it speak TLS on this port?"
    except OSError as error:
        return f"no connection ({error.strerror or error}): is it running?"
    writer.transport.abort()
    return None
