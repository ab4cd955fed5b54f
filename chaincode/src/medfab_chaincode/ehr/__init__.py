"""The health-record contract: records, consents, access decisions and reads.

Serve it with ``medfab-chaincode serve medfab_chaincode.ehr:EhrContract``. Where data lives, who
endorses what, and the rules are in docs/design/ehr.md.
"""

from ._contract import EhrContract

__all__ = ["EhrContract"]
