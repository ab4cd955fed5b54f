"""`make faults`: the whole suite, and its page docs/faults.md."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from faults import namespace, plan
from faults.page import page
from faults.plan import Fault
from faults.suite import Report, run

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "faults.md"


def main() -> None:
    parser = argparse.ArgumentParser(prog="faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="times that each target is killed")
    parser.add_argument("--small", action="store_true", help="a few of each family; no page")
    parser.add_argument("--only", default="", help="faults whose family or name has this; no page")
    parser.add_argument("--to", type=Path, default=PAGE, help="the page")
    parser.add_argument("--logs", type=Path, help="where the nodes' logs are kept; else nowhere")
    arguments = parser.parse_args()
    namespace.enter()
    # SIGTERM would end this without a clean-up, and leave a network running.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.environ["PYTHONPATH"] = str(HERE)  # the chaincode processes find the contract there

    def chosen(faults: Iterator[Fault]) -> list[Fault]:
        wanted = arguments.only.lower()
        return [f for f in faults if wanted in f"{f.family}: {f.name}".lower()]

    async def all_of_them() -> Report:
        report, logs = Report(), arguments.logs
        if arguments.small:
            await run(report, chosen(plan.small()), relayed=True, logs=logs)
        else:
            plain = chosen(plan.plain(arguments.rounds))
            await run(report, plain, relayed=False, logs=logs and logs / "plain")
            relayed = chosen(plan.relayed())
            await run(report, relayed, relayed=True, logs=logs and logs / "relayed")
        return report

    text = page(asyncio.run(all_of_them()))
    print(text)
    if not (arguments.small or arguments.only):
        arguments.to.write_text(text)


if __name__ == "__main__":
    main()
