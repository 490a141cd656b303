"""A script's output is shown without terminal escapes, however the pieces are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from myapp.web.screen import piece, readable

COLOURED = "\x1b[1;31mred\x1b[0m plain \x1b]0;title\x07after \x1b(Bend\r\nnext\rline"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[2J\x1b[1;1Hcleared", "cleared"),
        ("\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]0;window title\x07text", "text"),
        ("a\r\nb\rc\n", "a\nb\nc\n"),
        ("bell\x07 nul\x00 del\x7f c1\x9b31m", "bell nul del c131m"),
        ("gnp.\u202eexe", "gnp.exe"),
        ("tab\tand 中文 stay", "tab\tand 中文 stay"),
    ],
)
def test_escapes_and_unseen_characters_are_left_out(raw, shown):
    assert readable(raw) == shown


def test_an_escape_cut_in_two_waits_for_its_rest_while_the_script_runs():
    # given output that ends inside of an escape sequence
    first = piece("ready \x1b[3", 0, finished=False)
    # then the escape is kept back, and comes out whole with the next piece
    assert first.text == "ready "
    assert first.next_offset == 6
    assert piece("ready \x1b[31mred", first.next_offset, finished=False).text == "red"


def test_an_escape_that_is_never_finished_does_not_hold_a_finished_output_back():
    last = piece("ready \x1b[3", 0, finished=True)
    assert last.next_offset == 9


def test_a_huge_output_comes_in_pieces():
    first = piece("x" * 100, 0, finished=True, most=64)
    assert (len(first.text), first.next_offset) == (64, 64)


@given(cuts=st.lists(st.integers(min_value=0, max_value=len(COLOURED)), max_size=6))
def test_pieces_read_while_it_grows_make_the_same_text_as_the_whole(cuts):
    shown, offset = "", 0
    for length in sorted(cuts):
        got = piece(COLOURED[:length], offset, finished=False)
        shown, offset = shown + got.text, got.next_offset
    assert shown + piece(COLOURED, offset, finished=True).text == readable(COLOURED)


@given(stored=st.text(max_size=80), offset=st.integers(min_value=-5, max_value=200), finished=st.booleans())
def test_any_offset_is_answered_and_never_goes_back(stored, offset, finished):
    got = piece(stored, offset, finished=finished)
    assert got.next_offset >= min(max(offset, 0), len(stored))
    assert got.next_offset <= len(stored)
    assert "\x1b" not in got.text
