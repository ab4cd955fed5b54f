"""Labels: GS1 DataMatrix and QR codes as PNG and SVG, and sheets of them to print."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from medfab_gateway.pharma._digital_link import CANONICAL, to_link
from medfab_gateway.pharma._element_string import element_string, element_values
from medfab_gateway.pharma._epc import Identifier
from medfab_gateway.pharma._instances import NationalNumber
from medfab_gateway.pharma.errors import LabelError

Symbology = Literal["datamatrix", "qr"]
_SIZE = re.compile(r'<svg width="(\d+)" height="(\d+)"')


@dataclass(frozen=True, kw_only=True)
class Label:
    """What a label says; as code, in two symbologies, and in words.

    ::

        label = Label(identifier=Sgtin(gtin, "1234"), lot="A1", expiry=date(2026, 11, 30))
        Path("label.png").write_bytes(label.png())
    """

    identifier: Identifier
    lot: str | None = None
    expiry: date | None = None
    national_number: NationalNumber | None = None
    name: str = ""
    """Of the product, for people."""
    host: str = CANONICAL
    """Of the Digital Link in a QR code."""

    def __post_init__(self) -> None:
        values = self.values  # raises where a part is wrong
        if self.expiry is not None and not 2000 <= self.expiry.year <= 2099:
            raise LabelError(f"an expiry of {self.expiry.year} does not fit into YYMMDD")
        if len(self.text) > 2000:
            raise LabelError(f"({')('.join(values)}) is too long for a code")

    @property
    def values(self) -> dict[str, str]:
        """Application identifier → value."""
        return element_values(
            self.identifier,
            lot=self.lot,
            expiry=self.expiry,
            national_number=self.national_number,
        )

    @property
    def text(self) -> str:
        """The element string, with GS between its fields."""
        return element_string(self.values)

    @property
    def link(self) -> str:
        """The Digital Link."""
        return to_link(self.identifier, host=self.host, lot=self.lot, expiry=self.expiry)

    def png(self, symbology: Symbology = "datamatrix", *, scale: int = 8) -> bytes:
        """A picture. scale: pixels of one module of the code."""
        from PIL import Image

        out = io.BytesIO()
        if symbology == "qr":
            import segno

            segno.make(self.link, error="m", micro=False).save(out, kind="png", scale=scale)
        else:
            pixels = self._data_matrix().to_image(scale=scale)
            Image.fromarray(pixels).save(out, "PNG")
        return out.getvalue()

    def svg(self, symbology: Symbology = "datamatrix") -> str:
        """A drawing, of any size."""
        if symbology == "qr":
            import segno

            out = io.BytesIO()
            code = segno.make(self.link, error="m", micro=False)
            code.save(out, kind="svg", xmldecl=False, omitsize=True)
            return out.getvalue().decode().strip()
        drawing = str(self._data_matrix().to_svg())
        drawing = drawing[drawing.index("<svg") :].strip()
        return _SIZE.sub(r'<svg viewBox="0 0 \1 \2"', drawing, count=1)

    def lines(self) -> list[str]:
        """What stands beside the code, for people."""
        named = [self.name] if self.name else []
        return [*named, *(f"({ai}) {value}" for ai, value in self.values.items())]

    def _data_matrix(self) -> Any:
        import zxingcpp

        # In square brackets, which are in no value; round ones may be.
        text = "".join(f"[{ai}]{value}" for ai, value in self.values.items())
        try:
            # Square: not every reader knows the long forms.
            return zxingcpp.create_barcode(
                text, zxingcpp.BarcodeFormat.DataMatrix, gs1=True, force_square=True
            )
        except ValueError as error:
            raise LabelError(f"no DataMatrix can be made of {self.identifier}: {error}") from None


def label_sheet(
    labels: Iterable[Label],
    *,
    symbology: Symbology = "datamatrix",
    columns: int = 3,
    rows: int = 8,
    title: str = "Labels",
) -> str:
    """An HTML page that any browser prints on A4: `columns` x `rows` labels a page."""
    if not (1 <= columns <= 10 and 1 <= rows <= 30):
        raise LabelError("a sheet has 1 to 10 columns and 1 to 30 rows")
    all_labels = list(labels)
    if not all_labels:
        raise LabelError("there is no label to print")
    size = columns * rows
    pages = [all_labels[at : at + size] for at in range(0, len(all_labels), size)]
    body = "\n".join(_page(page, symbology) for page in pages)
    return (
        "<!DOCTYPE html>\n"
        f'<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>\n'
        f"<style>{_STYLE % {'columns': columns, 'rows': rows}}</style></head>\n"
        f"<body>\n{body}\n</body></html>\n"
    )


def _page(labels: Sequence[Label], symbology: Symbology) -> str:
    cells = []
    for label in labels:
        lines = "".join(f"<div>{html.escape(line)}</div>" for line in label.lines())
        cells.append(
            f'<div class="label"><div class="code">{label.svg(symbology)}</div>'
            f'<div class="text">{lines}</div></div>'
        )
    return '<section class="page">' + "\n".join(cells) + "</section>"


_STYLE = """
@page { size: A4; margin: 8mm }
body { margin: 0; font: 7pt/1.25 sans-serif }
.page { display: grid; height: 280mm; break-after: page; gap: 2mm;
  grid-template: repeat(%(rows)d, 1fr) / repeat(%(columns)d, 1fr) }
.label { display: flex; align-items: center; gap: 2mm; overflow: hidden; break-inside: avoid }
.code svg { width: 18mm; height: 18mm; display: block }
.text { overflow-wrap: anywhere }
"""
