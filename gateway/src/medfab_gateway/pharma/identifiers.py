"""GS1's identifiers as value types that cannot be wrong, and their forms.

::

    pack = Sgtin(Gtin("9521141012345"), "1234")     # a wrong check digit raises IdentifierError
    to_urn(pack, 7)                                  # urn:epc:id:sgtin:9521141.001234.1234
    to_link(pack)                                    # https://id.gs1.org/01/09521141012345/21/1234
    from_urn("urn:epc:id:sgtin:9521141.001234.1234") == pack
"""

from medfab_gateway.pharma._check_digits import check_digit
from medfab_gateway.pharma._digital_link import canonical, from_link, to_link
from medfab_gateway.pharma._epc import Identifier, from_urn, to_urn
from medfab_gateway.pharma._instances import Lgtin, NationalNumber, Sgln, Sgtin
from medfab_gateway.pharma._keys import NATIONAL_NUMBERS, Gln, Gsrn, Gtin, Sscc

__all__ = [
    "NATIONAL_NUMBERS",
    "Gln",
    "Gsrn",
    "Gtin",
    "Identifier",
    "Lgtin",
    "NationalNumber",
    "Sgln",
    "Sgtin",
    "Sscc",
    "canonical",
    "check_digit",
    "from_link",
    "from_urn",
    "to_link",
    "to_urn",
]
