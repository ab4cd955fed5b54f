"""Codes on packs: scanning text and pictures, and labels to print.

::

    code = scan("0109521141012345172611301012AB\\x1d211234")
    print(code.identifier, code.lot, code.expiry)
    [code] = scan_picture(Path("label.png").read_bytes())
"""

from medfab_gateway.pharma._element_string import (
    GS,
    Elements,
    element_string,
    element_values,
    parse_elements,
)
from medfab_gateway.pharma._labels import Label, label_sheet
from medfab_gateway.pharma._scan import Scan, scan, scan_picture

__all__ = [
    "GS",
    "Elements",
    "Label",
    "Scan",
    "element_string",
    "element_values",
    "label_sheet",
    "parse_elements",
    "scan",
    "scan_picture",
]
