# shellcheck shell=sh
# The end of a look that waits for ever: for a pipe that nobody writes to, or a file server that does not answer. Its caller
# gives up, and sshd ends nothing, so root's processes would stay on the host: here it ends with everything it has started.

# doing SUBJECT [HINT]: what may take for ever, for whoever is told so in the end. No process, no output.
doing() {
  [ -z "$is_limited" ] || printf '%s\t%s\n' "$1" "${2:-: is it a pipe, or on a file server that does not answer? See to that, and run again}" >&8
}

# Runs COMMAND for at most $limit_seconds. Its answer takes its own way; what it says of its doings comes through a pipe.
limited() { # COMMAND…
  {
    doings=$(
      exec 8>&1 >&7 7>&-
      is_limited=yes
      read_self
      end_in_time "$own_pid" "$process_start" &
      printf '%s\n' "$!" >&8
      doing 'the look at this host'
      "$@"
    )
    limited_status=$?
  } 7>&1
  case $doings in
    *"${nl}late")
      doings=${doings%"${nl}late"} doings=${doings##*"$nl"}
      part "error slow ${doings%%"$tab"*} took longer than $limit_seconds seconds${doings#*"$tab"}"
      part 'done'
      return 1
      ;;
  esac
  kill "${doings%%"$nl"*}" 2>/dev/null
  return "$limited_status"
}

# Beside the look. Its caller reads a pipe until all who hold it have ended, and so knows that nothing is left.
end_in_time() { # PROCESS START
  # By exec: a shell that is to undo it would keep copies, and whoever reads the answer would wait for this one.
  exec </dev/null >/dev/null 2>&1 8>&-
  trap 'kill "$!"; exit' TERM
  left=$limit_seconds
  # In steps: where whoever would end this one was killed, it ends soon after the look.
  while [ "$left" -gt 0 ]; do
    [ "$left" -lt 5 ] && nap=$left || nap=5
    sleep "$nap" &
    wait "$!"
    read_process "$1" && [ "$process_start" = "$2" ] || exit
    left=$((left - nap))
  done
  exec 8>"/proc/$1/fd/8" || exit
  end_tree "$1"
  echo late >&8
}

# Stopped first, so that none can start another one meanwhile. PROCESS itself may tidy up.
end_tree() { # PROCESS
  read_self
  tree='' found=" $1"
  while [ -n "$found" ]; do
    # shellcheck disable=SC2086
    kill -STOP $found
    tree="$tree$found "
    find_children
  done
  tree=${tree#" $1 "}
  kill -TERM "$1"
  # shellcheck disable=SC2086
  [ -z "${tree% }" ] || kill -KILL $tree
  kill -CONT "$1"
  tries=0
  while read_process "$1" && [ "$tries" -lt 20 ]; do tries=$((tries + 1)) && sleep 0.1; done
  kill -KILL "$1"
}

# Those of the tree's processes that are not in it yet. A run that changes something is left alone: it ends by itself.
find_children() {
  found=''
  for entry in /proc/[0-9]*; do
    case "$tree $own_pid " in *" ${entry#/proc/} "*) continue ;; esac
    read_process "${entry#/proc/}" || continue
    case $tree in *" $process_parent "*) is_carrier "${entry#/proc/}" || found="$found ${entry#/proc/}" ;; esac
  done
}

is_carrier() { # PROCESS
  command_line=''
  IFS= read -r command_line 2>/dev/null <"/proc/$1/cmdline"
  case $command_line in *programcarry-out/*) return 0 ;; *) return 1 ;; esac
}

# httpd that reads its whole configuration: it waits for ever where that names a pipe that nobody writes to. Ends with 124 or 137 then.
httpd_in_time() { # ARGS…
  if [ -n "$is_limited" ]; then
    doing "httpd's reading of its configuration ($config)" ': does that name a pipe, or a file on a file server that does not answer? See to that, and run again'
    httpd "$@"
  else
    httpd_for "$look_seconds" "$@"
  fi
}

# httpd with an end of its own, for whoever is not limited. Ends with 124 or 137 then.
httpd_for() { # SECONDS ARGS…
  (
    arguments=-k${nl}1$nl$1$nl$program$nl$arguments program=$(command -v timeout)
    shift
    httpd "$@"
  )
}
