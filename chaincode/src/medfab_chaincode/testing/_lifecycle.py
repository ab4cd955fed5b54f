"""The chaincode definitions as state of the namespace `_lifecycle`.

Every call of a chaincode reads them, so they are in its read set: a transaction that was endorsed
before an upgrade of its chaincode and is ordered after it is invalid.
"""

LIFECYCLE = "_lifecycle"


def definition_keys(chaincode: str) -> tuple[str, ...]:
    """Return the keys that a peer reads when it looks for a collection; the sequence is last."""
    fields = f"namespaces/fields/{chaincode}"
    return (
        f"namespaces/metadata/{chaincode}",
        f"{fields}/Collections",
        f"{fields}/EndorsementInfo",
        f"{fields}/ValidationInfo",
        f"{fields}/Sequence",
    )
