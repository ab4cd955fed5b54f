"""The three largest costs of a submit on our stack, by what the runs have shown."""

from __future__ import annotations

from typing import Any

_REMEDIES = {
    "peers": (
        "Fabric's own Go code: endorsing at two peers, and validating and committing every block at"
        " each; it is the same for every language of clients and contracts. Fewer endorsers (a"
        " policy that asks for one organisation) or more work in one transaction (`FileRecords`,"
        " `Commission`) make less of it; a faster client or contract cannot."
    ),
    "client": (
        "Three calls over TLS (endorse, submit, commit status) and as many signatures. Most of it"
        " is grpcio's own, below our code, and ECDSA (`bench/profiles/submit-blocking.txt`,"
        " `evaluate-async.txt`): a transport in a compiled language would take it away."
    ),
    "chaincode": (
        "The stream to the peer, at both organisations: TLS, HTTP/2 frames and messages, the"
        " contract's JSON, a log line for each transaction (`bench/profiles/chaincode-submit.txt`)."
        " Writes travel in one batch already. `--log-level warning` takes a tenth of it away; the"
        " rest a codec of frames and messages in a compiled language."
    ),
    "orderer": (
        "Fabric's own Go code: Raft's log and the block file, written through to disk. Larger"
        " blocks (a longer BatchTimeout) share it among more transactions."
    ),
}


def costs_section(parts: dict[str, Any]) -> str:
    rows = parts["stacks"]["stacks"]
    submit = [row for row in rows if row["case"] == "submit" and row["stack"] == "all Python"]
    largest = max(submit, key=lambda row: row["concurrency"])
    total = sum(largest["cpu_ms"].values())
    ordered = sorted(
        (kind for kind in _REMEDIES), key=lambda kind: largest["cpu_ms"][kind], reverse=True
    )
    lines = [
        "## The three largest costs, and what would remove them",
        "",
        f"Of a submit, {largest['concurrency']} at once, all Python: {total:.1f} ms of CPU.",
        "",
    ]
    for number, kind in enumerate(ordered[:3], start=1):
        spent = largest["cpu_ms"][kind]
        lines.append(
            f"{number}. **{kind}**, {spent:.1f} ms ({spent / total:.0%}). {_REMEDIES[kind]}"
        )
    return "\n".join([*lines, ""])
