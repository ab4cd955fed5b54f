"""configtxlator agrees: what we decode, encode and compute of configurations is what it does."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fabric_protos.common import configtx_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medfab_gateway.admin import (
    ChannelConfig,
    ConfigEditor,
    ConfigError,
    ConfigUpdateRequest,
    compute_update,
)
from medfab_network._binaries import Binaries
from unit.gateway.made_config import AUTHORITIES, definition, made_channel, made_config

pytestmark = pytest.mark.integration

CONFIG = made_channel()
TLS = AUTHORITIES["OrdererMSP"].pem


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("configtxlator")


def run(program: Path, *arguments: str, given: bytes, folder: Path) -> bytes:
    question, answer = folder / "question", folder / "answer"
    question.write_bytes(given)
    files = ("--input", question, "--output", answer)
    done = subprocess.run([program, *arguments, *files], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return answer.read_bytes()


def config_tool(binaries: Binaries, folder: Path, command: str, given: bytes) -> bytes:
    arguments = (command, "--type", "common.Config")
    return run(binaries["configtxlator"], *arguments, given=given, folder=folder)


def their_update(binaries: Binaries, folder: Path, original: bytes, modified: bytes) -> Any:
    """A `ConfigUpdate`; None where it finds no difference."""
    before, after, computed = folder / "before", folder / "after", folder / "update"
    before.write_bytes(original)
    after.write_bytes(modified)
    done = subprocess.run(
        [
            *(binaries["configtxlator"], "compute_update", "--channel_id", "care"),
            *("--original", before, "--updated", after, "--output", computed),
        ],
        capture_output=True,
        timeout=60,
    )
    if done.returncode != 0:
        assert b"no differences detected" in done.stderr
        return None
    return configtx_pb2.ConfigUpdate.FromString(computed.read_bytes())


def our_update(original: bytes, modified: bytes) -> Any:
    try:
        return configtx_pb2.ConfigUpdate.FromString(compute_update("care", original, modified))
    except ConfigError as error:
        if "Nothing would change" in str(error):
            return None
        raise


EDITS: list[Callable[[ConfigEditor], object]] = [
    lambda e: e.set_batch(max_message_count=7, timeout="1s"),
    lambda e: e.set_acl("event/Block", None),
    lambda e: e.set_acl("qscc/GetBlockByHash", "/Channel/Application/Readers"),
    lambda e: e.set_anchor_peers("A", []),
    lambda e: e.add_organization(definition("C")),
    lambda e: e.remove_organization("A"),
    lambda e: e.add_organization(definition("C")).remove_organization("A"),
    lambda e: e.add_revocation_list("B", AUTHORITIES["B"].revocation_list(5)),
    lambda e: e.remove_orderer("o.test", 7050),
    lambda e: e.add_orderer(
        "x.test", 1, msp_id="OrdererMSP", client_tls_certificate=TLS, server_tls_certificate=TLS
    ),
    lambda e: e.set_batch(preferred_max_bytes=1).remove_organization("B").set_acl("x", "Readers"),
    lambda e: e,
]


@pytest.mark.parametrize("number", range(len(EDITS)))
def test_the_update_of_an_edit(binaries: Binaries, folder: Path, number: int) -> None:
    editor = ConfigEditor(CONFIG)
    EDITS[number](editor)
    original, modified = CONFIG.serialized, editor.config.serialized
    ours, theirs = (
        our_update(original, modified),
        their_update(binaries, folder, original, modified),
    )
    assert ours == theirs


def groups(config: Any) -> list[Any]:
    """All groups of the tree, in a fixed order."""
    found = [config.channel_group]
    for group in found:
        found += [group.groups[name] for name in sorted(group.groups)]
    return found


# Which group, what to do there, with the element of which name (by its number), and a content.
mutation = st.tuples(
    st.integers(0, 30),
    st.sampled_from(["value", "policy", "group", "drop", "drop group", "mod_policy", "element"]),
    st.integers(0, 9),
    st.text("abcXYZ", min_size=1, max_size=3),
)


def mutate(config: Any, place: int, action: str, number: int, text: str) -> None:
    every = groups(config)
    group = every[place % len(every)]
    match action:
        case "value":
            group.values[text].value = text.encode() * number
        case "policy":
            group.policies[text].policy.type = number
        case "group":
            new = group.groups[text]
            new.mod_policy = text
            new.groups["below"].values["V"].value = b"v"
            new.groups["below"].policies["P"].policy.value = b"p"
        case "mod_policy":
            group.mod_policy = text
        case "drop" | "element" if group.values:
            name = sorted(group.values)[number % len(group.values)]
            if action == "drop":
                del group.values[name]
            else:
                group.values[name].mod_policy = text
        case "drop group" if group.groups:
            del group.groups[sorted(group.groups)[number % len(group.groups)]]


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(mutations=st.lists(mutation, max_size=6), before=st.lists(mutation, max_size=2))
def test_the_update_of_any_change(
    binaries: Binaries, folder: Path, mutations: list[Any], before: list[Any]
) -> None:
    original, modified = made_config(), made_config()
    for each in before:
        mutate(original, *each)
        mutate(modified, *each)
    for each in mutations:
        mutate(modified, *each)
    first, second = (c.SerializeToString(deterministic=True) for c in (original, modified))
    assert our_update(first, second) == their_update(binaries, folder, first, second)


def test_configurations_and_updates_as_json(binaries: Binaries, folder: Path) -> None:
    theirs = config_tool(binaries, folder, "proto_decode", CONFIG.serialized)
    assert json.loads(theirs) == CONFIG.to_json()
    message = configtx_pb2.Config.FromString
    assert CONFIG.with_json(theirs.decode()) == CONFIG
    changed = theirs.decode().replace('"2s"', '"5s"')
    encoded = config_tool(binaries, folder, "proto_encode", changed.encode())
    assert message(CONFIG.with_json(changed).serialized) == message(encoded)


def test_our_files_are_read_by_configtxlator(binaries: Binaries, folder: Path) -> None:
    request = ConfigEditor(CONFIG).set_batch(max_message_count=7).update()
    decoded = json.loads(
        run(
            *(binaries["configtxlator"], "proto_decode", "--type", "common.Envelope"),
            given=request.to_bytes(),
            folder=folder,
        )
    )
    update = decoded["payload"]["data"]["config_update"]
    assert update["channel_id"] == "care"
    size = update["write_set"]["groups"]["Orderer"]["values"]["BatchSize"]
    assert (size["version"], size["value"]["max_message_count"]) == ("1", 7)


def test_a_configuration_of_theirs_makes_no_difference(binaries: Binaries, folder: Path) -> None:
    """Maps and all: through their JSON and back, nothing is said to have changed."""
    text = config_tool(binaries, folder, "proto_decode", CONFIG.serialized)
    encoded = config_tool(binaries, folder, "proto_encode", text)
    theirs = ChannelConfig("care", encoded)
    with pytest.raises(ConfigError, match="Nothing would change"):
        ConfigUpdateRequest.compute(theirs, theirs.with_json(text.decode()))
