# shellcheck shell=sh
# The processes of this host, as /proc shows them. The name of a process was chosen by whoever started it, so it is not
# trusted.

# Checks by the name of a program file whether it is an httpd. process_httpd_name is the name of the program in the site
# file.
is_httpd() { # PATH
  case ${1##*/} in
    httpd | apache2 | httpd2 | "${process_httpd_name:-httpd}") return 0 ;;
    # These are the names of Red Hat and SUSE. An httpd that is not known by its name would be taken for stopped.
    httpd*[.-]worker | httpd*[.-]event | httpd*[.-]prefork | apache2-worker | apache2-event | apache2-prefork)
      return 0
      ;;
  esac
  return 1
}

# Sets process_parent and process_start (clock ticks since boot). Fails for a process that has ended and is not yet
# collected by its parent, and for a PID that is not a number, because a pid file may not be httpd's.
# in: nothing
# sets: process_parent, process_start
read_process() { # PID, or self
  case $1 in self) ;; '' | *[!0-9]*) return 1 ;; esac
  process_text='' process_line=''
  # Anybody can give a process any name, with line ends, blanks and parentheses. So all lines are read.
  while IFS= read -r process_line || [ -n "$process_line" ]; do
    process_text=$process_text$process_line$nl
  done 2>/dev/null <"/proc/$1/stat" || return 1
  # The fields that are needed stand behind the last parenthesis and are numbers. IFS is set because callers may have
  # another one.
  process_text=${process_text##*)} process_fields_ifs=$IFS IFS=" $nl"
  # shellcheck disable=SC2086
  set -- $process_text
  IFS=$process_fields_ifs
  [ $# -ge 20 ] || return 1
  # The state is field 3 of proc(5) and $1 here. So $2 is field 4 (ppid), and ${20} is field 22 (starttime).
  process_parent=$2 process_start=${20}
  # Z and X are the states of a process that has ended.
  case $1 in Z | X) return 1 ;; esac
}

# Sets process_own_pid and process_start of the process that calls this. In a subshell `$$` would be the shell that
# waits for it.
# in: nothing
# sets: process_own_pid, process_parent, process_start
read_self() { IFS=' ' read -r process_own_pid _ 2>/dev/null </proc/self/stat && read_process self; }

# Prints the time now in clock ticks since boot, of which every Linux has 100 a second. It is called as $(now_ticks):
# the subshell begins at that moment, so the start of this process is the time now. /proc/uptime is not used, because a
# container may have another clock there than for the starts of processes, with which this value is compared.
# in: nothing
# sets: process_parent, process_start
now_ticks() { read_process self && printf %s "$process_start"; }

