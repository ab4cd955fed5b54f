"""The `result` of an answer of Fabric CA."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from medfab_gateway.ca.errors import CertificateAuthorityError


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

    def optional_text(self, name: str) -> str:
        """A text, empty where the field is missing."""
        value = self._fields.get(name)
        return value if isinstance(value, str) else ""

    def number(self, name: str) -> int:
        """A number, 0 where the field is missing: the server leaves zeros out."""
        value = self._fields.get(name)
        return value if isinstance(value, int) else 0

    def flag(self, name: str) -> bool:
        return self._fields.get(name) is True

    def parts(self, name: str) -> tuple[Result, ...]:
        """The objects of a list; none where the field is missing or null."""
        values = self._fields.get(name)
        if not isinstance(values, list):
            return ()
        return tuple(Result(value, url=self._url) for value in values)
