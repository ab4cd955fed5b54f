"""docs/contracts.md: its code runs, passes the check, and answers as the page says."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from medfab_chaincode import Contract
from medfab_chaincode._check import check_modules
from medfab_chaincode._check._rules import RULES
from medfab_chaincode.testing import Identity
from pages import ran
from unit.chaincode.conftest import Certificates, Serving
from unit.chaincode.fake_peer import connect

FILE = Path(__file__).parents[3] / "docs" / "contracts.md"
PAGE = FILE.read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def beds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The page's Python, as one module."""
    folder = tmp_path_factory.mktemp("docs")
    (folder / "beds.py").write_text("\n\n".join(blocks("python")))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield import_module("beds")
        sys.modules.pop("beds")


def contracts(module: ModuleType) -> list[Contract]:
    names = ("Beds", "Prices", "Ward", "Audited", "Slow")
    return [getattr(module, name)() for name in names]


async def test_the_contracts(
    beds: ModuleType, serving: Serving, certificates: Certificates
) -> None:
    clerk = Identity("ClinicMSP", "clerk", {"medfab.role": "clerk"}).serialized
    admin = Identity("ClinicMSP", "admin", role="admin").serialized
    patient = {"patient": b'{"name": "Anna", "salt": "1"}'}
    async with (
        serving(*contracts(beds)) as address,
        connect(address, certificates.credentials()) as peer,
    ):
        assert (await peer.invoke("AddBed", "b1", "12.50")).status == 200
        bed = json.loads((await peer.invoke("beds:ReadBed", "b1")).payload)
        assert (bed["status"], bed["price"], bed["tags"]) == ("free", "12.50", [])
        assert (await peer.invoke("AddBed", "b1", "12.50")).status == 409

        refused = await peer.invoke("AddBed", "b2", "much")
        (shown,) = blocks("json")
        assert refused.message == shown.strip()

        assert (await peer.invoke("prices:SetPrice", "b1", "9", creator=clerk)).status == 200
        assert (await peer.invoke("prices:Reset", "b1", creator=admin)).status == 200
        denied = await peer.invoke("prices:Reset", "b1", creator=clerk)
        assert (denied.status, json.loads(denied.message)["code"]) == (403, "ACCESS_DENIED")

        assert (await peer.invoke("ward:Admit", "b1", transient=patient)).status == 200
        assert (await peer.invoke("ward:Admit", "b1", transient=patient)).status == 409
        assert json.loads((await peer.invoke("ward:WhoIsIn", "b1")).payload)["name"] == "Anna"
        assert (await peer.invoke("ward:Discharge", "b1")).writes == {("patients", "b1"): None}

        touched = await peer.invoke("audited:Touch")
        assert (touched.payload, touched.event) == (b"1", ("done", b"audited:Touch"))
        unknown = await peer.invoke("audited:Nothing")
        assert unknown.payload == b"there is no such function; call 1"
        digest = json.loads((await peer.invoke("slow:Digest", "b1")).payload)
        assert digest[1:] == ["b1"]
    ran(FILE, shown, *blocks("python"))


def test_the_code_passes_the_check(beds: ModuleType) -> None:
    assert check_modules(["beds"]) == []


def test_the_package(beds: ModuleType, tmp_path: Path) -> None:
    """As the page makes one; the same label makes the same id again."""
    [command] = blocks("sh")
    medfab_chaincode = Path(sys.executable).parent
    ids = {
        subprocess.run(
            ["bash", "-euc", command],
            cwd=tmp_path,
            env={**os.environ, "PATH": f"{medfab_chaincode}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout
        for _ in range(2)
    }
    assert len(ids) == 1
    assert ids.pop().startswith("beds_1.0:")
    assert (tmp_path / "beds.tar.gz").stat().st_size > 0
    ran(FILE, command)


def test_every_rule_is_on_the_page() -> None:
    for rule in RULES.keys() - {"allow"}:
        assert f"| `{rule}` |" in PAGE
