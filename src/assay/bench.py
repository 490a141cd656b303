"""What everything that runs stands on: supervisor, broker, and the zygote with the app; all gone at the end."""

import queue
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from assay import broker as brokers
from assay.boot import NO_MIGRATIONS
from assay.broker import Broker, OwnBroker
from assay.brokers import speaks_amqp
from assay.contract.agreement import hold_to
from assay.counted import listed
from assay.errors import HarnessError, UsageError
from assay.flip import Flip
from assay.named import must_be_there
from assay.process import Supervisor
from assay.progress import Progress
from assay.room import no_room
from assay.scenario import EVERY_POOL
from assay.settings import Call, Settings
from assay.subject import Subject
from assay.warm import Zygote

SHOWN = 3
BROKEN = "harness.txt"  # the traceback of a part of a run in which the harness broke


@dataclass
class Bench:
    """What all scenarios of a run share."""

    settings: Settings
    supervisor: Supervisor
    broker: Broker
    zygote: Zygote
    began: float  # by time.monotonic()
    databases: queue.SimpleQueue[int] = field(default_factory=queue.SimpleQueue)

    @property
    def subject(self) -> Subject:
        return self.zygote.subject

    @property
    def pool(self) -> str:
        return self.settings.pool or self.subject.pool

    def must_live(self) -> None:
        """Raises HarnessError where what all scenarios stand on is gone: no further row can say anything."""
        if not self.supervisor.alive():
            raise HarnessError("the run's supervisor was killed, and with it every process of the run")
        if not self.zygote.process.alive():
            raise HarnessError(f"the zygote died\n{self.zygote.process.last_words()}")

    def own_broker(self, wanted: bool, name: str) -> AbstractContextManager[OwnBroker | None]:
        """One more of the run's kind, for what the others must not feel."""
        return self._another(self.broker.name if wanted else "", f"broker-{name}")

    def own_results(self, wanted: bool, name: str) -> AbstractContextManager[OwnBroker | None]:
        """A server for results alone. RabbitMQ keeps none."""
        kind = "fakeredis" if speaks_amqp(self.broker.name) else self.broker.name
        return self._another(kind if wanted else "", f"results-{name}")

    @contextmanager
    def _another(self, kind: str, name: str) -> Iterator[OwnBroker | None]:
        if not kind:
            yield None
            return
        broker = brokers.start(kind, self.supervisor.folder / name, self.supervisor.spawn)
        assert isinstance(broker, OwnBroker)
        try:
            yield broker
        finally:
            broker.stop()

    def kept_in(self, out: Path) -> "Bench":
        """The same, keeping what is recorded in another folder."""
        return replace(self, settings=msgspec.structs.replace(self.settings, out=out))

    @contextmanager
    def flipped(self, flips: Sequence[Flip], out: Path, *, promises: bool = False) -> Iterator["tuple[Bench, Subject]"]:
        """The same with the app loaded anew and flipped, and the flipped app as it describes itself.

        What is promised, and how workers are driven, stays that of the app as it is, unless its own `promises` count.
        Raises UsageError where the app cannot be loaded so.
        """
        zygote = _load(self.supervisor, self.settings, flips)
        try:
            described = zygote.subject
            zygote.stand_in_for(self.zygote, itself=promises)
            yield replace(self.kept_in(out), zygote=zygote), described
        finally:
            zygote.close()

    @contextmanager
    def part(self, folder: Path, shown: str) -> Iterator[tuple[int, list[str]]]:
        """A database for one part of a run, and a list that gets what keeps the part from its end, if anything.

        One that breaks must not take the others with it: only what the user must mend, and the end of what all stand
        on, is raised. The traceback of what nobody foresaw goes into `folder`, which is told as `shown`.
        """
        db, broke = self.databases.get(), list[str]()
        try:
            yield db, broke
        except UsageError:
            self.must_live()
            raise
        except HarnessError as error:
            self.must_live()
            broke.append(str(error))
        except Exception as error:
            self.must_live()
            if why := no_room(error):
                raise HarnessError(why) from error
            broke.append(f"the harness broke: {type(error).__name__}: {error} ({shown}/{BROKEN})")
            (folder / BROKEN).write_text(traceback.format_exc())
        finally:
            self.databases.put(db)


