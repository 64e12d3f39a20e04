# shellcheck shell=sh
# The carrier is the process that carries a change out. This file is its last safeguard: whatever ends its run (a fault
# of this program, a signal, a limit), no change stays half done and the lock is released. Only a process that is killed
# outright leaves that to the next run (recover_earlier).

# Sets the traps of a run that changes something. It is called with the lock held. `unreported` is set from the
# beginning of a change until its end is reported. `is_reported` is set when the end of the run is reported, whatever
# its result.
# in: nothing
# sets: is_reported, unreported
guard_run() {
  unreported='' is_reported=''
  trap end_carrier EXIT
  trap 'exit 1' HUP INT QUIT PIPE TERM
  # A limit of processor time sends this signal. A shell may not know its name.
  # shellcheck disable=SC3049
  command trap 'exit 1' XCPU 2>/dev/null || :
}

# Runs when the process ends, whatever ends it, and releases the lock. Before that it settles a change whose end was not
# reported: it is put back, or tidied up. Where no change had begun, it reports a run that failed without a report. Each
# of these two steps runs in a process of its own, so that a failure in it cannot keep the lock. The exit status is that
# of settling the change, 1 after such a report, else the one with which the run ended.
end_carrier() {
  carrier_status=$?
  calm_down
  if [ -n "$unreported" ]; then
    (calm_down; settle_change)
    carrier_status=$?
  elif [ -z "$is_reported" ] && [ "$carrier_status" != 0 ]; then
    (calm_down; report_early_end)
    carrier_status=1
  fi
  release_lock
  exit "$carrier_status"
}

# Reports a run that ended before it changed anything, and ends this process. Names the limit that was hit, where the
# errors show one.
report_early_end() {
  carrier_unchanged="${recover_done:+an interrupted change was put back, else }nothing was changed"
  carrier_hit=$(limit_in_words "$work/errors")
  [ -z "$carrier_hit" ] || fail limit "the run could not go on: $carrier_hit; $carrier_unchanged"
  fail early "the run ended early, $(end_in_words); $carrier_unchanged; run again"
}

end_in_words() { printf 'by a signal, a limit or a fault of this program (exit status %s)' "$carrier_status"; }

# Restores the shell's settings, whatever it was doing. A subshell forgets its traps, so it calls this again. A signal
# gets a trap that does nothing and is not ignored, because httpd would inherit an ignored signal where it is started
# again.
calm_down() {
  trap : HUP INT QUIT PIPE TERM
  set +fu
  IFS=" $tab$nl"
}

# Settles a change whose run ended early, reports the result, and ends this process. A change that is valid already only
# has to be tidied up. Any other change is put back.
# writes
settle_change() {
  unreported=''
  read_journal
  if is_change_valid; then
    part "note the run ended early, $(end_in_words), when its change stood already; run again, which does what is left"
    [ "$mode" != refresh ] || end_refresh updated
    end_run "$([ -n "$parent" ] && echo applied || echo stopped)"
  fi
  part "reason the run ended early, $(end_in_words); its change is put back"
  swap_began=${swap_began:-$(now_ticks)}
  forget_first_change
  roll_back
  end_run rolledBack
}

# Checks whether the change of this run is valid: the journal names this run. A removal is valid when the state
# directory has gone.
is_change_valid() {
  if [ "$removal" = yes ]; then [ ! -d "$state" ]; else [ "$(journal_value run)" = "$id" ]; fi
}
