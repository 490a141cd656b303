"""The checkers: one question a file."""

from assay.checkers.ahead import Ahead
from assay.checkers.attempts import Attempts
from assay.checkers.canvas import Callbacks, Order, Whole
from assay.checkers.delivery import Delivery
from assay.checkers.evidence import Evidence
from assay.checkers.grace import Grace
from assay.checkers.isolation import Isolation
from assay.checkers.ledgers import FinalState, Ledgers
from assay.checkers.leftovers import Leftovers
from assay.checkers.limits import TimeLimit
from assay.checkers.liveness import Liveness
from assay.checkers.longest_run import LongestRun
from assay.checkers.neighbours import Bystanders, NextTask
from assay.checkers.publishing import Published, Revoked, Undeclared, Unknown
from assay.checkers.reached import Reached
from assay.checkers.recovery import Recovery
from assay.checkers.recycling import Recycling, Restarted
from assay.checkers.retries import RetryPolicy
from assay.checkers.revoking import StaysRevoked
from assay.checkers.routing import Routing
from assay.checkers.shutdown import Shutdown
from assay.checkers.signals import Signals
from assay.checkers.stops import Stops
from assay.checkers.told import Told

AnyChecker = (
    Ahead
    | Attempts
    | Bystanders
    | Callbacks
    | Delivery
    | Evidence
    | FinalState
    | Grace
    | Isolation
    | Ledgers
    | Leftovers
    | Liveness
    | LongestRun
    | NextTask
    | Order
    | Published
    | Reached
    | Recovery
    | RetryPolicy
    | Recycling
    | Restarted
    | Revoked
    | Routing
    | Shutdown
    | Signals
    | StaysRevoked
    | Stops
    | TimeLimit
    | Told
    | Undeclared
    | Unknown
    | Whole
)
ALL = AnyChecker.__args__

__all__ = [
    "ALL",
    "Ahead",
    "AnyChecker",
    "Attempts",
    "Bystanders",
    "Callbacks",
    "Delivery",
    "Evidence",
    "FinalState",
    "Grace",
    "Isolation",
    "Ledgers",
    "Leftovers",
    "Liveness",
    "LongestRun",
    "NextTask",
    "Order",
    "Published",
    "Reached",
    "Recovery",
    "Recycling",
    "Restarted",
    "RetryPolicy",
    "Revoked",
    "Routing",
    "Shutdown",
    "Signals",
    "StaysRevoked",
    "Stops",
    "TimeLimit",
    "Told",
    "Undeclared",
    "Unknown",
    "Whole",
]
