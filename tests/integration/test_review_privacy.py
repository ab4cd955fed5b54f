"""Canaries: what is told in confidence is in no log, no block, no error and no `repr`."""

from __future__ import annotations

import json
import logging
import secrets
import traceback
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta

import pytest

from integration.conftest import Consortium
from integration.handmade import propose
from integration.test_ehr import LETTERS, People, blocks_of, people
from integration.test_review_trust import terms
from medfab_gateway.ehr import (
    ConsentType,
    example_bundle,
    load_bundle,
)
from medfab_gateway.errors import MedfabError

__all__ = ["people"]  # the fixture

pytestmark = pytest.mark.integration


async def test_canaries_stay_where_they_are_put(
    consortium: Consortium, people: People, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.DEBUG, logger="medfab_gateway")
    canary = f"q{secrets.token_hex(10).translate(LETTERS)}"
    shown: list[str] = []

    async def fails(call: Awaitable[object]) -> None:
        with pytest.raises(MedfabError) as caught:
            await call
        error: BaseException | None = caught.value
        shown.extend(traceback.format_exception(caught.value))
        while error is not None:
            shown.extend((str(error), repr(error), repr(vars(error))))
            error = error.__cause__ or error.__context__

    # Everything that is confidential has the canary in it: content, terms, request.
    data = example_bundle().replace(b"Quenneville", canary.encode())
    await people.provider.file_bundle(people.pseudonym, data)
    until = datetime.now(UTC) + timedelta(days=1)
    consent = await people.patient.grant(
        grantee_msp="ClinicMSP",
        practitioner=canary,
        purposes=["TREAT"],
        categories=[canary],
        not_after=until,
    )
    await people.patient.grant(
        grantee_msp="ClinicMSP",
        purposes=["TREAT"],
        categories=["laboratory"],
        resource_types=["Patient", canary],
        not_after=until,
    )
    await people.permit("laboratory")
    permit = await people.practitioner.request_access(
        people.pseudonym, purpose="TREAT", categories=["laboratory", canary]
    )
    denial = await people.practitioner.request_access(
        people.pseudonym, purpose="HRESCH", categories=[canary], basis=canary
    )
    assert (permit.permitted, denial.permitted) == (True, False)
    released = await people.practitioner.read(permit, holder_msp=people.holder_msp)
    assert released.resources
    consents, accesses = await people.patient.consents(), await people.patient.accesses()
    assert canary in {code for one in consents for code in one.rule.categories}
    assert canary in {code for one in accesses for code in one.categories}
    shown += [repr(released), repr(permit), repr(denial), repr(load_bundle(data))]

    # Refused on purpose, at each place that could quote it.
    holder, patient, text = people.filer, people.patient._ehr._contract, canary.encode()
    for bad in (text, b'{"items":"' + text + b'"}', b'{"' + text + b'":1}', b'["' + text, b"\xff"):
        spoilt = bad + text if bad == b"\xff" else bad
        records, consent_terms, asked = ({n: spoilt} for n in ("records", "consent", "request"))
        pid = people.pseudonym
        await fails(propose(holder, "FileRecords", pid, transient=records).endorse())
        await fails(propose(patient, "GrantConsent", transient=consent_terms).endorse())
        await fails(propose(people.asker, "RequestAccess", pid, transient=asked).evaluate())
    for name in ("purposes", "type", "salt", "not_after", "recipients", "resource_types"):
        for value in (f"{canary} \ud800", f"{canary} ", [f"{canary} "]):
            changed = json.loads(terms()["consent"])
            (changed if name in changed else changed["rule"])[name] = value
            transient = {"consent": json.dumps(changed).encode()}
            await fails(propose(patient, "GrantConsent", transient=transient).endorse())
    file, grant = people.provider.file_bundle, people.patient.grant
    await fails(file(people.pseudonym, data.replace(b"151.70", b"151.7")))
    await fails(file(secrets.token_hex(16), data))
    await fails(file(people.pseudonym, data.replace(text, b'", "' + text + b'": "', 1)))
    await fails(file(people.pseudonym, data[:-20]))
    for whom, practitioner in ((f"{canary} ", None), ("ClinicMSP", f"\ud800{canary}")):
        await fails(
            grant(
                grantee_msp=whom,
                practitioner=practitioner,
                purposes=["TREAT"],
                categories=[canary],
                not_after=until,
            )
        )
    await grant(
        type=ConsentType.DENY,
        grantee_msp="ClinicMSP",
        purposes=[],
        categories=[canary],
        not_after=None,
    )
    await people.patient.revoke(consent.consent_id)
    await fails(people.practitioner.read(permit, holder_msp="ClinicMSP"))

    logs = [path.read_bytes() for path in consortium.running_network.logs.iterdir()]
    assert len(logs) >= 11
    assert [log for log in logs if text in log] == []
    assert not [line for line in shown if canary in line]
    assert canary not in caplog.text
    blocks = await blocks_of(consortium)
    assert [block.number for block in blocks if text in block.raw] == []


