"""GS1's identifiers: value types that cannot be wrong, in all their forms."""

from __future__ import annotations

import string

import pytest
from biip.checksums import gs1_standard_check_digit
from biip.gtin import Gtin as BiipGtin
from biip.sscc import Sscc as BiipSscc
from hypothesis import given, settings
from hypothesis import strategies as st

from medfab_gateway.pharma.errors import IdentifierError
from medfab_gateway.pharma.identifiers import (
    Gln,
    Gsrn,
    Gtin,
    Identifier,
    Lgtin,
    NationalNumber,
    Sgln,
    Sgtin,
    Sscc,
    canonical,
    check_digit,
    from_link,
    from_urn,
    to_link,
    to_urn,
)

CSET_82 = "!\"%&'()*+,-./0123456789:;<=>?_" + string.ascii_letters


def digits(count: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=count, max_size=count)


texts = st.text(CSET_82, min_size=1, max_size=20)
gtins = digits(13).map(Gtin.make)
glns = digits(12).map(Gln.make)
identifiers: st.SearchStrategy[Identifier] = st.one_of(
    gtins,
    st.builds(Sgtin, gtins, texts),
    st.builds(Lgtin, gtins, texts),
    digits(17).map(Sscc.make),
    glns,
    # An extension "0" in a URN says that there is none.
    st.builds(Sgln, glns, st.none() | texts.filter(lambda text: text != "0")),
    st.builds(Gsrn.make, digits(17), provider=st.booleans()),
)


@given(payload=st.integers(7, 17).flatmap(digits))
def test_check_digits_are_biips(payload: str) -> None:
    assert check_digit(payload) == str(gs1_standard_check_digit(payload))


@given(gtin=gtins, sscc=digits(17).map(Sscc.make))
def test_biip_accepts_what_is_made_here(gtin: Gtin, sscc: Sscc) -> None:
    assert BiipSscc.parse(sscc.value).check_digit == int(sscc.value[-1])
    if gtin.value.strip("0"):
        assert BiipGtin.parse(gtin.value).as_gtin_14() == gtin.value


@given(gtin=gtins, place=st.integers(0, 13), by=st.integers(1, 9))
def test_every_single_wrong_digit_is_found(gtin: Gtin, place: int, by: int) -> None:
    wrong = str((int(gtin.value[place]) + by) % 10)
    with pytest.raises(IdentifierError, match="check digit"):
        Gtin(gtin.value[:place] + wrong + gtin.value[place + 1 :])


@pytest.mark.parametrize("value", ["96385074", "614141123452", "9521141012345", "10614141123459"])
def test_a_gtin_has_four_lengths_and_is_kept_as_14_digits(value: str) -> None:
    assert Gtin(value).value == value.zfill(14)
    assert Gtin(value).short == value
    assert Gtin(value) == Gtin(value.zfill(14))


def test_packaging_levels() -> None:
    case = Gtin.of_level(Gtin("9521141012345"), 1)
    assert (case.indicator, str(case)) == ("1", "19521141012342")
    with pytest.raises(IdentifierError, match="0 to 8"):
        Gtin.of_level(case, 9)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Gtin("9521141012346"), "check digit 6, and 5 would be right"),
        (lambda: Gtin("952114101234X"), "digits only"),
        (lambda: Gtin("٩521141012345"), "digits only"),
        (lambda: Gtin("123"), "8 or 12 or 13 or 14 digits"),
        (lambda: Sscc("123"), "18 digits"),
        (lambda: Gln("4012345000053"), "4 would be right"),
        (lambda: Gsrn("4012345000053"), "18 digits"),
        (lambda: Sgtin(Gtin("9521141012345"), "1" * 21), "at most 20"),
        (lambda: Sgtin(Gtin("9521141012345"), "a b"), "' ' in the serial"),
        (lambda: Sgtin(Gtin("9521141012345"), "é"), "character set 82"),
        (lambda: Lgtin(Gtin("9521141012345"), ""), "at least one"),
        (lambda: Sgln(Gln("4012345000054"), "x" * 21), "at most 20"),
        (lambda: NationalNumber("709", "1"), "not a national number"),
        (lambda: to_urn(Gtin("9521141012345"), 5), "6 to 12 digits, not 5"),
    ],
)
def test_what_is_wrong_is_refused_with_the_reason(make, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(IdentifierError, match=message):
        make()


@given(identifier=identifiers, prefix=st.integers(6, 12))
def test_urns_both_ways(identifier: Identifier, prefix: int) -> None:
    assert from_urn(to_urn(identifier, prefix)) == identifier


@given(identifier=identifiers)
def test_digital_links_both_ways(identifier: Identifier) -> None:
    assert from_link(to_link(identifier)) == identifier
    assert from_link(to_link(identifier, host="https://example.com/some/where")) == identifier


@settings(max_examples=300)
@given(identifier=identifiers, prefix=st.integers(6, 12))
def test_the_canonical_form_is_one_for_urn_and_link(identifier: Identifier, prefix: int) -> None:
    assert canonical(to_urn(identifier, prefix)) == canonical(to_link(identifier))
    assert canonical(to_link(identifier)) == to_link(identifier)


@pytest.mark.parametrize(
    ("urn", "link"),
    [
        ("urn:epc:id:sgtin:0614141.107346.2017", "/01/10614141073464/21/2017"),
        ("urn:epc:class:lgtin:4012345.012345.998877", "/01/04012345123456/10/998877"),
        ("urn:epc:idpat:sgtin:4012345.066666.*", "/01/04012345666663"),
        ("urn:epc:id:sscc:030001.41234567890", "/00/403000112345678901"),
        ("urn:epc:id:sgln:0012345.11111.400", "/414/0012345111112/254/400"),
        ("urn:epc:id:sgln:0614141.00777.0", "/414/0614141007776"),
        ("urn:epc:id:sgln:952114112345..0", "/414/9521141123454"),
        ("urn:epc:id:pgln:4012345.00225", "/417/4012345002256"),
        ("urn:epc:id:gsrn:0614141.0000010253", "/8018/061414100000102534"),
        ("urn:epc:id:gdti:0614141.00001.1618034", "/253/06141410000121618034"),
        ("urn:epc:id:giai:4000001.111", "/8004/4000001111"),
        ("urn:epc:id:grai:4012345.55555.987", "/8003/04012345555554987"),
        ("urn:epc:id:sgtin:0614141.107346.a%2Fb(c)", "/01/10614141073464/21/a%2Fb%28c%29"),
    ],
)
def test_urns_of_the_standards_examples(urn: str, link: str) -> None:
    assert canonical(urn) == f"https://id.gs1.org{link}"


@pytest.mark.parametrize(
    "uri",
    [
        "https://example.com/a/01/614141123452/22/V2/10/LOT/21/S1?17=261130&linkType=x",
        "http://example.com/gtin/00614141123452/lot/LOT/ser/S1",
    ],
)
def test_a_link_of_any_host_and_form_has_one_canonical_form(uri: str) -> None:
    assert canonical(uri) == "https://id.gs1.org/01/00614141123452/21/S1"


@pytest.mark.parametrize(
    "text",
    [
        "http://transaction.acme.com/po/12345678",
        "urn:epcglobal:cbv:bt:0614141073467:1152",
        "https://example.com/01/12",
        "urn:epc:id:sgtin:0614141.1073460.1",
        "plain",
        "",
    ],
)
def test_what_names_nothing_of_gs1_has_no_canonical_form(text: str) -> None:
    assert canonical(text) is None
