"""The contract against the model: random lives of a patient, and every answer the same."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medfab_chaincode.testing import EndorseError, EvaluateError
from unit.chaincode.ehr_cases import PERSONS, SECOND, record_labels, requests, terms
from unit.chaincode.ehr_ledger import (
    CLINIC,
    HOSPITAL,
    PATIENT,
    REGULATOR,
    SALT,
    Person,
    World,
    person,
    record,
)
from unit.chaincode.ehr_model import Asker, Entry, Model, Permit

EXAMPLES = int(os.environ.get("EHR_MODEL_EXAMPLES", "80"))
"""`make ehr-model` runs thousands."""


@dataclass
class Life:
    """One patient's life, on the ledger and in the model at once."""

    world: World
    labels: list[dict[str, Any]]
    model: Model = field(default_factory=Model)
    permits: list[tuple[str, Person, Permit]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    guardian: Person | None = None
    acting: dict[str, str] = field(default_factory=dict)
    guardian_ends: int = 0

    async def begin(self) -> None:
        await self.world.register()
        items = [record(n, labels=labels) for n, labels in enumerate(self.labels, start=16)]
        await self.world.file(*items)
        self.guardian = person(self.world.ledger, HOSPITAL, "representative", "ms-mother")
        self.guardian_ends = self.world.now + 2 * SECOND
        made = await self.world.registrar.submit(
            "AppointGuardian",
            PATIENT,
            appointment={
                "msp_id": HOSPITAL, "person": "ms-mother", "scope": ["consent"],
                "not_after": self.guardian_ends, "salt": SALT,
            },
        )  # fmt: skip
        self.acting = {"patient": PATIENT, "appointment_id": made["appointment_id"]}

    async def step(self, action: str, data: st.DataObject) -> None:
        await getattr(self, f"do_{action}")(data)

    async def do_wait(self, data: st.DataObject) -> None:
        self.world.pass_time(data.draw(st.sampled_from([1, SECOND - 1, SECOND, SECOND + 1])))

    async def do_grant(self, data: st.DataObject) -> None:
        wanted = data.draw(terms())
        by_guardian = data.draw(st.booleans())
        answer = await self._change("GrantConsent", by_guardian, consent=wanted)
        if answer is not None:
            self.model.consents[answer["consent_id"]] = Entry(wanted)

    async def do_amend(self, data: st.DataObject) -> None:
        active = sorted(id_ for id_, each in self.model.consents.items() if each.active)
        if not active:
            return
        chosen, wanted = data.draw(st.sampled_from(active)), data.draw(terms())
        answer = await self._change(
            "AmendConsent", data.draw(st.booleans()), chosen, consent=wanted
        )
        if answer is not None:
            entry = self.model.consents[chosen]
            entry.terms, entry.version = wanted, entry.version + 1
            assert answer == {"consent_id": chosen, "version": entry.version}

    async def do_revoke(self, data: st.DataObject) -> None:
        active = sorted(id_ for id_, each in self.model.consents.items() if each.active)
        if not active:
            return
        chosen = data.draw(st.sampled_from(active))
        if await self._change("RevokeConsent", data.draw(st.booleans()), chosen) is not None:
            self.model.consents[chosen].active = False

    async def do_ask(self, data: st.DataObject) -> None:
        msp_id = data.draw(st.sampled_from([CLINIC, CLINIC, REGULATOR]))
        name = data.draw(st.sampled_from(PERSONS))
        functions = data.draw(st.sampled_from([(), ("physician",), ("nurse", "physician")]))
        asker = person(
            self.world.ledger, msp_id, "practitioner", name, functions=",".join(functions)
        )
        request = data.draw(requests())
        answer = await asker.submit("RequestAccess", PATIENT, request=request)
        wanted = self.model.decide(request, Asker(msp_id, name, functions), self.world.now)
        assert answer["decision"] == ("deny" if wanted is None else "permit")
        self.seen.add(str(answer["decision"]))
        if wanted is None:
            return
        assert answer["expires_at"] == wanted.ends
        rows = await self.world.patient.evaluate("ListAccess")
        (row,) = [each for each in rows if each["request_id"] == answer["request_id"]]
        assert {e["consent_id"]: e["version"] for e in row["consents"]} == wanted.rests_on
        self.permits.append((answer["request_id"], asker, wanted))

    async def do_read(self, data: st.DataObject) -> None:
        for request_id, asker, permit in self.permits:
            now = self.world.now
            wanted = [self.model.releases(permit, each, now) for each in self.labels]
            try:
                released = await self.world.read(request_id, by=asker)
            except EvaluateError as error:
                self._expect(error, {"PERMIT_EXPIRED", "CONSENT_REVOKED"})
                assert wanted == [None] * len(wanted)
                self.seen.add("over")
                continue
            out = {int(each["id"], 16) - 16 for each in released["records"]}
            assert out == {number for number, each in enumerate(wanted) if each}
            assert None not in wanted
            assert released["withheld"] == len(wanted) - len(out)
            assert sum(each["records"] for each in released["permitted_by"]) == len(out)
            self.seen.add("released" if out else "withheld")

    async def _change(
        self, function: str, by_guardian: bool, *args: str, **transient: Any
    ) -> Any | None:
        """Change a consent; None: refused, for a reason that the model does not go into."""
        who = self.world.patient
        if by_guardian and self.guardian is not None:
            who, transient["acting"] = self.guardian, self.acting
        try:
            answer = await who.submit(function, *args, **transient)
        except EndorseError as error:
            # Otherwise: the same once more, or terms that are over already.
            late = by_guardian and self.world.now >= self.guardian_ends
            self._expect(
                error, {"NOT_AUTHORISED"} if late else {"DUPLICATE_CONSENT", "INVALID_ARGUMENT"}
            )
            self.seen.add("too late" if late else "refused")
            return None
        assert not (by_guardian and self.world.now >= self.guardian_ends)
        self.seen.add(function)
        return answer

    @staticmethod
    def _expect(error: EndorseError | EvaluateError, codes: set[str]) -> None:
        assert error.chaincode is not None
        assert error.chaincode.code in codes


ACTIONS = [
    "grant",
    "grant",
    "grant",
    "ask",
    "ask",
    "ask",
    "read",
    "read",
    "revoke",
    "amend",
    "wait",
]

SEEN: set[str] = set()


@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[*HealthCheck], print_blob=True
)
@given(
    labels=record_labels(),
    actions=st.lists(st.sampled_from(ACTIONS), min_size=6, max_size=16),
    data=st.data(),
)
async def test_against_the_model(
    labels: list[dict[str, Any]], actions: list[str], data: st.DataObject
) -> None:
    life = Life(World(), labels)
    await life.begin()
    for action in ["grant", "ask", *actions, "read"]:
        await life.step(action, data)
    SEEN.update(life.seen)


def test_the_model_has_seen_every_outcome() -> None:
    """A random test that only ever saw denials would prove nothing."""
    assert {
        "permit",
        "deny",
        "released",
        "withheld",
        "over",
        "too late",
        "GrantConsent",
        "AmendConsent",
        "RevokeConsent",
    }  # fmt: skip <= SEEN
