"""Frames over a socket between two processes: two sizes, a header in msgpack, raw bytes of tensors."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Sequence
from typing import Protocol

_SIZES = struct.Struct("<IQ")
_SMALL_BYTES = 256 * 1024
_SOCKET_BYTES = 1024 * 1024
MOST_HEADER_BYTES = 64 * 1024 * 1024
"""Of texts to count, or a prompt with images."""
MOST_SMALL_HEADER_BYTES = 128 * 1024
"""Of tensors."""
MOST_PAYLOAD_BYTES = 512 * 1024 * 1024

Bytes = bytes | bytearray | memoryview


class Receiver(Protocol):
    """Who gets the frames of a connection."""

    def received(self, header: bytes, payload: bytearray) -> None:
        """A frame came; `payload` is the receiver's to keep."""

    def lost(self) -> None:
        """No frame will come any more: the other end is closed, or broke the rules."""


class Connection(asyncio.BufferedProtocol):
    """One end. Small frames are taken out of one buffer, of large ones the bytes go right to where they stay."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._transport: asyncio.Transport | None = None
        self._small = bytearray(_SMALL_BYTES)
        self._filled = 0
        self._large: bytearray | None = None
        self._header: bytes | None = None
        """The header of the large frame under way; None if that is all header."""

    @classmethod
    async def over(cls, end: socket.socket, receiver: Receiver) -> Connection:
        """The connection over `end`, one of `pair()`, which it closes when it is closed."""
        _, connection = await asyncio.get_running_loop().create_connection(lambda: cls(receiver), sock=end)
        return connection

    def send(self, header: bytes, payload: Sequence[Bytes] = ()) -> None:
        """Send a frame; nothing if the other end is gone, which `lost` has told or will tell."""
        if self._transport is not None and not self._transport.is_closing():
            sizes = _SIZES.pack(len(header), sum(len(part) for part in payload))
            self._transport.write(b"".join((sizes, header, *payload)))

    def close(self) -> None:
        """Close this end at once; `lost` follows."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio calls this."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        """asyncio calls this."""
        self._large = None
        self._receiver.lost()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the next bytes go."""
        return memoryview(self._small if self._large is None else self._large)[self._filled :]

    def buffer_updated(self, size: int) -> None:
        """So many bytes came."""
        self._filled += size
        if self._large is None:
            self._take_small()
        elif self._filled == len(self._large):
            frame, self._large, self._filled = self._large, None, 0
            if self._header is None:
                self._receiver.received(bytes(frame), bytearray())
            else:
                self._receiver.received(self._header, frame)

    def _take_small(self) -> None:
        start = 0
        while self._filled - start >= _SIZES.size:
            header_size, payload_size = _SIZES.unpack_from(self._small, start)
            longest = MOST_SMALL_HEADER_BYTES if payload_size else MOST_HEADER_BYTES
            if header_size > longest or payload_size > MOST_PAYLOAD_BYTES:
                self.close()
                return
            body = start + _SIZES.size
            middle, end = body + header_size, body + header_size + payload_size
            if end - start > _SMALL_BYTES:
                if payload_size and middle > self._filled:
                    break
                self._begin_large(body, middle, payload_size)
                return
            if end > self._filled:
                break
            self._receiver.received(bytes(self._small[body:middle]), self._small[middle:end])
            start = end
        if start:
            rest = self._filled - start
            self._small[:rest] = self._small[start : self._filled]
            self._filled = rest

    def _begin_large(self, body: int, middle: int, payload_size: int) -> None:
        self._header = bytes(self._small[body:middle]) if payload_size else None
        self._large = bytearray(payload_size or middle - body)
        begun = self._small[middle if payload_size else body : self._filled]
        self._large[: len(begun)] = begun
        self._filled = len(begun)


def pair() -> tuple[socket.socket, socket.socket]:
    """Two connected ends, both of which do not block."""
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    for end in ends:
        end.setblocking(False)
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            # The kernel takes less where it allows less.
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, option, _SOCKET_BYTES)
    return ends
