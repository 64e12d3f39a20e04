# shellcheck shell=sh
# The live server: this file reloads it, checks it, and puts everything back when it does not answer as the shadow
# promised.

live_signalled='' live_signalled_seconds=''

# Reloads httpd. SIGUSR1 goes only to a process that was seen to be this very httpd, because a stale pid file may name
# any process.
# in: parent, run_pid_file, server_parent_start, state, undo_our_line, work
# sets: live_signalled, live_signalled_seconds
# writes
reload() {
  if ! live_words=$(httpd_in_time -t); then
    part words && printf '%s\n' "$live_words" | words_of_httpd
    return 1
  fi
  keep_loaded
  # Where others may write into its directory, the pid file may be a pipe that nobody writes to.
  live_named=$(inside timeout 5 cat -- "$run_pid_file" 2>/dev/null)
  read_process "$parent" && [ "$process_start" = "$server_parent_start" ] && [ "$live_named" = "$parent" ] || {
    part "reason the pid file $run_pid_file does not name the httpd that was looked at (process $parent); not signalled"
    return 1
  }
  live_signalled=$(now_ticks) live_signalled_seconds=$(date +%s)
  kill -USR1 "$parent"
}

# Keeps hashes of the files with our lines, as httpd is about to read them. The hashes leave our lines out. A file that
# still has its hash later has no unfinished edit.
keep_loaded() {
  {
    cat -- "$state/edited" 2>/dev/null
    cut -f 4 "$work/edit.list"
  } | sort -u | while IFS= read -r live_path; do
    live_bare=$(grep -av "$undo_our_line" -- "$live_path" | sha256sum) &&
      printf '%s  %s\n' "${live_bare%% *}" "$live_path"
  done >"$work/loaded"
}

is_parent_alive() { read_process "$parent" && [ "$process_start" = "$server_parent_start" ]; }

# Checks whether a child of httpd began after the signal, because such a child serves the new configuration. A program
# that httpd pipes its log to does not count. It may start before the configuration was found good, or because somebody
# ended the earlier program.
has_new_child() { # SINCE
  for live_entry in /proc/[0-9]*; do
    read_process "${live_entry#/proc/}" || continue
    # shellcheck disable=SC3013 # dash and busybox ash have -ef.
    if [ "$process_parent" = "$parent" ] && [ "$process_start" -ge "$1" ] &&
      [ "$live_entry/exe" -ef "/proc/$parent/exe" ]; then
      return 0
    fi
  done
  return 1
}

# in: deadline_seconds, parent, server_parent_start
# sets: nothing
wait_for_reload() {
  live_tries=0
  while [ "$live_tries" -lt $((deadline_seconds * 10)) ]; do
    is_parent_alive || return 1
    has_new_child "$live_signalled" && return 0
    live_tries=$((live_tries + 1))
    sleep 0.1
  done
  return 1
}

ask_live() { # FILE
  (ask_all "$work") >"$1"
}

# Notes the sizes of httpd's logs, so that write_log_words finds what they say about certificates from then on.
mark_logs() {
  # One process reads all sizes: hundreds of virtual hosts may have a log each.
  printf '%s\n' "$run_log_files" | tr '\n' '\0' | xargs -0 -r stat -L -c "%F$tab%s$tab%n" -- 2>/dev/null |
    sed -n "s/^regular [a-z ]*$tab//p" >"$work/log.sizes"
}

write_log_words() { # FILE
  while IFS=$tab read -r live_size live_log; do
    tail -c "+$((live_size + 1))" -- "$live_log" | head -c 1048576 | grep -a 'Certificate Verification: '
  done <"$work/log.sizes" >"$1" 2>/dev/null
}

# Checks by the last answers whether holders of certificates get in.
locks_nobody_out() {
  read_alerts "$work/answers.after" >"$work/alerts"
  awk -v good="$probe_decrypt_error" '$2 != good { bad = 1 } END { exit !bad }' "$work/alerts" || return 0
  write_log_words "$work/probe.words"
  ! report_locked_out "$work/alerts" "$work/probe.words" 'after the reload httpd refuses' live
}

# in: parent, work
# sets: nothing
list_answers_before() {
  : >"$work/answers.before"
  [ -z "$parent" ] || ask_live "$work/answers.before"
}

# Each covered virtual host must answer as the shadow did, and each other virtual host as before. The status may also be
# the earlier one: the shadow may have failed to reach a backend.
# in: deadline_seconds, parent, probe_decrypt_error, run_log_files, server_parent_start, work
# sets: asks_probes
check_health() {
  live_tries=0 live_until=$(($(now_ticks) + deadline_seconds * 100)) asks_probes=yes
  mark_logs
  while [ "$live_tries" -lt 20 ]; do
    is_parent_alive || return 1
    ask_live "$work/answers.after"
    if ! is_noticed "$work/answers.before" "$work/answers.after" "$work/others.list" && ! health_differs; then
      # Children with the configuration of before may have answered while the parent was dying.
      is_parent_alive && locks_nobody_out
      return
    fi
    ! is_opened || break
    # A server that takes connections and does not answer costs a whole round of waiting each time. Its users wait, too.
    [ "$(now_ticks)" -lt "$live_until" ] || break
    live_tries=$((live_tries + 1))
    sleep 0.25
  done
  ! live_differing=$(health_differs) ||
    part "reason after the reload the server does not answer as the judge promised: $(first_three "$live_differing")"
  report_noticed "$work/answers.before" "$work/answers.after" "$work/others.list" 'after the reload' \
    'the change is put back' || :
  return 1
}

