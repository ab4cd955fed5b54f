"""Every role tries every function, on the ledger in memory; docs/ehr-roles.md is the outcome."""

import ehr_matrix
from medfab_chaincode._router import Router
from medfab_chaincode.ehr import EhrContract
from medfab_chaincode.testing import EvaluateError, Identity
from unit.chaincode.ehr_ledger import HOSPITAL, new_ledger


async def test_every_role_tries_every_function() -> None:
    outcomes: dict[tuple[str, str], bool] = {}
    ledger = new_ledger()
    for role in ehr_matrix.ROLES:
        caller = Identity(HOSPITAL, role.name, role.attributes)
        for call in ehr_matrix.calls(Router([EhrContract()]).metadata):
            code: str | None = None
            try:
                await ledger.evaluate(
                    call.function, *call.args, caller=caller, transient=call.transient
                )
            except EvaluateError as error:
                code = error.chaincode.code if error.chaincode else "INTERNAL"
            assert code not in ("INVALID_ARGUMENT", "INTERNAL"), (call.function, role.name)
            outcomes[call.function, role.name] = code != "ACCESS_DENIED"
    ehr_matrix.check(outcomes)
    ehr_matrix.check_page(outcomes)
