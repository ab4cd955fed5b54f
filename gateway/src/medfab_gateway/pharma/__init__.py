"""Typed clients of the supply contract, and the standards of GS1 around it.

`medfab_gateway.pharma.identifiers`, `.codes` and `.epcis` hold the standards; this module the
clients of the contract.
"""
