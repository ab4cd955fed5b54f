"""`make audit`, with pip-audit itself and an advisory service (OSV's API) of this test's own."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from release.built import ROOT

ADVISORY = {
    "id": "PYSEC-2026-1",
    "aliases": ["CVE-2026-1"],
    "summary": "Something is wrong.",
    "details": "Something is wrong.",
    "modified": "2026-01-01T00:00:00Z",
    "published": "2026-01-01T00:00:00Z",
    "affected": [
        {
            "package": {"name": "segno", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "9.9.9"}]}],
            "versions": ["1.6.6"],
        }
    ],
}


class Service(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        found = [ADVISORY] if asked["package"]["name"] == "segno" else []
        answer = json.dumps({"vulns": found} if found else {}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Service) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()
        thread.join()


@pytest.fixture
def audit(release_tools: Path, service: str, tmp_path: Path) -> Audit:
    assert (release_tools / "pip-audit").exists()
    return Audit(service, tmp_path)


class Audit:
    def __init__(self, service: str, folder: Path) -> None:
        self.service = service
        self.folder = folder
        self.requirements = folder / "requirements.txt"
        self.requirements.write_text("segno==1.6.6\nclick==8.4.2\n")
        self.exceptions = folder / "exceptions.toml"
        self.exceptions.write_text("")

    def run(self, *options: str) -> subprocess.CompletedProcess[str]:
        where = ["--requirements", str(self.requirements), "--exceptions", str(self.exceptions)]
        return subprocess.run(
            [
                sys.executable,
                ROOT / "scripts" / "audit.py",
                *where,
                "--osv",
                self.service,
                *options,
            ],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def accept(self, *, expires: str) -> None:
        self.exceptions.write_text(
            '[[exception]]\nid = "CVE-2026-1"\npackage = "segno"\n'
            f'reason = "we only write codes"\nexpires = {expires}\n'
        )


def test_a_vulnerability_fails_and_says_what_mends_it(audit: Audit) -> None:
    done = audit.run()
    assert done.returncode == 1, done.stdout + done.stderr
    assert "segno 1.6.6: PYSEC-2026-1; mended in 9.9.9" in done.stdout
    assert "2 packages audited, 1 findings" in done.stdout


def test_an_exception_holds_until_its_day(audit: Audit) -> None:
    audit.accept(expires="2999-01-01")
    done = audit.run("--strict")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is excepted until 2999-01-01: we only write codes" in done.stdout
    audit.accept(expires="2001-01-01")
    done = audit.run()
    assert done.returncode == 1
    assert "the exception is over since 2001-01-01" in done.stdout


def test_an_exception_that_nothing_needs_is_told(audit: Audit) -> None:
    audit.accept(expires="2999-01-01")
    audit.requirements.write_text("click==8.4.2\n")
    done = audit.run()
    assert done.returncode == 1
    assert "the exception CVE-2026-1 is of no use any more" in done.stdout


def test_no_answer_is_no_good_answer(audit: Audit) -> None:
    audit.service = "http://127.0.0.1:1/v1/query"  # nobody listens
    done = audit.run()
    assert done.returncode == 0, done.stderr
    assert "NOT AUDITED" in done.stdout
    assert audit.run("--strict").returncode == 1