@contextmanager
def bench(
    settings: Settings, progress: Progress, *, called: Mapping[str, Call] | None = None, audit: bool = False
) -> Iterator[Bench]:
    """Supervisor, broker and zygote; all gone at the end.

    `called` says with what arguments tasks are called; none but these have any. None: whoever uses the bench knows.
    `audit`: the zygote looks for what only an audit asks.
    """
    began = time.monotonic()
    with ExitStack() as stack:
        supervisor = stack.enter_context(Supervisor())
        progress.phase("starting the broker")
        broker = brokers.start(settings.broker, supervisor.folder / "broker", supervisor.spawn)
        stack.callback(lambda: _tell(progress, broker.stop()))
        progress.phase(f"importing {settings.app}")
        zygote = _load(supervisor, settings, audit=audit)
        stack.callback(zygote.close)
        if zygote.no_redis and not speaks_amqp(broker.name):
            raise UsageError(
                f"{settings.app} cannot use Redis, which the run's broker is: {zygote.no_redis}: "
                "pip install 'kombu[redis]' beside it, or run it with --broker rabbitmq"
            )
        if (pool := settings.pool or zygote.subject.pool) not in EVERY_POOL:
            raise UsageError(
                f"worker_pool is {pool}, and a run knows {', '.join(EVERY_POOL)}: "
                f"say with --pool which of them to judge {settings.app} with"
            )
        if not zygote.subject.tasks:
            raise UsageError(
                f"{settings.app} has no tasks of its own: are the modules with tasks imported "
                "(include=, autodiscover_tasks())?"
            )
        zygote.subject.warnings += must_be_there(settings, zygote.subject)
        if zygote.subject.databases:
            if settings.migrations:
                progress.phase(f"migrating a private copy of the database ({NO_MIGRATIONS})")
            else:
                progress.phase("making the tables of a private database")
                zygote.subject.redirected.append("no migration is run: Django's tables are made from the models")
            zygote.prepare_databases()
        if called is not None and settings.bodies == "hollow":
            _leave_out_base_calls(zygote, called)
        progress.phase("running")
        made = Bench(settings, supervisor, broker, zygote, began)
        for number in range(1 if broker.one_database else settings.jobs):
            made.databases.put(2 * number)  # one for messages, the next for results
        yield made


def _load(supervisor: Supervisor, settings: Settings, flips: Sequence[Flip] = (), *, audit: bool = False) -> Zygote:
    zygote = Zygote(
        supervisor,
        settings.app,
        settings.workdir,
        env=settings.environment,
        pool=settings.pool,
        migrations=settings.migrations,
        fixtures=settings.fixtures,
        audit=audit,
        flips=flips,
    )
    hold_to(zygote.subject, settings)
    return zygote


def _leave_out_base_calls(zygote: Zygote, called: Mapping[str, Call]) -> None:
    """Where the base class of a task lets no hollow body run: it wants arguments, or rows, that there are none of."""
    subject, none = zygote.subject, Call()
    calls = {task.name: called.get(task.name, none) for task in subject.tasks if "__call__" in task.hooks}
    if not calls:
        return  # no process is started to ask about nothing
    found = zygote.base_calls({name: msgspec.to_builtins(Call(call.args, call.kwargs)) for name, call in calls.items()})
    subject.tasks = [msgspec.structs.replace(task, left_out=found.get(task.name)) for task in subject.tasks]
    for by in sorted({left.by for left in found.values()}):
        theirs = [name for name, left in found.items() if left.by == by]
        subject.redirected.append(
            f"{by}.__call__ is left out for {listed(theirs, SHOWN)}: it lets no hollow body run "
            f"({found[theirs[0]].why}). Arguments that it can use go into [live]"
        )


def _tell(progress: Progress, note: str) -> None:
    if note:
        progress.note(note)
