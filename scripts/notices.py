"""Writes THIRD-PARTY-NOTICES.md: what medfab runs with, and under which licences.

    make notices

The table is committed; the texts of the licences go to dist/THIRD-PARTY-LICENCES.txt. Versions are
in the bills of materials (`make sbom`), so that the table changes only with what is needed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from scripts.inventory import ROOT, Component, fabric_builds, install_runtime, python_components
from scripts.sbom import DIST

PAGE = ROOT / "THIRD-PARTY-NOTICES.md"
_HEAD = """\
<!-- Made by scripts/notices.py: `make notices` after a change of dependencies. -->

# Third-party notices

The distributions of medfab contain no code of others. This is what they need when they are
installed with every extra, and what is linked into the programs of Fabric that `medfab network`
builds on the machine that runs it. `make notices` also writes the texts of all these licences, with
their copyright notices, to `dist/THIRD-PARTY-LICENCES.txt`; `make sbom` writes the versions.
"""


def main() -> None:
    DIST.mkdir(exist_ok=True)
    install_runtime(DIST)
    python = python_components()
    parts = [_HEAD, "## Python packages\n", table(python)]
    everything = list(python)
    for (name, _), components in fabric_builds().items():
        parts += [f"## Go modules in the build of {name}\n", table(components)]
        everything += components
    PAGE.write_text("\n".join(parts), "utf-8")
    texts = DIST / "THIRD-PARTY-LICENCES.txt"
    texts.write_text(all_texts(everything), "utf-8")
    unknown = [item.name for item in everything if not item.texts]
    sys.stdout.write(
        f"{PAGE.name}: {len(everything)} entries; {texts.relative_to(ROOT)}: "
        f"{len(everything) - len(unknown)} with a text"
        f"{', none came with ' + ', '.join(unknown) if unknown else ''}\n"
    )


def table(components: Iterable[Component]) -> str:
    rows = {f"| {item.name} | {item.licence} |" for item in components}
    return "\n".join(["| Name | Licence |", "|---|---|", *sorted(rows, key=str.lower), ""])


def all_texts(components: Iterable[Component]) -> str:
    """Each text once, below the names of all that come with it."""
    owners: dict[str, set[str]] = {}
    for item in components:
        for text in item.texts.values():
            owners.setdefault(text.strip(), set()).add(f"{item.name} {item.version}")
    ruler = "=" * 78
    return "\n\n".join(
        f"{ruler}\n{', '.join(sorted(names))}\n{ruler}\n\n{text}"
        for text, names in sorted(owners.items(), key=lambda pair: sorted(pair[1])[0])
    )


if __name__ == "__main__":
    main()
