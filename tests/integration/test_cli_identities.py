"""The commands for identities on a small network of their own: each is a process, as for users.

The examples of their help texts are run as they are written; so are the pages of docs/ on rotating
certificates and revoking somebody.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner

from integration.network_help import consortium as small_consortium
from medfab_gateway import FileSystemWallet
from medfab_gateway.ca import RevocationList
from medfab_gateway.cli._main import medfab as root
from medfab_network import Network
from pages import ran
from softhsm import PIN, soft_hsm

pytestmark = pytest.mark.integration

MEDFAB = Path(sys.executable).parent / "medfab"
DOCS = Path(__file__).parents[2] / "docs"
LONGEST = 180.0
NOTHING: Mapping[str, str] = {}


class Cli:
    """`medfab` in a folder with a network in `.medfab`, without settings from anywhere else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(
        self, *arguments: str | Path, code: int = 0, variables: Mapping[str, str] = NOTHING
    ) -> subprocess.CompletedProcess[str]:
        done = self.shell(shlex.join(["medfab", *map(str, arguments)]), variables)
        assert done.returncode == code, (arguments, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        if code:
            assert "Error: " in done.stderr
        return done

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self(*arguments, "--json", code=code).stdout)

    def shell(
        self, command: str, variables: Mapping[str, str] = NOTHING
    ) -> subprocess.CompletedProcess[str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("MEDFAB_")}
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=LONGEST,
            cwd=self.folder,
            env={
                **inherited,
                "PATH": f"{MEDFAB.parent}:{os.environ['PATH']}",
                "MEDFAB_CONFIG": "",
                **variables,
            },
            check=False,
        )

    def wallet(self, organization: str = "hospital") -> FileSystemWallet:
        return FileSystemWallet(self.folder / ".medfab/organizations" / organization / "wallet")

    def newcomer(self, name: str) -> str:
        """Somebody registered and enrolled, a practitioner."""
        secret = f"{name}.secret"
        self(
            *("ca", "register", name, "--org", "hospital", "--secret-file", secret),
            *(
                "--attribute",
                "medfab.role=practitioner",
                "--attribute",
                f"medfab.practitioner={name}",
            ),
        )
        self("ca", "enroll", name, "--org", "hospital", "--secret-file", secret)
        return name


@pytest.fixture(scope="module")
async def cli(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cli]:
    folder = tmp_path_factory.mktemp("identities")
    network = Network(folder / ".medfab", small_consortium())
    async with network.running():
        yield Cli(folder)


def refusal_of(cli: Cli, who: str, organization: str) -> str:
    """What a peer of that organisation says to somebody of the hospital."""
    done = cli(
        *("contract", "evaluate", "ehr", "ListAccess", "--channel", "care", "--identity", who),
        *("--profile", f".medfab/organizations/{organization}/connection.json"),
        *("--org", organization, "--wallet", str(cli.wallet().path)),
        code=3,
    )
    return done.stderr


def test_a_revoked_identity_is_refused_by_every_peer_from_then_on(cli: Cli) -> None:
    who, other = cli.newcomer("mallory"), cli.newcomer("ward")
    for organization in ("hospital", "clinic"):
        # The contract answers: it refuses those who are no patients.
        assert "ListAccess" in refusal_of(cli, who, organization)
    # At the CA alone: peers do not know of it.
    done = cli.json("ca", "revoke", who, "--org", "hospital", "--yes")
    assert len(done["revoked"]) == 1
    assert "ListAccess" in refusal_of(cli, who, "hospital")
    assert "revoked" in cli("ca", "renew", who, "--org", "hospital", code=3).stderr

    again = cli.json(
        *("ca", "revoke", who, "--org", "hospital", "--yes", "--reason", "keycompromise"),
        *("--channel", "care", "--crl-file", "hospital.crl"),
    )
    assert again["revoked"] == []  # it was before
    assert again["channels"]["care"] > 0
    for organization in ("hospital", "clinic"):
        wait_until_refused(cli, who, organization)
    assert "ListAccess" in refusal_of(cli, other, "hospital")  # nobody else

    revocations = RevocationList((cli.folder / "hospital.crl").read_bytes())
    serial = cli.wallet().get(who).identity.x509.serial_number
    assert serial in revocations
    config = cli(
        *("channel", "config", "--channel", "care", "--org", "hospital", "--identity", "admin"),
        "--json",
    ).stdout
    assert re.search(r"revocation_list", config)

    # Submitting is refused too, by the peers that would endorse.
    submit = cli(
        *("contract", "submit", "ehr", "RegisterPatient", "--channel", "care"),
        *("--org", "hospital", "--identity", who),
        code=3,
    )
    assert "access denied" in submit.stderr


