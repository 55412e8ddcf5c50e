"""Find where a JSON object ends without parsing it: brackets and texts only, no recursion, bounded memory."""

import re

from intake.guarded_json import MAX_DEPTH
from intake.window import Window

MAX_RECORD = 1024 * 1024  # bytes of one record

TOO_DEEP = f"nested too deep: more than {MAX_DEPTH} levels"
TOO_LARGE = f"one record is larger than {MAX_RECORD // 1024 // 1024} MiB"
CUT_OFF = "the record is not finished: the file was probably cut off"
BROKEN_TEXT = "not valid JSON: a text is not closed before the end of its line"
BROKEN_NESTING = "not valid JSON: brackets do not match"
BROKEN_OBJECT = "not valid JSON: a new object or list begins where none can"

# A text holds no raw line break in JSON; one that does is broken, and reading on would turn texts inside out.
_TEXT = rb'"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+"'
_PLAIN = rb'[^"{}\[\]]*+(?:' + _TEXT + rb'[^"{}\[\]]*+)*+'
_NEXT_BRACKET = re.compile(_PLAIN + rb"[{}\[\]]")
_UP_TO_TROUBLE = re.compile(_PLAIN)
_WHOLE_TEXT = re.compile(_TEXT)
_BRACKET_OR_QUOTE = re.compile(rb'[{}\[\]"]')
_TEXT_ENDS_OR_TURNS = re.compile(rb'["\\\n]')
_OPENS = {ord("{"): ord("}"), ord("["): ord("]")}
_BLANK = b" \t\r\n"
_LOOK_BACK = 256


def object_length(window: Window) -> int | str:
    """The length of the bracketed value that begins here, or what is wrong with it. Does not move."""
    stack = bytearray()
    at = 0
    while True:
        end = window.match_end(_NEXT_BRACKET, at)
        if end < 0:
            problem = _more_or_problem(window, at)
            if problem is not None:
                return problem
            continue
        if end > MAX_RECORD:
            return TOO_LARGE
        byte = window.byte(end - 1)
        if byte in _OPENS:
            if stack and not _may_open(window, at, end - 1, stack[-1]):
                return BROKEN_OBJECT
            stack.append(_OPENS[byte])
            if len(stack) > MAX_DEPTH:
                return TOO_DEEP
        elif stack.pop() != byte:
            return BROKEN_NESTING
        elif not stack:
            return end
        at = end


def _more_or_problem(window: Window, at: int) -> str | None:
    """No bracket in sight: get more bytes into sight, or say why that will not help."""
    trouble = window.match_end(_UP_TO_TROUBLE, at)
    if trouble < window.in_sight and window.find(b"\n", trouble, MAX_RECORD) >= 0:
        return BROKEN_TEXT
    if window.in_sight > MAX_RECORD:
        return TOO_LARGE
    return None if window.need(window.in_sight + 1) else CUT_OFF


def _may_open(window: Window, since: int, index: int, closes: int) -> bool:
    """Whether a bracket may open here. This is what tells a record cut off in mid-line from a nested object."""
    before = window.view(index, max(since - 1, index - _LOOK_BACK)).rstrip(_BLANK)
    if not before:
        return True  # only blanks as far as we look: let the parser judge
    return before[-1:] == b":" if closes == ord("}") else before[-1:] in (b"[", b",")


def balanced_length(window: Window) -> int | None:
    """Like `object_length` for a value of any size and depth; None when it never closes. Does not move."""
    ahead = window.twin()
    depth = 0
    while ahead.need(1):
        end = ahead.match_end(_NEXT_BRACKET, 0)
        if end < 0:
            ahead.skip_to(_BRACKET_OR_QUOTE, keep=0)
            if ahead.peek() == b'"':
                if not _skip_text(ahead):
                    return None
                continue
            end = 1
            if ahead.at_end():
                return None
        depth += 1 if ahead.byte(end - 1) in _OPENS else -1
        ahead.advance(end)
        if depth == 0:
            return ahead.offset - window.offset
    return None


def _skip_text(window: Window) -> bool:
    """Move over a text of any length; False when it is not closed on its line."""
    window.advance(1)
    while True:
        window.skip_to(_TEXT_ENDS_OR_TURNS, keep=0)
        byte = window.peek()
        if byte == b"\\" and window.need(2):
            window.advance(2)
            continue
        if byte == b'"':
            window.advance(1)
            return True
        return False


def text_length(window: Window, limit: int = 1024) -> int:
    """The length of the text that begins here; 1 when it is longer than `limit` or not closed."""
    window.need(limit)
    match = _WHOLE_TEXT.match(window.view(limit))
    return match.end() if match else 1
