# shellcheck shell=sh
# Checks after a reload whether the live server answers as the shadow promised.

# Writes what the live server answers to FILE, in the lines of ask_all.
ask_live() { # FILE
  (ask_all "$work") >"$1"
}

# Writes the sizes of httpd's logs to $work/log.sizes, so that write_log_words finds what they say about certificates
# from then on.
mark_logs() {
  # One process reads all sizes: hundreds of virtual hosts may have a log each.
  # Only regular files count: stat calls them `regular file` or `regular empty file`.
  printf '%s\n' "$run_log_files" | tr '\n' '\0' | xargs -0 -r stat -L -c "%F$tab%s$tab%n" -- 2>/dev/null |
    sed -n "s/^regular [a-z ]*$tab//p" >"$work/log.sizes"
}

# Writes to FILE what the logs have said about certificates since mark_logs, from at most 1 MiB of each log.
write_log_words() { # FILE
  while IFS=$tab read -r health_size health_log; do
    tail -c "+$((health_size + 1))" -- "$health_log" | head -c 1048576 | grep -a 'Certificate Verification: '
  done <"$work/log.sizes" >"$1" 2>/dev/null
}

# Checks by the last answers to the probes whether holders of certificates get in. Reports a reason for each CA whose
# holders are newly refused, and fails then. Where this cannot be told, nobody counts as locked out.
locks_nobody_out() {
  read_alerts "$work/answers.after" >"$work/alerts"
  # Nothing is wrong where every probe got the good answer.
  awk -v good="$probe_decrypt_error" '$2 != good { bad = 1 } END { exit !bad }' "$work/alerts" || return 0
  write_log_words "$work/probe.words"
  ! report_locked_out "$work/alerts" "$work/probe.words" 'after the reload httpd refuses' live
}

# Writes what the live server answers before the change to $work/answers.before, which is empty for a stopped server.
# in: parent, work
# sets: nothing
list_answers_before() {
  : >"$work/answers.before"
  [ -z "$parent" ] || ask_live "$work/answers.before"
}

# Checks whether the reloaded server is healthy, and reports why it is not. Each covered virtual host must answer as the
# shadow did; its status may also be that of before, because the shadow may have failed to reach a backend. Each other
# virtual host must answer as before, and holders of certificates must get in. Differences are waited for, for at most
# 20 rounds and up to the deadline. An httpd that has ended makes this fail without a reason: the roll-back reports it.
# in: deadline_seconds, probe_decrypt_error, run_log_files, work
# sets: asks_probes
check_health() {
  health_tries=0 health_until=$(($(now_ticks) + deadline_seconds * 100)) asks_probes=yes
  mark_logs
  while [ "$health_tries" -lt 20 ]; do
    is_parent_alive || return 1
    ask_live "$work/answers.after"
    if ! is_noticed "$work/answers.before" "$work/answers.after" "$work/others.list" && ! health_differs; then
      # Children with the configuration of before may have answered while the parent was dying.
      is_parent_alive && locks_nobody_out
      return
    fi
    # A virtual host that the change has opened is not waited for.
    ! is_opened || break
    # A server that takes connections and does not answer costs a whole round of waiting each time. Its users wait, too.
    [ "$(now_ticks)" -lt "$health_until" ] || break
    health_tries=$((health_tries + 1))
    sleep 0.25
  done
  ! health_differing=$(health_differs) ||
    part "reason after the reload the server does not answer as the judge promised: $(first_three "$health_differing")"
  report_noticed "$work/answers.before" "$work/answers.after" "$work/others.list" 'after the reload' \
    'the change is put back' || :
  return 1
}

first_three() { # LINES
  printf '%s\n' "$1" | awk 'NR <= 3 { printf "%s%s", separator, $0; separator = "; " }'
}
