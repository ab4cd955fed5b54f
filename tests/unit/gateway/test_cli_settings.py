"""Settings from options, the environment or medfab.toml, in that order; `config show` says which.

What a command gets is compared with what `config show` says of it.
"""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from medfab_gateway.cli import Connection, channel_option, identity_option, pass_connection
from medfab_gateway.cli._main import medfab
from medfab_gateway.cli._settings import SETTINGS

NAMES = [setting.name for setting in SETTINGS]
PATHS = {"dir", "profile", "wallet"}


@pytest.fixture(autouse=True)
def nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("MEDFAB_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def medfab_(*arguments: str) -> Result:
    return CliRunner().invoke(medfab, arguments, prog_name="medfab")


def shown(*arguments: str) -> dict[str, dict[str, Any]]:
    done = medfab_("config", "show", "--json", *arguments)
    assert done.exit_code == 0, done.output
    return {row["setting"]: row for row in json.loads(done.stdout)["settings"]}


def given(*arguments: str) -> dict[str, str | None]:
    """What a command with all the options would get."""
    got: dict[str, Any] = {}

    @click.command()
    @channel_option
    @identity_option
    @pass_connection
    def probe(channel: str, label: str | None, connection: Connection) -> None:
        got.update(
            dir=connection.directory,
            org=connection.organization,
            profile=connection.profile_file,
            wallet=connection.wallet_folder,
            identity=label,
            channel=channel,
        )
        got["hsm-module"], got["hsm-token"] = connection.hsm_module, connection.hsm_token

    done = CliRunner().invoke(probe, arguments)
    assert done.exit_code == 0, done.output
    return {name: None if value is None else str(value) for name, value in got.items()}


def write(folder: Path, **values: str) -> Path:
    file = folder / "medfab.toml"
    file.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items()))
    return file


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("sources", list(itertools.product([False, True], repeat=3)))
def test_options_then_environment_then_file(
    name: str, sources: tuple[bool, bool, bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    option, variable, file = sources
    arguments = [f"--{name}", "by-option"] if option else []
    variable_name = f"MEDFAB_{name.upper().replace('-', '_')}"
    if variable:
        monkeypatch.setenv(variable_name, "by-variable")
    # The channel is required, and looked at by the probe only.
    others = {} if name == "channel" else {"channel": "care"}
    toml = write(tmp_path, **({name: "by-file"} if file else {}), **others)
    in_file = str(tmp_path / "by-file") if name in PATHS else "by-file"
    expected = [
        *([("by-option", f"--{name}")] if option else []),
        *([("by-variable", variable_name)] if variable else []),
        *([(in_file, str(toml))] if file else []),
        *([(".medfab", "default")] if name == "dir" else []),
    ]
    row = shown(*arguments)[name]
    winner = expected[0] if expected else (None, "not set")
    assert (row["value"], row["from"]) == winner
    assert [(each["value"], each["from"]) for each in row["overridden"]] == expected[1:]
    if name != "channel" or expected:
        assert given(*arguments)[name] == winner[0]


@pytest.mark.parametrize("name", ["profile", "wallet"])
def test_a_folder_named_more_explicitly_than_what_takes_its_place(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, **{name: "x", "channel": "care"})
    assert given()[name] == str(tmp_path / "x")
    for arguments in ([], ["--dir", "other"]):
        if not arguments:
            monkeypatch.setenv("MEDFAB_DIR", "other")
        assert given(*arguments) | {"channel": None} == {
            **dict.fromkeys(NAMES),
            "dir": "other",
        }
        row = shown(*arguments)[name]
        assert (row["value"], row["from"]) == (None, "set aside for --dir")
        assert row["overridden"][0]["value"] == str(tmp_path / "x")
    # As explicit as the folder: it takes the folder's place.
    monkeypatch.setenv(f"MEDFAB_{name.upper()}", "y")
    assert given()[name] == "y"


def test_the_nearest_file_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    write(tmp_path, org="far", dir="net")
    monkeypatch.chdir(below)
    assert shown()["org"]["value"] == "far"
    assert shown()["dir"]["value"] == str(tmp_path / "net")  # relative to the file
    write(tmp_path / "a", org="near")
    assert shown()["org"]["value"] == "near"
    assert shown()["dir"]["value"] == ".medfab"
    other = write(below, org="chosen").rename(below / "other.toml")
    monkeypatch.setenv("MEDFAB_CONFIG", str(other))
    assert shown()["org"]["value"] == "chosen"
    monkeypatch.setenv("MEDFAB_CONFIG", "")
    assert shown()["org"]["value"] is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("org = ", "is not TOML"),
        ('orgs = "hospital"', "'orgs' that is not known; there are dir, org, profile"),
        ("org = 1", "org must be a text"),
        ('org = ""', "org must be a text"),
        ("[org]\nname = 1", "org must be a text"),
        ("\ud800", "is not TOML"),
    ],
)
def test_a_file_that_cannot_be_used(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "medfab.toml").write_text(text, errors="surrogatepass")
    done = medfab_("wallet", "list")
    assert done.exit_code == 2
    assert told in done.stderr
    assert str(tmp_path / "medfab.toml") in done.stderr
    assert medfab_("wallet", "list", "--help").exit_code == 0


def test_a_named_file_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDFAB_CONFIG", "nowhere.toml")
    done = medfab_("wallet", "list")
    assert (done.exit_code, "nowhere.toml" in done.stderr) == (2, True)


def test_a_file_of_another_user_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path, org="theirs")
    monkeypatch.setattr(os, "geteuid", lambda: file.stat().st_uid + 1)
    if file.stat().st_uid == 0:  # the system's own are trusted
        os.chown(file, 12345, -1)
    done = medfab_("config", "show")
    assert done.exit_code == 2
    assert "belongs to another user" in done.stderr
    monkeypatch.setenv("MEDFAB_CONFIG", str(file))
    assert shown()["org"]["value"] == "theirs"


def test_for_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path, org="hospital")
    lines = medfab_("config", "show", "--org", "clinic").output.splitlines()
    assert [line.split(maxsplit=3) for line in lines[:3]] == [
        ["setting", "value", "from", "instead of"],
        ["dir", ".medfab", "default", "-"],
        ["org", "clinic", "--org", f"hospital ({file})"],
    ]


def test_a_setting_of_the_file_is_used(tmp_path: Path) -> None:
    """By a command other than `config show`."""
    write(tmp_path, wallet="purse")
    (tmp_path / "purse").mkdir()
    done = medfab_("wallet", "list")
    assert done.exit_code == 0
    assert str(tmp_path / "purse") in done.output


def test_what_is_required_is_asked_for_with_all_its_names() -> None:
    done = medfab_("events", "--org", "hospital")
    assert done.exit_code == 2
    assert "'--channel'" in done.stderr
