# shellcheck shell=sh
# Puts back what earlier runs have left, and removes what a first change that never became valid would leave.

recover_done=''

# Puts back what an earlier run left half done (it was killed, or the power was cut), before anything else is done.
# Removes the work directories of all other runs that have ended. Sets recover_done where something was put back, and
# ends this run where that failed. The journal first records that httpd has yet to read the bytes of before, because
# this run may die, too.
# in: state, work
# sets: own_directory, recover_done
# writes
recover_earlier() {
  recover_done=''
  for recover_run in "$state"/run.*; do
    [ -d "$recover_run" ] && [ "$recover_run" != "$work" ] || continue
    ! is_held "$recover_run" || continue
    if is_half_done "$recover_run"; then
      part "note an earlier run (${recover_run##*/run.}) was interrupted; its changes were put back first"
      owe 'an interrupted change was put back, and httpd has not been reloaded since'
      own_directory=$(cat -- "$recover_run/directory")
      put_back "$recover_run" || fail disk "an interrupted change ($recover_run) could not be put back; make room in $own_directory, and run again"
      recover_done=yes
    fi
    rm -rf -- "$recover_run"
  done
}

# Reloads the server after a recovery, and settles the debt in the journal once the server runs on the right bytes.
# Where that cannot be reached, the debt stays. A stopped server reads these bytes at its start.
# in: parent, state
# sets: nothing
# writes
reload_restored() {
  [ -z "$parent" ] || restore_live yes || return 0
  journal_set owed ''
  forget_first_change
}

# Removes every record of a first change that never became valid. Does nothing where a change has been valid.
# in: state
# sets: nothing
# writes
forget_first_change() {
  [ -z "$(journal_value generation)" ] || return 0
  rm -f -- "$state/journal" "$state/journal.new" "$state/undo" "$state/undo.new" "$state/program" "$state/program.new" \
    "$state/edited" "$state/edited.new" "$state/loaded" "$state/look" "$state/others"
  forget_refresh
}
