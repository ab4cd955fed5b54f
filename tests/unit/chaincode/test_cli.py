"""What holds for every command of `medfab-chaincode`."""

import pytest
from click.testing import CliRunner

from medfab_chaincode._cli import main


@pytest.mark.parametrize("name", sorted(main.commands))
def test_help_has_an_example_that_names_the_command(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    example = result.stdout.partition("Example")[2].partition("Options:")[0]
    assert f"medfab-chaincode {name} " in example
