"""Files come cut off, mixed, huge and hostile; good records come out, bad stretches have a line and a reason."""

import io
import json
import os
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake import window
from intake.scanning import MAX_RECORD
from intake.splitting import NOT_JSON, PATIENCE, RAW_CAP, Piece, split

FIXTURES = Path(__file__).parent.parent / "fixtures"


def pieces(content: bytes) -> list[Piece]:
    return list(split(io.BytesIO(content)))


def values(content: bytes) -> list[object]:
    return [piece.value for piece in pieces(content) if piece.value is not None]


def problems(content: bytes) -> list[tuple[int, str]]:
    return [(piece.line, piece.problem) for piece in pieces(content) if piece.problem is not None]


ABC = [{"a": 1}, {"b": [{"x": 2}]}, {"c": "é}"}]


@pytest.mark.parametrize(
    "content",
    [
        '{"a":1}\n{"b":[{"x":2}]}\n{"c":"é}"}',
        '{"a":1}\r\n\r\n{"b":[{"x":2}]}\r\n{"c":"é}"}\r\n',
        '\ufeff{"a":1}\n{"b":[{"x":2}]}\n{"c":"é}"}\n',
        '{"a":1} {"b":[{"x":2}]},{"c":"é}"}',
        '{"a":1},\n{"b":[{"x":2}]},\n{"c":"é}"},\n',
        '[{"a":1},{"b":[{"x":2}]},{"c":"é}"}]',
        '\ufeff [\n{"a":1},\n{"b":[{"x":2}]}\n,{"c":"é}"}]\n\n',
        '[{"a":1}]\n[{"b":[{"x":2}]},\n{"c":"é}"}]\n',
        json.dumps(ABC, indent=2),
        json.dumps(ABC, indent=0),
        "\n".join(json.dumps(value, indent=4) for value in ABC),
        "\n".join(json.dumps(value, indent=0) for value in ABC),
    ],
)
def test_every_usual_shape_of_a_json_file_gives_the_same_records(content: str) -> None:
    assert values(content.encode()) == ABC
    assert problems(content.encode()) == []


def test_a_piece_says_where_its_bytes_lie_and_on_which_line_it_begins() -> None:
    content = b'\xef\xbb\xbf\n  {\n  "a": 1\n}\n{"b": 2}\n'

    first, second = pieces(content)

    assert (first.offset, first.length, first.line, first.end, first.next_line) == (6, 12, 2, 18, 4)
    assert content[first.offset : first.offset + first.length] == first.raw == b'{\n  "a": 1\n}'
    assert (second.offset, second.line, second.raw) == (19, 5, b'{"b": 2}')


@pytest.mark.parametrize(
    ("name", "records"),
    [
        ("suricata/eve_alerts.ndjson", 8),
        ("suricata/eve_alerts_array.json", 8),
        ("suricata/eve_alert_multiline_object.json", 1),
        ("ocsf/prowler_aws_2004.ocsf.json", 5),
    ],
)
def test_files_of_real_tools_are_read_whole(name: str, records: int) -> None:
    content = (FIXTURES / name).read_bytes()

    assert len(values(content)) == records
    assert problems(content) == []


def test_a_broken_and_a_cut_off_line_lose_nothing_but_themselves() -> None:
    content = (FIXTURES / "suricata/eve_mixed_with_faults.ndjson").read_bytes()

    assert [piece.line for piece in pieces(content) if piece.value] == [1, 2, 3, 5, 6]
    assert problems(content) == [
        (4, "not valid JSON: a new object or list begins where none can"),
        (7, "the record is not finished: the file was probably cut off"),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"a": nope}', "not valid JSON: expecting value at column 7"),
        ('{"a": "x', "not valid JSON: a text is not closed before the end of its line"),
        ('{"a": [1}', "not valid JSON: brackets do not match"),
        ('{"a": 1', "not valid JSON: a new object or list begins where none can"),
        ('{"a": {"b": 1,', "not valid JSON: a new object or list begins where none can"),
        ('{"a": }}', "not valid JSON: expecting value at column 7"),
        ('{"a": 1, "b": 2, "a": 3}', 'the key "a" appears twice in one object'),
        ('{"a": NaN}', "NaN is not a JSON number"),
        ('{"a": -Infinity}', "-Infinity is not a JSON number"),
        ('{"a": 1e999}', "a number is too large to be represented"),
        ('{"a": ' + "7" * 5000 + "}", "a number has 5,000 digits; at most 40 are accepted"),
        ('{"a": ' * 65 + "1" + "}" * 65, "nested too deep: more than 64 levels"),
        ('{"a": ' + "[" * 10_000, "nested too deep: more than 64 levels"),
        ("[" * 10_000, "nested too deep: more than 64 levels"),
        ("[1, 2]", "a list where an object was expected"),
        ('"text"', "a text where an object was expected"),
        ("null", "an empty value where an object was expected"),
        ("17", "a number or a yes/no value where an object was expected"),
        ("Nov 21 10:00:00 host syslog", "not valid JSON: expecting value at column 1"),
    ],
)
def test_one_bad_line_between_good_ones_is_named_with_its_line_and_reason(line: str, reason: str) -> None:
    content = f'{{"first": 1}}\n{line}\n{{"last": 1}}\n'.encode()

    assert values(content) == [{"first": 1}, {"last": 1}]
    assert problems(content) == [(2, reason)]