def wait_until_refused(cli: Cli, who: str, organization: str) -> None:
    """Peers get the configuration block one after the other."""
    for _ in range(60):
        if "access denied" in refusal_of(cli, who, organization):
            return
    pytest.fail(f"the peer of {organization} goes on accepting {who}")


def test_renewal_of_what_is_due(cli: Cli) -> None:
    who = cli.newcomer("renewed")
    old = cli.wallet().get(who)
    assert cli("ca", "renew", "--org", "hospital", "--before", "30d").stdout.startswith(
        "No certificate in the wallet is due."
    )
    rows = cli.json("ca", "renew", "--org", "hospital", "--before", "400d", "--dry-run")
    assert who in {row["label"] for row in rows}
    assert cli.wallet().get(who) == old
    rows = cli.json("ca", "renew", who, "--org", "hospital")
    assert [(row["label"], row["renewed"]) for row in rows] == [(who, True)]
    new = cli.wallet().get(who)
    assert new.identity.x509.serial_number != old.identity.x509.serial_number
    assert new.private_key_pem != old.private_key_pem
    assert cli.json("wallet", "show", who, "--org", "hospital")["attributes"] == {
        **dict.fromkeys(("hf.EnrollmentID",), who),
        "hf.Affiliation": "",
        "hf.Type": "client",
        "medfab.practitioner": who,
        "medfab.role": "practitioner",
    }
    assert "ListAccess" in refusal_of(cli, who, "hospital")  # peers accept it
    mode = stat.S_IMODE((cli.wallet().path / f"{who}.id").stat().st_mode)
    assert mode == 0o600


def test_one_that_fails_does_not_keep_the_others_from_it(cli: Cli) -> None:
    good, bad = cli.newcomer("good"), cli.newcomer("bad")
    cli("ca", "revoke", bad, "--org", "hospital", "--yes")
    before = cli.wallet().get(bad)
    done = cli("ca", "renew", bad, good, "--org", "hospital", "--json", code=3)
    rows = {row["label"]: row["renewed"] for row in json.loads(done.stdout)}
    assert rows == {good: True, bad: False}
    assert "'bad' is not renewed" in done.stderr
    assert cli.wallet().get(bad) == before


def test_a_key_in_a_token(cli: Cli) -> None:
    """Enrolled, used and renewed; the file has the certificate alone."""
    hsm = soft_hsm()
    hsm.add_token("cli")
    token = {
        "MEDFAB_HSM_MODULE": str(hsm.module),
        "MEDFAB_HSM_TOKEN": "cli",
        "MEDFAB_HSM_PIN": PIN,
    }
    cli("ca", "register", "vault", "--org", "hospital", "--secret-file", "vault.secret")
    enroll = (
        "ca",
        "enroll",
        "vault",
        "--org",
        "hospital",
        "--secret-file",
        "vault.secret",
        "--hsm",
    )
    assert "MEDFAB_HSM_MODULE" in cli(*enroll, code=2).stderr
    cli(*enroll, variables=token)
    file = cli.wallet().path / "vault.id"
    assert "PRIVATE" not in file.read_text()
    ask = (
        *("contract", "evaluate", "ehr", "ListAccess", "--channel", "care"),
        *("--org", "hospital", "--identity", "vault"),
    )
    assert "ListAccess" in cli(*ask, code=3, variables=token).stderr
    assert "MEDFAB_HSM_MODULE" in cli(*ask, code=2).stderr
    before = file.read_text()
    cli("ca", "renew", "vault", "--org", "hospital", variables=token)
    assert file.read_text() != before
    assert "ListAccess" in cli(*ask, code=3, variables=token).stderr


