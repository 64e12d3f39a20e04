# shellcheck shell=sh
# What earlier runs have left, and what a first change that never became valid would leave.

recover_done=''

# What an earlier run left half-way (killed, power cut) is put back before anything else. That httpd has yet to read it
# is in the journal first, for this run may die, too.
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

# After a recovery. A server that is stopped reads the right bytes at its start.
# in: parent, state
# sets: nothing
# writes
reload_restored() {
  [ -z "$parent" ] || restore_live yes || return 0
  journal_set owed ''
  forget_first_change
}

# A first change that never became valid leaves no record on the host.
# in: state
# sets: nothing
# writes
forget_first_change() {
  [ -z "$(journal_value generation)" ] || return 0
  rm -f -- "$state/journal" "$state/journal.new" "$state/undo" "$state/undo.new" "$state/program" "$state/program.new" \
    "$state/edited" "$state/edited.new" "$state/loaded" "$state/look" "$state/others"
  forget_refresh
}
