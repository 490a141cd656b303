"""Starts of a task are counted exactly, over all threads and processes, and only where somebody waits for one."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from assay.aims import Aim, Aims, write
from assay.event import Point

ENTER = Point.BODY_ENTER


def test_no_two_starts_are_told_the_same_number(tmp_path: Path) -> None:
    write(tmp_path, [Aim("shop.charge", 7, ENTER), Aim("shop/mail", 1, ENTER)])
    aims = Aims(str(tmp_path))
    with ThreadPoolExecutor(4) as threads:
        told = list(threads.map(lambda _: aims.count("shop.charge"), range(200)))
    assert sorted(told) == list(range(1, 201))
    assert aims.count("shop/mail") == 1
    assert Aims(str(tmp_path)).count("shop.charge") == 201, "another process goes on where the first one was"


def test_what_nobody_waits_for_is_not_counted_and_holds_nowhere(tmp_path: Path) -> None:
    assert Aims(str(tmp_path)).count("shop.charge") == 0
    write(tmp_path, [Aim("shop.charge", 7, ENTER)])
    aims = Aims(str(tmp_path))
    before = os.listdir(tmp_path)
    assert aims.count("shop.mail") == 0
    assert os.listdir(tmp_path) == before
    assert aims.hold("shop.charge", 7, ENTER)
    assert not aims.hold("shop.charge", 7, Point.BODY_EXIT)
    assert not aims.hold("shop.charge", 6, ENTER)
    assert not aims.hold("shop.mail", 7, ENTER)
