"""Every command for identities tried wrong: one sentence, the documented code, nothing changed."""

from __future__ import annotations

import io
import json
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from medfab_gateway import FileSystemWallet, Identity
from medfab_gateway.cli._main import main, medfab
from medfab_gateway.cli._settings import SETTINGS
from unit.gateway.fake_gateway import make_identity
from unit.gateway.test_cli_help import commands

AUTHORITY, REGISTRAR, WALLET, CONFIRM = "authority", "registrar", "wallet", "confirm"

# What makes each command right, but for what is tried; and what it depends on.
GOOD: dict[str, tuple[list[str], set[str]]] = {
    "ca affiliation add": (["hospital.lab"], {AUTHORITY, REGISTRAR}),
    "ca affiliation list": ([], {AUTHORITY, REGISTRAR}),
    "ca affiliation remove": (["hospital.lab"], {AUTHORITY, REGISTRAR, CONFIRM}),
    "ca affiliation rename": (["hospital.lab", "hospital.x"], {AUTHORITY, REGISTRAR}),
    "ca certificate list": ([], {AUTHORITY, REGISTRAR}),
    "ca crl make": (["--file", "made.crl"], {AUTHORITY, REGISTRAR}),
    "ca crl show": (["some.crl"], set()),
    "ca enroll": (["new", "--secret-file", "secret"], {AUTHORITY}),
    "ca identity list": ([], {AUTHORITY, REGISTRAR}),
    "ca identity modify": (["x", "--type", "peer"], {AUTHORITY, REGISTRAR}),
    "ca identity remove": (["x"], {AUTHORITY, REGISTRAR, CONFIRM}),
    "ca identity show": (["x"], {AUTHORITY, REGISTRAR}),
    "ca info": (["--chain-file", "chain.pem"], {AUTHORITY}),
    "ca register": (["new", "--secret-file", "secret"], {AUTHORITY, REGISTRAR}),
    "ca renew": (["registrar"], {AUTHORITY, WALLET}),
    "ca renew-files": (["cert.pem", "key.pem"], {AUTHORITY}),
    "ca revoke": (["x", "--crl-file", "made.crl"], {AUTHORITY, REGISTRAR, CONFIRM}),
    "completion": (["bash"], set()),
    "config show": ([], set()),
    "profile check": ([], set()),
    "profile show": ([], set()),
    "wallet import": (["new", "--certificate", "cert.pem", "--key", "key.pem"], {WALLET}),
    "wallet list": ([], {WALLET}),
    "wallet remove": (["registrar"], {WALLET, CONFIRM}),
    "wallet show": (["registrar"], {WALLET}),
}


@dataclass
class Outcome:
    code: int
    output: str
    errors: str


Call = Callable[..., Outcome]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A network of one organisation, whose CA nobody listens at; some files beside."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = tmp_path / ".medfab" / "organizations" / "hospital"
    identity, key = make_identity()
    FileSystemWallet(home / "wallet").put("registrar", identity, key)
    (tmp_path / "cert.pem").write_bytes(identity.certificate)
    (tmp_path / "key.pem").write_bytes(key)
    (tmp_path / "secret").write_text("s3cret-of-new\n")
    (tmp_path / "some.crl").write_text("no list")
    pem = trustme.CA().cert_pem.bytes().decode()
    profile = {
        "client": {"organization": "hospital"},
        "organizations": {
            "hospital": {
                "mspid": "HospitalMSP",
                "peers": ["peer0.hospital"],
                "certificateAuthorities": ["ca.hospital"],
            }
        },
        "peers": {
            "peer0.hospital": {"url": f"grpcs://127.0.0.1:{port}", "tlsCACerts": {"pem": pem}}
        },
        "certificateAuthorities": {
            "ca.hospital": {"url": f"https://127.0.0.1:{port}", "tlsCACerts": {"pem": pem}}
        },
    }
    (home / "connection.json").write_text(json.dumps(profile))
    monkeypatch.chdir(tmp_path)
    for setting in SETTINGS:
        monkeypatch.delenv(setting.variable, raising=False)
    monkeypatch.delenv("MEDFAB_SECRET", raising=False)
    monkeypatch.setenv("MEDFAB_CONFIG", "")
    return tmp_path


