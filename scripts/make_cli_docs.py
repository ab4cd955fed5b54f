"""Makes docs/cli.md and docs/chaincode-cli.md, the reference of the commands, from themselves.

    python scripts/make_cli_docs.py            writes it (make cli-docs)
    python scripts/make_cli_docs.py --check    writes nothing; exit status 1 where it is out of date

All groups must be installed, the network's too: `make setup` sees to that.
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from medfab_chaincode._cli import main as medfab_chaincode
from medfab_gateway.cli._exit_codes import MEANINGS
from medfab_gateway.cli._main import medfab
from medfab_gateway.cli._settings import SETTINGS, SettingOption
from medfab_gateway.cli._settings_file import VARIABLE

DOCS = Path(__file__).parents[1] / "docs"

_HEAD = """\
<!-- Made by scripts/make_cli_docs.py: change the commands' help, and run `make cli-docs`. -->

# The command `medfab`

Every command has `--help`, and `--json` where it prints anything for programs. Results go to
standard output; progress, questions, warnings and errors to standard error. What destroys
something asks first; `--yes` is for scripts. No option takes a secret: secrets come from a file,
the environment or a prompt.
"""

_REFUSALS = """\
A contract's refusal is 3 where it is about who asks (status 400 to 499 of its answer), and 6 where
it is about the state of things (status 409): already done, used up, recalled, changed by somebody
else meanwhile. After 3 somebody else has to ask; after 6 look at the state, then decide.
"""

_CHAINCODE_HEAD = """\
<!-- Made by scripts/make_cli_docs.py: change the commands' help, and run `make cli-docs`. -->

# The command `medfab-chaincode`

It checks, describes, packages and serves contracts, and needs no network and no `medfab`. It ends
with 0, with 1 where something failed or `check` found something, with 2 for wrong usage. Running
one, with settings from the environment: [chaincode-operations.md](chaincode-operations.md).

## Commands
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="only say whether it is out of date")
    check = parser.parse_args().check
    for name, text in (("cli.md", page()), ("chaincode-cli.md", chaincode_page())):
        file = DOCS / name
        if file.exists() and file.read_text("utf-8") == text:
            continue
        if check:
            sys.exit(f"docs/{name} is not up to date: run `make cli-docs` and commit that.")
        file.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{name}\n")


def page() -> str:
    """The whole reference."""
    parts = [_HEAD, _settings(), _exit_codes(), _contents()]
    parts += [_section(path, command) for path, command in commands(medfab, "medfab")]
    return "\n".join(parts)


def chaincode_page() -> str:
    """The reference of `medfab-chaincode`."""
    parts = [_CHAINCODE_HEAD]
    parts += [_section(path, each) for path, each in commands(medfab_chaincode, "medfab-chaincode")]
    return "\n".join(parts)


def commands(group: click.Group, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """All commands below a group, each group before its commands."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)


def _settings() -> str:
    rows = [
        f"| `{s.option}` | `{s.variable}` | `{s.name}` | {s.help}"
        + (f" Default: `{s.default}`. |" if s.default else " |")
        for s in SETTINGS
    ]
    return "\n".join(
        [
            "## Settings\n",
            "Where, who and on which channel is taken from options, the environment or "
            "`medfab.toml`, in\nthat order. The file is the nearest one in the current folder and "
            f"those above it, or the one that\n`{VARIABLE}` names (empty: none). "
            "`medfab config show` says which source won.\n",
            "| Option | Environment | Key in `medfab.toml` | Meaning |",
            "|---|---|---|---|",
            *rows,
            "\n`--profile` and `--wallet` take the place of `--dir` unless `--dir` comes from a "
            "source that counts\nmore: `--dir other` on the command line is heeded whatever the "
            "file says.\n",
        ]
    )


def _exit_codes() -> str:
    rows = [f"| {code} | {meaning} |" for code, meaning in MEANINGS.items()]
    return "\n".join(["## Exit codes\n", "| Code | Meaning |", "|---|---|", *rows, "", _REFUSALS])


def _contents() -> str:
    groups = [path for path, _ in commands(medfab, "medfab") if len(path) == 2]
    links = [f"[`{path[-1]}`](#{'-'.join(path)})" for path in groups]
    return "## Commands\n\n" + " · ".join(links) + "\n"


def _section(path: tuple[str, ...], command: click.Command) -> str:
    context = click.Context(command, info_name=" ".join(path), terminal_width=80)
    lines = [f"#{'#' * len(path)} {' '.join(path)}\n", *_description(command.help or "")]
    if not isinstance(command, click.Group):
        lines.append(f"```text\n{command.get_usage(context).removeprefix('Usage: ')}\n```\n")
    lines += _options(command, context)
    return "\n".join(lines)


def _description(text: str) -> list[str]:
    """Paragraphs as they are; what is laid out by hand, examples above all, in a block."""
    parts = []
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if not paragraph.startswith("\b\n"):
            parts.append(paragraph + "\n")
            continue
        first, *rest = paragraph.removeprefix("\b\n").splitlines()
        if first.startswith(" "):
            block = inspect.cleandoc("\n".join(["", first, *rest]))
        else:
            parts.append(first + "\n")
            block = inspect.cleandoc("\n".join(["", *rest]))
        language = "bash" if re.search(r"^medfab\S* |\bmedfab ", block, re.MULTILINE) else "text"
        parts.append(f"```{language}\n{block}\n```\n")
    return parts


def _options(command: click.Command, context: click.Context) -> list[str]:
    rows, settings = [], []
    for parameter in command.params:
        if isinstance(parameter, SettingOption):
            if not parameter.hidden:
                settings.append(f"`{parameter.setting.option}`")
            continue
        record = parameter.get_help_record(context)
        if isinstance(parameter, click.Option) and record is not None:
            names, help_text = (part.replace("|", "\\|") for part in record)
            rows.append(f"| `{names}` | {' '.join(help_text.split())} |")
    found = ["| Option | Meaning |", "|---|---|", *rows, ""] if rows else []
    if settings:
        found.append(f"Settings: {', '.join(settings)}.\n")
    return found


if __name__ == "__main__":
    main()
