"""The authorization token of a Fabric CA request.

Source: fabric-ca v1.5 `util.GenECDSAToken`. The token is `base64(certificate).base64(signature)`;
signed is SHA-256 over `METHOD.base64(path and query).base64(body).base64(certificate)`. The server
takes low-S signatures only, which every `Signer` of ours makes.
"""

from __future__ import annotations

import base64
import hashlib

from medfab_gateway._aio import sign
from medfab_gateway.ca._types import Credential


async def make_token(credential: Credential, *, method: str, request_uri: str, body: bytes) -> str:
    """Value of the `Authorization` header for exactly this request.

    `request_uri` is path and query as sent, without scheme and host.
    """
    certificate = _encode(credential.certificate)
    signed = ".".join((method, _encode(request_uri.encode()), _encode(body), certificate))
    signature = await sign(credential.signer, hashlib.sha256(signed.encode()).digest())
    return f"{certificate}.{_encode(signature)}"


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
