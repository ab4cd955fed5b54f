"""The contract ``ehr``: its functions by what they are about. See docs/design/ehr.md."""

from ._consents import Consents
from ._data_keys import DataKeys
from ._filing import Filing
from ._history import History
from ._holders import Holders
from ._reading import Reading
from ._representatives import Representatives
from ._requests import Requests
from ._reviews import Reviews


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
):
    """Records stay with their holder; a committed decision on consent lets them out."""

    name = "ehr"
