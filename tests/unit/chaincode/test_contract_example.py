"""The example of the README and of the package's documentation, as it stands there."""

import re
from pathlib import Path

import pytest

from medfab_chaincode import Contract, _contract
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
