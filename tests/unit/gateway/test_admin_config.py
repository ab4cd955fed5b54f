"""Changing a channel's configuration: editing, computing, signing, telling what an update does."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from fabric_protos.common import configtx_pb2, configuration_pb2, policies_pb2
from fabric_protos.orderer import configuration_pb2 as orderer_pb2

from medfab_gateway import private_key_signer
from medfab_gateway.admin import (
    ChannelAdmin,
    ChannelConfig,
    ConfigEditor,
    ConfigError,
    ConfigUpdateRequest,
    OrganizationDefinition,
    UpdateState,
    orderer_endpoints,
)
from medfab_gateway.channel_config import BatchSize, ConfigValue, ConsensusType, MspConfig
from medfab_gateway.endpoint import Endpoint
from unit.gateway.fake_gateway import make_identity
from unit.gateway.made_config import AUTHORITIES, Authority, definition, made_channel

CONFIG = made_channel()
OTHER_A = OrganizationDefinition.from_json(definition("A").to_json().replace("7051", "7052"))


def value(config: ChannelConfig, *path: str) -> ConfigValue:
    *groups, name = path
    group = config.typed.channel
    for each in groups:
        group = group.groups[each]
    return group.values[name]


def edited(change: Callable[[ConfigEditor], object]) -> tuple[ChannelConfig, list[str]]:
    """The configuration after a change, and what the update says that it does."""
    editor = ConfigEditor(CONFIG)
    change(editor)
    changes = editor.update().changes(CONFIG)
    return editor.config, [f"{c.action} {c.kind} {c.path} by {c.mod_policy}" for c in changes]


def test_the_batch() -> None:
    config, changes = edited(lambda e: e.set_batch(max_message_count=99, timeout="250ms"))
    assert value(config, "Orderer", "BatchSize").content == BatchSize(
        max_message_count=99, absolute_max_bytes=1000, preferred_max_bytes=500
    )
    assert value(config, "Orderer", "BatchTimeout").content == "250ms"
    assert changes == [
        "change value /Channel/Orderer/BatchSize by /Channel/Orderer/Admins",
        "change value /Channel/Orderer/BatchTimeout by /Channel/Orderer/Admins",
    ]


def test_an_organisation_comes() -> None:
    config, changes = edited(lambda e: e.add_organization(definition("C")))
    assert set(config.typed.channel.groups["Application"].groups) == {"A", "B", "C"}
    assert changes == ["add group /Channel/Application/C by /Channel/Application/Admins"]


def test_an_organisation_goes() -> None:
    config, changes = edited(lambda e: e.remove_organization("B"))
    assert set(config.typed.channel.groups["Application"].groups) == {"A"}
    assert changes == ["remove group /Channel/Application/B by /Channel/Application/Admins"]


def test_access_rules() -> None:
    config, changes = edited(
        lambda e: e.set_acl("event/Block", None).set_acl("qscc/GetBlockByHash", "Readers")
    )
    assert value(config, "Application", "ACLs").content == {
        "qscc/GetBlockByHash": "Readers",
        "qscc/GetChainInfo": "Readers",
    }
    assert changes == ["change value /Channel/Application/ACLs by /Channel/Application/Admins"]


def test_anchor_peers() -> None:
    config, changes = edited(lambda e: e.set_anchor_peers("A", [("a0", 1), ("a1", 2)]))
    content = value(config, "Application", "A", "AnchorPeers").content
    assert [(each.host, each.port) for each in content] == [("a0", 1), ("a1", 2)]  # type: ignore
    assert changes == [
        "change value /Channel/Application/A/AnchorPeers by /Channel/Application/A/Admins"
    ]


def test_a_revocation_list_takes_the_place_of_its_authoritys_earlier_one() -> None:
    first, second = (AUTHORITIES["A"].revocation_list(*serials) for serials in ((7,), (7, 8)))
    once = ConfigEditor(CONFIG).add_revocation_list("A", first).config
    config = ConfigEditor(once).add_revocation_list("A", second).config
    msp = value(config, "Application", "A", "MSP").content
    assert isinstance(msp, MspConfig)
    assert msp.revocation_lists == (second,)
    assert msp.root_certificates == (AUTHORITIES["A"].pem,)
    update = ConfigEditor(once).add_revocation_list("A", second).update()
    assert [each.path for each in update.changes(once)] == ["/Channel/Application/A/MSP"]


def test_a_new_root_stands_beside_the_old_one_and_then_alone() -> None:
    """Of the same name, with another key: its revocation list is another one."""
    old, new = AUTHORITIES["A"], Authority("A")
    revoked, none = old.revocation_list(7), new.revocation_list()
    both, _ = edited(
        lambda e: (
            e.add_revocation_list("A", revoked)
            .set_roots("A", roots=[old.pem, new.pem], tls_roots=[old.pem, new.pem])
            .add_revocation_list("A", none)
        )
    )
    msp = value(both, "Application", "A", "MSP").content
    assert isinstance(msp, MspConfig)
    assert msp.root_certificates == msp.tls_root_certificates == (old.pem, new.pem)
    assert msp.revocation_lists == (revoked, none)
    assert ConfigEditor(both).revocation_lists("A") == (revoked, none)
    alone = ConfigEditor(both).set_roots("A", roots=[new.pem], tls_roots=[new.pem]).config
    msp = value(alone, "Application", "A", "MSP").content
    assert isinstance(msp, MspConfig)
    assert msp.root_certificates == (new.pem,)
    assert msp.revocation_lists == (none,)
    with pytest.raises(ConfigError, match="no certificate of an authority"):
        ConfigEditor(both).set_roots("A", roots=[b"nothing"], tls_roots=[])
    with pytest.raises(ConfigError, match="at least one root"):
        ConfigEditor(both).set_roots("A", roots=[], tls_roots=[])


def test_an_orderer_gets_other_certificates_and_keeps_its_place() -> None:
    new = Authority("new").pem
    config, _ = edited(
        lambda e: e.replace_orderer_certificates("o.test", 7050, server_tls_certificate=new)
    )
    consensus = value(config, "Orderer", "ConsensusType").content
    assert isinstance(consensus, ConsensusType)
    assert [(c.host, c.port) for c in consensus.consenters] == [("o.test", 7050), ("o.test", 8050)]
    first = consensus.consenters[0]
    assert first.server_tls_certificate == new
    assert first.client_tls_certificate != new
    editor = ConfigEditor(CONFIG)
    with pytest.raises(ConfigError, match=r"no orderer o\.test:1"):
        editor.replace_orderer_certificates("o.test", 1, server_tls_certificate=new)
    with pytest.raises(ConfigError, match="no identity"):
        editor.replace_orderer_certificates("o.test", 7050, identity_certificate=new)
    with pytest.raises(ConfigError, match="not PEM"):
        editor.replace_orderer_certificates("o.test", 7050, server_tls_certificate=b"x")


def test_orderers_come_and_go() -> None:
    tls = AUTHORITIES["OrdererMSP"].pem
    config, _ = edited(
        lambda e: e.add_orderer(
            "new.test",
            9050,
            msp_id="OrdererMSP",
            client_tls_certificate=tls,
            server_tls_certificate=tls,
        ).remove_orderer("o.test", 7050)
    )
    consensus = value(config, "Orderer", "ConsensusType").content
    assert isinstance(consensus, ConsensusType)
    assert [(c.host, c.port) for c in consensus.consenters] == [
        ("o.test", 8050),
        ("new.test", 9050),
    ]
    [endpoint] = orderer_endpoints(config)
    assert (endpoint.address, endpoint.msp_id) == ("new.test:9050", "OrdererMSP")
    assert endpoint.tls_root_certificates == tls


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda e: e.update(), "Nothing would change"),
        (lambda e: e.set_batch(max_message_count=10).update(), "Nothing would change"),
        (lambda e: e.set_batch(max_message_count=0), "max_message_count cannot be 0"),
        (lambda e: e.set_batch(preferred_max_bytes=5000), "cannot be more than"),
        (lambda e: e.set_batch(timeout="2 seconds"), "no duration"),
        (lambda e: e.set_batch(timeout="0s"), "no duration"),
        (lambda e: e.add_organization(definition("A")).update(), "Nothing would change"),
        (lambda e: e.add_organization(OTHER_A), "member of care already, by another"),
        (lambda e: e.remove_organization("C"), "no member C; it has A, B"),
        (lambda e: e.set_anchor_peers("OrdererMSP", []), "it has A, B"),
        (lambda e: e.set_acl("event/Block", "Nobody"), "no policy 'Nobody'.*Application/Admins"),
        (lambda e: e.set_acl("event/Block", "/Channel/Nowhere/Admins"), "no policy"),
        (lambda e: e.set_acl("peer/Propose", None), "no access rule"),
        (lambda e: e.set_revocation_lists("A", [b"nothing"]), "no certificate revocation list"),
        (lambda e: e.remove_orderer("o.test", 1), "no orderer o.test:1; there are o.test:7050"),
    ],
)
def test_what_makes_no_sense(change: Callable[[ConfigEditor], object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        change(ConfigEditor(CONFIG))


def test_the_only_orderer_cannot_go() -> None:
    editor = ConfigEditor(CONFIG).remove_orderer("o.test", 7050)
    with pytest.raises(ConfigError, match="the only orderer"):
        editor.remove_orderer("o.test", 8050)


# --- JSON --------------------------------------------------------------------------------------


def test_json_and_back_changes_nothing() -> None:
    text = json.dumps(CONFIG.to_json())
    again = CONFIG.with_json(text)
    assert again == CONFIG
    with pytest.raises(ConfigError, match="Nothing would change"):
        ConfigUpdateRequest.compute(CONFIG, again)


def test_json_that_somebody_has_changed() -> None:
    text = json.dumps(CONFIG.to_json()).replace('"timeout": "2s"', '"timeout": "3s"')
    update = ConfigUpdateRequest.compute(CONFIG, CONFIG.with_json(text))
    assert [each.path for each in update.changes(CONFIG)] == ["/Channel/Orderer/BatchTimeout"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is no configuration"),
        ("[]", "must be an object"),
        ("{}", "no channel group"),
        ('{"channel_group": {"valuez": {}}}', "channel_group has no 'valuez'; it has"),
        (
            '{"channel_group": {"values": {"X": {"value": "%"}}}}',
            "values.X.value must be text in base",
        ),
        ('{"channel_group": {"version": "many"}}', "version cannot be 'many'"),
        (
            '{"channel_group": {"values": {"BatchSize": {"value": {"max_message_count": -1}}}}}',
            "is no configuration",
        ),
    ],
)
def test_json_that_is_no_configuration(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        CONFIG.with_json(text)


def test_a_definition_travels_as_json() -> None:
    sent = definition("C")
    received = OrganizationDefinition.from_json(sent.to_json())
    assert received == sent
    assert received.msp_id == "C"
    [fingerprint] = received.fingerprints
    assert len(fingerprint) == 32 * 3 - 1
    with pytest.raises(ConfigError, match="no definition of an organisation"):
        OrganizationDefinition.from_json('{"groups": 1}')
    with pytest.raises(ConfigError, match="no MSP"):
        OrganizationDefinition.from_json("{}")


# --- on its way --------------------------------------------------------------------------------


def signed_by(request: ConfigUpdateRequest, *msp_ids: str) -> ConfigUpdateRequest:
    for msp_id in msp_ids:
        identity, key = make_identity(msp_id)
        endpoint = Endpoint("localhost:1", insecure=True)
        with ChannelAdmin(endpoint, identity, private_key_signer(key)) as channels:
            request = channels.sign(request)
    return request


def test_signatures_gather_in_a_file() -> None:
    request = ConfigEditor(CONFIG).set_batch(max_message_count=1).update()
    file = signed_by(request, "A").to_bytes()
    file = signed_by(ConfigUpdateRequest.from_bytes(file), "B").to_bytes()
    arrived = ConfigUpdateRequest.from_bytes(file)
    assert [each.msp_id for each in arrived.signers] == ["A", "B"]
    assert arrived.config_update == request.config_update
    assert arrived.channel_name == "care"
    assert request.signatures == ()


def test_who_signs_again_is_there_once() -> None:
    request = ConfigEditor(CONFIG).set_batch(max_message_count=1).update()
    identity, key = make_identity("A")
    with ChannelAdmin(
        Endpoint("localhost:1", insecure=True), identity, private_key_signer(key)
    ) as c:
        twice = c.sign(c.sign(request))
    assert len(twice.signatures) == 1


@pytest.mark.parametrize("content", [b"", b"nothing", made_channel().serialized])
def test_a_file_that_is_no_update(content: bytes) -> None:
    with pytest.raises(ConfigError, match="no configuration update"):
        ConfigUpdateRequest.from_bytes(content)


def applied(config: ChannelConfig, request: ConfigUpdateRequest) -> ChannelConfig:
    """As orderers apply it: what is written takes its version from the update."""
    from fabric_protos.common import configtx_pb2

    state = configtx_pb2.Config.FromString(config.serialized)
    update = configtx_pb2.ConfigUpdate.FromString(request.config_update)

    def write(group: object, written: object) -> None:
        for kind in ("policies", "values", "groups"):
            there, new = getattr(group, kind), getattr(written, kind)
            if written.version > group.version:  # type: ignore[attr-defined]
                for name in set(there) - set(new):
                    del there[name]
            for name in new:
                if kind == "groups" and name in there:
                    write(there[name], new[name])
                elif name not in there or new[name].version > there[name].version:
                    there[name].CopyFrom(new[name])
        if written.version > group.version:  # type: ignore[attr-defined]
            group.mod_policy = written.mod_policy  # type: ignore[attr-defined]
        group.version = written.version  # type: ignore[attr-defined]

    write(state.channel_group, update.write_set)
    state.sequence += 1
    return ChannelConfig(config.channel_name, state.SerializeToString(deterministic=True))


def test_pending_then_in_force_then_overtaken() -> None:
    request = (
        ConfigEditor(CONFIG)
        .set_batch(max_message_count=1)
        .add_organization(definition("C"))
        .set_acl("event/Block", None)
        .update()
    )
    assert request.state(CONFIG) is UpdateState.PENDING
    config = applied(CONFIG, request)
    assert request.state(config) is UpdateState.IN_FORCE
    other = ConfigEditor(CONFIG).set_batch(max_message_count=2).update()
    assert other.state(config) is UpdateState.OVERTAKEN
    beside = ConfigEditor(CONFIG).set_anchor_peers("A", [("a9", 9)]).update()
    assert (
        beside.state(config) is UpdateState.OVERTAKEN or beside.state(config) is UpdateState.PENDING
    )
    later = applied(config, ConfigEditor(config).set_batch(max_message_count=5).update())
    assert request.state(later) is UpdateState.OVERTAKEN


def test_an_organisation_that_has_gone_again() -> None:
    request = ConfigEditor(CONFIG).remove_organization("B").update()
    config = applied(CONFIG, request)
    assert set(config.typed.channel.groups["Application"].groups) == {"A"}
    assert request.state(config) is UpdateState.IN_FORCE


def bft_config() -> ChannelConfig:
    """The same channel, its four orderers agreeing by BFT."""
    config = configtx_pb2.Config.FromString(CONFIG.serialized)
    orderer = config.channel_group.groups["Orderer"]
    consensus = orderer_pb2.ConsensusType(type="BFT")
    orderer.values["ConsensusType"].value = consensus.SerializeToString()
    pem = AUTHORITIES["OrdererMSP"].pem
    orderer.values["Orderers"].value = configuration_pb2.Orderers(
        consenter_mapping=[
            configuration_pb2.Consenter(
                id=number,
                host="o.test",
                port=7050 + number,
                msp_id="OrdererMSP",
                identity=pem,
                client_tls_cert=pem,
                server_tls_cert=pem,
            )
            for number in (1, 2, 3, 4)
        ]
    ).SerializeToString()
    orderer.policies["BlockValidation"].mod_policy = "Admins"
    return ChannelConfig("care", config.SerializeToString())


def test_orderers_that_agree_by_bft_come_and_go_with_their_policy() -> None:
    pem, original = AUTHORITIES["OrdererMSP"].pem, bft_config()
    tls = {"client_tls_certificate": pem, "server_tls_certificate": pem}
    editor = ConfigEditor(original)
    with pytest.raises(ConfigError, match=r"the certificate of new\.test:1's own identity"):
        editor.add_orderer("new.test", 1, msp_id="OrdererMSP", **tls)
    with pytest.raises(ConfigError, match="identity's certificate of the orderer"):
        editor.add_orderer(
            "new.test", 1, msp_id="OrdererMSP", identity_certificate=b"nothing", **tls
        )
    editor.remove_orderer("o.test", 7052)
    editor.add_orderer("new.test", 1, msp_id="OrdererMSP", identity_certificate=pem, **tls)
    for port in (2, 3, 4):
        editor.add_consenter("new.test", port, msp_id="OrdererMSP", identity_certificate=pem, **tls)
    config = configtx_pb2.Config.FromString(editor.config.serialized)
    orderer = config.channel_group.groups["Orderer"]
    members = configuration_pb2.Orderers.FromString(orderer.values["Orderers"].value)
    assert [each.id for each in members.consenter_mapping] == [1, 3, 4, 5, 6, 7, 8]
    policy = orderer.policies["BlockValidation"]
    assert (policy.policy.type, policy.mod_policy) == (policies_pb2.Policy.SIGNATURE, "Admins")
    signed = policies_pb2.SignaturePolicyEnvelope.FromString(policy.policy.value)
    assert signed.rule.n_out_of.n == 5  # of seven, two of which may lie
    assert [rule.signed_by for rule in signed.rule.n_out_of.rules] == list(range(7))
    assert len(signed.identities) == 7
    assert {change.path for change in editor.update().changes(original)} == {
        "/Channel/Orderer/BlockValidation",
        "/Channel/Orderer/OrdererMSP/Endpoints",
        "/Channel/Orderer/Orderers",
    }


def test_an_orderer_is_listed_and_counted_apart() -> None:
    pem = AUTHORITIES["OrdererMSP"].pem
    editor = ConfigEditor(CONFIG).add_consenter(
        "new.test",
        9050,
        msp_id="OrdererMSP",
        client_tls_certificate=pem,
        server_tls_certificate=pem,
    )
    assert ("new.test", 9050) in editor.consenters
    assert "new.test:9050" not in {each.address for each in orderer_endpoints(editor.config)}
    editor.list_orderer("new.test", 9050, msp_id="OrdererMSP").remove_consenter("new.test", 9050)
    assert ("new.test", 9050) not in editor.consenters
    assert "new.test:9050" in {each.address for each in orderer_endpoints(editor.config)}
    editor.unlist_orderer("new.test", 9050)
    assert editor.config == CONFIG
