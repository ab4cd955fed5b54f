"""What consumers raise on purpose.

MedfabError
└── ConsumerError
    ├── DeclarationError        a projection, table or key pattern is declared wrongly
    ├── ConfigurationError      a file of consumers lacks something, and where
    ├── ChainError              a block does not continue the chain: a fork, or a wrong channel
    ├── StoreError              the database cannot be used
    │   └── StoreUnavailableError   at present: the consumer goes on when it is back
    └── LeadLostError           another consumer of that name has written meanwhile
"""

from __future__ import annotations

from medfab_gateway.errors import MedfabError


class ConsumerError(MedfabError):
    """The root of the errors of consumers."""


class DeclarationError(ConsumerError):
    """A projection, a table or a key pattern is declared in a way that cannot work."""


class ConfigurationError(ConsumerError):
    """A file of consumers, or an option of a consumer, cannot be used."""


class ChainError(ConsumerError):
    """A block does not continue the chain of those before: a fork, a gap, or a wrong channel."""


class StoreError(ConsumerError):
    """The database cannot be used, or holds something that belongs to somebody else."""


class StoreUnavailableError(StoreError):
    """The database cannot be reached at present; whatever was under way was rolled back."""


class LeadLostError(ConsumerError):
    """Another consumer of that name has moved the checkpoint: nothing of this batch was kept."""