first_three() { # LINES
  printf '%s\n' "$1" | awk 'NR <= 3 { printf "%s%s", separator, $0; separator = "; " }'
}

# Starts httpd again, as it had been started before. This is the only case in which we start httpd: it ran before our
# signal and died of the signal.
# writes
start_again() {
  part 'reason httpd died at the reload; the bytes of before are back and it was started again'
  # systemd, too, may have tried to start httpd before the bytes were back, and then refuses to start it for a while.
  if [ -n "$live_unit" ] &&
    { systemctl reset-failed "$live_unit"; timeout 100 systemctl start "$live_unit"; } >/dev/null 2>&1 &&
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

# Prints the arguments without those that keep httpd in the foreground.
detached_arguments() {
  printf %s "$arguments" | sed -E -e '/^-D$/N' -e '/^-X$/d' -e '/^-D\n?(FOREGROUND|NO_DETACH|ONE_PROCESS|DEBUG)$/d'
}

# Checks whether a server that was stopped when it was observed has been started by somebody since then. It may have
# been started on the files of before.
# in: deadline_seconds, program, run_pid_file, server_observed_at, work
# sets: nothing
was_started_meanwhile() {
  live_waited=0
  until is_started; do
    [ "$live_waited" -lt $((deadline_seconds * 10)) ] && is_one_starting || return 1
    live_waited=$((live_waited + 1)) && sleep 0.1
  done
  find_unit
  list_answers_before
}

is_started() {
  live_started=$(timeout 5 cat -- "$run_pid_file" 2>/dev/null) && is_new_httpd "$live_started" &&
    use_running "$live_started"
}

is_one_starting() {
  find_processes
  for live_pid in $process_httpd_pids; do
    ! is_new_httpd "$live_pid" || return 0
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

wait_for_server() { # TENTHS_OF_A_SECOND
  live_tries=0
  while [ "$live_tries" -lt "$1" ]; do
    live_tries=$((live_tries + 1))
    sleep 0.1
    if live_started=$(timeout 5 cat -- "$run_pid_file" 2>/dev/null) && use_running "$live_started"; then return 0; fi
  done
  return 1
}

# The pid file may be an old one, and the process that it names may be another program by now.
use_running() { # PID
  kill -0 "$1" 2>/dev/null || return 1
  find_processes
  case " $process_httpd_pids " in *" $1 "*) use_parent "$1" ;; *) return 1 ;; esac
}

# Puts everything back, and makes the live server run on it.
# in: deadline_seconds, parent, run_pid_file, server_parent_start, state, swap_began, undo_our_line, work
# sets: arguments, live_signalled, live_signalled_seconds
# writes
roll_back() {
  step 'roll back'
  [ ! -f "$work/swapped" ] || put_back "$work"
  live_is_back=$?
  resume_timers
  [ -z "$parent" ] || restore_live "${live_signalled:-}"
  [ "$live_is_back" != 0 ] || rm -f -- "$work/swapped"
}

# Makes the live server run on the bytes of before. A server that ended without a signal of ours was ended by somebody
# who meant to do so.
# in: deadline_seconds, parent, run_pid_file, server_parent_start, state, swap_began, undo_our_line, work
# sets: arguments, live_signalled, live_signalled_seconds
# writes
restore_live() { # SIGNALLED: empty when it cannot have read the other bytes
  live_bytes_back=$(now_ticks)
  if is_parent_alive; then
    if [ -z "$1" ]; then
      # A child that is younger than the swap may come from a reload by somebody else.
      ! has_new_child "$swap_began" || owe_or_report 'a change was put back, and httpd may have read it meanwhile'
      return 0
    fi
    if reload && wait_for_reload; then return 0; fi
    if is_parent_alive; then
      owe 'a change was put back, and httpd was not seen to reload since'
      part 'reason the reload on the bytes of before could not be seen; look at the server'
      return 1
    fi
  fi
  if [ -n "${live_signalled:-}" ]; then
    # A supervisor may have started httpd on the new bytes, before the bytes of before were back.
    start_again && { [ "$server_parent_start" -gt "$live_bytes_back" ] || { reload && wait_for_reload; }; }
  else
    owe_or_report 'a change was put back, and httpd may have been started on it meanwhile'
    part 'reason httpd ended meanwhile, not by us; it was not started again'
  fi
}

# Finds the unit whose main process is httpd. From any other unit httpd was only started once: from cron's unit, from a
# job, or from our refresh, which would wait for itself.
# in: parent
# sets: nothing
find_unit() {
  live_unit=''
  [ -n "$parent" ] && [ -d /run/systemd/system ] || return 0
  live_unit=$(awk -F / '$NF ~ /\.service$/ { print $NF; exit }' "/proc/$parent/cgroup")
  [ -z "$live_unit" ] || [ "$(systemctl show --property=MainPID -- "$live_unit" 2>/dev/null)" = "MainPID=$parent" ] ||
    live_unit=''
}
