"""Which scenarios are about which setting, the likeliest to see it flipped first. Data only."""

#: patterns over "suite.scenario"
KILLERS: dict[str, tuple[str, ...]] = {
    "broker_connection_retry": ("reconnect.cut_idle", "reconnect.reset_idle"),
    "broker_heartbeat": ("reconnect.black_hole_idle",),
    "broker_transport_options": (
        "acks_late.second_worker_while_it_runs",
        "retries.second_worker_while_it_waits",
        "reconnect.black_hole_idle",
    ),
    "result_backend": ("results.ends_by_itself", "acks_late.main_killed_after_ack"),
    "result_backend_always_retry": ("results.away_at_success", "results.away_at_failure"),
    "task_acks_late": ("acks_late.main_killed_middle", "acks_late.child_killed_middle", "acks_late.cold_shutdown"),
    "task_acks_on_failure": ("results.ends_by_itself", "retries.other_errors_fail_at_once"),
    "task_acks_on_failure_or_timeout": ("time_limits.hard_limit", "retries.other_errors_fail_at_once"),
    "task_acks_on_timeout": ("time_limits.hard_limit", "time_limits.too_slow_every_time"),
    "task_create_missing_queues": ("routing.undeclared_queue",),
    "task_default_queue": ("routing.own_queue", "routing.consumed"),
    "task_ignore_result": ("results.ends_by_itself",),
    "task_queues": ("routing.consumed", "routing.own_queue"),
    "task_reject_on_worker_lost": ("acks_late.child_killed_middle", "acks_late.out_of_memory_kill"),
    "task_retry_on_worker_lost": ("acks_late.poison_killed", "acks_late.poison_exits", "acks_late.child_killed_middle"),
    "task_routes": ("routing.own_queue", "routing.consumed", "routing.clogged_queue"),
    "task_soft_time_limit": ("time_limits.soft_limit_handled", "time_limits.soft_limit_not_handled"),
    "task_time_limit": ("time_limits.hard_limit", "time_limits.stubborn_body"),
    "task_track_started": ("results.started_is_told",),
    "worker_deduplicate_successful_tasks": ("acks_late.done_is_not_run_again",),
    "worker_max_memory_per_child": ("recycling.memory_limit",),
    "worker_max_tasks_per_child": ("recycling.exact_under_load",),
    "worker_pool_restarts": ("recycling.pool_restart",),
    "worker_prefetch_multiplier": ("routing.no_more_ahead",),
    "worker_soft_shutdown_timeout": ("acks_late.soft_shutdown",),
    # options of tasks
    "acks_late": ("acks_late.main_killed_middle", "acks_late.child_killed_middle"),
    "autoretry_for": ("retries.fails_then_succeeds",),
    "default_retry_delay": ("retries.spacing",),
    "max_retries": ("retries.gives_up", "retries.fails_then_succeeds"),
    "reject_on_worker_lost": ("acks_late.child_killed_middle",),
    "retry_backoff": ("retries.spacing",),
    "retry_on_worker_lost": ("acks_late.poison_killed", "acks_late.child_killed_middle"),
    "soft_time_limit": ("time_limits.own_soft_limit_over_global", "time_limits.soft_limit_handled"),
    "time_limit": ("time_limits.own_limit_over_global", "time_limits.hard_limit"),
}
#: what these are for no run can see: monitors, clean-up, and a start without a broker
UNSEEN = {
    "broker_connection_max_retries": "a broker that stays away for that long",
    "broker_connection_retry_on_startup": "a worker that starts while its broker is away",
    "result_expires": "results that expire",
    "task_annotations": "options of tasks, which are flipped one by one",
    "task_send_sent_event": "what monitors are told",
    "worker_cancel_long_running_tasks_on_connection_loss": "a body that runs on beside its redelivery",
    "worker_send_task_events": "what monitors are told",
}