@pytest.fixture
def call(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """The whole program, in this process; asserts that the folder stays as it is."""

    def run(*arguments: str) -> Outcome:
        before = snapshot(folder)
        monkeypatch.setattr(sys, "argv", ["medfab", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        assert snapshot(folder) == before, "something has changed"
        return Outcome(int(ended.value.code or 0), printed.out, printed.err)

    return run


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_every_command_for_identities_is_tried() -> None:
    mine = {"ca", "completion", "config", "profile", "wallet"}
    all_of_them = {" ".join(path) for path in commands(medfab) if path[0] in mine}
    groups = {name for name in all_of_them if any(o.startswith(f"{name} ") for o in all_of_them)}
    assert all_of_them - groups == set(GOOD)


def words(command: str, *more: str, confirmed: bool = True) -> list[str]:
    arguments, needs = GOOD[command]
    yes = ["--yes"] if CONFIRM in needs and confirmed else []
    return [*command.split(), *arguments, *yes, *more]


def needing(what: str) -> list[str]:
    return [command for command, (_, needs) in GOOD.items() if what in needs]


def check(outcome: Outcome, code: int, told: str) -> None:
    assert outcome.code == code, outcome.errors
    assert outcome.errors.count("Error: ") == 1
    message = outcome.errors.partition("Error: ")[2].strip()
    assert told in message
    assert "Traceback" not in outcome.errors
    assert "s3cret" not in outcome.output + outcome.errors
    # Usage comes before it, if anything; after it, nothing but its advice.
    assert len(message.splitlines()) <= 2, message


ON_A_NETWORK = sorted({*needing(AUTHORITY), *needing(WALLET), "profile show", "profile check"})


@pytest.mark.parametrize("command", ON_A_NETWORK)
def test_no_network(command: str, call: Call) -> None:
    check(call(*words(command, "--org", "hospital", "--dir", "nowhere")), 4, "medfab network up")


@pytest.mark.parametrize("command", ON_A_NETWORK)
def test_an_unknown_organisation(command: str, call: Call) -> None:
    check(call(*words(command, "--org", "hopsital")), 4, "there are hospital")


@pytest.mark.parametrize("command", ON_A_NETWORK)
def test_no_organisation(command: str, call: Call) -> None:
    check(call(*words(command)), 2, "Give --org: hospital")


@pytest.mark.parametrize("command", needing(AUTHORITY))
def test_nobody_answers(command: str, call: Call) -> None:
    check(call(*words(command, "--org", "hospital")), 5, "Is the server running")


@pytest.mark.parametrize("command", needing(AUTHORITY))
def test_a_profile_without_an_authority(command: str, call: Call, folder: Path) -> None:
    file = folder / ".medfab/organizations/hospital/connection.json"
    profile = json.loads(file.read_text())
    profile["organizations"]["hospital"]["certificateAuthorities"] = []
    file.write_text(json.dumps(profile))
    check(call(*words(command, "--org", "hospital")), 4, "names no CA of hospital")


@pytest.mark.parametrize("command", needing(REGISTRAR))
def test_an_unknown_registrar(command: str, call: Call) -> None:
    outcome = call(*words(command, "--org", "hospital", "--registrar", "nobody"))
    check(outcome, 4, "It has: registrar")


@pytest.mark.parametrize("command", needing(REGISTRAR))
def test_an_expired_certificate(command: str, call: Call, folder: Path) -> None:
    wallet = FileSystemWallet(folder / ".medfab/organizations/hospital/wallet")
    wallet.put("registrar", *expired_identity())
    check(call(*words(command, "--org", "hospital")), 3, "`medfab ca enroll registrar --replace`")


def expired_identity() -> tuple[Identity, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "registrar")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now - timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return Identity("HospitalMSP", certificate.public_bytes(serialization.Encoding.PEM)), pem


@pytest.mark.parametrize("command", [*needing(REGISTRAR), "wallet show", "wallet remove"])
def test_a_damaged_wallet(command: str, call: Call, folder: Path) -> None:
    file = folder / ".medfab/organizations/hospital/wallet/registrar.id"
    file.write_text("{")
    check(call(*words(command, "--org", "hospital")), 1, "not an X.509 identity")


@pytest.mark.parametrize("command", needing(CONFIRM))
def test_nobody_is_there_to_say_yes(command: str, call: Call) -> None:
    outcome = call(*words(command, "--org", "hospital", confirmed=False))
    check(outcome, 2, "give --yes")


@pytest.mark.parametrize("command", sorted(GOOD))
def test_an_unknown_option(command: str, call: Call) -> None:
    check(call(*words(command, "--nope")), 2, "No such option")


@pytest.mark.parametrize("command", sorted(GOOD))
def test_an_argument_too_many(command: str, call: Call) -> None:
    if command not in ("ca renew", "ca affiliation list"):  # which take more
        check(call(*words(command, "too", "many", "of", "them")), 2, "unexpected extra argument")


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["ca", "crl", "show", "some.crl"], 2, "no certificate revocation list"),
        (["ca", "crl", "show", "nowhere.crl"], 2, "does not exist"),
        (["ca", "revoke", "--yes"], 2, "Whom?"),
        (["ca", "revoke", "x", "--certificate", "cert.pem", "--yes"], 2, "not both"),
        (["ca", "revoke", "--certificate", "key.pem", "--yes"], 2, "no certificate"),
        (["ca", "revoke", "x", "--reason", "boredom"], 2, "keycompromise"),
        (["ca", "identity", "modify", "x"], 2, "Nothing to change"),
        (["ca", "identity", "modify", "x", "--attribute", "a"], 2, "NAME=VALUE"),
        (
            ["ca", "identity", "modify", "x", "--attribute", "a=1", "--remove-attribute", "a"],
            2,
            "both to be set and to be removed",
        ),
        (["ca", "register", "x", "--max-enrollments", "0"], 2, "never enrol"),
        (["ca", "register", "a:b", "--secret-file", "secret"], 2, "cannot be an enrollment id"),
        (["ca", "certificate", "list", "--serial", "xyz"], 2, "not hexadecimal"),
        (["ca", "certificate", "list", "--expire-before", "soon"], 2, "not a time such as"),
        (["ca", "renew", "--before", "a month"], 2, "not a length of time such as 30d"),
        (["ca", "renew", "nobody"], 4, "It has: registrar"),
        (["ca", "renew-files", "cert.pem", "secret"], 1, "private key cannot be read"),
        (["ca", "enroll", "new", "--hsm", "--secret-file", "secret"], 2, "MEDFAB_HSM_MODULE"),
        (["ca", "enroll", "n", "--hsm", "--key-type", "P-384"], 2, "P-256 keys only"),
        (["wallet", "import", "registrar", "--certificate", "cert.pem"], 6, "--replace"),
        (
            ["wallet", "import", "x", "--certificate", "key.pem", "--key", "key.pem"],
            1,
            "not an X.509 certificate",
        ),
        (["completion", "powershell"], 2, "'bash', 'zsh', 'fish'"),
        (["profile", "show", "--profile", "nowhere.json"], 1, "no connection profile"),
    ],
)
def test_what_makes_no_sense(arguments: list[str], code: int, told: str, call: Call) -> None:
    where = ["--org", "hospital"] if arguments[0] in ("ca", "wallet") else []
    if arguments[:2] == ["ca", "crl"]:
        where = []
    check(call(*arguments, *where), code, told)


