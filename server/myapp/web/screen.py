"""A script's output as it may be shown: without terminal escapes, in pieces that continue where the last one ended.

Escaping for HTML is not done here; templates do it, and the API sends JSON.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# ECMA-48: CSI sequences, strings (OSC, DCS, APC, PM, SOS) up to BEL or ST, and the two-byte escapes.
ESCAPE = re.compile(
    r"""
    \x1b\[ [0-?]* [\ -/]* [@-~]
    | \x1b[\]PX^_] [^\x07\x1b]* (?: \x07 | \x1b\\ )
    | \x1b [\ -/]* [0-OQ-WYZ\\`-~]
    """,
    re.VERBOSE,
)
UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b]*\x1b?|[ -/]*)?\Z")
# Everything below space except tab and newline, DEL, the C1 controls, and the marks that turn the reading direction:
# those let a script's output look like another text than the one that it is.
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
LONGEST_ESCAPE = 4096  # an escape that is still open after this many characters is text, not an escape


@dataclass(frozen=True)
class Piece:
    text: str  # readable; safe for a terminal, not yet escaped for HTML
    next_offset: int  # in characters of the stored output, where the next piece starts


def piece(stored: str, offset: int, *, finished: bool, most: int = 65536) -> Piece:
    """The part of `stored` from `offset` on, at most `most` characters of it.

    An escape sequence or a Windows line end that is cut in two waits for its rest, unless the output is finished.
    """
    offset = max(0, min(offset, len(stored)))
    raw = stored[offset : offset + most]
    if offset + len(raw) < len(stored) or not finished:
        raw = _whole(raw)
    return Piece(readable(raw), offset + len(raw))


def readable(raw: str) -> str:
    plain = ESCAPE.sub("", raw).replace("\r\n", "\n").replace("\r", "\n")
    return UNSEEN.sub("", plain)


def _whole(raw: str) -> str:
    if raw.endswith("\r"):
        return raw[:-1]
    open_end = UNFINISHED.search(raw, max(0, len(raw) - LONGEST_ESCAPE))
    return raw[: open_end.start()] if open_end else raw
