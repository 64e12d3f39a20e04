# shellcheck shell=sh
# A server that has ended: starts it again as it had been started, and finds one that somebody else has started.

# Starts httpd again, as it had been started before, and fails with a reason where it does not come up. This is the only
# case in which we start httpd: it ran before our signal and died of the signal.
# in: deadline_seconds, run_pid_file, work
# sets: arguments
# writes
start_again() {
  part 'reason httpd died at the reload; the bytes of before are back and it was started again'
  # systemd, too, may have tried to start httpd before the bytes were back, and then refuses to start it for a while.
  if [ -n "$start_unit" ] &&
    { systemctl reset-failed "$start_unit"; timeout 100 systemctl start "$start_unit"; } >/dev/null 2>&1 &&
    wait_for_server 50; then
    return 0
  fi
  # An httpd in the foreground runs under a supervisor (runit, supervisord), which starts it again within seconds. So
  # the supervisor is waited for first: if we started httpd, it would take the ports, and the supervisor would try for
  # ever. Where no supervisor starts it, a server that runs in another place than its usual one is better than none. It
  # is started detached, because this run ends.
  if [ "$(detached_arguments)" != "${arguments%"$nl"}" ]; then
    wait_for_server $((deadline_seconds * 10)) && return 0
    part 'reason httpd ran in the foreground, and no supervisor started it again, so it was started without one: start it there instead'
    arguments=$(detached_arguments)$nl
  fi
  # httpd is not started with `&`: a program that a shell starts in this way ignores SIGINT and SIGQUIT for ever.
  (enter='' && httpd_for "$deadline_seconds" -k start) >"$work/start.words" 2>&1
  wait_for_server $((deadline_seconds * 10)) && return 0
  part 'reason httpd did NOT start again: look at its error log now'
  return 1
}

# Prints the arguments without those that keep httpd in the foreground. `-D` and its word may be two arguments, so `N`
# joins them.
detached_arguments() {
  printf %s "$arguments" | sed -E -e '/^-D$/N' -e '/^-X$/d' -e '/^-D\n?(FOREGROUND|NO_DETACH|ONE_PROCESS|DEBUG)$/d'
}

# Checks whether a server that was stopped when it was observed has been started by somebody since then. One that is
# just starting is waited for, up to the deadline. The server becomes the live parent, and its answers are noted as
# those from before the reload: it may have been started on the files of before.
# in: deadline_seconds, program, run_pid_file, server_observed_at
# sets: nothing
was_started_meanwhile() {
  start_waited=0
  until is_started; do
    [ "$start_waited" -lt $((deadline_seconds * 10)) ] && is_one_starting || return 1
    start_waited=$((start_waited + 1)) && sleep 0.1
  done
  find_unit
  list_answers_before
}

# Takes the httpd that the pid file names as the live parent, where it was started after the observation. Else fails.
is_started() {
  start_named=$(timeout 5 cat -- "$run_pid_file" 2>/dev/null) && is_new_httpd "$start_named" &&
    use_running "$start_named"
}

# Checks whether an httpd runs that was started after the observation. Its pid file may be still to come.
is_one_starting() {
  find_processes
  for start_pid in $process_httpd_pids; do
    ! is_new_httpd "$start_pid" || return 0
  done
  return 1
}

# Checks whether a process is an httpd of the same program that started after the observation. Another server on this
# host does not count.
is_new_httpd() { # PID
  # shellcheck disable=SC3013 # dash and busybox ash have -ef.
  [ -n "$1" ] && read_process "$1" && [ "$process_start" -ge "$server_observed_at" ] &&
    [ "/proc/$1/exe" -ef "$program" ]
}

# Waits until the pid file names a live httpd, and takes that as the live parent. Fails when the time is up.
wait_for_server() { # TENTHS_OF_A_SECOND
  start_tries=0
  while [ "$start_tries" -lt "$1" ]; do
    start_tries=$((start_tries + 1))
    sleep 0.1
    if start_named=$(timeout 5 cat -- "$run_pid_file" 2>/dev/null) && use_running "$start_named"; then return 0; fi
  done
  return 1
}

# Takes a process as the live parent where it really is an httpd, else fails. The pid file may be an old one, and the
# process that it names may be another program by now.
use_running() { # PID
  kill -0 "$1" 2>/dev/null || return 1
  find_processes
  case " $process_httpd_pids " in *" $1 "*) use_parent "$1" ;; *) return 1 ;; esac
}

# Sets start_unit: the systemd unit whose main process is httpd, or nothing. From any other unit httpd was only started
# once: from cron's unit, from a job, or from our refresh, which would wait for itself.
# in: parent
# sets: nothing
find_unit() {
  start_unit=''
  [ -n "$parent" ] && [ -d /run/systemd/system ] || return 0
  start_unit=$(awk -F / '$NF ~ /\.service$/ { print $NF; exit }' "/proc/$parent/cgroup")
  [ -z "$start_unit" ] || [ "$(systemctl show --property=MainPID -- "$start_unit" 2>/dev/null)" = "MainPID=$parent" ] ||
    start_unit=''
}