def test_bytes_that_are_not_utf_8_are_one_bad_line() -> None:
    content = b'{"a": 1}\n{"b": "\xff"}\n{"c": 1}'

    assert values(content) == [{"a": 1}, {"c": 1}]
    assert problems(content) == [(2, "not UTF-8: byte 0xff at position 8")]


def test_rubbish_behind_a_good_object_does_not_cost_the_object() -> None:
    assert values(b'{"a": 1} rubbish\n{"b": 1}') == [{"a": 1}, {"b": 1}]
    assert problems(b'{"a": 1} rubbish\n{"b": 1}') == [(1, "not valid JSON: expecting value at column 1")]


def test_64_levels_are_read() -> None:
    content = b'{"a":' * 64 + b"1" + b"}" * 64

    assert len(values(content)) == 1


def test_brackets_and_quotes_inside_texts_do_not_count() -> None:
    content = json.dumps({"a": "{[" * 200 + '"\\', "b": 1}, indent=1).encode()

    assert values(content) == [json.loads(content)]


def test_a_bad_element_of_an_array_loses_nothing_but_itself() -> None:
    content = b'[{"a": 1}, {"b": nope}, 7, "x,y", [1], {"c": 1}]'

    assert values(content) == [{"a": 1}, {"c": 1}]
    assert [reason for _, reason in problems(content)] == [
        "not valid JSON: expecting value at column 7",
        "something else than an object in the list",
        "something else than an object in the list",
        "a list where an object was expected",
    ]


def test_a_broken_object_in_an_indented_array_costs_no_other_and_gives_no_false_one() -> None:
    good, nested = {"a": 1}, {"list": [{"inner": 1}, {"inner": 2}]}
    content = json.dumps([good, nested, good], indent=2).replace('"inner": 1', '"inner: 1').encode()

    assert values(content) == [good, good]
    assert problems(content) == [(5, "not valid JSON: a text is not closed before the end of its line")]


@pytest.mark.parametrize(
    ("content", "records", "reason"),
    [
        (b'[{"a": 1}, {"b": 1}', 2, "the list is not closed: the file was probably cut off"),
        (b'[{"a": 1}, {"b": ', 1, "the record is not finished: the file was probably cut off"),
        (b'{"a": 1}\n{"b": "x', 1, "the record is not finished: the file was probably cut off"),
        (b"[", 0, "the list is not closed: the file was probably cut off"),
        (b"{", 0, "the record is not finished: the file was probably cut off"),
        (b"", 0, "the file is empty"),
        (b" \n\n ", 0, "the file holds no records"),
    ],
)
def test_a_file_that_was_cut_off_or_is_empty_says_so_once(content: bytes, records: int, reason: str) -> None:
    assert len(values(content)) == records
    assert [text for _, text in problems(content)] == [reason]


def test_an_empty_list_is_no_mistake() -> None:
    assert pieces(b"[]") == []


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ('{"a": 1}'.encode("utf-16"), "UTF-16"),
        ('{"a": 1}'.encode("utf-16-be"), "UTF-16"),
        (b"\x1f\x8b\x08\x00rest", "gzip"),
        (b"PK\x03\x04rest", "ZIP"),
        (b"%PDF-1.7\nrest", "PDF"),
    ],
)
def test_another_kind_of_file_is_refused_by_its_content_in_one_sentence(content: bytes, word: str) -> None:
    (piece,) = pieces(content)

    assert piece.problem is not None
    assert word in piece.problem
    assert piece.length == len(content)
    assert list(split(io.BytesIO(content), start=piece.end, start_line=piece.next_line)) == []


def test_a_file_with_nothing_readable_is_given_up_after_a_hundred_problems() -> None:
    content = b"not json at all\n" * 5000

    found = pieces(content)

    assert len(found) == PATIENCE + 1
    assert found[-1].problem == NOT_JSON
    assert found[-1].offset + found[-1].length == len(content)


def test_binary_rubbish_gives_a_bounded_number_of_problems() -> None:
    assert len(pieces(b"\x07" + os.urandom(1_000_000))) <= PATIENCE + 1


def test_many_bad_lines_after_a_good_one_do_not_end_the_import() -> None:
    content = b'{"a": 1}\n' + b"bad\n" * 500 + b'{"b": 1}\n'

    assert values(content) == [{"a": 1}, {"b": 1}]
    assert len(problems(content)) == 500