OPEN = {
    "patient": {"home_msp", "registered_at", "status", "revoked_at"},
    "consent": {"status", "version", "granted_at", "changed_at"},
    "access": {
        "requester_msp", "requester", "decision", "reason", "decided_at", "expires_at", "consents"
    },
    "log": {"kind", "msp_id", "client", "ref"},
}  # fmt: skip
"""The table in docs/design/ehr.md: the values that the channel may read, by kind of key."""

ANSWERS = {
    "RegisterPatient": set(),
    "FileRecords": {"filed", "unchanged"},
    "GrantConsent": {"consent_id", "version"},
    "RevokeConsent": {"consent_id", "version"},
    "RequestAccess": {"request_id", "decision", "reason", "expires_at"},
}


async def test_blocks_say_what_the_design_says_and_no_more(
    consortium: Consortium, people: People
) -> None:
    await people.provider.file_bundle(people.pseudonym, example_bundle())
    consent = await people.permit()
    await people.practitioner.request_access(
        people.pseudonym, purpose="TREAT", categories=["laboratory"]
    )
    await people.patient.revoke(consent.consent_id)
    own = [
        transaction
        for block in await blocks_of(consortium)
        for transaction in block.transactions
        if transaction.chaincode_name == "ehr" and people.pseudonym.encode() in block.raw
    ]
    assert len(own) == len(ANSWERS)
    for transaction in own:
        function, *args = (arg.decode() for arg in transaction.args)
        assert set(args) <= {people.pseudonym, consent.consent_id}
        assert transaction.event is not None
        told = json.loads(transaction.event.payload)
        assert set(told) == {"kind", "patient", "id", "at"}
        assert told["kind"] == transaction.event.name
        assert told["id"] in {transaction.transaction_id, consent.consent_id}
        assert transaction.response is not None
        assert transaction.response.message == ""
        answer = json.loads(transaction.response.payload or b"{}")
        assert set(answer) == ANSWERS[function]
        (ehr,) = (each for each in transaction.read_write_sets if each.namespace == "ehr")
        for write in ehr.writes:
            _, kind, pseudonym, *ids, _ = write.key.split("\0")
            assert pseudonym == people.pseudonym
            if kind == "log":
                del ids[:-1]  # the time, in parts
            assert set(ids) <= {transaction.transaction_id, consent.consent_id}
            # What is deleted says nothing: a pointer that was never there, for example.
            assert write.is_delete or set(json.loads(write.value)) == OPEN[kind]
        for query in ehr.range_queries:
            _, kind, pseudonym, *_ = query.start_key.split("\0")
            assert (kind, pseudonym) in {
                ("consent", people.pseudonym),
                ("appointment", people.pseudonym),
                ("hold", people.pseudonym),
            }
        assert not ehr.metadata_writes
