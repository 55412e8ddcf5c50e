"""Cut an uploaded file into JSON records, whatever its size, and say in plain words what is wrong with the rest.

Accepted: one object on each line, objects over several lines one after another, arrays of objects (also several, one
after another), with or without a UTF-8 byte order mark. Memory stays constant: no piece keeps more than `MAX_RECORD`
bytes. What follows a piece depends only on the file and on where the piece ends, never on what was read before, so
an import that was killed goes on at `piece.end` and `piece.next_line` and meets exactly the remaining pieces.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from intake.guarded_json import JsonObject, parse
from intake.scanning import MAX_RECORD, TOO_DEEP, TOO_LARGE, balanced_length, object_length, text_length
from intake.window import Window

RAW_CAP = 64 * 1024  # bytes kept of a piece that has a problem
PATIENCE = 100  # pieces with a problem from the start of the file, without a record among them, before giving up

_BLANK = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"
_MAX_INDENT = 64
_LINE_END = re.compile(rb"\n")
_ELEMENT_END = re.compile(rb"[,{\]\n]")
_BETWEEN_ELEMENTS = re.compile(rb"(?<=\})(?=[ \t\r\n]{0,8},[ \t\r\n]{0,8}\{)")

# What other files begin with. UTF-16 is refused, not decoded: offsets into the stored upload must stay true.
_FOREIGN = (
    (b"\xff\xfe", "this file is UTF-16 (or UTF-32); save it as UTF-8 and upload it again"),
    (b"\xfe\xff", "this file is UTF-16; save it as UTF-8 and upload it again"),
    (b"\x00\x00\xfe\xff", "this file is UTF-32; save it as UTF-8 and upload it again"),
    (b"{\x00", "this file is UTF-16; save it as UTF-8 and upload it again"),
    (b"[\x00", "this file is UTF-16; save it as UTF-8 and upload it again"),
    (b"\x00{", "this file is UTF-16; save it as UTF-8 and upload it again"),
    (b"\x00[", "this file is UTF-16; save it as UTF-8 and upload it again"),
    (b"\x1f\x8b", "this is a gzip archive, not JSON; unpack it and upload the file inside"),
    (b"PK\x03\x04", "this is a ZIP archive (or an Office document), not JSON; unpack it and upload the file inside"),
    (b"%PDF-", "this is a PDF document, not JSON"),
)
NOT_JSON = "this does not look like JSON lines or a JSON array: nothing readable so far, the rest was not tried"


class Piece(NamedTuple):
    """One record, or one stretch of the file that is none.

    `offset` and `length` are bytes in the file, `line` counts from 1. `value` is set for a record, `problem` for the
    rest. `raw` is the bytes: whole for a record, at most `RAW_CAP` for a problem. `end` and `next_line` are where to
    go on; `end` may lie one past the end of the file, when nothing is left to say.
    """

    offset: int
    length: int
    line: int
    value: JsonObject | None
    problem: str | None
    raw: bytes
    end: int
    next_line: int
    cleaned: bool = False


def split(stream: BinaryIO, *, start: int = 0, start_line: int = 1) -> Iterator[Piece]:
    """Yield the pieces from `start`, which is 0 or the `end` of an earlier piece (with its `next_line`).

    `stream` must be seekable. No content makes this raise; errors of the storage itself (OSError) pass through.
    """
    reader = _Reader(stream)
    foreign = _foreign(reader)
    if foreign is not None:
        if start == 0:
            yield reader.rest(0, 1, foreign)
        return
    bad = 0 if start == 0 else _bad_from_the_start(reader, start)
    for piece in reader.pieces(start, start_line):
        if piece.value is not None:
            bad = None
        elif bad is not None:
            bad += 1
            if bad > PATIENCE:
                yield reader.rest(piece.offset, piece.line, NOT_JSON)
                return
        yield piece


def _foreign(reader: "_Reader") -> str | None:
    head = reader.head()
    return next((why for mark, why in _FOREIGN if head.startswith(mark)), None)


def _bad_from_the_start(reader: "_Reader", start: int) -> int | None:
    """How many problems came before `start` with no record among them; None as soon as there is one record."""
    bad = 0
    for piece in reader.pieces(0, 1):
        if piece.offset >= start:
            break
        if piece.value is not None:
            return None
        bad += 1
        if bad > PATIENCE:
            break
    return bad


class _Gap(NamedTuple):
    """What lies between two pieces: does it close an array, and with which blanks does the next piece's line begin."""

    closes: bool
    indent: bytes | None  # None: something else stands before it on its line


