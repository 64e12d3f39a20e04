# shellcheck shell=sh
# Reloads the live server, and waits until it serves what it was told to read.

reload_signalled='' reload_signalled_seconds=''

# Signals httpd to reload (SIGUSR1), once it accepts its configuration. Fails where it does not, and prints its words.
# Fails with a reason where the pid file does not name the httpd that was looked at: a stale pid file may name any
# process. reload_signalled gets the time just before the signal.
# in: parent, run_pid_file, server_parent_start, state, undo_our_line, work
# sets: reload_signalled, reload_signalled_seconds
# writes
reload() {
  if ! reload_words=$(httpd_in_time -t); then
    part words && printf '%s\n' "$reload_words" | words_of_httpd
    return 1
  fi
  keep_loaded
  # Where others may write into its directory, the pid file may be a pipe that nobody writes to.
  reload_named=$(inside timeout 5 cat -- "$run_pid_file" 2>/dev/null)
  read_process "$parent" && [ "$process_start" = "$server_parent_start" ] && [ "$reload_named" = "$parent" ] || {
    part "reason the pid file $run_pid_file does not name the httpd that was looked at (process $parent); not signalled"
    return 1
  }
  reload_signalled=$(now_ticks) reload_signalled_seconds=$(date +%s)
  kill -USR1 "$parent"
}

# Writes $work/loaded: a line `HASH  PATH` for each file with our lines, as httpd is about to read it. The hashes leave
# our lines out. A file that still has its hash later has no unfinished edit.
keep_loaded() {
  {
    cat -- "$state/edited" 2>/dev/null
    cut -f 4 "$work/edit.list"
  } | sort -u | while IFS= read -r reload_path; do
    # sha256sum prints the hash and `-`, which stands for its input.
    reload_bare=$(grep -av "$undo_our_line" -- "$reload_path" | sha256sum) &&
      printf '%s  %s\n' "${reload_bare%% *}" "$reload_path"
  done >"$work/loaded"
}

# Checks whether the parent that was looked at still runs, and no later process with its PID.
# in: parent, server_parent_start
# sets: nothing
is_parent_alive() { read_process "$parent" && [ "$process_start" = "$server_parent_start" ]; }

# Checks whether a child of httpd began after the signal (SINCE), because such a child serves the new configuration. A
# program that httpd pipes its log to does not count. It may start before the configuration was found good, or because
# somebody ended the earlier program.
# in: parent
# sets: nothing
has_new_child() { # SINCE
  for reload_entry in /proc/[0-9]*; do
    read_process "${reload_entry#/proc/}" || continue
    # shellcheck disable=SC3013 # dash and busybox ash have -ef.
    if [ "$process_parent" = "$parent" ] && [ "$process_start" -ge "$1" ] &&
      [ "$reload_entry/exe" -ef "/proc/$parent/exe" ]; then
      return 0
    fi
  done
  return 1
}

# Waits until a new child of httpd shows that the reload was done. Fails where the parent ends, or after the deadline.
# in: deadline_seconds, parent, server_parent_start
# sets: nothing
wait_for_reload() {
  reload_tries=0
  while [ "$reload_tries" -lt $((deadline_seconds * 10)) ]; do
    is_parent_alive || return 1
    has_new_child "$reload_signalled" && return 0
    reload_tries=$((reload_tries + 1))
    sleep 0.1
  done
  return 1
}
