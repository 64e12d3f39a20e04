# shellcheck shell=sh
# The transaction: a change is judged on a copy, and is carried out as a whole or put back as a whole.

run_made_conf='' run_loaded_files=''

# Sets the paths and settings of the server that the judge and the swap need. They come from what httpd reports about
# itself. Ends the run where openssl is missing, where httpd does not accept its live configuration, where another
# configuration file was planned for, or where another stack owns the server.
# in: config, expected_config, owner, parent, quoting_read_word, request_observe_seconds, take_over
# sets: dumped, own_directory, run_loaded_files, run_log_files, run_pid_file, run_umask, server_root, stopped_proved
prepare() {
  command -v openssl >/dev/null 2>&1 || fail openssl 'the program openssl is missing, so no judge could ask the server anything; install it'
  read_modules
  dumped=$nl$(dump) || {
    case $? in 124 | 137) fail slow "httpd's reading of its configuration ($config) took longer than $request_observe_seconds seconds: does that name a pipe, or a file on a file server that does not answer? See to that, and run again" ;; esac
    part words && printf '%s\n' "$dumped" | words_of_httpd && fail configuration "httpd does not accept its own live configuration ($config); mend it first$(limits_in_words)"
  }
  server_root=$(run_setting ServerRoot)
  own_directory=$(realpath -m -- "$server_root/conf")/clientcert
  run_pid_file=$(run_setting PidFile)
  # This is set for a running server, too: when it has ended by a later observation, the change is not in doubt.
  prove_stopped "$run_pid_file" && stopped_proved=yes
  run_loaded_files=$(included_files | resolve_paths)
  run_log_files=$(log_paths | awk '!seen[$0]++')
  run_umask=022
  [ -z "$parent" ] || run_umask=$(awk '$1 == "Umask:" { print $2 }' "/proc/$parent/status")
  [ "$expected_config" = "$config" ] || fail server "the change was planned for $expected_config, but the server here uses $config"
  read_journal
  check_owner
}

