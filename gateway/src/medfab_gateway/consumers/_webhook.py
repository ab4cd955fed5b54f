"""A webhook: one signed POST for each delivery, in order, at least once."""

from __future__ import annotations

import hashlib
import hmac
import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import httpx

from medfab_gateway._backoff import pauses
from medfab_gateway.consumers._changes import Failure
from medfab_gateway.consumers._delivery import Delivery, Selection
from medfab_gateway.consumers._sink import Sink, Stopped
from medfab_gateway.consumers._state import DeadLetter
from medfab_gateway.consumers.errors import ConfigurationError

_log = logging.getLogger("medfab_gateway.consumers")
_SHORTEST_SECRET = 16
_WORTH_ANOTHER_TRY = {408, 409, 425, 429}


class Webhook(Sink):
    """Posts JSON to an address.

        Webhook("pager", "https://pager.example/medfab", secret=secret)

    Headers: `Medfab-Delivery` is the delivery's id, the same each time; `Medfab-Signature` is
    `t=<seconds since 1970>,v1=<hex>` with HMAC-SHA256 over `<t>.<body>`: see `verify_signature`.

    Any answer 2xx is a receipt. 5xx, 408, 409, 425, 429 and broken connections are tried again,
    with pauses that grow; after `attempts`, and at once for all other answers, it goes to the dead
    letters and the next one is delivered.
    """

    one_block_at_a_time: ClassVar[bool] = True

    def __init__(
        self,
        name: str,
        url: str,
        selection: Selection | None = None,
        *,
        secret: bytes,
        attempts: int = 10,
        first_pause: float = 0.5,
        longest_pause: float = 60.0,
        timeout: float = 10.0,
        ca_file: str | Path | None = None,
    ) -> None:
        """secret: shared with the receiver, 16 bytes at least. Pauses and timeout in seconds.
        ca_file: certificates that the receiver's is checked with; None: the system's."""
        super().__init__(name, selection or Selection())
        if len(secret) < _SHORTEST_SECRET:
            raise ConfigurationError(
                f"The secret of webhook {name} has {len(secret)} bytes; give it "
                f"{_SHORTEST_SECRET} or more (`openssl rand -hex 32`)."
            )
        if not url.startswith(("https://", "http://")):
            raise ConfigurationError(f"The address of webhook {name} begins with https://")
        if attempts < 1:
            raise ConfigurationError(f"Webhook {name} needs one attempt at least.")
        self._url = url
        self._secret = secret
        self._attempts = attempts
        self._pauses = first_pause, longest_pause
        self._timeout = timeout
        self._ca_file = ca_file
        self._client: httpx.Client | None = None

    def deliver(self, deliveries: Sequence[Delivery], stop: threading.Event) -> list[DeadLetter]:
        letters = []
        for delivery in deliveries:
            failure = self._deliver(delivery, stop)
            if failure is not None:
                letters.append(
                    DeadLetter(
                        feed=self.name,
                        block_number=delivery.transaction.block_number,
                        transaction_number=delivery.transaction.number,
                        transaction_id=delivery.transaction.transaction_id,
                        handler=failure.handler,
                        error=failure.error,
                    )
                )
        return letters

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _deliver(self, delivery: Delivery, stop: threading.Event) -> Failure | None:
        body = delivery.line()
        waits = pauses(*self._pauses)
        for attempt in range(1, self._attempts + 1):
            if stop.is_set():
                raise Stopped
            said, again = self._post(delivery.id, body)
            if said is None:
                return None
            if not again:
                break
            if attempt < self._attempts:
                pause = next(waits)
                _log.warning(
                    "Webhook %s did not take %s (%s). Trying again in %.1f s.",
                    self.name,
                    delivery.id,
                    said,
                    pause,
                )
                if stop.wait(pause):
                    raise Stopped
        return Failure(handler="webhook", error=said or "")

    def _post(self, delivery_id: str, body: bytes) -> tuple[str | None, bool]:
        """What went wrong, and whether another attempt may help; None: it was received."""
        headers = {
            "content-type": "application/json",
            "medfab-delivery": delivery_id,
            "medfab-signature": signature(self._secret, body, now=int(time.time())),
        }
        try:
            answer = self._open_client().post(self._url, content=body, headers=headers)
        except httpx.TransportError as error:
            return type(error).__name__, True
        if answer.is_success:
            return None, False
        status = answer.status_code
        return f"status {status}", status >= 500 or status in _WORTH_ANOTHER_TRY

    def _open_client(self) -> httpx.Client:
        if self._client is None:
            import ssl

            context = ssl.create_default_context(cafile=self._ca_file)
            self._client = httpx.Client(timeout=self._timeout, verify=context, trust_env=False)
        return self._client


def signature(secret: bytes, body: bytes, *, now: int) -> str:
    """The value of `Medfab-Signature`. now: seconds since 1970."""
    return f"t={now},v1={hmac.new(secret, f'{now}.'.encode() + body, hashlib.sha256).hexdigest()}"


def verify_signature(
    secret: bytes, body: bytes, header: str, *, now: float, tolerance: float = 300
) -> bool:
    """For receivers: whether `Medfab-Signature` is of this body, and not older than `tolerance`.

    now, tolerance: in seconds.
    """
    fields = dict(part.partition("=")[::2] for part in header.split(","))
    if not fields.get("t", "").isascii() or not fields.get("t", "").isdigit():
        return False
    made = int(fields["t"])
    return abs(now - made) <= tolerance and hmac.compare_digest(
        signature(secret, body, now=made).encode(), header.encode()
    )
