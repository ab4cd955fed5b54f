"""Codes: what is made here is read by zxing-cpp, what zxing-cpp makes is read here."""

from __future__ import annotations

import io
from datetime import date
from typing import Any, Literal

import pytest
import segno
import zxingcpp
from biip.gs1_messages import GS1Message
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from medfab_gateway.pharma.codes import (
    Label,
    element_string,
    label_sheet,
    parse_elements,
    scan,
    scan_picture,
)
from medfab_gateway.pharma.errors import IdentifierError, LabelError, ScanError
from medfab_gateway.pharma.identifiers import (
    Gtin,
    Identifier,
    Lgtin,
    NationalNumber,
    Sgtin,
    Sscc,
)
from unit.gateway.test_pharma_identifiers import gtins, identifiers, texts

GTIN = Gtin("9521141012345")
PACK = Sgtin(GTIN, "1234")
expiries = st.dates(date(2026, 1, 1), date(2049, 12, 31))
# biip takes an item apart further, and some prefixes mean an in-store number to it.
labels = st.builds(
    Label,
    identifier=st.builds(Sgtin, gtins, texts),
    lot=st.none() | texts,
    expiry=st.none() | expiries,
    national_number=st.none() | st.builds(NationalNumber, st.just("714"), texts),
)


@settings(max_examples=200)
@given(label=labels)
def test_element_strings_are_taken_apart_as_biip_does(label: Label) -> None:
    theirs = GS1Message.parse(label.text)
    assert {e.ai.ai: e.value for e in theirs.element_strings} == label.values
    ours = parse_elements(label.text)
    assert ours.values == label.values
    assert (ours.identifier, ours.lot, ours.expiry) == (label.identifier, label.lot, label.expiry)


@settings(max_examples=60, deadline=None)
@given(label=labels)
def test_a_datamatrix_made_here_is_read_by_zxing_and_by_us(label: Label) -> None:
    picture = label.png()
    with Image.open(io.BytesIO(picture)) as image:
        [theirs] = zxingcpp.read_barcodes(image)
    assert theirs.content_type == zxingcpp.ContentType.GS1
    assert theirs.bytes.decode() == label.text
    assert theirs.format.name == "DataMatrix"
    [ours] = scan_picture(picture)
    assert (ours.identifier, ours.lot, ours.expiry, ours.symbology) == (
        label.identifier, label.lot, label.expiry, "DataMatrix",
    )  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(identifier=identifiers)
def test_a_qr_code_made_here_is_read_by_zxing_and_by_us(identifier: Identifier) -> None:
    label = Label(identifier=identifier)
    picture = label.png("qr", scale=4)
    with Image.open(io.BytesIO(picture)) as image:
        [theirs] = zxingcpp.read_barcodes(image)
    assert theirs.text == label.link
    [ours] = scan_picture(picture)
    assert (ours.identifier, ours.syntax) == (identifier, "Digital Link")


@pytest.mark.parametrize("symbology", ["DataMatrix", "QRCode"])
@pytest.mark.parametrize(
    "content", ["[01]09521141012345[17]261100[10]A1[21]1234", "[00]395211410000000015"]
)
def test_a_code_made_by_zxing_is_read_here(symbology: str, content: str) -> None:
    made = zxingcpp.create_barcode(content, getattr(zxingcpp.BarcodeFormat, symbology), gs1=True)
    [found] = scan_picture(png(made.to_image(scale=5)))
    assert found.symbology == symbology
    if "[00]" in content:
        assert found.identifier == Sscc("395211410000000015")
    else:
        assert (found.identifier, found.lot) == (PACK, "A1")
        assert found.expiry == date(2026, 11, 30)  # day 00: the month's last


def png(pixels: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def test_a_photograph_turned_and_small_in_a_corner() -> None:
    with Image.open(io.BytesIO(Label(identifier=PACK, lot="A1").png(scale=4))) as code:
        page = Image.new("RGB", (900, 700), "beige")
        page.paste(code.convert("RGB").rotate(17, expand=True, fillcolor="white"), (610, 90))
    out = io.BytesIO()
    page.save(out, "JPEG", quality=80)
    [found] = scan_picture(out.getvalue())
    assert found.identifier == PACK


def test_two_codes_in_one_picture() -> None:
    page = Image.new("L", (700, 300), "white")
    for place, serial in enumerate(("1", "2")):
        picture = Label(identifier=Sgtin(GTIN, serial)).png(scale=6)
        with Image.open(io.BytesIO(picture)) as code:
            page.paste(code, (40 + 320 * place, 60))
    out = io.BytesIO()
    page.save(out, "PNG")
    assert {found.serial for found in scan_picture(out.getvalue())} == {"1", "2"}


def test_the_forms_of_a_code() -> None:
    forms = (
        "(01)09521141012345(17)261130(10)A1(21)1234",
        "]d201095211410123451726113010A1\x1d211234",
        "01095211410123451726113010A1\x1d211234",
        "https://id.gs1.org/01/09521141012345/10/A1/21/1234?17=261130",
    )
    for form in forms:
        found = scan(form)
        assert (found.identifier, found.lot, found.expiry) == (PACK, "A1", date(2026, 11, 30))
    assert scan("urn:epc:id:sgtin:9521141.001234.1234").identifier == PACK
    assert scan("(01)09521141012345(10)A1").identifier == Lgtin(GTIN, "A1")
    german = scan("(01)09521141012345(21)1(710)12345678").national_numbers
    assert [(number.country, number.value) for number in german] == [("Germany (PZN)", "12345678")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "nothing was scanned"),
        ("Hello", "not an element string"),
        ("(01)09521141012346(21)1", "check digit"),
        ("(17)261130", "names nothing"),
        ("(01)09521141012345(17)261350", "not an element string"),
        ("(01)09521141012345(21)1(21)2", "twice"),
        ("https://example.com/", "not a GS1 Digital Link"),
        ("https://id.gs1.org/01/09521141012346", "check digit"),
        ("urn:epc:id:sgtin:9521141.01234.1", "come 6 digits"),
    ],
)
def test_a_wrong_code_is_refused_with_the_reason(text: str, message: str) -> None:
    with pytest.raises((ScanError, IdentifierError), match=message):
        scan(text)


def test_pictures_without_a_code_of_gs1() -> None:
    with pytest.raises(ScanError, match="not a picture"):
        scan_picture(b"GIF89a nothing")
    with pytest.raises(ScanError, match="no code is found"):
        scan_picture(png_of(Image.new("L", (80, 80), "white")))
    out = io.BytesIO()
    segno.make("just a text").save(out, kind="png", scale=4)
    with pytest.raises(ScanError, match="not an element string"):
        scan_picture(out.getvalue())


def png_of(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def test_separators_stand_only_where_they_are_needed() -> None:
    values = {"01": "09521141012345", "10": "A", "17": "261130", "21": "7"}
    assert element_string(values) == "010952114101234510A\x1d17261130217"


def test_svg_and_sheet() -> None:
    label = Label(identifier=PACK, lot="A1", expiry=date(2026, 11, 30), name="Epcistra <100 mg>")
    symbologies: tuple[Literal["datamatrix", "qr"], ...] = ("datamatrix", "qr")
    for symbology in symbologies:
        drawing = label.svg(symbology)
        assert drawing.startswith("<svg")
        assert "viewBox" in drawing.partition(">")[0]
    page = label_sheet([label] * 25)
    assert page.count('class="label"') == 25
    assert page.count('class="page"') == 2
    assert "Epcistra &lt;100 mg&gt;" in page
    with pytest.raises(LabelError, match="no label"):
        label_sheet([])
