"""The scanner finds a planted value in every form and place, and nothing where nothing is."""

import base64
import hashlib
import json
import random
import time
from collections.abc import Callable
from functools import partial

import pytest
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2

from medfab_gateway import Block, BlockTransaction
from medfab_gateway.ehr import (
    PhiValue,
    ScanReport,
    example_bundle,
    load_bundle,
    phi_values,
    scan_blocks,
)
from unit.gateway.made_transactions import made_transaction

RANDOM = random.Random(4711)  # noqa: S311
VALUES = phi_values(load_bundle(example_bundle()))
TRANSACTION = "5e" * 32


def certificate() -> bytes:
    body = base64.encodebytes(RANDOM.randbytes(600))
    return b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n"


def block(*planted: bytes, transaction: BlockTransaction | None = None) -> Block:
    """A block with what blocks are full of: certificates, signatures, hashes, counters."""
    noise = [
        b"\x0a\x42" + certificate(),
        RANDOM.randbytes(2000),
        hashlib.sha256(RANDOM.randbytes(8)).hexdigest().encode() * 4,
        b'{"decided_at":1767323045,"decision":"permit","requester_msp":"ClinicMSP","version":93}',
    ]
    raw = b"\x12".join([*noise, *planted, *noise])
    return Block(
        number=7,
        previous_hash=b"",
        data_hash=b"",
        transactions=() if transaction is None else (transaction,),
        raw=raw,
    )


made = partial(made_transaction, TRANSACTION)
PLAIN = made(args=(b"RequestAccess", b"0f" * 16), result=b'{"decision":"deny"}')


def scan(*planted: bytes, transaction: BlockTransaction | None = None) -> ScanReport:
    return scan_blocks([block(*planted, transaction=transaction)], VALUES)


def test_nothing_is_found_where_nothing_is() -> None:
    report = scan_blocks([block(transaction=PLAIN) for _ in range(20)], VALUES)
    assert report.clean
    assert (report.blocks, report.transactions) == (20, 20)
    assert report.long_values + report.short_values == len(VALUES)
    assert report.short_values == sum(len(value.value) < 5 for value in VALUES) > 0
    assert report.patterns > 10 * report.long_values


def test_the_values_of_the_example() -> None:
    values = {(value.kind, value.value) for value in VALUES}
    assert values >= {
        ("name", "Quenneville"),
        ("name", "Marisol"),
        ("name", "Abernethy-Roux"),
        ("name", "Odalys Vantongeren"),
        ("name", "Vantongeren"),
        ("address", "17 Cinderhollow Lane"),
        ("address", "Pellbrook-on-Tarn"),
        ("address", "01749"),
        ("identifier", "999-41-7306"),
        ("telecom", "555-0142-7781"),
        ("date", "1961-03-13"),
        ("measurement", "151.70"),
        ("measurement", "93"),
        ("measurement", "147 mm[Hg]"),
        ("measurement", "Present one plus out of three plus"),
        ("finding", "Diabetes mellitus type 2 (disorder)"),
        ("finding", "24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet"),
        ("finding", "Allergy to penicillin (finding)"),
        ("finding", "Glycaemic control is slipping; repeat in twelve weeks."),
    }
    # What names a test, a category or a unit is no patient's data.
    texts = {value.value for value in VALUES}
    assert not texts & {"laboratory", "Body weight", "mg/dL", "29463-7", "final", "AMB", "active"}


def hashed(name: str) -> Callable[[bytes], bytes]:
    return lambda value: hashlib.new(name, value).digest()


