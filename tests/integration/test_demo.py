"""`medfab demo` as users meet it: the real command, in processes of its own."""

from __future__ import annotations

import copy
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration.conftest import TOPOLOGY, _is_free
from medfab_gateway.ehr import example_bundle
from medfab_network import Topology, load_topology

pytestmark = pytest.mark.integration

MEDFAB = Path(sys.executable).parent / "medfab"
SYNTHEA = Path(__file__).parents[2].parent / "shared" / "data" / "fhir"
LONGEST = 100.0  # seconds; a run takes about ten


class Running:
    """A demo under way, whose output is read as it comes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.output = ""
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._changed:
                self.output += line
                self._changed.notify_all()

    def wait_for(self, text: str) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: text in self.output, LONGEST), self.output

    def close(self) -> None:
        self._reader.join(LONGEST)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def end(self) -> int:
        """The exit code, when it has ended by itself."""
        code = self.process.wait(LONGEST)
        self._reader.join(LONGEST)
        return code


class Demo:
    """The command with a topology and a folder."""

    def __init__(self, folder: Path) -> None:
        topology = on_ports_of_its_own(load_topology(TOPOLOGY))
        self.topology = folder / "topology.yaml"
        self.topology.write_text(yaml.safe_dump(dict(topology.source)))
        self.directory = folder / "net work"

    def command(self, *arguments: str) -> list[str]:
        where = ["--dir", str(self.directory), "--topology", str(self.topology)]
        return [str(MEDFAB), "demo", *where, *arguments]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return medfab(*self.command(*arguments)[1:])

    @contextmanager
    def started(self, *arguments: str) -> Iterator[Running]:
        process = subprocess.Popen(
            self.command(*arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment(),
        )
        running = Running(process)
        try:
            yield running
        finally:
            process.kill()
            process.wait()
            running.close()

    def nodes(self) -> dict[str, int]:
        """Name → pid of the folder's nodes that run, whoever started them."""
        mark = f"MEDFAB_NODE={self.directory}|".encode()
        found = {}
        for entry in Path("/proc").glob("[0-9]*/environ"):
            try:
                content = entry.read_bytes()
            except OSError:
                continue
            for variable in content.split(b"\0"):
                if variable.startswith(mark):
                    found[variable[len(mark) :].decode()] = int(entry.parent.name)
        return found

    def stop(self) -> None:
        medfab("network", "clean", "--yes", "--dir", str(self.directory))


def on_ports_of_its_own(topology: Topology) -> Topology:
    """Free ones, and others than another test run on this machine takes at the same moment."""
    for attempt in range(20):
        moved = topology.with_base_port(24000 + (os.getpid() * 160 + attempt * 1600) % 8000)
        if all(_is_free(port) for node in moved.nodes() for port in node.ports):
            return moved
    raise RuntimeError("no free block of ports")


def environment(**more: str) -> dict[str, str]:
    """Without what would change the output or the network's place."""
    ours = ("MEDFAB_DIR", "MEDFAB_ORG", "KEEP", "BUNDLE", "COLUMNS", "NO_COLOR", "FORCE_COLOR")
    return {**{k: v for k, v in os.environ.items() if k not in ours}, **more}


def medfab(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(MEDFAB), *arguments], capture_output=True, text=True, timeout=LONGEST,
        env=environment(), check=False,
    )  # fmt: skip


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    demo = Demo(tmp_path)
    yield demo
    demo.stop()
    assert demo.nodes() == {}


def test_the_example_bundle(demo: Demo) -> None:
    done = demo.run()
    assert done.returncode == 0, done.stderr
    for told in (
        "13 records in one transaction",
        "denied: no consent",
        "4 laboratory results and 1 laboratory report, exactly as they were filed",
        "151.70 mg/dL",  # not 151.7: digits are part of a measurement
        "8 other records are withheld",
        "refused: the consent behind the permit has been revoked",
        "None of them is there.",
    ):
        assert told in re.sub(r"\s+", " ", done.stdout)
    assert [line for line in done.stdout.splitlines() if len(line) > 80] == []
    assert "\x1b" not in done.stdout + done.stderr
    assert "chaincode" in done.stderr  # progress
    assert not demo.directory.exists()
    assert demo.nodes() == {}


