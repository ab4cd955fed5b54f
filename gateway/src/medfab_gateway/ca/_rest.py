"""Fabric CA's REST conventions: base path, CA name, authentication, answer envelope."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping

import httpx

from medfab_gateway._https import NO_ANSWER, explain, https_client
from medfab_gateway.ca._token import make_token
from medfab_gateway.ca._types import Credential
from medfab_gateway.ca.errors import (
    CertificateAuthorityError,
    CertificateAuthorityTlsError,
    CertificateAuthorityUnreachableError,
    refused,
)

_BASE_PATH = "/api/v1/"


class Result:
    """The `result` object of an answer; a missing field is a `CertificateAuthorityError`."""

    def __init__(self, fields: object, *, url: str) -> None:
        self._fields: Mapping[str, object] = fields if isinstance(fields, dict) else {}
        self._url = url

    def text(self, name: str) -> str:
        value = self._fields.get(name)
        if not isinstance(value, str):
            raise CertificateAuthorityError(
                f"Field {name} is missing in the answer of the server",
                url=self._url,
                advice="Fabric CA 1.5 sends it: is the server another version?",
            )
        return value

    def decoded(self, name: str) -> bytes:
        """A field in base64."""
        try:
            return base64.b64decode(self.text(name), validate=True)
        except binascii.Error as error:
            raise CertificateAuthorityError(
                f"Field {name} is not base64 in the answer of the server", url=self._url
            ) from error

    def part(self, name: str) -> Result:
        """A nested object."""
        return Result(self._fields.get(name), url=self._url)


class RestClient:
    """Requests to one CA of one server."""

    def __init__(
        self, url: str, *, ca_name: str, tls_root_certificates: bytes, timeout: float
    ) -> None:
        self.url = url.rstrip("/")
        self.ca_name = ca_name
        self._client = https_client(
            self.url, tls_root_certificates=tls_root_certificates, timeout=timeout
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def get(self, operation: str, summary: str) -> Result:
        """A request without authentication; `summary` opens the message of an error."""
        parameters = {"ca": self.ca_name} if self.ca_name else None
        request = self._client.build_request("GET", _BASE_PATH + operation, params=parameters)
        return await self._send(request, summary)

    async def post(
        self,
        operation: str,
        summary: str,
        body: dict[str, object],
        *,
        credential: Credential | None = None,
        basic: tuple[str, str] | None = None,
        hidden: str | None = None,
    ) -> Result:
        """A request authenticated by token (`credential`) or by id and secret (`basic`).

        `hidden` is a secret that the server may quote and no error message may show.
        """
        if self.ca_name:
            body = {**body, "caname": self.ca_name}
        content = json.dumps(body).encode()
        request = self._client.build_request(
            "POST",
            _BASE_PATH + operation,
            content=content,
            headers={"Content-Type": "application/json"},
        )
        if credential is not None:
            request.headers["Authorization"] = await make_token(
                credential,
                method=request.method,
                request_uri=request.url.raw_path.decode("ascii"),
                body=content,
            )
        return await self._send(request, summary, basic=basic, hidden=hidden)

    async def _send(
        self,
        request: httpx.Request,
        summary: str,
        *,
        basic: tuple[str, str] | None = None,
        hidden: str | None = None,
    ) -> Result:
        try:
            response = await self._client.send(
                request, auth=httpx.BasicAuth(*basic) if basic else None
            )
        except NO_ANSWER as error:
            failure = explain(error)
            error_type = (
                CertificateAuthorityTlsError
                if failure.is_tls
                else CertificateAuthorityUnreachableError
            )
            raise error_type(
                f"{summary}: {failure.reason}", url=self.url, advice=failure.advice
            ) from error
        try:
            envelope = response.json()
            if envelope["success"]:
                return Result(envelope["result"], url=self.url)
            first = envelope["errors"][0]
            code, message = int(first["code"]), str(first["message"])
        except (ValueError, LookupError, TypeError) as error:
            raise CertificateAuthorityError(
                f"{summary}: HTTP {response.status_code} without the answer of a Fabric CA",
                url=self.url,
                advice="Is the URL that of fabric-ca-server, not of its operations endpoint or "
                "of a proxy?",
            ) from error
        if hidden:
            # The server quotes a body that it cannot read, the secret included.
            message = message.replace(hidden, "***")
        raise refused(
            summary, url=self.url, code=code, message=message, status=response.status_code
        )
