#!/bin/sh
# Another machine, as the harness knows it: `box.sh start NAME RECORDER`, `kill NAME`, `list`, ...
# Each worker has a network, pids and, where that can be, a clock of its own ($BOX_ISOLATED), and runs as another user.
set -e
cd "$BOX"
case "$1" in
start)
    mkdir "$2"
    export ASSAY_RECORDER="$3" TMPDIR="$BOX/$2"
    setsid $BOX_ISOLATED sh -c 'cd "$0" && exec "$@"' "$BOX_APPS" "$BOX_PYTHON" -m celery -A "$BOX_APP" worker \
        -n "$2@%h" -l INFO -c 2 --without-mingle --without-gossip $BOX_OPTIONS >"$2/log" 2>&1 </dev/null &
    echo $! >"$2/outer"
    ;;
list)
    for each in */outer; do
        [ -f "$each" ] && [ ! -f "${each%outer}hidden" ] && grep -q '^State:[^Z]*$' "/proc/$(cat "$each")/status" 2>/dev/null && dirname "$each" || :
    done
    ;;
*)
    outer=$(cat "$2/outer")
    main=$outer
    [ -z "$BOX_ISOLATED" ] || main=$(tr -d " " <"/proc/$outer/task/$outer/children")
    case "$1" in
    hide) touch "$2/hidden" ;;
    kill) kill -9 "$main" ;;
    stop) kill -TERM "$main" ;;
    pause) kill -STOP "$main" ;;
    resume) kill -CONT "$main" ;;
    esac
    ;;
esac
