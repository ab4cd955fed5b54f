"""The part of the conformance contract about collections and key policies."""

from __future__ import annotations

from typing import Literal, cast

from conformance.contracts.encoding import collect, hexadecimals, strings
from medfab_chaincode import Context, Contract, KeyEndorsementPolicy, submit


class PrivateData(Contract):
    @submit("PrivateGet")
    async def private_get(self, context: Context, collection: str, key: str) -> str:
        return (await context.stub.get_private_data(collection, key) or b"").hex()

    @submit("PrivateGetMany")
    async def private_get_many(self, context: Context, collection: str, keys: str) -> str:
        return hexadecimals(await context.stub.get_private_data_many(collection, strings(keys)))

    @submit("PrivateHash")
    async def private_hash(self, context: Context, collection: str, key: str) -> str:
        return (await context.stub.get_private_data_hash(collection, key) or b"").hex()

    @submit("PrivatePut")
    def private_put(self, context: Context, collection: str, key: str) -> None:
        context.stub.put_private_data(collection, key, context.transient["value"])

    @submit("PrivateDelete")
    def private_delete(self, context: Context, collection: str, key: str) -> None:
        context.stub.delete_private_data(collection, key)

    @submit("PrivatePurge")
    def private_purge(self, context: Context, collection: str, key: str) -> None:
        context.stub.purge_private_data(collection, key)

    @submit("PrivateRange")
    async def private_range(self, context: Context, collection: str, start: str, end: str) -> str:
        return await collect(context.stub.get_private_data_by_range(collection, start, end))

    @submit("PrivatePartial")
    async def private_partial(
        self, context: Context, collection: str, kind: str, attributes: str
    ) -> str:
        return await collect(
            context.stub.get_private_data_by_partial_composite_key(
                collection, kind, strings(attributes)
            )
        )

    @submit("PrivateQuery")
    async def private_query(self, context: Context, collection: str, query: str) -> str:
        return await collect(context.stub.get_private_data_query_result(collection, query))

    # -- key policies ------------------------------------------------------------------------

    @submit("Policy")
    def policy(self, context: Context, role: str, organizations: str) -> str:
        """The validation parameter that these organisations' role makes."""
        policy = KeyEndorsementPolicy()
        policy.add_organizations(
            *strings(organizations), role=cast(Literal["MEMBER", "PEER"], role)
        )
        return policy.to_bytes().hex()

    @submit("PolicyWithout")
    def policy_without(self, context: Context, parameter: str, organization: str) -> str:
        """The parameter after an organisation was taken out of it."""
        policy = KeyEndorsementPolicy.from_bytes(bytes.fromhex(parameter))
        policy.delete_organizations(organization)
        return policy.to_bytes().hex()

    @submit("SetPolicy")
    def set_policy(self, context: Context, key: str, parameter: str) -> None:
        context.stub.set_state_validation_parameter(key, bytes.fromhex(parameter))

    @submit("Mixed")
    def mixed(self, context: Context, collection: str, key: str, parameter: str) -> None:
        """Write values and policies, public and private, some of them twice."""
        stub, policy = context.stub, bytes.fromhex(parameter)
        stub.put_state(key, b"1")
        stub.set_state_validation_parameter(key, b"")
        stub.put_private_data(collection, key, b"1")
        stub.set_private_data_validation_parameter(collection, key, policy)
        stub.set_state_validation_parameter(key, policy)
        stub.put_state(key, b"2")
        stub.put_private_data(collection, key, context.transient["value"])
        stub.delete_state("b")
        stub.delete_private_data(collection, "p3")

    @submit("GetPolicy")
    async def get_policy(self, context: Context, key: str) -> str:
        return (await context.stub.get_state_validation_parameter(key) or b"").hex()

    @submit("PrivateSetPolicy")
    def private_set_policy(
        self, context: Context, collection: str, key: str, parameter: str
    ) -> None:
        context.stub.set_private_data_validation_parameter(
            collection, key, bytes.fromhex(parameter)
        )

    @submit("PrivateGetPolicy")
    async def private_get_policy(self, context: Context, collection: str, key: str) -> str:
        parameter = await context.stub.get_private_data_validation_parameter(collection, key)
        return (parameter or b"").hex()
