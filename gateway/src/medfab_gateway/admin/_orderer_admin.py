# Made by scripts/make_sync.py from _orderer_admin_async.py: change that, and run it.
"""Administration of one orderer: the channel participation API (fabric v3.1 `restapi.go`)."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

import httpx

from medfab_gateway import _blocking
from medfab_gateway._closing import Closing
from medfab_gateway._https import NO_ANSWER, explain
from medfab_gateway._https_client import https_client
from medfab_gateway.admin._ledger_facts import JoinOutcome
from medfab_gateway.admin._participation import ChannelParticipation
from medfab_gateway.admin.errors import OrdererAdminError

_LEAVE_SECONDS = 60.0
_POLL_SECONDS = 0.1
_CHANNELS = "/participation/v1/channels"


class OrdererAdmin(Closing):
    """Administration of one orderer.

        with OrdererAdmin(
            url, tls_root_certificates=pem, client_certificate=certificate, client_key=key
        ) as orderer:
            orderer.join(genesis_block)

    The orderer knows its administrators by their TLS certificates alone
    (`Admin.TLS.ClientRootCAs`). Methods raise `OrdererAdminError`.
    """

    def __init__(
        self,
        url: str,
        *,
        tls_root_certificates: bytes,
        client_certificate: bytes,
        client_key: bytes,
        timeout: float = 30.0,
    ) -> None:
        """Prepare; the first call connects.

        Args:
            url: Of the admin endpoint (`Admin.ListenAddress`), `https://host:port`.
            tls_root_certificates: PEM of what may have signed the orderer's certificate.
            client_certificate: The administrator's TLS certificate, PEM.
            client_key: Its key, PEM, not encrypted.
            timeout: Seconds to wait for the server at each step; for the connection five at most.

        Raises:
            ValueError: The URL is not https, or a PEM cannot be read.
        """
        self._url = url.rstrip("/")
        self._client = https_client(
            self._url,
            tls_root_certificates=tls_root_certificates,
            client_certificate=client_certificate,
            client_key=client_key,
            timeout=timeout,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def join(self, genesis_block: bytes) -> JoinOutcome:
        """Join the channel of a serialised genesis or latest configuration block."""
        response = self._send(
            self._client.build_request(
                "POST",
                _CHANNELS,
                files={"config-block": ("config.block", genesis_block)},
            ),
            "Joining a channel failed",
        )
        # An orderer of Fabric 2 gives the same status where a system channel forbids joining.
        if (
            response.status_code == httpx.codes.METHOD_NOT_ALLOWED
            and "channel already exists" in _reason(response)
        ):
            return JoinOutcome.ALREADY_JOINED
        self._check(response, "Joining a channel failed", expected=httpx.codes.CREATED)
        return JoinOutcome.JOINED

    def channels(self) -> list[str]:
        """Names of the channels that the orderer has joined, sorted."""
        summary = "Listing channels failed"
        answer = self._get(_CHANNELS, summary)
        return sorted(channel["name"] for channel in answer.get("channels") or ())

    def channel(self, name: str) -> ChannelParticipation:
        """State of one channel; an `OrdererAdminError` of status 404 where it has not joined."""
        answer = self._get(
            f"{_CHANNELS}/{quote(name, safe='')}", f"Asking for channel {name} failed"
        )
        return ChannelParticipation(
            name=answer["name"],
            status=answer["status"],
            consensus_relation=answer["consensusRelation"],
            height=answer["height"],
        )

    def leave(self, name: str) -> None:
        """Leave a channel, and delete its blocks at this orderer; waits until they are gone."""
        summary = f"Leaving channel {name} failed"
        request = self._client.build_request("DELETE", f"{_CHANNELS}/{quote(name, safe='')}")
        response = self._send(request, summary)
        self._check(response, summary, expected=httpx.codes.NO_CONTENT)
        deadline = time.monotonic() + _LEAVE_SECONDS
        while name in self.channels() and time.monotonic() < deadline:
            _blocking.sleep(_POLL_SECONDS)

    def _get(self, path: str, summary: str) -> Any:
        response = self._send(self._client.build_request("GET", path), summary)
        self._check(response, summary, expected=httpx.codes.OK)
        return response.json()

    def _send(self, request: httpx.Request, summary: str) -> httpx.Response:
        try:
            return self._client.send(request)
        except NO_ANSWER as error:
            failure = explain(error)
            raise OrdererAdminError(
                summary,
                address=self._url,
                message=failure.reason,
                status=None,
                advice=failure.advice,
            ) from error

    def _check(self, response: httpx.Response, summary: str, *, expected: int) -> None:
        if response.status_code != expected:
            raise OrdererAdminError(
                summary,
                address=self._url,
                message=_reason(response),
                status=response.status_code,
                advice=_ADVICE.get(response.status_code, ""),
            )


_ADVICE = {
    404: "The orderer has not joined this channel, or this is not its admin endpoint",
    503: "Set ChannelParticipation.Enabled to true in orderer.yaml",
}


def _reason(response: httpx.Response) -> str:
    try:
        return str(response.json()["error"])
    except (ValueError, LookupError, TypeError):
        return response.reason_phrase
