"""Names of Fabric's transaction validation codes (`protos.TxValidationCode`)."""

from __future__ import annotations

from fabric_protos.peer import transaction_pb2

_NAMES: dict[int, str] = {number: name for name, number in transaction_pb2.TxValidationCode.items()}


def validation_code_name(code: int) -> str:
    """The name of `code`; `CODE_<n>` for one that a newer Fabric has added."""
    return _NAMES.get(code) or f"CODE_{code}"
