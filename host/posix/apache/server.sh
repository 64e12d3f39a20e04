# shellcheck shell=sh
# Finds the httpd of this host, that is its live parent process, and runs its program in the surroundings of that parent
# (arguments, environment, working directory, mount namespace). In a plain shell the program would see another
# configuration: no -D defines, another /tmp, other libraries.

# Sets parent, program, arguments, server_work_directory and enter. The arguments are one a line, without -k and without
# -E, because our questions would write to the log that -E names. `enter` holds the words that enter the mount namespace
# of the parent, or is empty. A process that has ended ends the run; once a swap has begun, this fails instead, with an
# empty parent. An httpd in a chroot ends the run.
# in: swap_began
# sets: arguments, enter, parent, program, root_argument, server_environment, server_parent_start, server_work_directory
use_parent() { # PID
  parent=$1 arguments='' enter='' server_config_argument='' root_argument=''
  if ! read_process "$parent"; then
    # Once a swap has begun, its caller deals with an httpd that ends.
    [ -n "${swap_began:-}" ] || fail gone "httpd process $parent ended while it was being looked at; run again"
    parent=''
    return 1
  fi
  server_parent_start=$process_start
  program=$(readlink "/proc/$parent/exe") || name_broken_tool
  program=${program% (deleted)}
  server_work_directory=$(readlink "/proc/$parent/cwd")
  # One variable is one line. A line end within a value becomes a byte 1.
  server_environment=$(tr '\0\n' '\n\001' <"/proc/$parent/environ") || name_broken_tool
  [ "$(readlink "/proc/$parent/root")" = / ] || fail chroot "httpd process $parent runs in a chroot; this is not supported"
  # shellcheck disable=SC3013 # dash and busybox ash have -ef.
  [ /proc/self/ns/mnt -ef "/proc/$parent/ns/mnt" ] || enter="nsenter --target $parent --mount --"
  server_previous='' server_first=yes
  while IFS= read -r server_word; do
    if [ "$server_first" = yes ]; then
      server_first=no
      # The name that httpd was called by finds its own libraries and envvars. The resolved name may be a package's
      # file.
      case $server_word in
        /*) [ "$(inside realpath -- "$server_word" 2>/dev/null)" = "$program" ] && program=$server_word ;;
      esac
      continue
    fi
    # server_previous is the option whose value this word is.
    case $server_previous in
      -[kE]) server_previous='' && continue ;;
      -f) server_config_argument=$server_word ;;
      -d) root_argument=$server_word ;;
    esac
    server_previous=''
    case $server_word in
      -k | -E) server_previous=$server_word && continue ;;
      -k* | -E*) continue ;;
      -f | -d) server_previous=$server_word ;;
      -f*) server_config_argument=${server_word#-f} ;;
      -d*) root_argument=${server_word#-d} ;;
    esac
    arguments=$arguments$server_word$nl
  done <<EOF
$(tr '\0' '\n' <"/proc/$parent/cmdline")
EOF
}

# Runs a command in httpd's mount namespace. It does not depend on the IFS of its caller.
# in: enter, parent
# sets: nothing
inside() {
  if [ -z "$enter" ]; then "$@"; else nsenter --target "$parent" --mount -- "$@"; fi
}

# Sets the surroundings of a stopped server: what its unit, init script or envvars would set, as far as the request, the
# last change or the usual places tell, in this order. Ends the run where no program is found.
use_stopped() {
  parent='' server_parent_start='' server_environment='' enter='' server_work_directory=/ server_config_argument=''
  root_argument='' arguments='' program=$want_httpd
  recall_program
  for server_candidate in /usr/local/ni/apache/bin/httpd "$(command -v apache2)" "$(command -v httpd)"; do
    [ -n "$program" ] && break
    [ ! -x "$server_candidate" ] || program=$server_candidate
  done
  [ -x "$program" ] || fail no-httpd 'no httpd runs here and none is found; write "httpd: /path/of/httpd" for this host'
  for server_define in $want_defines; do arguments=$arguments-D$nl$server_define$nl; done
  # The arguments of the last change may name the configuration already.
  case $nl$arguments in *"$nl-f"*) ;; *) [ -z "$want_config" ] || arguments=$arguments-f$nl$want_config$nl ;; esac
  for server_candidate in "${program%/*}/envvars" /etc/apache2/envvars; do
    [ -n "$want_environment" ] && break
    [ ! -f "$server_candidate" ] || want_environment=$server_candidate
  done
  # Reading a pipe would never end.
  [ -f "$want_environment" ] || [ ! -e "$want_environment" ] || fail pipe "environmentFile: $want_environment is no regular file; give the file with httpd's variables"
  [ -z "$want_environment" ] ||
    server_environment=$(env -i PATH="$PATH" /bin/sh -c 'set -a; . "$1" >/dev/null 2>&1; env' sh "$want_environment")
}

# httpd ARGS…: runs the program in the surroundings of the live parent, with its standard error joined to its output.
# The environment is given to the program through a pipe, never as an argument, which others could read with ps.
# in: arguments, enter, parent, program, run_umask
# sets: nothing
httpd() {
  # A variable whose name a shell cannot export is left out.
  server_in_environment='
    while IFS= read -r e; do case ${e%%=*} in "" | [0-9]* | *[!A-Za-z0-9_]*) ;; *) export "$e" ;; esac; done
    umask "$1" && cd "$2" && shift 2 && exec "$@" </dev/null 2>&1'
  (
    # The arguments are cut at their line ends alone.
    set -f
    IFS=$nl
    # shellcheck disable=SC2086
    set -- "${run_umask:-022}" "$server_work_directory" "$program" $arguments "$@"
    IFS=' '
    printf '%s\n' "$server_environment" | inside env -i /bin/sh -c "$server_in_environment" sh "$@"
  )
}

# Checks whether one of several httpd processes may be short-lived: it has ended by now, or is less than 3 seconds (300
# ticks) old. Somebody may ask or signal the server just now (apachectl, logrotate, our own refresh) by a program of the
# same name that ends in a moment.
may_be_passing() {
  # shellcheck disable=SC2086
  set -- $process_httpd_pids
  [ $# -gt 1 ] || return 1
  for server_pid in "$@"; do
    if ! read_process "$server_pid" || [ $(($(now_ticks) - process_start)) -lt 300 ]; then return 0; fi
  done
  return 1
}

# Finds the one server that is meant: the one that the pid file or the configuration of the site file names, else the
# one that a change of ours set up, else the only one that runs. Where that one does not run, parent is empty. Ends the
# run where none is found, or several are.
# in: run_umask, swap_began, want_config, want_defines, want_environment, want_httpd, want_pid_file
# sets: arguments, config, enter, instance, parent, program, root_argument, server_compiled_root, server_environment,
#   server_observed_at, server_parent_start, server_version, server_version_text, server_work_directory, state,
#   stopped_proved, want_environment
find_server() {
  doing 'the search for httpd'
  server_observed_at=$(now_ticks) stopped_proved=''
  [ -z "$want_httpd" ] || [ -x "$want_httpd" ] || fail no-httpd "httpd: $want_httpd is no program on this host; give the right one, or leave it out to have it found"
  find_processes
  # A process that is about to end is waited for, for 3 seconds.
  server_passing_tries=0
  while [ "$server_passing_tries" -lt 15 ] && may_be_passing; do
    server_passing_tries=$((server_passing_tries + 1)) && sleep 0.2
    find_processes
  done
  # shellcheck disable=SC2086
  set -- $process_httpd_pids
  if [ -z "$want_pid_file$want_config" ]; then
    if [ $# -eq 1 ]; then
      use_parent "$1"
      read_version
      # The only server that runs is meant, unless a change of ours set up another one.
      ! is_only_set_up || return 0
    fi
    choose_set_up_server
    # No server is set up, so the only one that runs is meant.
    [ $# -ne 1 ] || [ -n "$want_config" ] || return 0
  fi
  if [ $# -eq 0 ]; then
    # A running server must not be taken for a stopped one.
    [ -z "$process_foreign_pids" ] || fail no-httpd "no httpd runs as root here, only process${process_foreign_pids} as another user; start it as root, or stop it"
    use_stopped
  else
    choose_parent "$@"
  fi
  read_version
}

# Takes the one of these parents that the pid file or else the configuration of the site file names, or the only one
# where the site file names neither. Where none of them is named, the server that is meant is stopped. Ends the run
# where several are left.
choose_parent() { # PID…
  server_found='' server_listed=''
  server_wanted_config=${want_config:+$(realpath -m -- "$want_config")}
  for server_pid in "$@"; do
    use_parent "$server_pid"
    read_version
    server_listed="$server_listed; process $server_pid with $config"
    if [ -n "$want_pid_file" ]; then
      # Where others may write, the pid file may be a pipe that nobody writes to.
      [ "$(inside timeout 5 cat -- "$want_pid_file" 2>/dev/null)" = "$server_pid" ] || continue
    elif [ -n "$server_wanted_config" ]; then
      [ "$config" = "$server_wanted_config" ] || continue
    fi
    server_found="$server_found $server_pid"
  done
  # shellcheck disable=SC2086
  set -- $server_found
  case $# in
    0) use_stopped_beside_others ;;
    1) use_parent "$1" ;;
    *) fail several "several httpd servers run here (${server_listed#; }); write \"config:\" or \"pidFile:\" for this host" ;;
  esac
}

# Takes the server that is meant as stopped, while other servers run. A running server must never be taken for a stopped
# one, because its files would be written and never loaded. So the run ends where the site file names no configuration,
# or where one of those that run has this configuration.
use_stopped_beside_others() {
  # The pid file alone does not show which server is stopped.
  [ -z "$want_pid_file" ] || [ -n "$want_config" ] ||
    fail several "$want_pid_file: names no httpd that runs here, and these do (${server_listed#; }); give the right \"pidFile:\" for this host, and \"config:\" where its server is stopped"
  use_stopped
  read_version
  case "$server_listed;" in
    *" with $config;"*) fail several "$want_pid_file: names no httpd that runs here, and these do (${server_listed#; }); give the right \"pidFile:\" for this host" ;;
  esac
}

# Asks `httpd -V`, and sets server_version, server_compiled_root, config (resolved main configuration file), instance
# and state. Ends the run where the program does not run. That command reads the configuration and loads each module to
# name the MPM. The MPM is not needed here, so an empty configuration is tried first, which takes a tenth of the time.
# in: arguments, enter, parent, program, root_argument, run_umask, want_config
# sets: config, instance, server_compiled_root, server_version, server_version_text, state
read_version() {
  doing "$program -V"
  for server_configuration in /dev/null ''; do
    server_version_text=$(httpd -V ${server_configuration:+-f "$server_configuration"})
    # Without an MPM module httpd prints all that is needed here, and fails.
    case $server_version_text in *SERVER_CONFIG_FILE=*) break ;; esac
  done
  case $server_version_text in
    *SERVER_CONFIG_FILE=*) ;;
    *) name_broken_tool && fail no-httpd "$program does not run (httpd -V failed); give the right \"httpd:\" or \"environmentFile:\"$(limits_in_words)" ;;
  esac
  server_version=${server_version_text#*Server version: } server_version=${server_version%%"$nl"*}
  server_compiled_root=${server_version_text#*HTTPD_ROOT=\"} server_compiled_root=${server_compiled_root%%\"*}
  config=${server_version_text#*SERVER_CONFIG_FILE=\"} config=${config%%\"*}
  config=${server_config_argument:-$config}
  # The command line of a running httpd names its configuration. `config:` of the site file may mean another server
  # beside it.
  [ -n "$parent$server_config_argument" ] || config=${want_config:-$config}
  case $config in /*) ;; *) config=${root_argument:-$server_compiled_root}/$config ;; esac
  config=$(inside realpath -m -- "$config")
  instance=$(printf %s "$config" | sha256sum) || name_broken_tool
  instance=$(printf %.16s "$instance")
  state=/var/lib/clientcert/$instance
}

# Sets server_modules (the directory of the modules), server_info_module (`loaded`, the path of mod_info where it can be
# loaded, or empty) and server_php_module (the path of the PHP module that is loaded, or empty). A live parent's memory
# map shows what is loaded.
# in: config, enter, parent, root_argument
# sets: server_modules, server_php_module
read_modules() {
  server_modules='' server_info_module='' server_php_module=''
  if [ -n "$parent" ]; then
    # A path may hold blanks, but no field before it holds a slash.
    server_mapped=$(awk '$6 !~ /^\// { next } { path = substr($0, index($0, "/")); sub(/ \(deleted\)$/, "", path) }
      path ~ /\/mod_[a-z0-9_]*\.so$/ && !m { m = path; print "modules " m }
      path ~ /\/mod_info\.so$/ && !i { i = 1; print "info loaded" }
      path ~ /\/libphp[^\/]*\.so$/ && !p { p = 1; print "php " path }' "/proc/$parent/maps")
    case $server_mapped in
      *'php '*) server_php_module=${server_mapped#*php } server_php_module=${server_php_module%%"$nl"*} ;;
    esac
    case $server_mapped in
      *'modules '*)
        server_modules=${server_mapped#*modules } server_modules=${server_modules%%"$nl"*}
        server_modules=${server_modules%/*}
        ;;
    esac
    case $server_mapped in *'info loaded'*) server_info_module=loaded && return ;; esac
  fi
  for server_directory in "$server_modules" "${root_argument:-$server_compiled_root}/modules" \
    "${config%/conf/*}/modules" /usr/lib/apache2/modules /usr/lib64/httpd/modules; do
    [ -n "$server_directory" ] && inside test -f "$server_directory/mod_info.so" || continue
    server_info_module=$server_directory/mod_info.so server_modules=${server_modules:-$server_directory}
    return
  done
}

# Prints everything that httpd reports about its configuration, in one call. Separate calls cost eight times as much.
# Only mod_info reports the directives, so it is loaded for this call where the server does not load it.
# in: nothing
# sets: nothing
dump() {
  set -- -t -D DUMP_VHOSTS -D DUMP_RUN_CFG -D DUMP_MODULES -D DUMP_INCLUDES -D DUMP_CONFIG
  case $server_info_module in
    '' | loaded) ;;
    *) quote_word "$server_info_module" && set -- -C "LoadModule info_module $quoting_word" "$@" ;;
  esac
  httpd_in_time "$@"
}
