# shellcheck shell=sh
# The transaction: judged on a copy, or carried out as a whole, or put back as a whole.

# Paths and settings of the server that judge and swap need, from what httpd says of itself.
prepare() {
  read_modules
  dumped=$nl$(dump) || { part words && printf '%s\n' "$dumped" && fail configuration "httpd does not accept its own live configuration ($config); mend it first"; }
  server_root=$(run_setting ServerRoot)
  own_directory=$(realpath -m -- "$server_root/conf")/clientcert
  pid_file=$(run_setting PidFile)
  log_files=$(log_paths | awk '!seen[$0]++')
  live_umask=022
  [ -z "$parent" ] || live_umask=$(awk '$1 == "Umask:" { print $2 }' "/proc/$parent/status")
  [ "$expected_config" = "$config" ] || fail server "the change was planned for $expected_config, but the server here uses $config"
  read_journal
  check_owner
}

check_owner() {
  holder=$(journal_value owner)
  [ -z "$holder" ] || [ "$holder" = "$owner" ] || [ "$take_over" = yes ] ||
    fail owner "this server belongs to $holder; write \"takeOver: true\" to take it over"
}

# What httpd will open for append: the live parent's files, and every log that the configuration names.
log_paths() {
  [ -z "$parent" ] || stat -c %N "/proc/$parent/fd"/* 2>/dev/null | sed -n "s/^.* -> '\(\/.*\)'\$/\1/p" | grep -v '^/dev/'
  printf '%s\n' "$dumped" | awk -v root="$server_root" '
    /^Main ErrorLog: "/ { path = $0; sub(/^[^"]*"/, "", path); sub(/"$/, "", path); print path }
    tolower($1) ~ /^(errorlog|customlog|transferlog|globallog|scriptlog|forensiclog)$/ {
      path = $2; gsub(/"/, "", path)
      if (path !~ /^[|]/ && path !~ /^syslog/) print (path ~ /^\// ? path : root "/" path)
    }'
}

# Judged on a copy only. The work directory is on a tmpfs and goes with us.
run_judge() {
  work=$(mktemp -d /run/clientcert.XXXXXX) || fail disk 'cannot write a private directory in /run'
  trap 'rm -rf -- "$work"' EXIT
  trap 'exit 1' HUP INT TERM PIPE
  receive_own_files
  build_candidates
  check_targets
  [ -n "$refused" ] || judge_candidate
  [ -z "$refused" ] || verdict=refused
  part "result $verdict $judge $(journal_value generation)"
}

# Receives, then leaves the work to a process in a session of its own, so that a cut connection cannot stop it half-way.
run_apply() {
  mkdir -p -m 700 -- "$state" || fail disk "cannot write $state; make room or mount it writable"
  work=$state/run.$id
  mkdir -m 700 -- "$work" || fail disk "cannot write $state; make room or mount it writable"
  receive_own_files
  printf '%s\n' "$script" >"$work/program" && printf '%s' "$request_text" >"$work/request" || fail disk "no room in $state; nothing was changed"
  : >"$work/output"
  detach=setsid
  command -v setsid >/dev/null 2>&1 || detach=nohup
  "$detach" /bin/sh "$work/program" carry-out "$work" </dev/null >"$work/output" 2>"$work/errors" &
  follow $!
}

follow() { # PID
  tail -n +1 -s 0.1 -f --pid="$1" "$work/output"
}

run_result() {
  work=$state/run.$id
  [ -f "$work/output" ] || fail unknown "no run $id is known here"
  # shellcheck disable=SC2046
  set -- $(cat -- "$state/lock/holder" 2>/dev/null)
  if is_alive "$@"; then follow "$1"; else cat -- "$work/output"; fi
}

# The detached part, under the lock.
carry_out() { # WORK
  work=$1
  take_lock
  read_journal
  recover_earlier
  build_candidates
  check_targets
  [ -n "$refused" ] || judge_candidate
  if [ -n "$refused" ] || [ "$verdict" = refused ]; then
    end_run refused
  else
    find_unit
    change
  fi
}

change() {
  list_answers_before
  prepare_swap
  step 'swap'
  if ! swap; then
    roll_back
    end_run "$([ -n "$refused" ] && echo refused || echo rolledBack)"
  elif [ -z "$parent" ]; then
    part 'reason httpd is stopped, and stays so: start it to put the change into effect'
    finish stopped
  else
    step 'reload and look'
    if reload && wait_for_reload && look; then finish applied; else roll_back && end_run rolledBack; fi
  fi
}

list_answers_before() {
  : >"$work/answers.before"
  [ -z "$parent" ] || ask_live "$work/answers.before"
}

# The change is live and well: drop what nothing names any more, keep the bytes of before, write the journal.
finish() { # applied|stopped
  generation=$(journal_value generation) generation=$((${generation:-0} + 1))
  # shellcheck disable=SC2046
  swap_drops $(dropped)
  rm -rf -- "$own_directory/.stage"
  if [ "$removal" = yes ]; then
    rmdir -- "$own_directory" && [ -z "$(journal_value made-conf)" ] || rmdir -- "${own_directory%/*}" 2>/dev/null
    gone=yes
  else
    keep_generation "$generation"
    [ "$1" = applied ] && owed='' || owed='httpd was stopped when this was written'
    ! grep -q '/conf$' "$work/made" || journal_set made-conf yes
    journal_set owner "$owner" generation "$generation" config "$config" owed "$owed" changed "$(date +%s)" reloaded "$(date +%s)"
    write_undo && cp -- "$work/look.list" "$state/look"
  fi
  end_run "$1"
}

# What an earlier run left half-way (killed, power cut) is put back before anything else.
recover_earlier() {
  for earlier in "$state"/run.*; do
    [ "$earlier" != "$work" ] || continue
    if [ -f "$earlier/swapped" ]; then
      part "note an earlier run (${earlier##*/run.}) was interrupted; its changes are put back first"
      put_back "$earlier"
    fi
    rm -rf -- "$earlier"
  done
}

end_run() { # RESULT
  rm -f -- "$work/swapped"
  part "result $1 $judge $(journal_value generation)"
  audit change "$1 $id"
  [ -n "${quiet:-}" ] || observe
  part 'done'
  if [ "${gone:-}" = yes ]; then
    release_lock
    rm -rf -- "$state"
    rmdir -- "${state%/*}" 2>/dev/null
  fi
  exit 0
}

