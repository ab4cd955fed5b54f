"""The version of the three distributions: one, and changed in one place.

    python scripts/version.py              prints it
    python scripts/version.py --check      exit status 1 where something says another one
    python scripts/version.py 0.2.0        sets it everywhere (make version V=0.2.0)

The workspace's pyproject.toml says it. Each distribution repeats it in its own, because that has to
be built from its folder or source distribution alone; so do their requirements on each other, which
take every version that may not break them (docs/stability.md).
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DISTRIBUTIONS = ("gateway", "chaincode", "network")

_VERSION = re.compile(r'^version = "(.*)"$', re.MULTILINE)
_REQUIREMENT = re.compile(r'"(medfab-(?:gateway|chaincode)(?:\[[\w,]*\])?)([^"\[]*)"')
_FORM = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:(?:a|b|rc)\d+)?")


def main() -> None:
    arguments = sys.argv[1:]
    if arguments in (["-h"], ["--help"]) or len(arguments) > 1:
        sys.exit(__doc__)
    if not arguments:
        sys.stdout.write(f"{current()}\n")
    elif arguments == ["--check"]:
        if wrong := list(disagreements(ROOT)):
            sys.exit("\n".join(wrong))
    else:
        set_version(arguments[0])


def current(root: Path = ROOT) -> str:
    """The version that the workspace says."""
    found = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    return str(found["project"]["version"])


def compatible(version: str) -> str:
    """The requirement that takes `version`, and later ones that may not break who uses it."""
    match = _FORM.fullmatch(version)
    if match is None:
        sys.exit(f"{version!r} is no version like 0.2.0, 1.4.2 or 1.0.0rc1")
    major, minor = int(match[1]), int(match[2])
    limit = f"{major + 1}" if major else f"0.{minor + 1}"
    return f">={version},<{limit}"


def disagreements(root: Path) -> Iterator[str]:
    """What says something else than the workspace, one sentence each."""
    version = current(root)
    for name in DISTRIBUTIONS:
        project = tomllib.loads((root / name / "pyproject.toml").read_text("utf-8"))["project"]
        if project["version"] != version:
            yield (
                f"{name}/pyproject.toml says version {project['version']}, the workspace {version}"
            )
        for required, bounds in _requirements(project):
            if bounds != compatible(version):
                yield (
                    f"{name}/pyproject.toml requires {required}{bounds}, "
                    f"where {version} needs {compatible(version)}"
                )
    changelog = (root / "CHANGELOG.md").read_text("utf-8")
    if f"\n## [{version}]" not in changelog:
        yield f"CHANGELOG.md has no section for {version}"


def set_version(version: str) -> None:
    """Write it everywhere; the section of the changelog remains for people to write."""
    required = compatible(version)
    for folder in (".", *DISTRIBUTIONS):
        path = ROOT / folder / "pyproject.toml"
        text = _VERSION.sub(f'version = "{version}"', path.read_text("utf-8"), count=1)
        if folder != ".":
            text = _REQUIREMENT.sub(
                lambda found: found[0] if not found[2] else f'"{found[1]}{required}"', text
            )
        path.write_text(text, "utf-8")
    subprocess.run([ROOT / ".uv/bin/uv", "lock", "--quiet"], cwd=ROOT, check=True)
    for sentence in disagreements(ROOT):
        sys.stdout.write(f"still to do: {sentence}\n")


def _requirements(project: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Requirements on the other two, with their bounds; those on own extras name no version."""
    optional = project.get("optional-dependencies", {})
    for requirement in [*project["dependencies"], *(r for rs in optional.values() for r in rs)]:
        found = _REQUIREMENT.fullmatch(f'"{requirement}"')
        if found and found[1].partition("[")[0] != project["name"]:
            yield found[1], found[2]


if __name__ == "__main__":
    main()
