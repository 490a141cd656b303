"""How invocations are published on a cluster: by a client of the app's own, each recorded as the broker took it.

`Publishing` is the part of a cluster that does so; what it publishes to is in cluster.py.
"""

import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from assay import script as scripts
from assay.canvas import Canvas, ends
from assay.event import Kind
from assay.script import Script
from assay.warm import Client


class Publishing:
    """A base of the cluster, which has all that is named here."""

    folder: Path
    invocations: dict[str, str]
    refused: dict[str, str]
    record: Callable[..., None]

    @property
    def client(self) -> Client:
        raise NotImplementedError

    def publish(
        self,
        task: str,
        script: Script | None = None,
        *,
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
        **options: Any,
    ) -> str:
        """Publish one invocation as the app's own client would; returns its id."""
        return self.publish_many([(task, script)], args=args, kwargs=kwargs, **options)[0]

    def publish_many(
        self,
        tasks: Sequence[tuple[str, Script | None]],
        *,
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
        payloads: Sequence[int] = (),
        **options: Any,
    ) -> list[str]:
        """Publish in order; each is recorded as published or failed.

        `payloads` are bytes that are put before each one's arguments; a hollow body takes them.
        """
        requests: list[dict[str, Any]] = []
        for number, (task, script) in enumerate(tasks):
            invocation = self.expect(task, script)
            payload = ["x" * payloads[number]] if payloads and payloads[number] else []
            requests.append(
                {
                    "task": task,
                    "id": invocation,
                    "args": [*payload, *args],
                    "kwargs": kwargs or {},
                    "options": options,
                }
            )
        for start in range(0, len(requests), 200):
            batch = requests[start : start + 200]
            answers = self.client.ask("publish", tasks=batch)
            for request, answer in zip(batch, answers, strict=True):
                failed = Kind.PUBLISH_IN_DOUBT if answer.pop("in_doubt", False) else Kind.PUBLISH_FAILED
                kind = failed if "error" in answer else Kind.PUBLISHED
                self.record(kind, request["id"], request["task"], **answer)
                if "error" in answer:
                    self.refused[request["id"]] = answer["error"]
        return [request["id"] for request in requests]

    def expect(self, task: str, script: Script | None = None) -> str:
        """The id of an invocation that will be published, its script written before."""
        invocation = scripts.new_id() if script is not None else str(uuid.uuid4())
        self.invocations[invocation] = task
        if script is not None:
            scripts.write(self.folder / "scripts", invocation, script)
            (self.folder / "starts" / invocation).touch()
        return invocation

    def publish_canvas(self, canvas: Canvas) -> None:
        """Publish what a client publishes of it; workers publish the rest. One that is refused is so as its ends."""
        answer = self.client.ask("publish_canvas", canvas=msgspec.to_builtins(canvas))
        sent = answer.pop("sent")
        for invocation in sent:
            self.record(Kind.PUBLISHED, invocation, asked_at_ns=answer["asked_at_ns"])
        if "error" in answer:
            for invocation in ends(canvas):
                self.record(Kind.PUBLISH_FAILED, invocation, **answer)
                self.refused[invocation] = answer["error"]
