"""The supply contract: serialised medicines from factory to patient, traced and recallable.

Serve it with ``medfab-chaincode serve medfab_chaincode.pharma:PharmaContract``. Keys, custody,
what the channel can see, and the rules are in docs/design/pharma.md.
"""

from ._contract import PharmaContract

__all__ = ["PharmaContract"]
