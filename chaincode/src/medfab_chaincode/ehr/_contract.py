"""The contract ``ehr``: its functions by what they are about. See docs/design/ehr.md."""

from ._consents import Consents
from ._data_keys import DataKeys
from ._erasure import Erasure
from ._filing import Filing
from ._history import History
from ._holders import Holders
from ._holds import Holds
from ._membership import Membership
from ._reading import Reading
from ._recovery import Recoveries
from ._representatives import Representatives
from ._requests import Requests
from ._reviews import Reviews
from ._violations import Violations


class EhrContract(
    Holders,
    Representatives,
    Consents,
    Filing,
    DataKeys,
    Requests,
    Reviews,
    Reading,
    History,
    Violations,
    Membership,
    Recoveries,
    Holds,
    Erasure,
):
    """Records stay with their holder; a committed decision on consent lets them out."""

    name = "ehr"