@pytest.mark.parametrize("name", ["Buster_Hoeger", "Clemente_Kreiger", "Liz_Conn"])
def test_a_synthea_bundle(demo: Demo, name: str) -> None:
    done = demo.run("--bundle", str(synthea(name)), "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["passed"] is True
    assert report["findings"] == []
    assert report["resources"] > 50
    assert report["values_searched"] > 400
    assert set(report["seconds"]) == {
        "checking the bundle", "starting the network", "the story", "searching the blocks",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["hospitalInformation", "practitionerInformation"])
def test_a_bundle_without_a_patient_is_refused_at_once(demo: Demo, name: str) -> None:
    file = synthea(name)
    refused = demo.run("--bundle", str(file))
    assert refused.returncode == 2
    assert refused.stderr == (
        f"Error: {file} cannot be used: bundle has no Patient: file a bundle about one patient\n"
    )
    assert not demo.directory.exists()


def synthea(name: str) -> Path:
    files = sorted(SYNTHEA.glob(f"{name}*.json"))
    if not files:
        pytest.skip(f"no Synthea bundle {name} in {SYNTHEA}")
    return files[0]


NOT_JSON = '{"resourceType": "Bundle", "entry": [Hernandez'
NOT_FHIR = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [{"resource": {"resourceType": "Patient", "id": "p", "birthDate": "Hernandez"}}],
}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (NOT_JSON, "not JSON"),
        (json.dumps(NOT_FHIR), "entry[0] Patient: birthDate"),
        (json.dumps({"resourceType": "Patient", "id": "Hernandez"}), "no FHIR bundle"),
    ],
)
def test_a_broken_bundle_is_named_but_not_quoted(demo: Demo, content: str, told: str) -> None:
    file = demo.topology.with_name("broken.json")
    file.write_text(content)
    refused = demo.run("--bundle", str(file))
    assert refused.returncode == 2
    assert str(file) in refused.stderr
    assert told in refused.stderr
    assert "Hernandez" not in refused.stdout + refused.stderr
    assert "Traceback" not in refused.stderr
    assert not demo.directory.exists()


