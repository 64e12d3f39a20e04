# shellcheck shell=sh
# Checks before a run begins that the host has enough room for it, and reports what a run lacked when it ended early.

# Reports a run that a limit stopped before it had changed anything, and removes its files. Leaves any other run alone:
# one that still runs, has begun its swap, has reported a result, or shows no sign of a limit.
# in: mark, state, work
# sets: nothing
report_limit() {
  # A complete removal leaves no output.
  [ -f "$work/output" ] && ! is_held "$work" && [ ! -f "$work/swapped" ] &&
    ! grep -q -e "^$mark result " -- "$work/output" || return 0
  # A run that still could has reported the limit itself.
  if ! grep -q -e "^$mark done" -- "$work/output"; then
    room_hit=$(limit_in_words "$work/errors") && [ -n "$room_hit" ] || room_hit=$(limits_in_words)
    [ -n "$room_hit" ] || return 0
    # In a pipe `fail` ends only its own subshell, so the files are still removed below.
    fail limit "the run could not go on: ${room_hit#; }; nothing was changed" | tee -a -- "$work/output"
  # The run has reported another error than a limit.
  elif ! grep -q -e "^$mark error limit " -- "$work/output"; then
    return 0
  fi
  # The run may have died before it could release its lock.
  room_stale_holder=$(cat -- "$state/lock/holder" 2>/dev/null)
  # shellcheck disable=SC2086
  is_alive $room_stale_holder || break_lock "$room_stale_holder"
  leave_nothing
  rm -rf -- "$work"
}

# Sets room_needed: the bytes needed for the files that are sent, for the candidates, and for the answer, which holds
# the whole configuration (8 MiB). A file of ours counts twice, and a file that is edited four times. The lines of the
# manifest are `own ROLE NAME HASH SIZE` and `edit HASH PATH`.
# in: manifest
# sets: room_needed
count_needed() {
  room_needed=8388608
  while IFS=' ' read -r room_kind _ room_rest; do
    case $room_kind in
      own) room_needed=$((room_needed + 2 * ${room_rest##* })) ;;
      edit) room_needed=$((room_needed + 4 * $(stat -c %s -- "$room_rest" 2>/dev/null || echo 0))) ;;
    esac
  done <<EOF
$manifest
EOF
}

# Fails where there is not enough room for a run. Without room for its answer a run could not even report that room is
# missing.
# in: manifest, state
# sets: room_needed
require_room() {
  count_needed
  require_file_size "$room_needed"
  # Sets $1 to the KiB that are free, $2 to the inodes that are free, and $3 to all inodes.
  # shellcheck disable=SC2046
  set -- $(stat -f -c '%a %S %d %c' -- "$(nearest_directory "$state")" |
    awk '{ printf "%d %s %s", $1 * $2 / 1024, $3, $4 }')
  require_inodes "${2:-0}" "${3:-0}" "$state"
  [ "${1:-0}" -ge $((room_needed / 1024)) ] ||
    fail disk "$state has less than $((room_needed / 1048576)) MiB of room; make room, nothing was changed"
}
