# shellcheck shell=sh
# The change and the process that carries it out: a connection that is cut does not stop a change half-way.

# Receives the change, leaves the work to a process in a session of its own, and prints the output of that process until
# it ends. A connection that is cut ends only this part. Until that process has been started, a signal or a failure
# removes what was received.
# in: id, mark, request_text, script, state
# sets: work
# writes
run_apply() {
  require_room
  mkdir -p -- "$state" || fail disk "cannot write $state; make room or mount it writable"
  # finalize gives these names to the state of a server that was removed. Its run may have ended before it deleted it.
  rm -rf -- "$state".gone.*
  sweep_judges
  work=$state/run.$id
  trap leave_nothing EXIT
  trap 'exit 1' HUP INT TERM PIPE
  mkdir -m 700 -- "$work" && hold "$work" || fail disk "cannot write $state; make room or mount it writable"
  receive_own_files
  printf '%s\n' "$script" >"$work/program" && printf '%s' "$request_text" >"$work/request" || fail_no_room
  # `follow` needs this file before the new process opens it.
  : >"$work/output"
  trap - EXIT HUP INT TERM PIPE
  # The new process must not hold the pipe of `doing` (8), or `limited` would wait for it.
  "$(detacher)" /bin/sh "$work/program" carry-out "$work" </dev/null >"$work/output" 2>"$work/errors" 8>&- &
  follow $!
  report_limit
  # The run may still go on, where `follow` ended too early.
  is_held "$work" || leave_nothing
}

# Removes all files of a run that changed nothing, on a host where no change has ever been valid. Only its output stays,
# without the observation of the host, in /run, which a reboot empties: a caller whose connection was cut asks for it.
# Where there is a journal, or the run has begun its swap, all stays: the whole output can be asked for in the state
# directory.
# in: id, mark, state, work
# sets: nothing
# writes
leave_nothing() {
  rm -rf -- "$state".gone.*
  [ ! -f "$state/journal" ] && [ ! -f "$work/swapped" ] || return 0
  [ ! -f "$work/output" ] ||
    { awk -v look="$mark server" '$0 == look { exit } { print }' "$work/output" && part 'done'; } \
      >"/run/clientcert.result.$id"
  rm -rf -- "$work"
  rmdir -- "$state" "${state%/*}" 2>/dev/null || :
}

# Prints the program that starts another one in a session of its own. Where setsid is missing, nohup at least protects
# the run from the end of this session.
# in: nothing
# sets: nothing
detacher() { if command -v setsid >/dev/null 2>&1; then echo setsid; else echo nohup; fi; }

# Prints the output of a run, from its beginning, until its process ends.
# in: work
# sets: nothing
follow() { # PID
  doing 'the run that works on this server' '; it goes on there, and the next run begins by looking at what became of it'
  tail -n +1 -s 0.1 -f --pid="$1" "$work/output"
}

# Prints how a run ended, or follows one that still runs. A complete removal leaves no output, so the result is made up
# where the state directory has gone. Where nothing was changed, leave_nothing may have kept the output in /run. Fails
# where there is no trace of the run.
# in: id, mark, removal, state
# sets: work
run_result() {
  work=$state/run.$id
  if [ -f "$work/output" ]; then
    wait_for_carrier
    if is_held "$work"; then follow "$(cut -d ' ' -f 1 "$work/holder")"; else cat -- "$work/output"; fi
  elif [ "$removal" = yes ] && [ ! -d "$state" ]; then
    part 'result applied none 0'
    read_journal && observe
  elif [ -f "/run/clientcert.result.$id" ]; then
    cat -- "/run/clientcert.result.$id"
  else
    fail unknown "the run did not begin before the connection was cut, so nothing was changed; run again"
  fi
}

# Waits until the process that carries out the change holds its work directory, or until its output is complete, for at
# most 2 seconds. A caller whose connection was cut asks at once, and that process may have been started a moment ago. A
# process that was killed never holds it again.
wait_for_carrier() {
  detach_waited=0
  until is_held "$work" || grep -q "^$mark done" -- "$work/output" || [ "$detach_waited" -ge 20 ]; do
    sleep 0.1
    detach_waited=$((detach_waited + 1))
  done
}
