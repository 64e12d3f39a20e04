# shellcheck shell=sh
# Our state on the host: the lock, the journal, and the bytes of earlier generations. $state is
# /var/lib/clientcert/INSTANCE, which only root can read.

# in: nothing
# sets: nothing
fail_no_room() { fail disk "no room in $state$(inodes_in_words "$state"); nothing was changed"; }

# in: nothing
# sets: nothing
boot_id() { read -r state_boot </proc/sys/kernel/random/boot_id && printf %s "$state_boot"; }

# Checks whether the process of a line `PID START BOOT` is still the same one.
# in: nothing
# sets: nothing
is_alive() { # PID START BOOT
  [ $# -eq 3 ] && [ "$3" = "$(boot_id)" ] && read_process "$1" && [ "$process_start" = "$2" ]
}

# Takes the lock of this server, or fails where another run keeps it longer than may_wait allows. Only one run works on
# a server at a time, whether a stack, the timer or a person starts it. A lock whose process has ended is taken over;
# after 20 attempts that is given up. The lock is a directory that is made by a rename and already holds the name of its
# holder. A rename onto it fails as long as that name is in it. state_held is that name: the line `PID START BOOT` of
# this process.
# in: work
# sets: state_held
# writes
take_lock() { # [SECONDS]: how long another run is waited for
  [ -d "$work" ] || fail gone 'another run took this server out of our hands meanwhile; run again'
  mkdir -- "$work/lock" && hold "$work/lock" || fail disk "cannot write $work; make room or mount it writable"
  state_held=$(cat -- "$work/lock/holder") state_tries=0 state_waited=0 state_lock_wait_seconds=${1:-0}
  until mv -T -- "$work/lock" "$state/lock" 2>/dev/null; do
    state_holder=$(cat -- "$state/lock/holder" 2>/dev/null)
    # shellcheck disable=SC2086
    if is_alive $state_holder; then
      may_wait || fail locked "another run works on this server (process ${state_holder%% *}); wait until it has ended"
      state_waited=$((state_waited + 1)) && sleep 1
    else
      [ "$state_tries" -lt 20 ] || fail disk "$state/lock: cannot be taken over from a run that has ended; look at this directory, and delete it"
      state_tries=$((state_tries + 1))
      break_lock "$state_holder" || sleep 0.1
    fi
  done
  guard_run
  sweep_locks
}

# Checks whether take_lock may go on waiting. It waits as long as its caller says. A refresh is waited for up to 120
# seconds: it ends soon, and the person who makes a change does not know of it.
may_wait() {
  [ "$state_waited" -lt "$state_lock_wait_seconds" ] || { [ "$state_waited" -lt 120 ] && is_refresh "$state_holder"; }
}

# Checks whether the run that has this holder line is a refresh.
is_refresh() { # HOLDER
  grep -qsxF -e "$1" -- "$state"/run.refresh-*/holder
}

# Checks whether the lock is held with this holder line.
# in: nothing
# sets: nothing
is_lock_of() { # HOLDER
  [ -f "$state/lock/holder" ] && [ "$(cat -- "$state/lock/holder")" = "$1" ]
}

# Breaks the lock of HOLDER, and fails where HOLDER does not hold it any more. Another run may break and take the lock
# between the check and the rename. In that case the lock is given back to it.
# in: nothing
# sets: nothing
# writes
break_lock() { # HOLDER
  is_lock_of "$1" || return 1
  state_stale=$state/lock.stale.$$
  mv -T -- "$state/lock" "$state_stale" 2>/dev/null || return 1
  [ "$(cat -- "$state_stale/holder" 2>/dev/null)" = "$1" ] || mv -T -- "$state_stale" "$state/lock"
  rm -rf -- "$state_stale"
}

# Removes what is left of runs that were killed while they broke a lock. The name of such a directory ends with the PID
# of the run, and one whose process runs is left alone.
# writes
sweep_locks() {
  for state_stale_lock in "$state"/lock.stale.*; do
    [ ! -d "$state_stale_lock" ] || read_process "${state_stale_lock##*.}" || rm -rf -- "$state_stale_lock"
  done
}

# Writes into DIRECTORY that it belongs to this process: the line `PID START BOOT` in the file holder.
# in: nothing
# sets: nothing
# writes
hold() { # DIRECTORY
  read_self && printf '%s %s %s\n' "$process_own_pid" "$process_start" "$(boot_id)" >"$1/holder"
}

# Checks whether the process that holds a directory still runs.
# in: nothing
# sets: nothing
is_held() { # DIRECTORY
  # shellcheck disable=SC2046
  is_alive $(cat -- "$1/holder" 2>/dev/null)
}

# Gives the lock back, unless another run has it by now. Never fails.
# in: nothing
# sets: nothing
release_lock() { break_lock "$state_held" || :; }

# Reads the journal, which has lines `key value`. It is held with a line end in front, so that a key can be found by the
# line end before it.
# in: nothing
# sets: state_journal
read_journal() {
  state_journal=$nl
  [ ! -f "$state/journal" ] || state_journal=$nl$(cat -- "$state/journal")
}

# Prints the value of a key, and nothing where the journal has no such key.
# in: nothing
# sets: nothing
journal_value() { # KEY
  case $state_journal in
    *"$nl$1 "*) state_value=${state_journal##*"$nl$1 "} && printf %s "${state_value%%"$nl"*}" ;;
  esac
}

# Sets keys of the journal, or removes those whose VALUE is empty. Fails where it cannot be written. The journal is
# rewritten in one rename, so that it is never half written.
# in: nothing
# sets: state_journal
# writes
journal_set() { # KEY VALUE [KEY VALUE …]
  while [ $# -gt 0 ]; do
    state_key=$1 state_value=$2
    state_journal=$nl$(printf '%s\n' "$state_journal" | awk -v key="$state_key" '$1 != key && NF')
    [ -z "$state_value" ] || state_journal=$state_journal$nl$state_key' '$state_value
    shift 2
  done
  printf '%s\n' "$state_journal" >"$state/journal.new" && sync -- "$state/journal.new" &&
    mv -f -- "$state/journal.new" "$state/journal"
}

# Prints what an observation reports about runs: `running ID` or `interrupted ID` of the first run that has begun its
# swap and is not valid yet, or `idle`. A run is interrupted when its process has ended.
# in: nothing
# sets: nothing
state_of_transaction() {
  for state_run in "$state"/run.*; do
    is_half_done "$state_run" || continue
    if is_held "$state_run"; then
      echo "running ${state_run##*/run.}"
    else
      echo "interrupted ${state_run##*/run.}"
    fi
    return
  done
  echo idle
}

# Checks whether a run has begun its swap and its change is not valid. The journal names the last run that ended well.
# From that moment the swap of this run is not put back any more, even where there is still something to tidy up.
# WORK/directory names the directory to put back; without that name nothing could be.
# in: nothing
# sets: nothing
is_half_done() { # WORK
  [ -f "$1/swapped" ] && [ -s "$1/directory" ] && [ "$(journal_value run)" != "${1##*/run.}" ]
}

# Keeps the bytes from before the change NUMBER under that number. The bytes from before the last three changes are
# kept.
# in: work
# sets: nothing
# writes
keep_generation() { # NUMBER
  mkdir -p -- "$state/generations"
  rm -rf -- "$state/generations/$1"
  mv -- "$work/before" "$state/generations/$1"
  for state_generation in "$state"/generations/*; do
    [ "${state_generation##*/}" -gt $(($1 - 3)) ] || rm -rf -- "$state_generation"
  done
}
