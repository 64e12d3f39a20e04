# shellcheck shell=sh
# Our state on the host: lock, journal, bytes of earlier generations. $state is /var/lib/clientcert/INSTANCE, root only.

boot_id() { cat /proc/sys/kernel/random/boot_id; }

# Is the process of a line `PID START BOOT` still the same one?
is_alive() { # PID START BOOT
  [ $# -eq 3 ] && [ "$3" = "$(boot_id)" ] && read_process "$1" && [ "$process_start" = "$2" ]
}

# One run at a time on this server, whoever starts it: a stack, the timer, a hand. A lock whose process is gone is taken over.
take_lock() {
  mkdir -p -m 700 -- "$state" || fail disk "cannot write $state; make room or mount it writable"
  tries=0
  until mkdir -- "$state/lock" 2>/dev/null; do
    holder=$(cat -- "$state/lock/holder" 2>/dev/null)
    # shellcheck disable=SC2086
    if [ -z "$holder" ] && [ "$tries" -lt 20 ]; then
      tries=$((tries + 1)) && sleep 0.1
    elif is_alive $holder; then
      fail locked "another run works on this server (process ${holder%% *}); wait until it has ended"
    else
      mv -- "$state/lock" "$state/lock.stale.$$" 2>/dev/null && rm -rf -- "$state/lock.stale.$$"
    fi
  done
  read_process "$$"
  printf '%s %s %s\n' "$$" "$process_start" "$(boot_id)" >"$state/lock/holder"
  trap 'release_lock' EXIT
}

release_lock() { rm -rf -- "$state/lock"; }

# Lines `key value`, held with a line end in front so that a key is found by it.
read_journal() {
  journal=$nl
  [ ! -f "$state/journal" ] || journal=$nl$(cat -- "$state/journal")
}

journal_value() { # KEY
  case $journal in *"$nl$1 "*) value=${journal##*"$nl$1 "} && printf %s "${value%%"$nl"*}" ;; esac
}

# Rewrites the journal in one rename, so that it is never half written.
journal_set() { # KEY VALUE [KEY VALUE …]
  while [ $# -gt 0 ]; do
    key=$1 value=$2
    journal=$nl$(printf '%s\n' "$journal" | awk -v key="$key" '$1 != key && NF')
    [ -z "$value" ] || journal=$journal$nl$key' '$value
    shift 2
  done
  printf '%s\n' "$journal" >"$state/journal.new" && sync -- "$state/journal.new" && mv -f -- "$state/journal.new" "$state/journal"
}

# What a look at the host should know of runs: idle, running ID, or interrupted ID (its process is gone, its swap was begun).
state_of_transaction() {
  set -- "$state"/run.*/swapped
  if [ ! -f "$1" ]; then
    echo idle
    return
  fi
  id_seen=${1%/swapped} id_seen=${id_seen##*/run.}
  # shellcheck disable=SC2046
  if is_alive $(cat -- "$state/lock/holder" 2>/dev/null); then echo "running $id_seen"; else echo "interrupted $id_seen"; fi
}

# The bytes of before, of the last three changes.
keep_generation() { # NUMBER
  mkdir -p -- "$state/generations"
  rm -rf -- "$state/generations/$1"
  mv -- "$work/before" "$state/generations/$1"
  for old in "$state"/generations/*; do
    [ "${old##*/}" -gt $(($1 - 3)) ] || rm -rf -- "$old"
  done
}
