"""`medfab network` and `medfab demo` where no node runs: what they say, and their codes."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from medfab_network import Network, load_topology
from medfab_network.cli import demo, network
from medfab_network.cli._progress import ConsoleProgress
from medfab_network.errors import NetworkError

SMALL = Path(__file__).parents[2] / "integration" / "two_providers.yaml"


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """A network's folder as `down` leaves it, with two logs."""
    directory = tmp_path / "net"
    made = Network(directory, load_topology(SMALL))
    with made.exclusive():
        (directory / "topology.yaml").write_text(SMALL.read_text())
    (directory / "logs").mkdir()
    lines = "\n".join(f"line {number}" for number in range(10))
    (directory / "logs" / "peer0.hospital.log").write_text(lines)
    (directory / "logs" / "ca.clinic.log").write_text("")
    return directory


def medfab_network(*arguments: str) -> Result:
    return CliRunner().invoke(network, list(arguments))


def code_and_text(result: Result) -> tuple[int, str]:
    """As `main` would end with it."""
    if isinstance(result.exception, NetworkError):
        return result.exception.exit_code, str(result.exception)
    return result.exit_code, result.output


@pytest.mark.parametrize("command", [["status"], ["logs"], ["logs", "peer0.hospital"]])
def test_there_is_no_network(command: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "nowhere"
    code, text = code_and_text(medfab_network(*command, "--dir", str(folder)))
    assert code == 4
    assert f"there is no network in {folder}; start one with `medfab network up`" in text
    assert not folder.exists()


def test_logs_lists_the_nodes_that_have_some(stopped: Path) -> None:
    listed = medfab_network("logs", "--dir", str(stopped)).stdout.splitlines()
    assert [line.split()[0] for line in listed] == ["node", "ca.clinic", "peer0.hospital"]
    as_json = json.loads(medfab_network("logs", "--dir", str(stopped), "--json").stdout)
    assert [set(row) for row in as_json] == [{"node", "bytes", "last_written"}] * 2


def test_the_last_lines_of_a_log(stopped: Path) -> None:
    where = ("--dir", str(stopped), "--lines", "2")
    assert medfab_network("logs", "peer0.hospital", *where).stdout == "line 8\nline 9\n"
    as_json = medfab_network("logs", "peer0.hospital", *where, "--json").stdout
    assert json.loads(as_json) == {"node": "peer0.hospital", "lines": ["line 8", "line 9"]}


def test_an_unknown_node(stopped: Path) -> None:
    code, text = code_and_text(medfab_network("logs", "nope", "--dir", str(stopped)))
    assert code == 4
    assert "peer0.hospital" in text


@pytest.mark.parametrize("arguments", [["--follow"], ["ca.clinic", "--follow", "--json"]])
def test_follow_needs_a_node_and_no_json(stopped: Path, arguments: list[str]) -> None:
    assert medfab_network("logs", *arguments, "--dir", str(stopped)).exit_code == 2


def test_follow_goes_on_until_ctrl_c(stopped: Path) -> None:
    log = stopped / "logs" / "peer0.hospital.log"
    process = subprocess.Popen(
        [sys.executable, "-m", "medfab_gateway.cli", "network", "logs", "peer0.hospital",
         "--follow", "--lines", "1", "--dir", str(stopped)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "line 9\n"
    with log.open("a") as more:
        more.write("\nline 10\n")
    assert [process.stdout.readline() for _ in range(2)] == ["\n", "line 10\n"]
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, output, errors.strip()) == (130, "", "Interrupted.")


def test_status_of_a_stopped_network(stopped: Path) -> None:
    result = medfab_network("status", "--dir", str(stopped), "--json")
    assert result.exit_code == 1
    assert {row["health"] for row in json.loads(result.stdout)} == {"stopped"}


def test_down_and_clean_where_there_is_nothing(tmp_path: Path) -> None:
    where = ("--dir", str(tmp_path / "nowhere"))
    assert medfab_network("down", *where).stdout == "Nothing was running.\n"
    assert json.loads(medfab_network("down", *where, "--json").stdout) == {"stopped": []}
    cleaned = medfab_network("clean", *where, "--json")
    assert json.loads(cleaned.stdout) == {"stopped": [], "deleted": None}


def test_clean_does_not_delete_unasked(stopped: Path) -> None:
    result = medfab_network("clean", "--dir", str(stopped))
    assert result.exit_code == 2
    assert "--yes" in result.output
    assert (stopped / "topology.yaml").exists()
    assert medfab_network("clean", "--yes", "--dir", str(stopped)).exit_code == 0
    assert not stopped.exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("organizations", 1, "users"), "organisation 'clinic' with the user 'practitioner'"),
        (("chaincodes",), "chaincode 'ehr' on a channel 'care'"),
    ],
)
def test_the_demo_says_what_a_topology_lacks(
    change: tuple[str | int, ...], told: str, tmp_path: Path
) -> None:
    document = yaml.safe_load(SMALL.read_text())
    place = document
    for step in change[:-1]:
        place = place[step]
    place[change[-1]] = []
    file = tmp_path / "topology.yaml"
    file.write_text(yaml.safe_dump(document))
    folder = tmp_path / "net"
    result = CliRunner().invoke(demo, ["--dir", str(folder), "--topology", str(file)])
    assert code_and_text(result) == (2, str(result.exception))
    assert told in str(result.exception)
    assert not folder.exists()


def test_the_demo_leaves_the_network_of_the_user_alone(stopped: Path) -> None:
    before = sorted(stopped.rglob("*"))
    code, text = code_and_text(
        CliRunner().invoke(demo, ["--dir", str(stopped), "--topology", str(SMALL)])
    )
    assert code == 6
    assert f"medfab network clean --dir {stopped}" in text
    assert sorted(stopped.rglob("*")) == before


def test_progress_that_nobody_watches_is_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = io.StringIO()
    monkeypatch.setattr("sys.stderr", errors)
    progress = ConsoleProgress()
    progress.step("compiling")
    progress.advance("packages", 1, 10)  # too early to be worth a line
    progress.done("compiled", 2.04)
    assert errors.getvalue() == "  … compiling\n  ✓ compiled 2.0 s\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_on_a_terminal_is_one_line_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = Terminal()
    monkeypatch.setattr("sys.stderr", errors)
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("medfab_network.cli._progress._LIVE_INTERVAL", 0.0)
    progress = ConsoleProgress()
    progress.step("a step with a long name")
    progress.advance("packages compiled", 5, 10)
    assert errors.getvalue().split("\r\033[2K") == ["  … a step with a l", "  … 5 of 10 (50 %) "]
    progress.done("compiled", 1.0)
    assert errors.getvalue().endswith("\r\033[2K  \033[32m✓\033[0m compiled 1.0 s\n")