@pytest.mark.parametrize("page", ["revoke-someone", "rotate-certificates"])
def test_the_page_runs(page: str, cli: Cli) -> None:
    """Every command of it, in order."""
    text = (DOCS / f"{page}.md").read_text()
    blocks = re.findall(r"^```bash\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 4
    for block in blocks:
        done = cli.shell(block)
        assert done.returncode == 0, (block, done.stdout, done.stderr)
    ran(DOCS / f"{page}.md", *blocks)


# What each group's examples need, before them; and codes other than 0 that they show.
STORY = [
    "ca register",
    "ca enroll",
    "ca info",
    "ca affiliation",
    "ca identity",
    "ca certificate",
    "ca renew",
    "ca renew-files",
    "wallet list",
    "wallet show",
    "wallet import",
    "profile",
    "config",
    "ca crl make",
    "ca crl show",
    "ca revoke",
    "wallet remove",
]
NOT_ALLOWED = {"ca identity remove": 3, "ca affiliation remove": 3}
"""The CAs of `medfab network` allow neither."""


def examples(group: click.Group, *path: str) -> list[str]:
    """All examples of a group and of what is in it."""
    found: list[str] = []
    context = click.Context(group)
    for name in ("", *group.list_commands(context)):
        command = group.get_command(context, name) if name else group
        assert command is not None
        words = [*path, name] if name else list(path)
        if name and isinstance(command, click.Group):
            found += examples(command, *words)
            continue
        help_text = CliRunner().invoke(root, [*words, "--help"], prog_name="medfab").output
        joined = re.sub(r"\\\n\s*", "", help_text)
        _, _, after = joined.partition("Example")
        found += re.findall(r"^ +(medfab [^\n]*)", after.partition("\n\n")[0], re.MULTILINE)
    return found


def test_the_examples_of_the_help_texts_run(cli: Cli) -> None:
    (cli.folder / "new.secret").write_text("another-secret\n")
    secret = "okafor.secret"
    cli("wallet", "show", "practitioner", "--org", "hospital", code=4)
    cli("ca", "register", "practitioner", "--org", "hospital", "--secret-file", secret)
    cli("ca", "enroll", "practitioner", "--org", "hospital", "--secret-file", secret)
    entry = cli.wallet().get("practitioner")
    assert entry.private_key_pem is not None
    for name, content in (
        ("cert.pem", entry.identity.certificate),
        ("lost.pem", entry.identity.certificate),
        ("key.pem", entry.private_key_pem),
        ("ca.pem", (cli.folder / ".medfab/organizations/hospital/ca/ca-cert.pem").read_bytes()),
        ("okafor.secret", b"the-secret-of-okafor\n"),
    ):
        (cli.folder / name).write_bytes(content)
    node = cli.folder / ".medfab/organizations/hospital/nodes/peer0.hospital"
    for name in ("msp", "tls"):
        shutil.copytree(node / name, cli.folder / name)
    profile = json.loads(
        (cli.folder / ".medfab/organizations/hospital/connection.json").read_text()
    )
    (cli.folder / "connection.yaml").write_text(yaml.safe_dump(profile))
    shown = [
        each
        for name in ("ca", "wallet", "profile", "config")
        for each in examples(group_of(name), name)
    ]
    assert len(shown) > 40
    done: set[str] = set()
    for step in STORY:
        for example in shown:
            if example.startswith(f"medfab {step} ") and example not in done:
                done.add(example)
                run_example(cli, example)
    left = [each for each in dict.fromkeys(shown) if each not in done]
    assert left == []


def group_of(name: str) -> click.Group:
    group = root.get_command(click.Context(root), name)
    assert isinstance(group, click.Group)
    return group


def run_example(cli: Cli, example: str) -> None:
    """As written, but for a question that nobody is there to answer, and secrets to be typed."""
    command = example
    if re.search(r" (revoke|remove) ", example) and "--yes" not in example:
        command += " --yes"
    environment = {}
    if example.startswith("medfab ca enroll"):
        environment["MEDFAB_SECRET"] = "the-secret-of-okafor"
        if "--replace" not in command:
            command += " --replace"
    if re.match(r"medfab ca register", example):
        done = cli.shell(command)
        assert done.returncode in (0, 6), (command, done.stderr)  # once is enough
        return
    expected = next((c for p, c in NOT_ALLOWED.items() if example.startswith(f"medfab {p}")), 0)
    done = cli.shell(command, environment)
    assert done.returncode == expected, (command, done.stdout, done.stderr)