# Sets process_httpd_pids (httpd parents that run as root), process_foreign_pids (httpd parents of other users), both in
# our own pid namespace, process_php_fpm (paths of php-fpm programs that run as root, each with a line end) and
# process_cron_pids (of root's crons, in any pid namespace).
# in: want_httpd
# sets: process_cron_pids, process_foreign_pids, process_httpd_pids, process_links, process_parent, process_php_fpm,
#   process_start
find_processes() {
  process_httpd_pids='' process_php_fpm='' process_all_httpds=' ' process_cron_pids=''
  process_httpd_name=${want_httpd:+$(realpath -- "$want_httpd" 2>/dev/null)}
  process_httpd_name=${process_httpd_name##*/}
  process_links=$(stat -c %N /proc/[0-9]*/exe 2>/dev/null)
  # No link at all was printed, not even our own: above some 80,000 processes the paths are too long for one command
  # line.
  [ -n "$process_links" ] || process_links=$(printf '%s\0' /proc/[0-9]*/exe | xargs -0 stat -c %N 2>/dev/null)
  process_ifs=$IFS IFS=$nl
  # The paths of programs may hold any character, too. stat quotes them, so that each one is on one line: 'NAME' ->
  # 'PATH', or "PATH" where it has an apostrophe.
  set -f
  for process_link in $process_links; do
    # Takes the quotes off, and the mark of a program file that was replaced or removed while it runs.
    process_executable=${process_link#*"' -> "} process_executable=${process_executable#?}
    process_executable=${process_executable%?} process_executable=${process_executable% (deleted)}
    process_pid=${process_link#"'/proc/"} process_pid=${process_pid%%/*}
    if is_httpd "$process_executable"; then process_all_httpds="$process_all_httpds$process_pid "; fi
    case ${process_executable##*/} in
      php-fpm*) ! runs_as_root "$process_pid" || process_php_fpm=$process_php_fpm$process_executable$nl ;;
      cron | crond) ! runs_as_root "$process_pid" || process_cron_pids="$process_cron_pids $process_pid" ;;
    esac
  done
  set +f
  IFS=$process_ifs
  process_foreign_pids=''
  for process_pid in $process_all_httpds; do
    read_process "$process_pid" || continue
    case $process_all_httpds in
      # This process is a child of an httpd, so it is left out, unless it runs as root below a parent that does not.
      # Without that exception a user who may start httpd by sudo could hide it below a program of that name.
      *" $process_parent "*) if ! runs_as_root "$process_pid" || runs_as_root "$process_parent"; then continue; fi ;;
    esac
    ! is_of_judge "$process_pid" || continue
    if runs_as_root "$process_pid"; then
      process_httpd_pids="$process_httpd_pids $process_pid"
    else
      process_foreign_pids="$process_foreign_pids $process_pid"
    fi
  done
  [ -z "$process_httpd_pids" ] || process_httpd_pids=$(in_own_namespace "$process_httpd_pids")
  [ -z "$process_foreign_pids" ] || process_foreign_pids=$(in_own_namespace "$process_foreign_pids")
}

# Checks whether a process is the throw-away httpd of a smaller judge, which serves nobody. Where a run was killed, its
# throw-away httpd lives on until its time limit ends it.
# in: nothing
# sets: nothing
is_of_judge() { # PID
  process_command_line=''
  # `read` leaves out the zero bytes between the arguments.
  IFS= read -r process_command_line 2>/dev/null <"/proc/$1/cmdline"
  case $process_command_line in
    *-f/run/clientcert.*/minimal/httpd.conf-* | *-f/var/lib/clientcert/*/minimal/httpd.conf-*) return 0 ;;
  esac
  return 1
}

# Checks whether a process runs as root. This program runs the program of an httpd as root to ask it about its
# configuration, and the program of php-fpm decides the TLS versions. Anybody can run a program of such a name, so only
# root's processes count. The owner of the files in /proc shows nothing, because a process can make root their owner.
# in: nothing
# sets: nothing
runs_as_root() { # PID
  process_real_user=''
  while IFS=$tab read -r process_key process_real_user _; do
    [ "$process_key" != Uid: ] || break
  done 2>/dev/null <"/proc/$1/status"
  [ "$process_real_user" = 0 ]
}

# Prints those of PIDS that are in our own pid namespace, with a blank before each. An httpd in another pid namespace
# belongs to a container, not to this host.
# in: nothing
# sets: nothing
in_own_namespace() { # PIDS
  process_namespaces=/proc/self/ns/pid
  for process_pid in $1; do process_namespaces="$process_namespaces /proc/$process_pid/ns/pid"; done
  # shellcheck disable=SC2086
  process_namespaces=$(stat -c %N $process_namespaces 2>/dev/null)
  process_own_namespace='' process_kept=''
  process_ifs=$IFS IFS=$nl
  for process_link in $process_namespaces; do
    # The first line is that of /proc/self.
    [ -n "$process_own_namespace" ] || { process_own_namespace=${process_link##* -> } && continue; }
    [ "${process_link##* -> }" = "$process_own_namespace" ] || continue
    process_pid=${process_link#*/proc/} process_kept="$process_kept ${process_pid%%/*}"
  done
  IFS=$process_ifs
  printf %s "$process_kept"
}
