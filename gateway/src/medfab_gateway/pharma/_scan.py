"""From what a scanner or a camera gives to checked identifiers."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date

from medfab_gateway.pharma._digital_link import parse_link
from medfab_gateway.pharma._element_string import GS, Elements, element_string, parse_elements
from medfab_gateway.pharma._epc import Identifier, from_urn
from medfab_gateway.pharma._instances import Lgtin, NationalNumber, Sgtin
from medfab_gateway.pharma._keys import Gtin
from medfab_gateway.pharma.errors import IdentifierError, ScanError

_MOST_PIXELS = 100_000_000


@dataclass(frozen=True, kw_only=True)
class Scan:
    """A code that was read, with every check digit and field checked.

    ::

        code = scan("(01)09521141012345(17)261130(10)A1(21)1234")
        print(code.identifier, code.lot, code.expiry)
    """

    text: str
    """What was in the code."""
    syntax: str
    """`element string`, `Digital Link` or `EPC URN`."""
    symbology: str | None = None
    """Of a picture, e.g. `DataMatrix`; None where the text was given."""
    identifier: Identifier
    """The finest thing that is named."""
    lot: str | None = None
    expiry: date | None = None
    national_numbers: tuple[NationalNumber, ...] = ()

    @property
    def gtin(self) -> Gtin | None:
        """The item's GTIN; None for pallets, locations and persons."""
        match self.identifier:
            case Sgtin(gtin, _) | Lgtin(gtin, _):
                return gtin
            case Gtin():
                return self.identifier
        return None

    @property
    def serial(self) -> str | None:
        return self.identifier.serial if isinstance(self.identifier, Sgtin) else None


def scan(text: str, *, symbology: str | None = None) -> Scan:
    """Read an element string (GS or brackets), a Digital Link or an EPC URN.

    Raises :class:`ScanError` or :class:`IdentifierError`, which say what is wrong.
    """
    text = text.strip(" \r\n\t")
    if not text:
        raise ScanError("nothing was scanned")
    if text.startswith("urn:"):
        identifier = from_urn(text)
        lot = identifier.lot if isinstance(identifier, Lgtin) else None
        return Scan(
            text=text, syntax="EPC URN", symbology=symbology, identifier=identifier, lot=lot
        )
    if "://" in text:
        link = parse_link(text)
        fields = {link.ai: link.key, **link.qualifiers, **link.attributes}
        # The same fields as in an element string, checked in the same way.
        elements = parse_elements(element_string(fields))
        return _scan(text, "Digital Link", symbology, elements)
    return _scan(text, "element string", symbology, parse_elements(text))


def scan_picture(picture: bytes) -> tuple[Scan, ...]:
    """Read the DataMatrix and QR codes of a PNG, JPEG, … picture.

    Codes that are not GS1's are passed over where others are. Raises :class:`ScanError` where the
    bytes are no picture, or no code of GS1 is in it.
    """
    import zxingcpp
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(picture)) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise ScanError(
                    f"the picture has {image.width} x {image.height} pixels: scale it down"
                )
            gray = image.convert("RGBA")
            flat = Image.new("RGBA", gray.size, "white")
            flat.alpha_composite(gray)
            barcodes = zxingcpp.read_barcodes(flat.convert("L"), text_mode=zxingcpp.TextMode.Plain)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError) as error:
        raise ScanError(
            f"this is not a picture that can be read ({type(error).__name__}): give a PNG or JPEG"
        ) from None
    scans, refused = [], []
    for barcode in barcodes:
        try:
            text = barcode.bytes.decode("utf-8")
            scans.append(scan(text.strip(GS), symbology=barcode.format.name))
        except (ScanError, IdentifierError) as error:
            refused.append(f"{barcode.format.name}: {error}")
        except UnicodeDecodeError:
            refused.append(f"{barcode.format.name}: holds no text")
    if not scans:
        raise ScanError(
            "; ".join(refused)
            if refused
            else "no code is found in the picture: is all of it, with the white around it, sharp?"
        )
    return tuple(scans)


def _scan(text: str, syntax: str, symbology: str | None, elements: Elements) -> Scan:
    return Scan(
        text=text,
        syntax=syntax,
        symbology=symbology,
        identifier=elements.identifier,
        lot=elements.lot,
        expiry=elements.expiry,
        national_numbers=elements.national_numbers,
    )
