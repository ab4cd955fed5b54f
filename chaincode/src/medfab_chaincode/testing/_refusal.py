"""How a simulated peer says no."""


class RefusalError(Exception):
    """The peer's answer to a request is an ERROR with this text."""
