"""One thing that happened, and its JSON line. Everything that judges or tells reads these and nothing else.

Imported inside the worker under test: standard library and msgspec only.
"""

from enum import StrEnum
from typing import Any

import msgspec


class Kind(StrEnum):
    """What happened. Who records it is in brackets."""

    # [harness] the workload and the faults
    PUBLISHED = "published"  # the broker took the message; detail: asked_at_ns, when the client began to
    PUBLISH_FAILED = "publish_failed"  # it certainly did not; detail: asked_at_ns, error
    PUBLISH_IN_DOUBT = "publish_in_doubt"  # nobody knows; detail: asked_at_ns, error
    WORKER_SPAWNED = "worker_spawned"  # detail: pid
    # the main process is gone; detail: pid, status (negative: signal), closed (by the harness, at the end)
    WORKER_EXITED = "worker_exited"
    WORKER_HANGS = "worker_hangs"  # it was told to stop and is still there; detail: pid, after_s
    FAULT_INJECTED = "fault_injected"  # detail: fault, target pid, point
    FAULT_LANDED = "fault_landed"  # proved by an event of the operating system or of the worker
    FAULT_HEALED = "fault_healed"
    SETTLED = "settled"  # broker empty and no attempt open
    UNSETTLED = "unsettled"  # the deadline came first; detail: open (what was), quiet (nothing happened any more)
    # [harness] the final read
    FINAL_QUEUE = "final_queue"  # detail: queue, ready (count), ids
    FINAL_UNACKED = "final_unacked"  # detail: ids
    FINAL_RESULT = "final_result"  # detail: state, backend's own error if it could not be read
    FINAL_PROCESS = "final_process"  # a process that a task or a worker started is still alive; detail: pid, command
    # [worker main]
    WORKER_STARTED = "worker_started"
    WORKER_READY = "worker_ready"  # detail: queues, pool, concurrency
    MINGLED = "mingled"  # asked the other workers, before it consumes; detail: replies (count)
    WORKER_STOPPING = "worker_stopping"  # detail: how (warm, cold)
    WORKER_STOPPED = "worker_stopped"
    RECEIVED = "received"  # a delivery; detail: queue, redelivered, tag
    ACCEPTED = "accepted"  # a pool child took it; detail: child
    ACKED = "acked"
    ACK_FAILED = "ack_failed"  # detail: error
    REJECTED = "rejected"  # detail: requeue
    GIVEN_BACK = "given_back"  # by a worker that closes its channel in order (Redis)
    REVOKED = "revoked"  # detail: terminated, expired
    UNKNOWN_TASK = "unknown_task"  # detail: name; the message is dropped
    SOFT_LIMIT = "soft_limit"  # detail: limit_s
    HARD_LIMIT = "hard_limit"  # detail: limit_s
    CHILD_KILLED = "child_killed"  # the pool has ended the child for it; detail: child
    # main noticed that the child with this job is gone; detail: child, exitcode, handed_on (another child gets the job)
    CHILD_LOST = "child_lost"
    # main has done what it does about a child that is gone, or that a task ended: a failure is stored, a retry sent,
    # the message given back; detail: child
    LOSS_HANDLED = "loss_handled"
    POOL_RESTARTED = "pool_restarted"
    CONNECTION_LOST = "connection_lost"  # detail: error
    CONNECTION_CLOSED = "connection_closed"  # what the lost one had delivered is given up
    CONNECTION_UP = "connection_up"
    CONSUMER_ENDED = "consumer_ended"  # by an exception, which ends the worker: a shutdown too; detail: error
    CONSUMER_STOPPED = "consumer_stopped"  # in a shutdown: the broker knows that it consumes no more
    SWEPT = (
        "swept"  # looked for messages that are unacknowledged for longer than allowed; detail: restored (count), tags
    )
    CLOCK = "clock"  # of a worker elsewhere; detail: ahead_ns of what both sides reach, error_ns
    # [pool child, or main where the pool has none]
    CHILD_STARTED = "child_started"
    CHILD_STOPPING = "child_stopping"  # leaves by itself; detail: exitcode
    # detail: retries, redelivered; nth of its task's starts, where a fault waits for one of them;
    # in_process where Celery called an errback rather than send it
    ATTEMPT_STARTED = "attempt_started"
    BODY_ENTERED = "body_entered"
    BODY_EXITED = "body_exited"  # detail: raised (class name), message; both absent where it returned
    ATTEMPT_ENDED = "attempt_ended"  # detail: state; leaves, where it was ended by what ends its process as well
    RESULT_STORED = "result_stored"  # by child or main; detail: state
    RESULT_FAILED = "result_failed"  # detail: state, error
    RESULT_REFUSED = "result_refused"  # one try to store it failed, and others may follow; detail: state, error
    SIGNAL = "signal"  # a Celery signal that users hook on; detail: name (task_failure, task_retry, ...)
    HOOK = "hook"  # the task's own hook ran, or what was linked to it; detail: name (on_success, link, ...)
    SENT = "sent"  # published by a worker (a retry, a callback); detail: retries, countdown_s, queue
    EFFECT = "effect"  # something the body did, told by the body; detail: free
    HELD = "held"  # waits at a crash point; detail: point
    RELEASED = "released"  # went on from it; detail: point


class Point(StrEnum):
    """A crash point: a named instant in an attempt where a fault can land exactly."""

    RECEIVED = "received"  # main: delivered, not yet handed to the pool
    ACCEPTED = "accepted"  # main: a child has it; with early acknowledgement not yet acknowledged
    EARLY_ACKED = "early_acked"  # main: acknowledged before the body's end
    BEFORE_STARTED = "before_started"  # child: just before STARTED is stored
    BODY_ENTER = "body_enter"  # child: before the first line of the body
    BODY_MIDDLE = "body_middle"  # child: inside the body
    BODY_EXIT = "body_exit"  # child: the body's work is done, nobody knows yet
    BEFORE_RESULT = "before_result"  # child: just before the result is stored
    AFTER_RESULT = "after_result"  # child: just after
    AFTER_TRACE = "after_trace"  # child: everything done, not yet reported to main
    BEFORE_ACK = "before_ack"  # main: just before the late acknowledgement
    AFTER_ACK = "after_ack"  # main: just after it
    RETRY_SENT = "retry_sent"  # child: the retry's message is published, this one not yet acknowledged
    NEXT_SENT = "next_sent"  # child: a callback or the next link is published, this one's result not yet stored
    RECYCLING = "recycling"  # child: has run its last task and is leaving


class Event(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One line of a history.

    `at_ns`: time.monotonic_ns(), system-wide on one Linux host. `worker`: the harness's name of the worker ("w1"),
    empty for the harness itself. `invocation`: Celery's task id. `attempt`: unique for each start of a body, empty
    where it is not known (most events of the main process). `host`: a name for the machine, empty for the harness's
    own. Of a worker elsewhere the harness has put `at_ns` on its own clock, and pids beyond those of this machine.
    """

    at_ns: int
    kind: Kind
    pid: int
    worker: str = ""
    invocation: str = ""
    task: str = ""
    attempt: str = ""
    detail: dict[str, Any] = {}
    host: str = ""


PIDS = 1 << 22  # the most that Linux has: include/linux/threads.h, PID_MAX_LIMIT


def told_pid(pid: int) -> str:
    """As a person would look for it: beyond this machine's it is one of a worker elsewhere."""
    return str(pid) if pid < PIDS else f"{pid % PIDS} of another machine"


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Event).decode
