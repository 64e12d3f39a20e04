# shellcheck shell=sh
# The last line of defence. Whatever ends a run that changes something (a fault of ours, a signal, a limit), nothing
# stays half-way and the lock is given back. Only a process that is killed outright leaves that to the next one
# (recover_earlier).

# Under the lock. unreported: from where a change begins until its end is told. is_reported: that of a run, whatever it
# came to.
# in: nothing
# sets: is_reported, unreported
guard_run() {
  unreported='' is_reported=''
  trap end_carrier EXIT
  trap 'exit 1' HUP INT QUIT PIPE TERM
  # Of a limit of time; a shell may not know it.
  # shellcheck disable=SC3049
  command trap 'exit 1' XCPU 2>/dev/null || :
}

# Each in a process of its own: what fails in it must not keep the lock.
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

report_early_end() {
  carrier_unchanged="${recover_done:+an interrupted change was put back, else }nothing was changed"
  carrier_hit=$(limit_in_words "$work/errors")
  [ -z "$carrier_hit" ] || fail limit "the run could not go on: $carrier_hit; $carrier_unchanged"
  fail early "the run ended early, $(end_in_words); $carrier_unchanged; run again"
}

end_in_words() { printf 'by a signal, a limit or a fault of this program (exit status %s)' "$carrier_status"; }

# Whatever the shell was in the middle of; a subshell forgets its traps. A signal is not ignored, because httpd would
# inherit that where it is started again.
calm_down() {
  trap : HUP INT QUIT PIPE TERM
  set +fu
  IFS=" $tab$nl"
}

# Valid and only not tidied up, or put back.
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

# A removal is, once there is no state left.
is_change_valid() {
  if [ "$removal" = yes ]; then [ ! -d "$state" ]; else [ "$(journal_value run)" = "$id" ]; fi
}