@pytest.mark.parametrize(
    ("before", "after"),
    [(b'{"a": 1}\n', b'\n{"b": 1}\n'), (b'[{"a": 1},', b',{"b": 1}]'), (b'[\n  {"a": 1},\n  ', b',\n  {"b": 1}\n]')],
)
def test_a_record_beyond_the_limit_is_skipped_and_its_neighbours_are_read(before: bytes, after: bytes) -> None:
    huge = b'{"huge": "' + b"x" * (3 * MAX_RECORD) + b'"}'

    assert values(before + huge + after) == [{"a": 1}, {"b": 1}]
    (problem,) = [piece for piece in pieces(before + huge + after) if piece.problem]
    assert problem.problem == "one record is larger than 1 MiB"
    assert len(problem.raw) == RAW_CAP


def test_nul_and_lone_surrogates_are_taken_out_and_marked() -> None:
    (piece,) = pieces(rb'{"a\u0000": "x\ud800y\u0000", "pair": "\ud83d\ude00"}')

    assert piece.value == {"a": "xy", "pair": "😀"}
    assert piece.cleaned


class _Endless(io.RawIOBase):
    """A file of equal lines that exists nowhere, and remembers the largest piece asked for."""

    def __init__(self, line: bytes, count: int) -> None:
        self.line, self.size, self.place, self.largest = line, len(line) * count, 0, 0

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.place = offset + (self.size if whence == io.SEEK_END else 0)
        return self.place

    def read(self, size: int = -1) -> bytes:
        self.largest = max(self.largest, size if size >= 0 else self.size)
        size = min(size, self.size - self.place)
        begin = self.place % len(self.line)
        self.place += size
        return (self.line * (size // len(self.line) + 2))[begin : begin + size]


def test_a_file_of_200_mb_is_never_read_in_large_pieces() -> None:
    line = b'{"text": "' + b"x" * 9_987 + b'"}\n'
    file = _Endless(line, 20_000)

    count = sum(1 for piece in split(_as_binary(file)) if piece.value)

    assert count == 20_000
    assert file.largest <= 2 * MAX_RECORD


def _as_binary(file: _Endless) -> BinaryIO:
    return file  # type: ignore[return-value]  # only read and seek are used


def test_the_next_record_is_found_also_where_two_chunks_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, "CHUNK", 256)

    for filling in range(150, 300):
        content = b'[\n    {"broken" {' + b"x" * filling + b'\n    {"good": 1}\n]'
        assert values(content) == [{"good": 1}], filling


FRAGMENTS = st.sampled_from(
    [
        b'{"a":1}',
        b'{"a":{"b":[1,{"c":2}]}}',
        b'{\n  "a": 1\n}',
        b'{"a":',
        b'{"a":"',
        b'"}',
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b"\n",
        b"\r\n",
        b" ",
        b"\n  ",
        b"null",
        b"junk",
        b'"',
        b"\\",
        b"\xff",
        b"\xef\xbb\xbf",
        b"[" * 70,
        b"}" * 3,
        b"NaN",
    ]
)
CONTENTS = st.one_of(st.binary(max_size=200), st.lists(FRAGMENTS, max_size=30).map(b"".join))


@given(CONTENTS)
def test_no_content_raises_and_pieces_lie_one_after_another(content: bytes) -> None:
    end, line = 0, 1
    for piece in pieces(content):
        assert (piece.value is None) != (piece.problem is None)
        assert end <= piece.offset <= piece.offset + piece.length <= len(content)
        assert piece.line == 1 + content.count(b"\n", 0, piece.offset)
        assert piece.next_line == 1 + content.count(b"\n", 0, piece.offset + piece.length)
        assert piece.raw == content[piece.offset : piece.offset + piece.length]
        assert piece.end in (piece.offset + piece.length, len(content) + 1)
        assert piece.next_line >= line
        end, line = piece.offset + piece.length, piece.next_line


@given(CONTENTS)
def test_going_on_after_any_piece_meets_exactly_the_remaining_ones(content: bytes) -> None:
    found = pieces(content)
    for index, piece in enumerate(found):
        rest = list(split(io.BytesIO(content), start=piece.end, start_line=piece.next_line))
        assert rest == found[index + 1 :]


@pytest.mark.parametrize("good_first", [True, False])
def test_going_on_remembers_how_patient_one_was(good_first: bool) -> None:
    content = (b'{"a": 1}\n' if good_first else b"") + b"bad\n" * 300
    found = pieces(content)

    for index in (0, 50, 99, 100, len(found) - 1):
        piece = found[index]
        rest = list(split(io.BytesIO(content), start=piece.end, start_line=piece.next_line))
        assert rest == found[index + 1 :]


def test_going_on_is_the_same_wherever_the_window_happens_to_end() -> None:
    record = b'{"text": "' + b"x" * 70_000 + b'", "list": [{"a": 1}, {"b": "' + b"y" * 50_000 + b'"}]}'
    content = b"[" + b", ".join([record, b'{"broken": "x}', record, record, b"7"]) + b", {}]"
    found = pieces(content)

    assert len(found) > 3
    for index, piece in enumerate(found):
        rest = list(split(io.BytesIO(content), start=piece.end, start_line=piece.next_line))
        assert rest == found[index + 1 :]
