"""The contract ``pharma``: the functions of all areas under one name. See docs/design/pharma.md."""

from ._call import SupplyContext
from ._cold_chain import ColdChainMonitoring
from ._commissioning import Commissioning
from ._dispensing import Dispensing
from ._events import Events
from ._holding import Holding
from ._master import MasterData
from ._packing import Packing
from ._reading import Reading
from ._recalls import Recalls
from ._regulation import Regulation
from ._scans import Scans
from ._shipping import Shipping
from ._tracing import Tracing
from ._trade import Trade


class PharmaContract(
    MasterData,
    Commissioning,
    Packing,
    Shipping,
    Holding,
    Recalls,
    Dispensing,
    Scans,
    Events,
    Trade,
    ColdChainMonitoring,
    Regulation,
    Reading,
    Tracing,
):
    """Packs of medicine from commissioning to the patient."""

    name = "pharma"
    context_class = SupplyContext