def test_a_node_that_does_not_answer_is_told(call: Call) -> None:
    outcome = call("profile", "check", "--org", "hospital", "--timeout", "5", "--json")
    assert outcome.code == 5
    rows = json.loads(outcome.output)
    assert [row["kind"] for row in rows] == ["peer", "ca"]
    for row in rows:
        assert row["answers"] is False
        assert "no connection" in row["problem"]


def test_what_expires_soon_is_told_once(call: Call) -> None:
    """The registrar's certificate is valid for a day."""
    outcome = call("ca", "identity", "list", "--org", "hospital")
    assert outcome.errors.count("Warning: the certificate of 'registrar' expires in") == 1
    assert "`medfab ca renew registrar`" in outcome.errors
    listed = call("wallet", "list", "--org", "hospital")
    assert listed.code == 0
    assert "in 2" in listed.output  # hours
    assert "Renew with `medfab ca renew`: registrar." in listed.errors


def test_a_damaged_identity_does_not_keep_the_others_from_being_renewed(
    call: Call, folder: Path
) -> None:
    """Nobody answers here: that the other was tried is all that can be seen."""
    file = folder / ".medfab/organizations/hospital/wallet/damaged.id"
    file.write_text("{")
    outcome = call("ca", "renew", "--org", "hospital", "--json")
    assert outcome.code == 1  # the first failure's
    assert "'damaged' is not renewed" in outcome.errors
    assert "'registrar' is not renewed" in outcome.errors
    assert "Is the server running" in outcome.errors  # the advice, too
    assert [row["label"] for row in json.loads(outcome.output)] == ["registrar"]