def test_a_large_bundle_is_split(demo: Demo) -> None:
    bundle = json.loads(example_bundle())
    observations = [e for e in bundle["entry"] if e["resource"]["resourceType"] == "Observation"]
    for number in range(3000):
        bundle["entry"].append(clone(observations[number % len(observations)], number))
    file = demo.topology.with_name("large.json")
    file.write_text(json.dumps(bundle))
    assert file.stat().st_size > 5_000_000
    done = demo.run("--bundle", str(file), "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["passed"] is True
    assert report["resources"] == len(bundle["entry"])
    assert report["filing_transactions"] > 10
    assert report["values_searched"] > 3000


def clone(entry: dict[str, Any], number: int) -> dict[str, Any]:
    entry = copy.deepcopy(entry)
    identifier = f"00000000-0000-4000-8000-{number:012x}"
    entry["fullUrl"] = f"urn:uuid:{identifier}"
    entry["resource"]["id"] = identifier
    entry["resource"]["note"] = [{"text": f"note {number}: {'taken with care, ' * 60}"}]
    return entry


def test_a_planted_leak_is_found(demo: Demo) -> None:
    done = demo.run("--plant-leak", "--json")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["passed"] is False
    assert {(f["kind"], f["where"]) for f in report["findings"]} == {("name", "argument 2")}
    assert "data of the patient is in blocks" in done.stderr
    assert "while searching the blocks" in done.stderr
    assert f"logs are in {demo.directory}/logs" in done.stderr
    assert demo.nodes() == {}


def test_ctrl_c_at_any_moment_and_a_new_run(demo: Demo) -> None:
    def once(running: Running) -> None:
        running.process.send_signal(signal.SIGINT)

    def impatiently(running: Running) -> None:
        for _ in range(3):
            running.process.send_signal(signal.SIGINT)

    def by_a_service_manager(running: Running) -> None:
        running.process.send_signal(signal.SIGTERM)

    moments: list[tuple[str, Callable[[Running], None]]] = [
        ("… certificate authorities", once),
        ("… peers see each other", impatiently),
        ("  2  The hospital's practitioner files", by_a_service_manager),
        ("What everybody in the channel can read", once),
    ]
    for moment, interrupt in moments:
        with demo.started() as running:
            running.wait_for(moment)
            interrupt(running)
            assert running.end() == 130, running.output
            assert running.output.splitlines()[-1] == "Interrupted.", running.output
            assert "Traceback" not in running.output
            assert "Error" not in running.output
            assert demo.nodes() == {}, moment
    done = demo.run()
    assert done.returncode == 0, done.stderr


def test_a_node_that_dies_in_the_middle(demo: Demo) -> None:
    """The message says where the story was, and where the logs are."""
    with demo.started() as running:
        running.wait_for("The story of one record")
        os.kill(demo.nodes()["peer0.clinic"], signal.SIGKILL)
        code = running.end()
    assert code in (1, 5), running.output  # it depends on what was under way
    assert "Traceback" not in running.output
    assert re.search(r"^Error: ", running.output, re.MULTILINE)
    assert "Ended by itself before: peer0.clinic." in running.output
    assert re.search(r"The demo ended (in step \d+ \(The |while )", running.output)
    assert f"logs are in {demo.directory}/logs" in running.output
    assert (demo.directory / "logs" / "peer0.clinic.log").exists()
    assert demo.nodes() == {}


def test_a_reader_that_goes_away(demo: Demo) -> None:
    """`medfab demo | head -3`"""
    script = shlex.join(demo.command()) + ' | head -3; echo "${PIPESTATUS[0]}"'
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, timeout=LONGEST,
        env=environment(), check=False,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "1"
    assert "Traceback" not in done.stderr
    assert "Error" not in done.stderr
    assert demo.nodes() == {}


def test_two_at_once_and_one_killed_in_the_middle(demo: Demo) -> None:
    with demo.started() as first:
        first.wait_for("The story of one record")
        second = demo.run()
        assert second.returncode == 6
        assert "another medfab command is working on" in second.stderr
        assert first.end() == 0, first.output
    with demo.started() as killed:
        killed.wait_for("… chaincode")
        killed.process.kill()
        killed.end()
    left = demo.nodes()
    assert left
    done = demo.run()
    assert done.returncode == 0, done.stderr
    assert f"Ended {len(left)} nodes that an earlier demo had left." in done.stdout
    assert demo.nodes() == {}


def test_a_network_of_the_user_is_left_alone(demo: Demo) -> None:
    where = ("--dir", str(demo.directory))
    up = medfab("network", "up", *where, "--topology", str(demo.topology))
    assert up.returncode == 0, up.stderr
    running, files = sorted(demo.nodes()), sorted(demo.directory.iterdir())
    refused = demo.run()
    assert refused.returncode == 6
    assert "was not made by the demo" in refused.stderr
    assert (sorted(demo.nodes()), sorted(demo.directory.iterdir())) == (running, files)
    assert medfab("network", "status", *where).returncode == 0


def test_a_folder_with_other_files_is_left_alone(demo: Demo) -> None:
    (demo.directory / "organizations").mkdir(parents=True)
    refused = demo.run()
    assert refused.returncode == 6
    assert "is not empty" in refused.stderr
    assert [path.name for path in demo.directory.iterdir()] == ["organizations"]


def test_the_commands_of_a_kept_network_work(demo: Demo) -> None:
    done = demo.run("--keep")
    assert done.returncode == 0, done.stderr
    assert len(demo.nodes()) == 11
    _, _, tail = done.stdout.partition("Look around:")
    commands = [c.strip() for c in re.split(r"(?<!\\)\n", tail) if c.startswith("  ")]
    assert len(commands) == 8, tail
    outputs = {}
    for count, command in enumerate(commands):
        # As pasted into one shell: what is exported before holds.
        script = "\n".join([*commands[:1], command]) if count else command
        pasted = subprocess.run(
            ["bash", "-c", script], capture_output=True, text=True, timeout=LONGEST,
            env=environment(), check=False,
        )  # fmt: skip
        assert pasted.returncode == 0, (command, pasted.stderr)
        outputs[" ".join(shlex.split(command)[1:3])] = pasted.stdout
    assert "peer0.hospital" in outputs["network status"]
    assert "registrar" in outputs["wallet list"]
    assert "ehr.FileRecords" in outputs["events --channel"]
    assert len(json.loads(outputs["contract evaluate"])) == 3
    assert demo.nodes() == {}
    assert not demo.directory.exists()
