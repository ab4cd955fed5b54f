"""Building and reading Fabric's messages: pure functions.

No channel, no asyncio, no clock and no randomness: what changes from call to call is an argument.
"""
