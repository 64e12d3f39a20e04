# shellcheck shell=sh
# The processes of this host, as /proc shows them. What they are called was chosen by whoever started them.

is_httpd() { # PATH
  case ${1##*/} in
    httpd | apache2 | httpd2 | "${want_httpd_name:-httpd}") return 0 ;;
    # As Red Hat and SUSE name them. One that is not known by its name would be taken for stopped.
    httpd*[.-]worker | httpd*[.-]event | httpd*[.-]prefork | apache2-worker | apache2-event | apache2-prefork) return 0 ;;
  esac
  return 1
}

# Sets process_parent and process_start (clock ticks since boot). Fails for one that has ended and waits to be collected, and for
# what is no number: a pid file may be a stranger's.
read_process() { # PID, or self
  case $1 in self) ;; '' | *[!0-9]*) return 1 ;; esac
  process_text='' process_line=''
  # Anybody can give a process any name, with line ends, blanks and parentheses: so all lines are taken.
  while IFS= read -r process_line || [ -n "$process_line" ]; do
    process_text=$process_text$process_line$nl
  done 2>/dev/null <"/proc/$1/stat" || return 1
  # The fields that count stand after the last parenthesis. They are numbers; in other places lines are parted otherwise.
  process_text=${process_text##*)} process_oldifs=$IFS IFS=" $nl"
  # shellcheck disable=SC2086
  set -- $process_text
  IFS=$process_oldifs
  [ $# -ge 20 ] || return 1
  process_parent=$2 process_start=${20}
  case $1 in Z | X) return 1 ;; esac
}

# Sets own_pid and process_start: of the process that does the work, where `$$` is a shell that waits for it.
read_self() { IFS=' ' read -r own_pid _ 2>/dev/null </proc/self/stat && read_process self; }

# Clock ticks since boot, of which every Linux has 100 a second: the start of the process that this is called in, as $(now_ticks).
# A container's /proc/uptime may be of another clock than the starts of processes, with which it is compared.
now_ticks() { read_process self && printf %s "$process_start"; }

# Sets httpd_pids (parents, of our own pid namespace) and php_fpm (paths of running php-fpm programs).
find_processes() {
  httpd_pids='' php_fpm='' all_httpds=' ' cron_pids=''
  want_httpd_name=${want_httpd:+$(realpath -- "$want_httpd" 2>/dev/null)} want_httpd_name=${want_httpd_name##*/}
  processes=$(stat -c %N /proc/[0-9]*/exe 2>/dev/null)
  # Nothing, not even ourselves: above some 80,000 processes their paths are too long for one command line.
  [ -n "$processes" ] || processes=$(printf '%s\0' /proc/[0-9]*/exe | xargs -0 stat -c %N 2>/dev/null)
  oldifs=$IFS IFS=$nl
  # Their paths may hold anything, too. stat quotes them, so that each is one line: 'NAME' -> 'PATH', or "PATH" with an apostrophe.
  set -f
  for line in $processes; do
    executable=${line#*"' -> "} executable=${executable#?} executable=${executable%?} executable=${executable% (deleted)}
    pid=${line#"'/proc/"} pid=${pid%%/*}
    if is_httpd "$executable"; then all_httpds="$all_httpds$pid "; fi
    case ${executable##*/} in
      php-fpm*) ! runs_as_root "$pid" || php_fpm=$php_fpm$executable$nl ;;
      cron | crond) ! runs_as_root "$pid" || cron_pids="$cron_pids $pid" ;;
    esac
  done
  set +f
  IFS=$oldifs
  foreign_pids=''
  for pid in $all_httpds; do
    read_process "$pid" || continue
    case $all_httpds in
      # A child. Whoever may start httpd by sudo could otherwise hide it below a program of that name.
      *" $process_parent "*) if ! runs_as_root "$pid" || runs_as_root "$process_parent"; then continue; fi ;;
    esac
    ! is_of_judge "$pid" || continue
    if runs_as_root "$pid"; then httpd_pids="$httpd_pids $pid"; else foreign_pids="$foreign_pids $pid"; fi
  done
  [ -z "$httpd_pids" ] || httpd_pids=$(in_own_namespace "$httpd_pids")
  [ -z "$foreign_pids" ] || foreign_pids=$(in_own_namespace "$foreign_pids")
}

# The throw-away httpd of a smaller judge is nobody's server. Where a run was killed, its own lives on until its time is over.
is_of_judge() { # PID
  command_line=''
  # A shell leaves out the zero bytes between the arguments.
  IFS= read -r command_line 2>/dev/null <"/proc/$1/cmdline"
  case $command_line in *-f/run/clientcert.*/minimal/httpd.conf-* | *-f/var/lib/clientcert/*/minimal/httpd.conf-*) return 0 ;; esac
  return 1
}

# The program of an httpd is run as root to ask it about its configuration, and that of php-fpm decides the TLS versions.
# Anybody can run a program of that name, so only root's counts. Not the owner of the files in /proc tells: a process can make those root's.
runs_as_root() { # PID
  real_user=''
  while IFS=$tab read -r key real_user _; do
    [ "$key" != Uid: ] || break
  done 2>/dev/null <"/proc/$1/status"
  [ "$real_user" = 0 ]
}

# An httpd in another pid namespace belongs to a container, not to this host.
in_own_namespace() { # PIDS
  namespaces=/proc/self/ns/pid
  for pid in $1; do namespaces="$namespaces /proc/$pid/ns/pid"; done
  # shellcheck disable=SC2086
  namespaces=$(stat -c %N $namespaces 2>/dev/null)
  own_namespace='' kept=''
  oldifs=$IFS IFS=$nl
  for line in $namespaces; do
    [ -n "$own_namespace" ] || { own_namespace=${line##* -> } && continue; }
    [ "${line##* -> }" = "$own_namespace" ] || continue
    pid=${line#*/proc/} kept="$kept ${pid%%/*}"
  done
  IFS=$oldifs
  printf %s "$kept"
}
