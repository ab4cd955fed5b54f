"""Names of Fabric's transaction validation codes (`protos.TxValidationCode`)."""

from __future__ import annotations

from fabric_protos.peer import transaction_pb2


def validation_code_name(code: int) -> str:
    """The name of `code`; `CODE_<n>` for one that a newer Fabric has added."""
    try:
        name: str = transaction_pb2.TxValidationCode.Name(code)
    except ValueError:
        return f"CODE_{code}"
    return name