# Extends the deadline of httpd's start, reload and answers by the time for its files, and by a second for every 20
# virtual hosts that are asked. httpd loads CA and CRL files anew for each covered virtual host: 30 MB a second on a
# good machine, so 4 MB a second on any machine. Files of the change may count twice. The deadline in the request is for
# all the rest. It stays short because a server that hangs at its start is waited for twice: as candidate and as
# baseline.
# in: manifest, own_directory, work
# sets: deadline_seconds
extend_deadline() {
  deadline_seconds=$({
    printf '%s' "$manifest"
    virtual_host_addresses
    # These lines have their size where a line `own ROLE NAME HASH SIZE` of the manifest has it.
    stat -c 'own - - - %s' -- "$own_directory"/*.pem "$work"/own/*.pem 2>/dev/null
  } | awk -v seconds="$deadline_seconds" '
    $1 == "own" { bytes += $5 }
    $1 == "look" && !seen[$0]++ { hosts++ }
    $1 == "other" { others++ }
    END { printf "%d", seconds + (hosts + others) / 20 + hosts * bytes / 4000000 }')
}

# Fails where another stack made the last change of this server, and this change does not take the server over.
check_owner() {
  run_earlier_owner=$(journal_value owner)
  [ -z "$run_earlier_owner" ] || [ "$run_earlier_owner" = "$owner" ] || [ "$take_over" = yes ] ||
    fail owner "this server belongs to $run_earlier_owner; write \"config:\" for this host where another server of this machine is meant, or \"takeOver: true\" once to take this one over, as after pulumi stack rename"
}

# Prints the files that httpd will open for append, some twice: those that the live parent has open, and each log that
# the configuration names. Logs to a program (|) and to syslog are left out.
log_paths() {
  [ -z "$parent" ] || readlink -- "/proc/$parent/fd"/* 2>/dev/null | awk '/^\// && !/^\/dev\//'
  printf '%s\n' "$dumped" | server_root=$server_root awk "$quoting_read_word"'
    /^Main ErrorLog: "/ { path = $0; sub(/^[^"]*"/, "", path); sub(/"$/, "", path); print path }
    tolower($1) ~ /^(errorlog|customlog|transferlog|globallog|scriptlog|forensiclog)$/ {
      path = $0; sub(/^[ \t]*[^ \t]+[ \t]+/, "", path); path = read_word(path)
      if (path !~ /^[|]/ && path !~ /^syslog/) print absolute(path)
    }'
}

# Judges a change on a copy only, and reports the verdict. The work directory is on a tmpfs, is named after this
# process, and is removed when this process ends.
# in: manifest, own_directory, refresh
# sets: deadline_seconds, verdict, work
run_judge() {
  count_needed
  require_file_size "$room_needed"
  sweep_judges
  read_self
  work=/run/clientcert.$process_own_pid.$process_start
  mkdir -m 700 -- "$work" || fail disk "cannot write a private directory in /run$(inodes_in_words /run)"
  trap 'rm -rf -- "$work"' EXIT
  trap 'exit 1' HUP INT TERM PIPE
  receive_own_files
  build_candidates
  [ "$refresh" != yes ] || collect_for_change new
  check_targets
  extend_deadline
  [ -n "$stage_refused" ] || judge_candidate
  [ -z "$stage_refused" ] || verdict=refused
  part "result $verdict $judge $(journal_value generation)"
}

# Removes the work directories of killed judges, which are named after their process: /run/clientcert.PID.START. The
# saved output of a run that changed nothing (leave_nothing) is kept for an hour.
# in: nothing
# sets: nothing
# writes
sweep_judges() {
  for run_stale in /run/clientcert.result.*; do
    [ ! -f "$run_stale" ] || [ $(($(date +%s) - $(stat -c %Y -- "$run_stale"))) -lt 3600 ] || rm -f -- "$run_stale"
  done
  for run_stale in /run/clientcert.*.*; do
    run_judge_id=${run_stale#/run/clientcert.}
    if [ -d "$run_stale" ] &&
      ! { read_process "${run_judge_id%%.*}" && [ "$process_start" = "${run_judge_id#*.}" ]; }; then
      rm -rf -- "$run_stale"
    fi
  done
}

# Carries out a change under the lock, and ends this process. It runs detached, or in a subshell for an undo. An earlier
# change that is half done is put back first. A change then ends, because it was planned on the half-done files and has
# to be planned anew; an undo goes on, because it is planned only now.
# in: aside, config, expected_config, id, judge, mode, owner, parent, quoting_read_word, refresh, removal,
#   request_observe_seconds, state, take_over, undo_quiet
# sets: deadline_seconds, dumped, is_reported, limit_seconds, manifest, own_directory, run_loaded_files, run_log_files,
#   run_pid_file, run_umask, server_root, stopped_proved, swap_began, unreported, work
apply_detached() { # WORK
  work=$1
  take_lock
  hold "$work" 2>/dev/null || fail gone 'another run took this server out of our hands meanwhile; run again'
  read_journal
  recover_earlier
  prepare
  if [ -n "$recover_done" ]; then
    reload_restored
    [ "$mode" = undo ] || end_run recovered
  fi
  [ "$mode" != undo ] || manifest=$(undo_manifest)$nl
  build_candidates
  [ "$refresh" != yes ] || collect_for_change all
  check_targets
  extend_deadline
  # A change of files that httpd does not read needs no judge here, and no reload later.
  [ -n "$stage_refused" ] || [ "$aside" = yes ] || judge_candidate
  if [ -n "$stage_refused" ] || [ "$verdict" = refused ]; then
    end_run refused
  else
    find_unit
    change
  fi
}

# Carries out a change that was judged well, and ends this process: it swaps the files, reloads httpd and looks at the
# server. Where one of these steps fails, the change is put back. A stopped server is not started.
# in: aside, config, id, judge, mode, own_directory, owner, refresh, removal, request_observe_seconds, state,
#   state_held, undo_quiet, work
# sets: is_reported, limit_seconds, swap_began, unreported, work
# writes
change() {
  is_lock_of "$state_held" || fail gone 'another run took this server out of our hands meanwhile; run again'
  [ "$aside" = yes ] || list_answers_before
  unreported=yes
  prepare_swap
  step 'swap'
  swap_began=$(now_ticks)
  if ! swap; then
    roll_back
    end_run "$([ -n "$stage_refused" ] && echo refused || echo rolledBack)"
  elif [ "$aside" = yes ]; then
    finalize applied
  elif [ -z "$parent" ] && ! was_started_meanwhile; then
    part 'reason httpd is stopped, and stays so: start it to put the change into effect'
    finalize stopped
  else
    step 'reload and look'
    if reload && wait_for_reload && check_health; then
      finalize applied
    else
      # The end is reported even when the roll-back failed: in that case it matters most.
      roll_back
      end_run rolledBack
    fi
  fi
}

# Ends a change well, and ends this process. The change is live and healthy, or httpd is stopped. This function removes
# the files that no file names any more, and makes the change valid in one rename: that of the journal, or at a removal
# that of the state directory. A run that dies before that rename is put back by the next run. After the rename the
# change stands.
# writes
finalize() { # applied|stopped
  [ "$mode" != refresh ] || finalize_refresh "$1"
  run_generation=$(journal_value generation) run_generation=$((${run_generation:-0} + 1))
  retire_timers
  # shellcheck disable=SC2046
  swap_drops $(dropped)
  forget_timers
  remove_stages "$work"
  [ "$removal" = yes ] || commit "$1" || revert
  if [ "$removal" = yes ]; then
    # The directory above ours goes only where a change of ours made it. The state goes in one rename, and end_run
    # deletes it.
    rmdir -- "$own_directory" && [ -z "$(journal_value made-conf)" ] || rmdir -- "${own_directory%/*}" 2>/dev/null
    mv -T -- "$state" "$state.gone.$$" && work=$state.gone.$$/${work##*/}
  else
    rm -f -- "$work/swapped"
    keep_generation "$run_generation"
    # A change that asks no source, such as one that restores the customer's lines, keeps the files that the timer
    # needs.
    [ "$refresh" = yes ] || [ -f "$own_directory/refresh.conf" ] || forget_refresh
    start_timers
  fi
  end_run "$1"
}

# Puts a change back that serves well but could not be recorded, and ends this process.
# writes
revert() {
  part "reason there is no room in $state"
  read_journal
  forget_first_change
  roll_back
  end_run rolledBack
}

# Writes what the next runs need, and then makes the change valid by the journal. Fails where there is no room.
# writes
commit() { # applied|stopped
  # $work/made has the directories that this change made. A removal also removes `conf` where a change of ours made it.
  ! grep -q '/conf$' "$work/made" || run_made_conf=yes
  write_undo && { [ "$refresh" != yes ] || write_refresh; } &&
    { [ "$aside" = yes ] ||
      { cp -- "$work/look.list" "$state/look" && cp -- "$work/others.list" "$state/others"; }; } &&
    journal_end "$1" owner "$owner" generation "$run_generation" config "$config" directory "$own_directory" \
      made-conf "${run_made_conf:-$(journal_value made-conf)}"
}

# Records that the live server may run on other bytes than its files hold, and that the next change has to reload it. A
# later start of httpd settles this debt.
# in: nothing
# sets: nothing
owe() { journal_set owed "$1" changed "$(date +%s)" changed-at "$(now_ticks)"; }

# Records the debt as `owe` does, or reports it where no change has been valid yet: then nothing stays on the host that
# could hold the record.
# in: nothing
# sets: nothing
owe_or_report() { if [ -n "$(journal_value generation)" ]; then owe "$1"; else part "reason $1; reload httpd"; fi; }

# Makes the run valid: from the rename of the journal on, the change of this run stands. Also records how httpd ran,
# when it was last reloaded, and whether it has yet to read the files.
# in: aside, id, reload_signalled, reload_signalled_seconds, state, work
# sets: nothing
# writes
journal_end() { # applied|stopped [KEY VALUE …]
  [ "$1" = applied ] && run_owed='' || run_owed='httpd was stopped when this was written'
  # A server that ran at an earlier change is expected to run again, even where it was stopped at a later change.
  [ "$1" = applied ] && run_ran_as=$(ran_as) || run_ran_as=$(journal_value ran-as)
  shift
  # httpd has read nothing of this change, so what is known of its last reload stays.
  [ "$aside" = no ] || { journal_set "$@" run "$id"; return; }
  mv -f -- "$work/loaded" "$state/loaded" 2>/dev/null
  # httpd need not have read a file that was edited after our signal, so the time of that signal is recorded.
  journal_set "$@" ran-as "$run_ran_as" owed "$run_owed" changed "$(date +%s)" changed-at "$(now_ticks)" \
    reloaded "${reload_signalled_seconds:-$(date +%s)}" \
    reloaded-at "${reload_signalled:-$(now_ticks)} $(boot_id)" run "$id"
}

# Reports the result, sends an observation unless an undo runs, and ends this process.
# in: id, judge, request_observe_seconds, state, undo_quiet
# sets: is_reported, limit_seconds, unreported
# writes
end_run() { # RESULT
  unreported='' is_reported=yes
  part "result $1 $judge $(journal_value generation)"
  audit change "$1 $id"
  # The observation runs in a process of its own: a failure in it must not stop the rest from being tidied up.
  limit_seconds=$request_observe_seconds
  [ -n "${undo_quiet:-}" ] || limited observe
  part 'done'
  rm -rf -- "$state".gone.*
  rmdir -- "${state%/*}" 2>/dev/null
  exit "${undo_status:-0}"
}
