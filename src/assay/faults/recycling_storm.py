"""One more worker joins that replaces its child after each task, and there is work for it."""

import signal

from assay.cluster import Cluster
from assay.errors import HarnessError
from assay.event import Kind
from assay.fault import RECYCLING_STORM
from assay.gate import Waiting
from assay.script import Act, Script
from assay.worker import Worker

FAULT = RECYCLING_STORM
LEAST = 3
WORK = 12
BATCHES = 8  # of that work, where other workers are faster than one that forks for each task
JOB = Script(acts=(Act(work_s=0.05),))  # long enough for each worker to get its share
WITHIN_S = 10.0


def inject(cluster: Cluster, worker: Worker, held: Waiting) -> None:
    task = cluster.invocations[held.held.invocation]
    ids: list[str] = []
    with cluster.hearing(Kind.CHILD_STARTED) as started, cluster.hearing(Kind.ATTEMPT_ENDED) as ended:
        stormy = cluster.replace(worker, options={"max_tasks_per_child": 1})
        held.release()

        def replaced() -> bool:
            return sum(each.worker == stormy.name for each in started) >= cluster.concurrency + LEAST

        def over() -> bool:
            return replaced() or {*ids} <= {each.invocation for each in ended}

        for _ in range(BATCHES):
            batch = cluster.publish_many([(task, JOB)] * WORK)
            for invocation in batch:
                cluster.record(Kind.FAULT_INJECTED, invocation, task, stormy.name, fault=FAULT, target=stormy.pid)
            ids += batch
            if not cluster.wait(over, timeout_s=WITHIN_S) or replaced():
                break
        landed = replaced()
    cluster.stop_worker(stormy, signal.SIGTERM)
    if not landed:
        raise HarnessError(f"fewer than {LEAST} children were replaced over {len(ids)} tasks")
    for invocation in ids:
        cluster.record(Kind.FAULT_LANDED, invocation, task, stormy.name, fault=FAULT, target=stormy.pid)