class _Reader:
    """Walks one file. What it knows beyond its position comes from the head of the file alone."""

    def __init__(self, stream: BinaryIO) -> None:
        self.window = Window(stream)
        self.is_array = False
        self._gap(opening=True)
        self.is_array = self.window.peek() == b"["

    def head(self) -> bytes:
        self.window.go(0, 1)
        self.window.need(8)
        return self.window.view(8)

    def rest(self, offset: int, line: int, problem: str) -> Piece:
        """One problem that covers everything from `offset` to the end of the file."""
        self.window.go(offset, line)
        return self._problem_until(None, problem)

    def pieces(self, start: int, start_line: int) -> Iterator[Piece]:
        window = self.window
        if start > window.size:
            return
        window.go(start, start_line)
        fresh = start == 0
        while True:
            gap = self._gap(opening=window.offset == 0)
            if window.at_end():
                yield from self._farewell(gap, fresh=fresh)
                return
            piece = self._next(gap)
            yield piece
            if piece.end > window.size:
                return
            fresh = False

    def _gap(self, *, opening: bool) -> _Gap:
        """Go to the next piece. Commas count as blanks, so that lines which end with one are read too."""
        window = self.window
        closes, may_open = False, opening and self.is_array
        indent: bytes | None = b"" if opening else None
        while True:
            blanks = window.skip_any(_BLANK)
            if b"\n" in blanks:
                indent = blanks[blanks.rfind(b"\n") + 1 :]
            elif indent is not None:
                indent += blanks
            byte = window.peek()
            if byte == _BOM[:1] and window.need(3) and window.view(3) == _BOM:
                window.advance(3)  # files that were joined have one in the middle
                continue
            if byte == b"[" and may_open:
                may_open = closes = False
            elif byte == b"]" and self.is_array and not may_open:
                may_open = closes = True
            elif byte != b",":
                return _Gap(closes, indent if indent is not None and len(indent) <= _MAX_INDENT else None)
            indent = None
            window.advance(1)
            if byte == b",":
                window.skip_any(b",")

    def _farewell(self, gap: _Gap, *, fresh: bool) -> Iterator[Piece]:
        size, line = self.window.size, self.window.line
        if size == 0:
            problem = "the file is empty"
        elif self.is_array and not gap.closes:
            problem = "the list is not closed: the file was probably cut off"
        elif fresh and not self.is_array:
            problem = "the file holds no records"
        else:
            return
        yield Piece(size, 0, line, None, problem, b"", size + 1, line)

    def _next(self, gap: _Gap) -> Piece:
        byte = self.window.peek()
        if byte != b"{" and not (byte == b"[" and self.is_array):
            return self._junk()
        if gap.indent is not None and not self.is_array:
            piece = self._whole_line()
            if piece is not None:
                return piece
        length = object_length(self.window)
        if isinstance(length, str):
            return self._recover(gap, length)
        parsed = parse(self.window.view(length))
        if isinstance(parsed.value, dict):
            return self._record(length, parsed.value, cleaned=parsed.cleaned)
        problem = parsed.problem or f"{_kind(parsed.value)} where an object was expected"
        if self.is_array or self._goes_on_after(length):
            return self._problem_of(length, problem)
        return self._problem_until(_LINE_END, problem, skip=length)

    def _goes_on_after(self, length: int) -> bool:
        """Whether what follows on the same line can be another record, and not the rest of the same mistake."""
        self.window.need(length + 64)
        return self.window.view(length + 64, length).lstrip(b" \t\r")[:1] in (b"", b"\n", b",", b"{")

    def _whole_line(self) -> Piece | None:
        """The fast way: the line is one object."""
        raw = self.window.line_in_view(MAX_RECORD)
        if raw is None:
            return None
        raw = raw.rstrip(_BLANK)
        if raw[-1:] != b"}":
            return None
        parsed = parse(raw)
        if not isinstance(parsed.value, dict):
            return None
        return self._record(len(raw), parsed.value, cleaned=parsed.cleaned)

    def _record(self, length: int, value: JsonObject, *, cleaned: bool) -> Piece:
        window = self.window
        offset, line, raw = window.offset, window.line, window.view(length)
        window.advance(length)
        return Piece(offset, length, line, value, None, raw, offset + length, window.line, cleaned)

    def _junk(self) -> Piece:
        """Something that begins no object: in a list one element, elsewhere the rest of the line."""
        window = self.window
        if self.is_array:
            skip = text_length(window) if window.peek() == b'"' else 1
            return self._problem_until(_ELEMENT_END, "something else than an object in the list", skip=skip)
        raw = window.line_in_view(MAX_RECORD)
        if raw is None:
            return self._problem_until(_LINE_END, TOO_LARGE)
        parsed = parse(raw.rstrip(_BLANK))
        problem = parsed.problem or f"{_kind(parsed.value)} where an object was expected"
        return self._problem_until(_LINE_END, problem)

    def _recover(self, gap: _Gap, problem: str) -> Piece:
        """Go to where the next record may begin: a line that opens an object at the same indentation."""
        if gap.indent is not None:
            return self._problem_until(re.compile(rb"\n(?=" + re.escape(gap.indent) + rb"\{)"), problem, skip=1)
        if not self.is_array:
            return self._problem_until(_LINE_END, problem, skip=1)
        if problem not in (TOO_DEEP, TOO_LARGE):
            return self._problem_until(_BETWEEN_ELEMENTS, problem, skip=1)
        length = balanced_length(self.window)
        # Never closed: to look for another start inside it again and again would take quadratic time.
        return self._problem_until(None, problem) if length is None else self._problem_of(length, problem)

    def _problem_of(self, length: int, problem: str) -> Piece:
        window = self.window
        offset, line = window.offset, window.line
        raw = window.skip_bytes(length, keep=RAW_CAP)
        return Piece(offset, length, line, None, problem, raw, offset + length, window.line)

    def _problem_until(self, pattern: re.Pattern[bytes] | None, problem: str, *, skip: int = 0) -> Piece:
        """A problem up to where `pattern` begins, at least `skip` bytes on; to the end of the file without one."""
        window = self.window
        offset, line = window.offset, window.line
        raw = window.skip_to(pattern, keep=RAW_CAP, skip=skip)
        end = window.offset + 1 if window.at_end() else window.offset
        return Piece(offset, window.offset - offset, line, None, problem, raw, end, window.line)


def _kind(value: object) -> str:
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return "a text"
    return "an empty value" if value is None else "a number or a yes/no value"
