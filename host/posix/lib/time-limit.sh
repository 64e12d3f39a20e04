# shellcheck shell=sh
# The time limit of an observation. An observation can wait for ever, for a pipe that nobody writes to or for a file
# server that does not answer. Its caller gives up, but sshd ends no process, so root's processes would stay on the
# host. This file ends the observation with everything that it has started.

time_limit_is_on=''

# doing SUBJECT [HINT]: notes what is done now and may take for ever, for the error message of the time limit. Does
# nothing outside of `limited`. It starts no process and prints nothing.
# in: nothing
# sets: nothing
doing() {
  [ -z "$time_limit_is_on" ] || printf '%s\t%s\n' "$1" "${2:-: is it a pipe, or on a file server that does not answer? See to that, and run again}" >&8
}

# Runs COMMAND for at most $limit_seconds, and returns its exit status. Where the time was up, reports what was being
# done as an error, and returns 1. The answer of COMMAND goes directly to standard output. What `doing` notes comes
# through a pipe into time_limit_doings. Its first line is the PID of end_when_late, and its last line is `late` where
# the time was up. Descriptor 7 is the real standard output, and descriptor 8 is the pipe.
# in: limit_seconds
# sets: nothing
limited() { # COMMAND…
  {
    time_limit_doings=$(
      # The pipe becomes 8, and the real standard output becomes 1 again.
      exec 8>&1 >&7 7>&-
      time_limit_is_on=yes
      read_self
      end_when_late "$process_own_pid" "$process_start" &
      printf '%s\n' "$!" >&8
      doing 'the look at this host'
      "$@"
    )
    time_limit_status=$?
  } 7>&1
  case $time_limit_doings in
    *"${nl}late")
      # The line before `late` is what was being done: SUBJECT, tab, HINT.
      time_limit_doings=${time_limit_doings%"${nl}late"} time_limit_doings=${time_limit_doings##*"$nl"}
      set -- "${time_limit_doings%%"$tab"*}" "${time_limit_doings#*"$tab"}"
      part "error slow $1 took longer than $limit_seconds seconds$2"
      part 'done'
      return 1
      ;;
  esac
  # COMMAND ended in time, so end_when_late has nothing to wait for.
  kill "${time_limit_doings%%"$nl"*}" 2>/dev/null
  return "$time_limit_status"
}

# Runs beside the observation, which is PROCESS. When $limit_seconds are over, ends it with all its descendants and
# writes `late` into its pipe. START is the start time of PROCESS, because another process may have its number by then.
end_when_late() { # PROCESS START
  # This process must not hold the pipes of the answer, or their reader would wait for it. `exec` gives them up for
  # good; with `{ …; } >/dev/null` the shell would keep copies of them.
  exec </dev/null >/dev/null 2>&1 8>&-
  trap 'kill "$!"; exit' TERM
  time_limit_left=$limit_seconds
  # The wait has steps of 5 seconds. So this process ends soon after the observation, even where `limited`, which ends
  # it otherwise, was killed.
  while [ "$time_limit_left" -gt 0 ]; do
    [ "$time_limit_left" -lt 5 ] && time_limit_nap=$time_limit_left || time_limit_nap=5
    sleep "$time_limit_nap" &
    wait "$!"
    read_process "$1" && [ "$process_start" = "$2" ] || exit
    time_limit_left=$((time_limit_left - time_limit_nap))
  done
  # PROCESS still holds the pipe, so it is opened again through it.
  exec 8>"/proc/$1/fd/8" || exit
  end_tree "$1"
  echo late >&8
}

# Ends PROCESS and all its descendants. They are stopped first, so that none can start another one meanwhile. PROCESS
# itself gets two seconds to tidy up before it is killed.
end_tree() { # PROCESS
  read_self
  time_limit_tree='' time_limit_new=" $1"
  while [ -n "$time_limit_new" ]; do
    # shellcheck disable=SC2086
    kill -STOP $time_limit_new
    time_limit_tree="$time_limit_tree$time_limit_new "
    find_children
  done
  time_limit_tree=${time_limit_tree#" $1 "}
  kill -TERM "$1"
  # shellcheck disable=SC2086
  [ -z "${time_limit_tree% }" ] || kill -KILL $time_limit_tree
  kill -CONT "$1"
  time_limit_tries=0
  while read_process "$1" && [ "$time_limit_tries" -lt 20 ]; do
    time_limit_tries=$((time_limit_tries + 1)) && sleep 0.1
  done
  kill -KILL "$1"
}

# Sets time_limit_new to the children of the tree that are not in it yet, without this process itself. A run that
# changes something is left alone: it ends by itself.
find_children() {
  time_limit_new=''
  for time_limit_entry in /proc/[0-9]*; do
    case "$time_limit_tree $process_own_pid " in *" ${time_limit_entry#/proc/} "*) continue ;; esac
    read_process "${time_limit_entry#/proc/}" || continue
    case $time_limit_tree in
      *" $process_parent "*)
        is_carrier "${time_limit_entry#/proc/}" || time_limit_new="$time_limit_new ${time_limit_entry#/proc/}"
        ;;
    esac
  done
}

# Checks whether a process carries a change out: `/bin/sh WORK/program carry-out WORK`.
is_carrier() { # PROCESS
  time_limit_command_line=''
  # `read` leaves out the zero bytes between the arguments.
  IFS= read -r time_limit_command_line 2>/dev/null <"/proc/$1/cmdline"
  case $time_limit_command_line in *programcarry-out/*) return 0 ;; *) return 1 ;; esac
}

# Runs httpd so that it reads its whole configuration. httpd waits for ever where its configuration names a pipe that
# nobody writes to. Within `limited` it has no limit of its own, because the whole observation ends when the time is up.
# Elsewhere it has request_observe_seconds, and the exit status is 124 or 137 when they are over.
# in: config, program, request_observe_seconds
# sets: nothing
httpd_in_time() { # ARGS…
  if [ -n "$time_limit_is_on" ]; then
    doing "httpd's reading of its configuration ($config)" \
      ': does that name a pipe, or a file on a file server that does not answer? See to that, and run again'
    httpd "$@"
  else
    httpd_for "$request_observe_seconds" "$@"
  fi
}

# Runs httpd with a time limit of its own, where no `limited` is around it. The exit status is 124 or 137 when the time
# is up.
# in: program
# sets: nothing
httpd_for() { # SECONDS ARGS…
  (
    # `timeout -k 1 SECONDS PROGRAM` takes the place of the program, because httpd runs its program in the surroundings
    # of the live parent.
    arguments=-k${nl}1$nl$1$nl$program$nl$arguments program=$(command -v timeout)
    shift
    httpd "$@"
  )
}
