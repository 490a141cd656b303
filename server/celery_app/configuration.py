"""Celery's settings. Beside each one that the first version of this file got wrong: what it would have done."""

import socket
from typing import Any

from celery.app.defaults import SETTING_KEYS

from autotest.environment import Environment

SCRIPTS, TEMPLATES, DEFAULT = "script_execution", "dynamic_script", "default"
QUEUES = (DEFAULT, SCRIPTS, TEMPLATES)
ROUTES = {
    "myapp.views.celery_views.execute_python_script": {"queue": SCRIPTS},
    "myapp.views.celery_views.execute_dynamic_script_task": {"queue": TEMPLATES},
}
SOFT_LIMIT_S, HARD_LIMIT_S = 570, 600
RETRY_DELAY_S, MAX_RETRIES = 60, 3
VISIBILITY_S = 3600


def settings(env: Environment) -> dict[str, Any]:
    """The whole configuration, as lower-case names of Celery 5."""
    return {
        # Addresses. CELERY_BROKER_URL and CELERY_RESULT_BACKEND in the environment would silently win over these;
        # validation reports them.
        "broker_url": env.redis_url,
        "result_backend": env.celery_backend,
        # At start and after a broker restart: keep trying rather than leave.
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        # On RabbitMQ: a worker that is back before the broker has noticed that its connection is gone finds the queue
        # of its remote control locked by that connection, and ends by itself (RESOURCE_LOCKED, 5.7).
        "control_queue_exclusive": False,
        "control_queue_durable": True,  # the other kind that RabbitMQ will go on allowing
        "broker_transport_options": {
            # Redis gives an unacknowledged message to another worker after this long: longer than the longest task
            # (600) plus the longest retry delay (60) with room, or a task that still runs would be run twice.
            "visibility_timeout": VISIBILITY_S,
            # kombu looks for such messages every interval x throttle seconds; its default of 10 x 10 adds 100 s.
            "unacked_restore_interval": 10,
            "unacked_restore_throttle": 1,
            # A Redis that is not there must not hold a web request for the two minutes of the system's own timeout. No
            # socket_timeout: it drops a blocked read together with the message that was on its way.
            "socket_connect_timeout": 5,
            # A connection on which nothing arrives any more, forgotten by a NAT say, is given up by the kernel after
            # a minute; without this an acknowledgement that is sent on it hangs the worker for a quarter of an hour.
            "socket_keepalive": True,
            "socket_keepalive_options": {
                socket.TCP_KEEPIDLE: 30,
                socket.TCP_KEEPINTVL: 10,
                socket.TCP_KEEPCNT: 3,
                socket.TCP_USER_TIMEOUT: 60_000,
            },
        },
        # autodiscover_tasks() looks for modules named `tasks` only and would find nothing here.
        "include": ["myapp.views.celery_views"],
        # Without task_default_queue everything else goes to a queue named "celery"; a queue called "default" never
        # existed. Declared queues are what a worker without -Q consumes: undeclared ones pile up unseen.
        "task_default_queue": DEFAULT,
        "task_queues": {name: {"exchange": name, "routing_key": name} for name in QUEUES},
        "task_create_missing_queues": False,  # a misspelt queue fails when it is published to
        "task_routes": ROUTES,
        # Acknowledge after the body: without it task_reject_on_worker_lost did nothing, and a killed child lost its
        # task.
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        # A task that kills its worker every time would go round for ever: 5.7 counts a lost worker as a retry, and
        # ReliableTask counts every start in the database, lost main processes and older releases included.
        "task_retry_on_worker_lost": True,
        # task_default_retry_delay=60 and task_max_retries=3 are no settings of Celery: stored, shown and read by
        # nothing. ReliableTask has them as attributes, with the errors that they are for.
        "worker_prefetch_multiplier": 1,  # with late acknowledgement: nothing is reserved behind a long task
        "worker_max_tasks_per_child": 50,
        "worker_max_memory_per_child": 400_000,  # KiB; recycling by count alone caps a leak, this bounds it
        "worker_pool_restarts": True,
        # Both only work with the prefork pool; --pool=solo ignores them, and recycling and pool restarts as well.
        "task_soft_time_limit": SOFT_LIMIT_S,  # raised in the body, which stops its script and records what it had
        "task_time_limit": HARD_LIMIT_S,
        "worker_soft_shutdown_timeout": 20.0,  # acts on SIGQUIT, or on SIGTERM with REMAP_SIGTERM=SIGQUIT
        # A run that is cut off from Redis goes on; its message comes back only after the visibility timeout.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        # A redelivered message whose result is SUCCESS already is not run again.
        "worker_deduplicate_successful_tasks": True,
        "task_track_started": True,
        "worker_send_task_events": True,
        "task_send_sent_event": True,
        "result_extended": True,
        # A database that is away for half a minute: without these the result becomes FAILURE although the work is done.
        # For django-db see `results`, which says what may be tried again.
        "result_backend_always_retry": True,
        "result_backend_max_retries": 12,
        "result_backend_max_sleep_between_retries_ms": 5000,
        "result_expires": 7 * 24 * 3600,
        "task_serializer": "json",
        "accept_content": ["json"],
        "beat_schedule": {
            "clear-old-records": {"task": "myapp.views.celery_views.clear_old_records", "schedule": 24 * 3600.0}
        },
    }


def known(wanted: dict[str, Any]) -> dict[str, Any]:
    """Those that the installed Celery reads; validation names the others, nobody assumes them."""
    return {key: value for key, value in wanted.items() if key in SETTING_KEYS}


def unknown(wanted: dict[str, Any]) -> list[str]:
    return sorted(set(wanted) - set(SETTING_KEYS))
