"""`python -m medfab_gateway.cli` is `medfab`."""

from medfab_gateway.cli import main

main()
