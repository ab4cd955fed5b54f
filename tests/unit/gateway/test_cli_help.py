"""Help: fits 80 columns, its examples are valid, and it is quick."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from medfab_gateway.cli._main import _SHORT_HELP, medfab


def commands(group: click.Group, *path: str) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)


ALL = [(), *commands(medfab)]


def help_of(path: tuple[str, ...]) -> str:
    result = CliRunner().invoke(medfab, [*path, "--help"], prog_name="medfab", terminal_width=80)
    assert result.exit_code == 0, result.output
    return result.output


def examples(text: str) -> list[str]:
    """The commands, without what the shell does with their output."""
    joined = re.sub(r"\\\n\s*", "", text)
    _, _, after = joined.partition("Example")
    return re.findall(r"^ +(medfab [^>|\n]*)", after.partition("\n\n")[0], re.MULTILINE)


def test_every_group_is_there() -> None:
    assert {path[0] for path in ALL if path} >= {"ca", "contract", "events", "wallet"}


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_help_fits_80_columns(path: tuple[str, ...]) -> None:
    assert [line for line in help_of(path).splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_what_is_said_of_a_command_in_a_list_is_whole(path: tuple[str, ...]) -> None:
    _, _, listed = help_of(path).partition("\nCommands:\n")
    assert [line for line in listed.splitlines() if line.endswith("...")] == []


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_examples_are_of_the_command_and_valid(path: tuple[str, ...]) -> None:
    found = examples(help_of(path))
    assert found, "help without an example"
    for example in found:
        words = shlex.split(example)
        assert words[1 : 1 + len(path)] == list(path)
        parse(words[1:])


def parse(words: list[str]) -> None:
    """As click would, but without running, nor asking whether files exist."""
    command: click.Command = medfab
    context = click.Context(medfab, info_name="medfab")
    while isinstance(command, click.Group):
        if command.invoke_without_command and words[0].startswith("-"):
            break
        found = command.get_command(context, words[0])
        assert found is not None, words
        command, words = found, words[1:]
        context = click.Context(command, parent=context)
    values, rest, _ = command.make_parser(context).parse_args(list(words))
    assert rest == []
    for parameter in command.params:
        if isinstance(parameter, click.Argument) and parameter.required:
            assert values.get(str(parameter.name)) is not None, (words, parameter.name)


def test_an_example_with_a_wrong_option_would_be_found() -> None:
    with pytest.raises(click.NoSuchOption):
        parse(["wallet", "list", "--organisation", "hospital"])


def test_the_list_of_commands_says_what_they_say_of_themselves() -> None:
    context = click.Context(medfab)
    for name, text in _SHORT_HELP.items():
        command = medfab.get_command(context, name)
        if command is not None:  # the network's may not be installed
            assert command.get_short_help_str(limit=200) == text, name


@pytest.mark.parametrize(
    "arguments", [["--help"], ["wallet", "list", "--wallet", "nowhere"], ["ca", "--help"]]
)
def test_nothing_is_imported_that_is_not_needed(arguments: list[str]) -> None:
    program = (
        "import sys\n"
        "from medfab_gateway.cli import main\n"
        f"sys.argv = ['medfab', *{arguments!r}]\n"
        "try:\n    main()\n"
        "finally:\n"
        "    heavy = ('httpx', 'rich', 'yaml', 'fhir', 'medfab_network')\n"
        "    print([n for n in heavy if n in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "[]\n"
