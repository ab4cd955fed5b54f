"""Every error this distribution raises on purpose.

::

    ChaincodeError
    ├── ContractError            the contract says no: goes to the client as JSON
    │   ├── AccessDeniedError        an access rule of the function does not let the client in
    │   ├── IdentityError            the creator of a transaction is not an X.509 identity
    │   ├── InvalidArgumentError     an argument or transient entry is not of its declared type
    │   └── UnknownFunctionError     no contract here has a function of that name
    ├── DefinitionError          a contract class cannot be served as it is written
    ├── EvaluateWriteError       a function marked @evaluate has written
    ├── InvalidKeyError          a key, query or name that Fabric cannot take
    ├── NotCanonicalError        a value has no canonical JSON form
    ├── PeerError                the peer answered a request with ERROR
    ├── SettingsError            the server cannot be started with these settings
    ├── StateFormatError         state in the ledger is not of the type it is read into
    └── StreamLostError          the stream to the peer ended under a running transaction

Only the text of a `ContractError` ever reaches a client, and no text reaches a log: do not put
patient data into any of them all the same.
"""


class ChaincodeError(Exception):
    """The root: catches everything this distribution raises on purpose."""


class ContractError(ChaincodeError):
    """A refusal that the client is meant to see and to branch on.

    The transaction ends with a response of status `status`, whose message is the canonical JSON
    of `document`. Nothing is written to the ledger.

    fields: which parts of the input are wrong: from the path, `transient.terms.portions[1].code`,
    to what was expected and came.

    Raises `ValueError` when `status` is outside 400…499 (500 is for unexpected failures).
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "REFUSED",
        status: int = 400,
        fields: dict[str, str] | None = None,
    ) -> None:
        if not 400 <= status <= 499:
            raise ValueError("the status of a ContractError is 400 to 499")
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status
        self.fields = fields or {}

    @property
    def document(self) -> dict[str, object]:
        """What the client gets: `code`, `message`, and `fields` if there are any."""
        document: dict[str, object] = {"code": self.code, "message": self.message}
        return document | {"fields": self.fields} if self.fields else document


class AccessDeniedError(ContractError):
    """A declared access rule does not let the client in; the message names the rule."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="ACCESS_DENIED", status=403)


class IdentityError(ContractError):
    """The creator of the transaction cannot be read as an X.509 identity.

    A refusal, because the client can mend it: its identity file holds more than a certificate.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message, code="INVALID_IDENTITY", status=403)


class InvalidArgumentError(ContractError):
    """An argument, or a transient entry, is not what the function declares.

    Names the parameter, the expected type and the kind that came; never the value.
    """

    def __init__(self, message: str, *, fields: dict[str, str] | None = None) -> None:
        super().__init__(message, code="INVALID_ARGUMENT", fields=fields)

    @classmethod
    def at(cls, path: str, problem: str) -> "InvalidArgumentError":
        """Make the error of one value: where it is, and what was expected and came."""
        return cls(f"{path}: {problem}", fields={path: problem})


class UnknownFunctionError(ContractError):
    """No registered contract has a function of the requested name."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="UNKNOWN_FUNCTION", status=404)


class DefinitionError(ChaincodeError):
    """A contract class cannot be served: a missing type hint, a name used twice, …"""


class EvaluateWriteError(ChaincodeError):
    """A function marked `@evaluate` has written, or set an event: a mistake in the contract.

    A client who evaluates would never see it committed, and one who submits was told not to.
    """


class InvalidKeyError(ChaincodeError, ValueError):
    """A key, composite part, query, or name of an event, collection or chaincode."""


class NotCanonicalError(ChaincodeError, TypeError):
    """A value has no canonical JSON form: a float, a naive datetime, an unknown class."""


class PeerError(ChaincodeError):
    """The peer answered a request with ERROR; the transaction cannot succeed as it stands.

    `request` is the type of the message it refused, e.g. `GET_STATE`; `reason` is its text.
    A reason of "no ledger context" means that the peer has given the transaction up.
    """

    def __init__(self, request: str, reason: str) -> None:
        super().__init__(f"the peer refused {request}: {reason}")
        self.request = request
        self.reason = reason


class SettingsError(ChaincodeError):
    """The server cannot be started: a missing or broken file, a taken port, a contradiction."""


class StreamLostError(ChaincodeError):
    """The stream to the peer ended, and with it every transaction that was running on it."""


class StateFormatError(ChaincodeError):
    """What the ledger holds under a key is not of the type that it is read into.

    Names the field, the expected type and the kind that came; never the value.
    """
