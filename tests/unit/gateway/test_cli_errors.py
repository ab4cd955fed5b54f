"""What goes wrong: one sentence on standard error, a code that means something, no trace."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
import trustme

from medfab_gateway import (
    ChaincodeFailure,
    CommitError,
    ConnectionFailedError,
    EndorseError,
    FileSystemWallet,
    GatewayError,
    IdentityNotFoundError,
    ProfileError,
)
from medfab_gateway.ca import (
    AlreadyRegisteredError,
    AuthenticationFailedError,
    AuthorizationFailedError,
    CertificateAuthorityError,
    CertificateAuthorityUnreachableError,
)
from medfab_gateway.cli._exit_codes import exit_code
from unit.gateway.fake_gateway import make_identity

Medfab = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A network's folder with one organisation, whose peer and CA nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = tmp_path / "organizations" / "hospital"
    FileSystemWallet(home / "wallet").put("dr.okafor", *make_identity())
    FileSystemWallet(home / "wallet").put("registrar", *make_identity())
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
            "peer0.hospital": {
                "url": f"grpcs://127.0.0.1:{port}",
                "tlsCACerts": {"pem": pem},
            }
        },
        "certificateAuthorities": {
            "ca.hospital": {"url": f"https://127.0.0.1:{port}", "tlsCACerts": {"pem": pem}}
        },
    }
    (home / "connection.json").write_text(json.dumps(profile))
    return tmp_path


@pytest.fixture
def medfab(directory: Path) -> Medfab:
    def call(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "medfab_gateway.cli", *arguments],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=30,
            cwd=directory,
            env=clean_environment(MEDFAB_DIR=str(directory), **environment),
            check=False,
        )

    return call


def clean_environment(**more: str) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("MEDFAB_")}
    return {**inherited, **more}


CALL = ("--channel", "care", "--org", "hospital", "--identity", "dr.okafor")


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["wallet", "list", "--org", "nope"], 4, "there are hospital"),
        (["wallet", "list"], 2, "Give --org: hospital"),
        (["wallet", "list", "--dir", "nowhere"], 4, "`medfab network up`"),
        (["wallet", "list", "--org", "hospital", "--nope"], 2, "No such option"),
        (["wallet", "show", "nobody", "--org", "hospital"], 4, "It has: dr.okafor"),
        (["wallet", "show", "../x", "--org", "hospital"], 1, "cannot be a label"),
        (["wallet", "list", "--wallet", "broken"], 1, "not an X.509 identity"),
        (["nope"], 2, "No such command"),
        (["contract", "evaluate", "ehr", "F", *CALL], 5, "cannot be reached"),
        (["contract", "submit", "ehr", "F", *CALL, "--timeout", "5"], 5, "cannot be reached"),
        (["contract", "submit", "ehr", "F", *CALL, "--timeout", "0"], 2, "--timeout"),
        (["contract", "submit", "ehr", "F", *CALL[:4]], 2, "holds dr.okafor, registrar"),
        (["contract", "submit", "ehr", "F", *CALL[2:]], 2, "--channel"),
        (["contract", "submit", "ehr", "F", *CALL[:5], "nobody"], 4, "It has: dr.okafor"),
        (["contract", "submit", "ehr", "F", *CALL, "--profile", "no.json"], 1, "no.json"),
        (["contract", "submit", "ehr", "F", *CALL, "--profile", "broken/x.id"], 1, "broken/x.id"),
        (["events", *CALL, "--from", "3", "--to", "2"], 2, "--to 2 is before"),
        (["events", *CALL], 5, "cannot be reached"),
        (["ca", "enroll", "x", "--org", "hospital"], 2, "MEDFAB_SECRET"),
        (["ca", "register", "x", "--org", "hospital"], 2, "--secret-file"),
        (["ca", "register", "x", "--org", "hospital", "--attribute", "a"], 2, "NAME=VALUE"),
        (["ca", "enroll", "x", "--org", "hospital", "--secret-file", "no"], 2, "cannot be read"),
        (["ca", "enroll", "x", "--org", "hospital", "--secret-file", "empty"], 2, "is empty"),
        (["ca", "enroll", "dr.okafor", "--org", "hospital"], 6, "--replace"),
    ],
)
def test_a_foreseeable_problem(
    medfab: Medfab, directory: Path, arguments: list[str], code: int, told: str
) -> None:
    (directory / "broken").mkdir()
    (directory / "broken" / "x.id").write_text("{")
    (directory / "empty").write_text("\n")
    failed = medfab(*arguments)
    assert failed.returncode == code, failed.stderr
    assert told in failed.stderr
    assert "Error: " in failed.stderr
    assert "Traceback" not in failed.stderr
    assert "\x1b" not in failed.stderr


def test_the_ca_is_unreachable_and_the_secret_stays_unsaid(medfab: Medfab, directory: Path) -> None:
    failed = medfab("ca", "enroll", "x", "--org", "hospital", MEDFAB_SECRET="s3cret-x")
    assert failed.returncode == 5
    assert "Is the server running" in failed.stderr
    assert "s3cret-x" not in failed.stderr
    bad_id = medfab("ca", "enroll", "a:b", "--org", "hospital", MEDFAB_SECRET="s3cret-x")
    assert bad_id.returncode == 2
    # The CA may have heard it, for all we know: the secret is kept.
    medfab("ca", "register", "x", "--org", "hospital", "--secret-file", "x.secret")
    assert (directory / "x.secret").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("entry", ["Hernandez", "=Hernandez", "name=Hernandez"])
def test_a_transient_value_on_the_command_line_is_refused_and_not_repeated(
    medfab: Medfab, entry: str
) -> None:
    failed = medfab("contract", "submit", "ehr", "F", *CALL, "--transient", entry)
    assert failed.returncode == 2
    assert "Hernandez" not in failed.stderr
    assert "file" in failed.stderr


def gateway_error(code: grpc.StatusCode, chaincode: ChaincodeFailure | None = None) -> GatewayError:
    return EndorseError("…", code=code, chaincode=chaincode)


def refusal(status: int) -> GatewayError:
    failure = ChaincodeFailure(status=status, code="C", message="m")
    return gateway_error(grpc.StatusCode.ABORTED, failure)


def commit_error(code: str) -> CommitError:
    return CommitError(code=code, transaction_id="t", block_number=1)


URL = "https://localhost"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ProfileError("…"), 1),
        (refusal(500), 1),
        (commit_error("ENDORSEMENT_POLICY_FAILURE"), 1),
        (CertificateAuthorityError("…", url=URL), 1),
        (PermissionError(13, "Permission denied"), 1),
        (refusal(403), 3),
        (refusal(400), 3),
        (gateway_error(grpc.StatusCode.PERMISSION_DENIED), 3),
        (AuthenticationFailedError("…", url=URL), 3),
        (AuthorizationFailedError("…", url=URL), 3),
        (refusal(404), 4),
        (gateway_error(grpc.StatusCode.NOT_FOUND), 4),
        (IdentityNotFoundError("…"), 4),
        (gateway_error(grpc.StatusCode.UNAVAILABLE), 5),
        (gateway_error(grpc.StatusCode.DEADLINE_EXCEEDED), 5),
        (ConnectionFailedError("…", code=grpc.StatusCode.UNAVAILABLE), 5),
        (CertificateAuthorityUnreachableError("…", url=URL), 5),
        (refusal(409), 6),
        (commit_error("MVCC_READ_CONFLICT"), 6),
        (AlreadyRegisteredError("…", url=URL), 6),
        (RuntimeError("a defect"), None),
    ],
)
def test_the_code_of_an_error(error: Exception, code: int | None) -> None:
    assert exit_code(error) == code


def test_a_reader_that_goes_away_ends_it_quietly(directory: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", '"$0" -m medfab_gateway.cli wallet list --org hospital | true; echo '
         '"${PIPESTATUS[0]}"', sys.executable],
        capture_output=True, text=True, timeout=30, check=False,
        env=clean_environment(MEDFAB_DIR=str(directory), PYTHONUNBUFFERED="1"),
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout in ("0\n", "1\n")  # 0: it was done before the reader had gone


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_end_it_with_one_line(number: signal.Signals, directory: Path) -> None:
    """While a server is asked that does not answer."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        home = directory / "organizations" / "hospital"
        profile = json.loads((home / "connection.json").read_text())
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        profile["certificateAuthorities"]["ca.hospital"]["url"] = url
        (home / "connection.json").write_text(json.dumps(profile))
        process = subprocess.Popen(
            [sys.executable, "-m", "medfab_gateway.cli", "ca", "enroll", "x", "--org", "hospital"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=clean_environment(MEDFAB_DIR=str(directory), MEDFAB_SECRET="s"),
        )
        silent.settimeout(30)
        connection, _ = silent.accept()
        process.send_signal(number)
        output, errors = process.communicate(timeout=30)
        connection.close()
    # The newline of click, after the terminal's "^C".
    assert (process.returncode, output, errors.lstrip("\n")) == (130, "", "Interrupted.\n")


def test_without_the_extra(directory: Path) -> None:
    program = "import sys; sys.modules['click'] = None; import medfab_gateway.cli"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 1
    assert done.stderr == (
        "The medfab command needs the extra [cli]: pip install 'medfab-gateway[cli]'\n"
    )


@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colour_is_for_terminals(
    directory: Path, variables: dict[str, str], coloured: bool
) -> None:
    command = f"{sys.executable} -m medfab_gateway.cli wallet list --dir nowhere --org x"
    done = subprocess.run(
        ["script", "-qec", command, "/dev/null"],
        capture_output=True, text=True, timeout=30, check=False, stdin=subprocess.DEVNULL,
        env=clean_environment(TERM="xterm", **variables),
    )  # fmt: skip
    assert done.returncode == 4
    assert ("\x1b[31m" in done.stdout) is coloured
