# shellcheck shell=sh
# The processes of this host, as /proc shows them. What they are called was chosen by whoever started them.

is_httpd() { # PATH
  case ${1##*/} in
    httpd | apache2 | httpd2 | "${process_httpd_name:-httpd}") return 0 ;;
    # As Red Hat and SUSE name them. One that is not known by its name would be taken for stopped.
    httpd*[.-]worker | httpd*[.-]event | httpd*[.-]prefork | apache2-worker | apache2-event | apache2-prefork)
      return 0
      ;;
  esac
  return 1
}

# Sets process_parent and process_start (clock ticks since boot). Fails for one that has ended and waits to be
# collected, and for what is no number: a pid file may be a stranger's.
# in: nothing
# sets: process_parent, process_start
read_process() { # PID, or self
  case $1 in self) ;; '' | *[!0-9]*) return 1 ;; esac
  process_text='' process_line=''
  # Anybody can give a process any name, with line ends, blanks and parentheses: so all lines are taken.
  while IFS= read -r process_line || [ -n "$process_line" ]; do
    process_text=$process_text$process_line$nl
  done 2>/dev/null <"/proc/$1/stat" || return 1
  # The fields that count stand after the last parenthesis. They are numbers; in other places lines are parted
  # otherwise.
  process_text=${process_text##*)} process_fields_ifs=$IFS IFS=" $nl"
  # shellcheck disable=SC2086
  set -- $process_text
  IFS=$process_fields_ifs
  [ $# -ge 20 ] || return 1
  process_parent=$2 process_start=${20}
  case $1 in Z | X) return 1 ;; esac
}

# Sets process_own_pid and process_start: of the process that does the work, where `$$` is a shell that waits for it.
# in: nothing
# sets: process_own_pid, process_parent, process_start
read_self() { IFS=' ' read -r process_own_pid _ 2>/dev/null </proc/self/stat && read_process self; }

# Clock ticks since boot, of which every Linux has 100 a second: the start of the process that this is called in, as
# $(now_ticks). A container's /proc/uptime may be of another clock than the starts of processes, with which it is
# compared.
# in: nothing
# sets: process_parent, process_start
now_ticks() { read_process self && printf %s "$process_start"; }

# Sets process_httpd_pids (parents, of our own pid namespace) and process_php_fpm (paths of running php-fpm programs).
# in: want_httpd
# sets: process_cron_pids, process_foreign_pids, process_httpd_pids, process_links, process_parent, process_php_fpm,
#   process_start
find_processes() {
  process_httpd_pids='' process_php_fpm='' process_all_httpds=' ' process_cron_pids=''
  process_httpd_name=${want_httpd:+$(realpath -- "$want_httpd" 2>/dev/null)}
  process_httpd_name=${process_httpd_name##*/}
  process_links=$(stat -c %N /proc/[0-9]*/exe 2>/dev/null)
  # Nothing, not even ourselves: above some 80,000 processes their paths are too long for one command line.
  [ -n "$process_links" ] || process_links=$(printf '%s\0' /proc/[0-9]*/exe | xargs -0 stat -c %N 2>/dev/null)
  process_ifs=$IFS IFS=$nl
  # Their paths may hold anything, too. stat quotes them, so that each is one line: 'NAME' -> 'PATH', or "PATH" with an
  # apostrophe.
  set -f
  for process_link in $process_links; do
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
      # A child. Whoever may start httpd by sudo could otherwise hide it below a program of that name.
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

# The throw-away httpd of a smaller judge is nobody's server. Where a run was killed, its own lives on until its time is
# over.
# in: nothing
# sets: nothing
is_of_judge() { # PID
  process_command_line=''
  # A shell leaves out the zero bytes between the arguments.
  IFS= read -r process_command_line 2>/dev/null <"/proc/$1/cmdline"
  case $process_command_line in
    *-f/run/clientcert.*/minimal/httpd.conf-* | *-f/var/lib/clientcert/*/minimal/httpd.conf-*) return 0 ;;
  esac
  return 1
}

# The program of an httpd is run as root to ask it about its configuration, and that of php-fpm decides the TLS
# versions. Anybody can run a program of that name, so only root's counts. Not the owner of the files in /proc tells: a
# process can make those root's.
# in: nothing
# sets: nothing
runs_as_root() { # PID
  process_real_user=''
  while IFS=$tab read -r process_key process_real_user _; do
    [ "$process_key" != Uid: ] || break
  done 2>/dev/null <"/proc/$1/status"
  [ "$process_real_user" = 0 ]
}

# An httpd in another pid namespace belongs to a container, not to this host.
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
    [ -n "$process_own_namespace" ] || { process_own_namespace=${process_link##* -> } && continue; }
    [ "${process_link##* -> }" = "$process_own_namespace" ] || continue
    process_pid=${process_link#*/proc/} process_kept="$process_kept ${process_pid%%/*}"
  done
  IFS=$process_ifs
  printf %s "$process_kept"
}