FORMS: dict[str, Callable[[bytes], bytes]] = {
    "utf-8": lambda value: value,
    "utf-8 in capitals": lambda value: value.upper(),
    "utf-16-le": lambda value: value.decode().encode("utf-16-le"),
    "utf-16-be": lambda value: value.decode().encode("utf-16-be"),
    "hex": lambda value: value.hex().encode(),
    "hex in capitals": lambda value: value.hex().upper().encode(),
    "base64": base64.b64encode,
    "base64 one on": lambda value: base64.b64encode(b"?" + value + b"??"),
    "base64 two on": lambda value: base64.b64encode(b"??" + value + b"?"),
    "base64url": lambda value: base64.urlsafe_b64encode(b"\xff" + value),
    **{name: hashed(name) for name in ("sha256", "sha1", "md5")},
    **{
        f"{name} as hex": lambda value, name=name: hashed(name)(value).hex().encode()  # type: ignore[misc]
        for name in ("sha256", "sha1", "md5")
    },
    "sha256 as base64": lambda value: base64.b64encode(hashed("sha256")(value)),
    "md5 as base64url": lambda value: base64.urlsafe_b64encode(b"1" + hashed("md5")(value)),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("value", ["Quenneville", "17 Cinderhollow Lane", "151.70", "01749"])
def test_every_form_in_raw_bytes(form: str, value: str) -> None:
    report = scan(FORMS[form](value.encode()))
    expected = next(v.kind for v in VALUES if v.value == value)
    assert report.findings, form
    assert {(f.kind, f.encoding.split()[0]) for f in report.findings} >= {
        (expected, form.split()[0].replace("base64url", "base64"))
    }
    assert all(f.where == "raw bytes" and f.block_number == 7 for f in report.findings)
    assert value not in repr(report.findings)


@pytest.mark.parametrize("form", ["sha256", "sha1 as hex", "sha256 as base64"])
def test_digests_of_short_values_and_whole_resources(form: str) -> None:
    resource = next(v for v in VALUES if v.kind == "resource")
    assert {f.kind for f in scan(FORMS[form](b"93")).findings} == {"measurement"}
    assert {f.kind for f in scan(FORMS[form](resource.value.encode())).findings} == {"resource"}


@pytest.mark.parametrize("value", ['of "great" Zoë', "Zoë Øster"])
def test_json_escapes(value: str) -> None:
    values = [PhiValue(kind="name", value=value)]
    once = json.dumps(value)
    for text in (once, json.dumps(once), json.dumps(value, ensure_ascii=False)):
        assert not scan_blocks([block(text.encode())], values).clean


WHERE: dict[str, Callable[[bytes], BlockTransaction]] = {
    "argument 1": lambda data: made(args=(b"FileRecords", data)),
    "response": lambda data: made(result=data),
    "response message": lambda data: made(status=400, message=data.decode()),
    "event payload": lambda data: made(event=("e", data)),
    "event name": lambda data: made(event=(data.decode(), b"")),
    "key in ehr": lambda data: made(
        public=kv_rwset_pb2.KVRWSet(
            writes=[kv_rwset_pb2.KVWrite(key=f"\x00k\x00{data.decode()}\x00", value=b"1")]
        )
    ),
    "value in ehr": lambda data: made(
        public=kv_rwset_pb2.KVRWSet(writes=[kv_rwset_pb2.KVWrite(key="k", value=data)])
    ),
    "key read in ehr": lambda data: made(
        public=kv_rwset_pb2.KVRWSet(reads=[kv_rwset_pb2.KVRead(key=data.decode())])
    ),
}


@pytest.mark.parametrize("value", ["Quenneville", "93", "7.83"])
@pytest.mark.parametrize("where", WHERE)
def test_every_place_by_name(where: str, value: str) -> None:
    report = scan(value.encode(), transaction=WHERE[where](value.encode()))
    found = {(f.where, f.transaction_id) for f in report.findings}
    assert (where, TRANSACTION) in found
    assert len(found) == 1


def test_an_unsalted_private_value_or_key_is_found() -> None:
    written = kv_rwset_pb2.KVWriteHash(
        key_hash=hashlib.sha256(b"MRN-4482917-K").digest(),
        value_hash=hashlib.sha256(b"93").digest(),
    )
    transaction = made(hashed=kv_rwset_pb2.HashedRWSet(hashed_writes=[written]))
    assert {(f.kind, f.where) for f in scan(transaction=transaction).findings} == {
        ("identifier", "hashed key in _implicit_org_HospitalMSP of ehr"),
        ("measurement", "hashed value in _implicit_org_HospitalMSP of ehr"),
    }


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"diastolic":93}', True),
        ('{"values":["93"]}', True),
        ('{"93":1}', True),
        ('{"version":93,"filed":93,"granted_at":93}', False),
        ('{"diastolic":193}', False),
        ('{"diastolic":93.0}', False),
        ('{"note":"it was 93 today"}', False),  # no telling from a count
        ("pressure 147/93 mm[Hg]", True),
        ("a 7.83 % of it", True),
        ("17.83 % of it", False),
        ('{"code":140}', True),
        ("the code 140", False),
    ],
)
def test_short_values_in_decoded_parts(text: str, found: bool) -> None:
    transaction = made(event=("e", text.encode()))
    assert scan(transaction=transaction).clean is not found


@pytest.mark.parametrize(
    ("text", "found"), [("Mr. LEE asked", True), ("the fleece", False), ("x:lee", True)]
)
def test_short_words(text: str, found: bool) -> None:
    transaction = made(event=("e", text.encode()))
    report = scan_blocks([block(transaction=transaction)], [PhiValue(kind="name", value="Lee")])
    assert report.clean is not found


@pytest.mark.parametrize(
    ("value", "text", "found"),
    [
        ("Grant", b'{"granted_at":1}', False),
        ("Grant", b"GrantConsent", False),
        ("Grant", b"Mr Grant", True),
        ("Grant", b"grant2", True),
        ("01749", b"1701749301", False),
        ("01749", b"MA 01749, US", True),
        ("01749", b"ab01749cd" + b"0a" * 16, False),
        ("01749", b"ab01749cd", True),
        ("Decade", b"0" * 20 + b"decade" + b"1" * 20, False),
        ("Marisol Quenneville", b"XMarisol QuennevilleX", True),
    ],
)
def test_chance_hits_are_left_out_and_no_others(value: str, text: bytes, found: bool) -> None:
    report = scan_blocks([block(text)], [PhiValue(kind="name", value=value)])
    assert report.clean is not found


def test_certificates_are_searched_decoded() -> None:
    """Their base64 is noise, but what is in them is not."""
    der = b"0\x82" + RANDOM.randbytes(50) + b"Quenneville" + RANDOM.randbytes(50)
    pem = (
        b"-----BEGIN CERTIFICATE-----\n"
        + base64.encodebytes(der)
        + (b"-----END CERTIFICATE-----\n")
    )
    assert [f.encoding for f in scan(pem).findings] == ["utf-8"]
    word = base64.b64encode(b"\x00" * 99).replace(b"AAAA", b"Conns", 1)[:-1]
    noise = b"-----BEGIN CERTIFICATE-----\n" + word + b"-----END CERTIFICATE-----\n"
    assert scan_blocks([block(noise)], [PhiValue(kind="name", value="Conns")]).clean


def test_it_is_fast() -> None:
    blocks = [block(transaction=PLAIN) for _ in range(300)]
    size = sum(len(each.raw) for each in blocks)
    assert size > 1_500_000
    start = time.process_time()
    assert scan_blocks(blocks, VALUES).bytes == size
    assert time.process_time() - start < 5  # measured: 0.4 s
