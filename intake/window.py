"""A sliding view on a large seekable file: what is in sight, at which offset, on which line; memory stays bounded."""

import io
import re
from typing import BinaryIO

CHUNK = 256 * 1024  # bytes read at once
_OVERLAP = 128  # bytes kept while searching; longer than anything a pattern given to `skip_to` can span


class Window:
    """Where reading stands in a file. Positions given and returned are counted from there, `offset` from the file."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.size = stream.seek(0, io.SEEK_END)
        self.line = 1
        self._data = b""
        self._at = 0  # index in _data of the first byte in sight
        self._base = 0  # offset in the file of _data[0]

    @property
    def offset(self) -> int:
        return self._base + self._at

    @property
    def in_sight(self) -> int:
        return len(self._data) - self._at

    def twin(self) -> "Window":
        """A second view on the same file, standing at the same place."""
        other = Window(self._stream)
        other.go(self.offset, self.line)
        return other

    def go(self, offset: int, line: int) -> None:
        """Stand at `offset`, which is on line `line`."""
        self._data, self._at, self._base, self.line = b"", 0, min(offset, self.size), line

    def at_end(self) -> bool:
        return self.offset >= self.size

    def need(self, count: int) -> bool:
        """Have at least `count` bytes in sight; False when the file ends before."""
        while self.in_sight < count:
            self._stream.seek(self._base + len(self._data))  # somebody else may have moved the stream meanwhile
            more = self._stream.read(max(CHUNK, count - self.in_sight))
            if not more:
                self.size = self._base + len(self._data)
                return False
            self._data = self._data[self._at :] + more
            self._base, self._at = self._base + self._at, 0
        return True

    def peek(self) -> bytes:
        """The next byte, or none at the end."""
        self.need(1)
        return self._data[self._at : self._at + 1]

    def byte(self, index: int) -> int:
        return self._data[self._at + index]

    def view(self, end: int, start: int = 0) -> bytes:
        """The bytes from `start` to `end`, as far as they are in sight, without moving."""
        return self._data[self._at + start : self._at + end]

    def line_in_view(self, limit: int) -> bytes | None:
        """From here to the end of the line, without the line break; None when that is more than `limit` bytes."""
        while True:
            end = self._data.find(b"\n", self._at, self._at + limit + 1)
            if end >= 0:
                return self._data[self._at : end]
            if self.in_sight > limit:
                return None
            if not self.need(self.in_sight + 1):
                return self._data[self._at :]

    def match_end(self, pattern: re.Pattern[bytes], start: int) -> int:
        """Where a match of `pattern` that begins at `start` ends; -1 when there is none in sight."""
        match = pattern.match(self._data, self._at + start)
        return match.end() - self._at if match else -1

    def find(self, byte: bytes, start: int, end: int) -> int:
        found = self._data.find(byte, self._at + start, self._at + end)
        return found - self._at if found >= 0 else -1

    def advance(self, count: int) -> None:
        """Move over `count` bytes that are in sight."""
        end = self._at + count
        self.line += self._data.count(b"\n", self._at, end)
        self._at = end

    def skip_any(self, of: bytes) -> bytes:
        """Move over all bytes that are in `of`; the last stretch of them is returned (at most one chunk)."""
        skipped = b""
        while self.need(1):
            sight = self._data[self._at : self._at + 64]  # nearly always enough, and cheaper than the whole window
            if not sight.lstrip(of):
                sight = self._data[self._at :]
            count = len(sight) - len(sight.lstrip(of))
            if not count:
                break
            skipped = skipped[-CHUNK:] + self._data[self._at : self._at + count]
            self.advance(count)
            if count < len(sight):
                break
        return skipped

    def skip_to(self, pattern: re.Pattern[bytes] | None, *, keep: int, skip: int = 0) -> bytes:
        """Move to where `pattern` begins, at least `skip` bytes on, or to the end; return the first `keep` bytes.

        The pattern, with what it looks ahead and behind, must not span more than 128 bytes.
        """
        self.need(skip + 1)
        kept = bytearray()
        while True:
            found = pattern.search(self._data, self._at + skip) if pattern else None
            end = found.start() - self._at if found else max(skip, self.in_sight - _OVERLAP)
            at_last = found is not None or not self.need(self.in_sight + 1)
            if found is None and at_last:
                end = self.in_sight
            kept += self.view(min(end, keep - len(kept)))
            self.advance(end)
            skip = 0
            if at_last:
                return bytes(kept)

    def skip_bytes(self, count: int, *, keep: int) -> bytes:
        """Move over `count` bytes, in sight or not; return the first `keep` of them."""
        kept = bytearray()
        while count and self.need(1):
            step = min(count, self.in_sight)
            kept += self.view(min(step, keep - len(kept)))
            self.advance(step)
            count -= step
        return bytes(kept)
