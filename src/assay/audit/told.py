"""What an audit found, as one value. Data only."""

from typing import Any

import msgspec

from assay.audit.finding import Change, Finding
from assay.audit.states import Entry

SCHEMA = 1


class Audit(msgspec.Struct, kw_only=True):
    """Written as `audit.json`; docs/audit.md describes each field. `ran`: scenarios were run, `exit_code` is theirs."""

    schema: int = SCHEMA
    app: str
    pool: str
    broker: str = ""
    versions: dict[str, str] = {}
    entries: list[Entry] = []
    defaults: dict[str, Any] = {}  # settings that are not given and are in force all the same
    findings: list[Finding] = []
    patch: str = ""  # a diff that mends what is broken or dead, as far as a change of settings does
    by_hand: list[Change] = []  # of those changes the ones whose place was not found
    not_seen: list[str] = []  # accepted findings that there are not any more
    strict: bool = False  # risks count as well
    ran: bool = False
    run_exit_code: int = 0  # that of the scenarios
    exit_code: int = 0
    duration_s: float = 0.0
