"""HTTP/2 frames and the header blocks of gRPC answers, as bytes (RFC 9113, gRPC over HTTP/2)."""

import struct
from enum import IntEnum

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD = struct.Struct(">HBBBI")  # length in 16 and 8 bits, type, flags, stream
LARGEST_FRAME = 16_384
"""What both sides take unless they say otherwise; we do not."""

LARGEST_WINDOW = 2**31 - 1

END_STREAM, ACK, END_HEADERS, PADDED, WITH_PRIORITY = 0x1, 0x1, 0x4, 0x8, 0x20


class Kind(IntEnum):
    DATA = 0
    HEADERS = 1
    PRIORITY = 2
    RST_STREAM = 3
    SETTINGS = 4
    PUSH_PROMISE = 5
    PING = 6
    GOAWAY = 7
    WINDOW_UPDATE = 8
    CONTINUATION = 9


class Setting(IntEnum):
    MAX_CONCURRENT_STREAMS = 3
    INITIAL_WINDOW_SIZE = 4
    MAX_FRAME_SIZE = 5
    MAX_HEADER_LIST_SIZE = 6


class Code(IntEnum):
    """Why a stream or a connection ends."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    FLOW_CONTROL_ERROR = 3
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    COMPRESSION_ERROR = 9
    ENHANCE_YOUR_CALM = 11


class Http2Error(Exception):
    """The other side does not keep to the protocol: the connection ends."""

    def __init__(self, code: Code, what: str) -> None:
        super().__init__(what)
        self.code = code


def frame(kind: Kind, flags: int, stream: int, content: bytes = b"") -> bytes:
    length = len(content)
    return HEAD.pack(length >> 8, length & 0xFF, kind, flags, stream) + content


def settings(values: dict[Setting, int]) -> bytes:
    content = b"".join(struct.pack(">HI", name, value) for name, value in values.items())
    return frame(Kind.SETTINGS, 0, 0, content)


def window_update(stream: int, size: int) -> bytes:
    return frame(Kind.WINDOW_UPDATE, 0, stream, struct.pack(">I", size))


def reset(stream: int, code: Code) -> bytes:
    return frame(Kind.RST_STREAM, 0, stream, struct.pack(">I", code))


def go_away(last_stream: int, code: Code) -> bytes:
    return frame(Kind.GOAWAY, 0, 0, struct.pack(">II", last_stream, code))


def _literal(name: bytes, value: bytes) -> bytes:
    """A header field that changes no table (HPACK, RFC 7541, 6.2.2)."""
    return bytes([0, len(name)]) + name + bytes([len(value)]) + value


_STATUS_200 = b"\x88"  # of the static table
_RESPONSE = _STATUS_200 + _literal(b"content-type", b"application/grpc")


def response_headers(stream: int) -> bytes:
    return frame(Kind.HEADERS, END_HEADERS, stream, _RESPONSE)


def trailers(stream: int, status: int, *, alone: bool = False) -> bytes:
    """The end of an answer; `alone`: all of it."""
    block = (_RESPONSE if alone else b"") + _literal(b"grpc-status", str(status).encode())
    return frame(Kind.HEADERS, END_HEADERS | END_STREAM, stream, block)
