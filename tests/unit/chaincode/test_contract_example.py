"""The example of the README and of the package's documentation, as it stands there."""

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from medfab_chaincode import Contract, _contract
from pages import ran
from unit.chaincode.conftest import Certificates, Serving
from unit.chaincode.fake_peer import connect

README = Path(__file__).parents[3] / "chaincode" / "README.md"


def readme() -> str:
    found = re.search(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def docstring() -> str:
    found = re.search(r"::\n\n((?:    .*\n|\n)+)", _contract.__doc__ or "")
    assert found is not None
    return re.sub(r"^    ", "", found[1], flags=re.MULTILINE)


@pytest.mark.parametrize("source", [readme(), docstring()], ids=["README", "docstring"])
async def test_the_example_works(serving: Serving, certificates: Certificates, source: str) -> None:
    names: dict[str, type[Contract]] = {}
    exec(source, names)  # noqa: S102
    async with (
        serving(names["Notes"]()) as address,
        connect(address, certificates.credentials()) as peer,
    ):
        text = {"text": b"hello"}
        assert (await peer.invoke("CreateNote", "n1", transient=text)).status == 200
        assert (await peer.invoke("notes:ReadNote", "n1")).payload == b"hello"
        assert (await peer.invoke("CreateNote", "n1", transient=text)).status == 409
    if source == readme():
        ran(README, source)


async def test_the_command_of_the_readme(certificates: Certificates, tmp_path: Path) -> None:
    """It listens, after what it prints, and ends on a signal; on a free port."""
    [command] = re.findall(r"```sh\n(medfab-chaincode serve .*?)```", README.read_text(), re.DOTALL)
    (tmp_path / "notes.py").write_text(readme())
    for name, file in (
        ("server.key", certificates.key_file),
        ("server.pem", certificates.certificate_file),
        ("ca.pem", certificates.client_ca_file),
    ):
        (tmp_path / name).write_bytes(Path(file).read_bytes())
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", "exec " + command.replace("0.0.0.0:9999", "127.0.0.1:0")),
        cwd=tmp_path,
        env={
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PACKAGE_ID": "notes:1",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
        assert re.fullmatch(r"listening on 127\.0\.0\.1:\d+\n", line)
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 60) == 0
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
    ran(README, command)
