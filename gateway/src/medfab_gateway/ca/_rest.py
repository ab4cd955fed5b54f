# Made by scripts/make_sync.py from _rest_async.py: change that, and run it.
"""Fabric CA's REST conventions: base path, CA name, authentication, answer envelope."""

from __future__ import annotations

import json
from collections.abc import Mapping

import httpx

from medfab_gateway._https import NO_ANSWER, explain
from medfab_gateway._https_client import https_client
from medfab_gateway.ca._error_codes import refused
from medfab_gateway.ca._result import Result
from medfab_gateway.ca._token import make_token
from medfab_gateway.ca._types import Credential
from medfab_gateway.ca.errors import (
    CertificateAuthorityError,
    CertificateAuthorityTlsError,
    CertificateAuthorityUnreachableError,
)

_BASE_PATH = "/api/v1/"


class RestClient:
    """Requests to one CA of one server."""

    def __init__(
        self, url: str, *, ca_name: str, tls_root_certificates: bytes, timeout: float
    ) -> None:
        self.url: str = url.rstrip("/")
        self.ca_name = ca_name
        self._client = https_client(
            self.url, tls_root_certificates=tls_root_certificates, timeout=timeout
        )

    def close(self) -> None:
        self._client.close()

    def get(
        self,
        operation: str,
        summary: str,
        *,
        credential: Credential | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> Result:
        """A request for reading; `summary` opens the message of an error."""
        return self._call(
            "GET", operation, summary, credential=credential, parameters=self._named(parameters)
        )

    def delete(
        self,
        operation: str,
        summary: str,
        *,
        credential: Credential,
        parameters: Mapping[str, str],
    ) -> Result:
        return self._call(
            "DELETE", operation, summary, credential=credential, parameters=self._named(parameters)
        )

    def post(
        self,
        operation: str,
        summary: str,
        body: Mapping[str, object],
        *,
        method: str = "POST",
        credential: Credential | None = None,
        basic: tuple[str, str] | None = None,
        hidden: str | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> Result:
        """A request authenticated by token (`credential`) or by id and secret (`basic`).

        `hidden` is a secret that the server may quote and no error message may show.
        """
        if self.ca_name:
            body = {**body, "caname": self.ca_name}
        return self._call(
            method,
            operation,
            summary,
            content=json.dumps(body).encode(),
            credential=credential,
            basic=basic,
            hidden=hidden,
            parameters=parameters,
        )

    def _named(self, parameters: Mapping[str, str] | None) -> dict[str, str]:
        return {**(parameters or {}), **({"ca": self.ca_name} if self.ca_name else {})}

    def _call(
        self,
        method: str,
        operation: str,
        summary: str,
        *,
        content: bytes = b"",
        credential: Credential | None = None,
        basic: tuple[str, str] | None = None,
        hidden: str | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> Result:
        request = self._client.build_request(
            method,
            _BASE_PATH + operation,
            params=parameters or None,
            content=content or None,
            headers={"Content-Type": "application/json"} if content else None,
        )
        if credential is not None:
            request.headers["Authorization"] = make_token(
                credential,
                method=method,
                request_uri=request.url.raw_path.decode("ascii"),
                body=content,
            )
        return self._send(request, summary, basic=basic, hidden=hidden)

    def _send(
        self,
        request: httpx.Request,
        summary: str,
        *,
        basic: tuple[str, str] | None = None,
        hidden: str | None = None,
    ) -> Result:
        try:
            response = self._client.send(request, auth=httpx.BasicAuth(*basic) if basic else None)
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
