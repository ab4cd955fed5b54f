"""The certificate that a running node shows to whoever connects."""

from __future__ import annotations

import asyncio
import contextlib
import ssl

from medfab_network.topology import HOST, Node


async def presented(node: Node, port: int | None = None) -> bytes | None:
    """PEM of what is shown at `port` (None: where the node serves); None where nobody answers.

    Trusts everybody: what is asked is which certificate it is, and nothing is sent.
    """
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # A server that asks for the client's certificate would break off in the midst of 1.3.
    try:
        async with asyncio.timeout(5):
            _, writer = await asyncio.open_connection(HOST, port or node.port, ssl=context)
    except (OSError, TimeoutError):
        return None
    try:
        found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    return ssl.DER_cert_to_PEM_cert(found).encode() if found else None
