# shellcheck shell=sh
# Our state on the host: lock, journal, bytes of earlier generations. $state is /var/lib/clientcert/INSTANCE, root only.

# in: nothing
# sets: nothing
fail_no_room() { fail disk "no room in $state$(inodes_in_words "$state"); nothing was changed"; }

# in: nothing
# sets: nothing
boot_id() { read -r state_boot </proc/sys/kernel/random/boot_id && printf %s "$state_boot"; }

# Is the process of a line `PID START BOOT` still the same one?
# in: nothing
# sets: nothing
is_alive() { # PID START BOOT
  [ $# -eq 3 ] && [ "$3" = "$(boot_id)" ] && read_process "$1" && [ "$process_start" = "$2" ]
}

# One run at a time on this server, whoever starts it: a stack, the timer, a hand. A lock whose process is gone is taken
# over. It comes into being by a rename, with its holder's name inside, and a rename onto it fails for as long as the
# name is there.
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

# A run of the timer ends soon, and nobody who makes a change knows of it.
may_wait() {
  [ "$state_waited" -lt "$state_lock_wait_seconds" ] || { [ "$state_waited" -lt 120 ] && is_refresh "$state_holder"; }
}

is_refresh() { # HOLDER
  grep -qsxF -e "$1" -- "$state"/run.refresh-*/holder
}

# in: nothing
# sets: nothing
is_lock_of() { # HOLDER
  [ -f "$state/lock/holder" ] && [ "$(cat -- "$state/lock/holder")" = "$1" ]
}

# Somebody else may have been quicker, and this one is theirs already: given back.
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

# Of runs that were killed while they broke one.
# writes
sweep_locks() {
  for state_left in "$state"/lock.stale.*; do
    [ ! -d "$state_left" ] || read_process "${state_left##*.}" || rm -rf -- "$state_left"
  done
}

# Says in DIRECTORY that it belongs to this process.
# in: nothing
# sets: nothing
# writes
hold() { # DIRECTORY
  read_self && printf '%s %s %s\n' "$process_own_pid" "$process_start" "$(boot_id)" >"$1/holder"
}

# in: nothing
# sets: nothing
is_held() { # DIRECTORY
  # shellcheck disable=SC2046
  is_alive $(cat -- "$1/holder" 2>/dev/null)
}

# in: nothing
# sets: nothing
release_lock() { break_lock "$state_held" || :; }

# Lines `key value`, held with a line end in front so that a key is found by it.
# in: nothing
# sets: state_journal
read_journal() {
  state_journal=$nl
  [ ! -f "$state/journal" ] || state_journal=$nl$(cat -- "$state/journal")
}

# in: nothing
# sets: nothing
journal_value() { # KEY
  case $state_journal in
    *"$nl$1 "*) state_value=${state_journal##*"$nl$1 "} && printf %s "${state_value%%"$nl"*}" ;;
  esac
}

# Rewrites the journal in one rename, so that it is never half written.
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

# What a look at the host should know of runs: idle, running ID, or interrupted ID (its process is gone, its swap was
# begun).
# in: nothing
# sets: nothing
state_of_transaction() {
  for state_begun in "$state"/run.*; do
    is_half_done "$state_begun" || continue
    if is_held "$state_begun"; then
      echo "running ${state_begun##*/run.}"
    else
      echo "interrupted ${state_begun##*/run.}"
    fi
    return
  done
  echo idle
}

# The journal names the last run that ended well: from then on its swap is not put back, whatever is still to be tidied
# up.
# in: nothing
# sets: nothing
is_half_done() { # WORK
  [ -f "$1/swapped" ] && [ -s "$1/directory" ] && [ "$(journal_value run)" != "${1##*/run.}" ]
}

# The bytes of before, of the last three changes.
# in: work
# sets: nothing
# writes
keep_generation() { # NUMBER
  mkdir -p -- "$state/generations"
  rm -rf -- "$state/generations/$1"
  mv -- "$work/before" "$state/generations/$1"
  for state_old in "$state"/generations/*; do
    [ "${state_old##*/}" -gt $(($1 - 3)) ] || rm -rf -- "$state_old"
  done
}
