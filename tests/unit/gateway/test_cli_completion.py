"""Completion: in the real shells, fetched from Debian where this machine lacks them."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from medfab_gateway import FileSystemWallet
from shells import shell
from unit.gateway.fake_gateway import make_identity

MEDFAB = Path(sys.executable).parent / "medfab"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A network's folder: two organisations, one identity, one channel."""
    network = tmp_path / ".medfab"
    for name in ("clinic", "hospital"):
        (network / "organizations" / name).mkdir(parents=True)
    wallet = FileSystemWallet(network / "organizations" / "hospital" / "wallet")
    wallet.put("dr-okafor", *make_identity())
    (network / "channels").mkdir()
    (network / "channels" / "care.block").write_bytes(b"")
    return tmp_path


@functools.cache
def script_of(name: str) -> str:
    done = subprocess.run(
        [MEDFAB, "completion", name], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


def ask(name: str, folder: Path, words: list[str]) -> set[str]:
    """What the shell itself makes of the words, the last one not yet whole."""
    script = folder / f"completion.{name}"
    script.write_text(script_of(name))
    driver = _DRIVERS[name].format(script=script, line=" ".join(words), words=_quoted(words))
    done = shell(name).run(driver, cwd=folder, environment=_environment())
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert done.stderr == ""
    return {line.partition("\t")[0].rstrip() for line in done.stdout.splitlines() if line}


def _quoted(words: list[str]) -> str:
    return " ".join(f"'{word}'" for word in words)


def _environment() -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("MEDFAB_")}
    return {**inherited, "PATH": f"{MEDFAB.parent}:{os.environ['PATH']}", "MEDFAB_CONFIG": ""}


# bash and zsh complete for people at a terminal only: what their line editors do to ask the
# function is done by hand. fish can be asked.
_DRIVERS = {
    "bash": """
        source {script}
        COMP_WORDS=({words}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
        compopt() {{ :; }}
        _medfab_completion medfab
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """,
    "zsh": """
        compdef() {{ :; }}
        compadd() {{ print -l -- $completions }}
        _describe() {{ print -l -- ${{completions_with_descriptions%%:*}} }}
        source {script}
        words=({words}); CURRENT=$#words
        _medfab_completion
    """,
    "fish": """
        source {script}
        complete --do-complete '{line}'
    """,
}


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_the_script_is_valid(name: str, tmp_path: Path) -> None:
    (tmp_path / "script").write_text(script_of(name))
    checked = shell(name).check(tmp_path / "script")
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(
    ("words", "among", "not_among"),
    [
        (["medfab", ""], {"ca", "config", "network", "wallet"}, {"list"}),
        (["medfab", "wal"], {"wallet"}, {"ca"}),
        (["medfab", "ca", "re"], {"register"}, {"enroll"}),
        (["medfab", "wallet", "list", "--o"], {"--org"}, {"--dir"}),
        (["medfab", "wallet", "list", "--org", ""], {"clinic", "hospital"}, {"care"}),
        (["medfab", "events", "--channel", ""], {"care"}, {"care.block"}),
        (["medfab", "events", "--org", "hospital", "--identity", "d"], {"dr-okafor"}, {"admin"}),
        (["medfab", "wallet", "show", "--org", "hospital", "d"], {"dr-okafor"}, set()),
        (["medfab", "completion", ""], {"bash", "fish", "zsh"}, set()),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_completed(
    name: str, words: list[str], among: set[str], not_among: set[str], folder: Path
) -> None:
    found = ask(name, folder, words)
    assert found >= among
    assert not found & not_among


def test_a_broken_settings_file_does_not_get_in_the_way(folder: Path) -> None:
    (folder / "medfab.toml").write_text("=")
    environment = _environment()
    del environment["MEDFAB_CONFIG"]
    environment |= {
        "_MEDFAB_COMPLETE": "bash_complete",
        "COMP_WORDS": "medfab wallet list --org ",
        "COMP_CWORD": "4",
    }
    done = subprocess.run(
        [MEDFAB], capture_output=True, text=True, timeout=60, env=environment, cwd=folder
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "plain,hospital" in done.stdout
