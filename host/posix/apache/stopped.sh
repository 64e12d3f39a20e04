# shellcheck shell=sh
# A stopped server: which server is meant, how it ran, whether it is really stopped, and what starts it with the
# machine.

# Reads what a journal remembers. Sets stopped_recalled_config, stopped_recalled_directory and stopped_recalled_as
# (program and arguments, separated by tabs). Fails where no change is valid.
recall() { # JOURNAL
  stopped_recalled_config='' stopped_recalled_directory='' stopped_recalled_as='' stopped_recalled_generation=''
  while IFS= read -r stopped_line; do
    case $stopped_line in
      'config '*) stopped_recalled_config=${stopped_line#* } ;;
      'directory '*) stopped_recalled_directory=${stopped_line#* } ;;
      'generation '*) stopped_recalled_generation=${stopped_line#* } ;;
      'ran-as '*) stopped_recalled_as=${stopped_line#* } ;;
    esac
  done 2>/dev/null <"$1"
  [ -n "$stopped_recalled_generation" ] && [ -n "$stopped_recalled_config" ]
}

# Checks whether the running server is the only one on this host that is set up by a change of ours, or whether none is.
# in: state
# sets: nothing
is_only_set_up() {
  set -- /var/lib/clientcert/*/journal
  [ $# -eq 1 ] && { [ "$1" = "$state/journal" ] || [ ! -f "$1" ]; }
}

# Sets want_config to the configuration of the server that a change of ours set up, and leaves it where there is none.
# Where the site file names no server, this one is meant, whether it runs or not. Another server that happens to run
# must neither be observed in its place nor changed. Where several are set up, the only one is meant whose directory of
# our files still exists (standing); the run ends where that does not decide.
# in: want_httpd
# sets: want_config
choose_set_up_server() {
  stopped_set_up='' stopped_set_up_count=0 stopped_standing='' stopped_standing_count=0
  for stopped_journal in /var/lib/clientcert/*/journal; do
    # A configuration that has gone belonged to a server that was removed from this host.
    recall "$stopped_journal" && [ -e "$stopped_recalled_config" ] && ! ran_by_other_program || continue
    stopped_set_up="$stopped_set_up; $stopped_recalled_config" stopped_set_up_count=$((stopped_set_up_count + 1))
    [ -d "$stopped_recalled_directory" ] || continue
    stopped_standing=$stopped_recalled_config stopped_standing_count=$((stopped_standing_count + 1))
  done
  case $stopped_set_up_count:$stopped_standing_count in
    0:*) ;;
    1:*) want_config=${stopped_set_up#; } ;;
    *:1) want_config=$stopped_standing ;;
    *) fail several "several servers of this machine are set up (${stopped_set_up#; }); write \"config:\" for this host" ;;
  esac
}

# Checks whether the journal names another program than the site file. It does not where one of them names none, or
# where the program of the journal has gone. Sets stopped_recalled_program.
ran_by_other_program() {
  stopped_recalled_program=${stopped_recalled_as%%"$tab"*}
  # shellcheck disable=SC3013 # dash and busybox ash have -ef.
  [ -n "$want_httpd" ] && [ -x "$stopped_recalled_program" ] && ! [ "$want_httpd" -ef "$stopped_recalled_program" ]
}

# Prints program and arguments for the journal, with tabs between them, at the end of a change with which httpd runs.
# in: arguments, program
# sets: nothing
ran_as() {
  printf %s "$program"
  stopped_ifs=$IFS IFS=$nl
  set -f
  for stopped_word in $arguments; do printf '%s%s' "$tab" "$stopped_word"; done
  set +f
  IFS=$stopped_ifs
}

# Sets program and arguments as they were at the last change of the server with the configuration want_config, unless
# the site file says something else. A host that an older build set up remembers no program. There the program is taken
# that reads this configuration by itself, of those in the usual places; where none does, program stays empty.
# in: want_config, want_defines, want_httpd
# sets: arguments, program, root_argument
recall_program() {
  [ -n "$want_config" ] || return 0
  stopped_wanted_config=$(realpath -m -- "$want_config")
  for stopped_journal in /var/lib/clientcert/*/journal; do
    recall "$stopped_journal" && [ "$stopped_recalled_config" = "$stopped_wanted_config" ] && ! ran_by_other_program &&
      [ -x "$stopped_recalled_program" ] || continue
    program=$stopped_recalled_program
    [ -n "$want_defines" ] || recall_arguments
    return 0
  done
  [ -z "$program" ] || return 0
  for stopped_candidate in /usr/local/ni/apache/bin/httpd "$(command -v apache2)" "$(command -v httpd)"; do
    program=$stopped_candidate
    # Without want_config, read_version finds the configuration that the program reads by itself. `mode=observe` keeps
    # an error from being recorded or shown as one of this run.
    [ ! -x "$stopped_candidate" ] ||
      [ "$(mode=observe want_config='' && read_version >/dev/null && printf %s "$config")" != \
        "$stopped_wanted_config" ] || return 0
  done
  program=''
}

# Takes the arguments of the last change, and the server root from their -d, which may be one word with it or two.
recall_arguments() {
  stopped_previous='' stopped_ifs=$IFS IFS=$tab
  set -f
  for stopped_word in ${stopped_recalled_as#"$program"}; do
    [ "$stopped_previous" != -d ] || root_argument=$stopped_word
    case $stopped_word in -d?*) root_argument=${stopped_word#-d} ;; esac
    arguments=$arguments$stopped_word$nl stopped_previous=$stopped_word
  done
  set +f
  IFS=$stopped_ifs
}

# Proves that the server is stopped, and ends the run where that cannot be proved. Does nothing where a server runs, or
# where this was proved before. A server whose program has another name, or that /proc does not show, would be taken for
# stopped: its files would be written and never loaded. So the process that its pid file names must have ended, and no
# process in its place may hold its ports. This needs what httpd reports about itself.
# in: config, dumped, parent, process_httpd_pids, process_links
# sets: stopped_proved
prove_stopped() { # PID_FILE
  [ -z "$parent$stopped_proved" ] || return 0
  case $process_links in
    *"'/proc/$$/exe' -> "*) ;;
    *) fail no-httpd "the processes of this host cannot be listed (/proc does not show even the one that asks, $$), so nobody can tell whether httpd runs; have /proc mounted so that root sees all of it" ;;
  esac
  stopped_named=$(timeout 5 cat -- "$1" 2>/dev/null)
  case $stopped_named in
    '' | *[!0-9]*) ;;
    *) ! kill -0 "$stopped_named" 2>/dev/null || suspect "$stopped_named" "is named by the pid file $1" ;;
  esac
  stopped_listening=$(listening_sockets)
  [ -z "$stopped_listening" ] || suspect_holders
  stopped_proved=yes
}

# Prints `INODE PORT …` of the sockets that listen on a port of the configuration.
listening_sockets() {
  set -- /proc/net/tcp
  [ ! -f /proc/net/tcp6 ] || set -- "$@" /proc/net/tcp6
  printf '%s\n' "$dumped" | awk '
    function note(text) {
      gsub(/"/, "", text); sub(/^.*:/, "", text); if (text ~ /^[0-9]+$/) ports[sprintf("%04X", text)] = text
    }
    FNR == NR {
      if (/^VirtualHost configuration:/) on = 1
      if (/^(ServerRoot|# In file)/) on = 0
      if (on && $1 ~ /:[0-9]+$/) note($1)
      if (on && $1 == "port") note($2)
      if (tolower($1) == "listen") note($2)
      next
    }
    # 0A is the state of a socket that listens, and ports are hexadecimal here.
    $4 == "0A" { port = $2; sub(/^.*:/, "", port); if (port in ports) printf "%s %s ", $10, ports[port] }' - "$@"
}

# Suspects the processes that hold these sockets, which may end the run. A socket that seems to belong to no process
# also ends it, because /proc may hide its process; but it is looked for a second time, after half a second.
suspect_holders() {
  stopped_holders=$(list_holders)
  case "$nl$stopped_holders" in
    *"$nl- "*)
      # Its process may have ended just now.
      sleep 0.5
      stopped_listening=$(listening_sockets)
      [ -n "$stopped_listening" ] && stopped_holders=$(list_holders) || return 0
      ;;
  esac
  while read -r stopped_holder stopped_port; do
    case $stopped_holder in
      '') ;;
      -) fail no-httpd "port $stopped_port of $config is in use, and /proc does not show by which process, so nobody can tell whether httpd runs; have /proc mounted so that root sees all of it" ;;
      *) suspect "$stopped_holder" "listens on port $stopped_port" ;;
    esac
  done <<END_OF_HOLDERS
$stopped_holders
END_OF_HOLDERS
}

# Prints a line `PID PORT` for each process that holds one of the sockets of stopped_listening, and `- PORT` for a
# socket without one. stat prints '/proc/PID/fd/N' -> 'socket:[INODE]'.
list_holders() {
  printf '%s\0' /proc/[0-9]*/fd/* | xargs -0 stat -c %N 2>/dev/null | awk -F "'" -v listening="$stopped_listening" '
    BEGIN {
      n = split(listening, words, " ")
      for (i = 1; i < n; i += 2) { port[words[i]] = words[i + 1]; hidden[words[i]] = 1 }
    }
    $4 ~ /^socket:/ {
      inode = $4; gsub(/[^0-9]/, "", inode)
      if (!(inode in port)) next
      split($2, parts, "/"); delete hidden[inode]
      if (!seen[parts[3] " " port[inode]]++) print parts[3], port[inode]
    }
    END { for (inode in hidden) print "-", port[inode] }'
}

# Ends the run unless this process is surely another one than the server that is meant. HOW is the end of the sentence
# about it.
suspect() { # PID HOW
  ! is_another "$1" || return 0
  # The process may be a child of httpd. The topmost httpd above it is the parent.
  stopped_top=$1
  while read_process "$stopped_top" && [ "$process_parent" -gt 1 ] && runs_httpd "$process_parent"; do
    stopped_top=$process_parent
  done
  find_processes
  case " $process_httpd_pids " in *" $stopped_top "*) fail gone 'httpd was started while it was being looked at; run again' ;; esac
  stopped_executable=$(readlink "/proc/$stopped_top/exe")
  case $stopped_executable in
    '') fail no-httpd "process $1 $2, and /proc does not show which program it runs, so nobody can tell whether httpd runs; have /proc mounted so that root sees all of it" ;;
    *' (deleted)') stopped_remedy='restart it, for its program file is gone' ;;
    *) stopped_remedy="write \"httpd: $stopped_executable\" for this host, or restart it by its usual name" ;;
  esac
  # The message must not recommend the program of another user, because root runs whatever "httpd:" names.
  runs_as_root "$stopped_top" || fail no-httpd "no httpd of $config runs as root here, but process $stopped_top does as another user, which $2 and looks like httpd; stop it, or start httpd as root"
  fail no-httpd "no httpd of $config is known to run here, but process $stopped_top ($stopped_executable) does, which $2 and looks like httpd; $stopped_remedy"
}

# Checks whether a process is surely not the server that is meant: it has ended, it is a known httpd or below one, it
# belongs to a container or to a judge of ours, or it does not run httpd.
is_another() { # PID
  # A process without this file has ended, or /proc hides it.
  [ -e "/proc/$1/stat" ] || { ! kill -0 "$1" 2>/dev/null; return; }
  stopped_ancestor=$1
  while [ "$stopped_ancestor" -gt 1 ]; do
    case " $process_httpd_pids " in *" $stopped_ancestor "*) return 0 ;; esac
    read_process "$stopped_ancestor" || return 0
    stopped_ancestor=$process_parent
  done
  # shellcheck disable=SC3013 # dash and busybox ash have -ef.
  [ ! -e "/proc/$1/ns/pid" ] || [ /proc/self/ns/pid -ef "/proc/$1/ns/pid" ] || return 0
  ! is_of_judge "$1" || return 0
  # Only a thread of the kernel has no program. Elsewhere the program is hidden.
  if [ -e "/proc/$1/exe" ]; then ! runs_httpd "$1"; else is_of_kernel "$1"; fi
}

# Checks whether a process is a thread of the kernel, which has neither a program nor arguments.
is_of_kernel() { # PID
  stopped_first_word=''
  IFS= read -r stopped_first_word 2>/dev/null <"/proc/$1/cmdline"
  [ -z "$stopped_first_word" ]
}

# Checks whether a process runs httpd, whatever its name: its program holds words that are in each httpd, or it has
# loaded the library that each httpd needs.
runs_httpd() { # PID
  grep -aqs 'D SERVER_CONFIG_FILE=' "/proc/$1/exe" || grep -qs '/libapr-1[.]so' "/proc/$1/maps"
}

# Prints what starts a stopped server with the machine: the first link of a unit or of an init script that starts its
# program, or nothing. Where the server has another configuration than the one that its program was built with, that
# unit or script must name this configuration or its server root.
# in: config, program, server_compiled_root, server_root, server_version_text
# sets: nothing
starter() {
  set --
  for stopped_link in /etc/systemd/system/*.wants/*.service /etc/rc[2-5].d/S* /etc/rc.d/rc[2-5].d/S* \
    /etc/runlevels/*/*; do
    [ ! -f "$stopped_link" ] || is_unused_link "$stopped_link" || set -- "$@" "$stopped_link"
  done
  [ $# -gt 0 ] || return 0
  stopped_own_config=${server_version_text#*SERVER_CONFIG_FILE=\"} stopped_own_config=${stopped_own_config%%\"*}
  case $stopped_own_config in /*) ;; *) stopped_own_config=$server_compiled_root/$stopped_own_config ;; esac
  # shellcheck disable=SC3013 # dash and busybox ash have -ef.
  [ "$stopped_own_config" -ef "$config" ] && stopped_is_own_config=yes || stopped_is_own_config=''
  # An apachectl within the server root names its configuration by itself.
  case $program in "$server_root"/*) stopped_is_own_config=yes ;; esac
  program=$program config=$config root=$server_root is_own=$stopped_is_own_config awk '
    # For each file: named, whether it starts the program; placed, whether it names the configuration or its root;
    # options, whether it gives httpd another configuration or root. A name is cut out of the line once it is found, so
    # that the path of the program does not count as the server root.
    function cut_out(name,   position) {
      while ((position = index(line, name)) > 0 && substr(line, position + length(name), 1) !~ /[A-Za-z0-9_-]/) {
        line = substr(line, 1, position - 1) " " substr(line, position + length(name)); named = 1
      }
    }
    BEGIN {
      program = ENVIRON["program"]; folder = program; sub(/[^\/]*$/, "", folder)
    }
    FNR == 1 { if (is_it()) exit; file = FILENAME; named = 0; placed = 0; options = 0 }
    /^[ \t]*#/ || (FILENAME ~ /[.]service$/ && !/^ExecStart=/) { next }
    {
      line = $0
      cut_out(program); cut_out(folder "apachectl"); cut_out(folder "apache2ctl")
      if (index(line, ENVIRON["config"]) || index(line, ENVIRON["root"])) placed = 1
      if (line ~ / -[fd] *["\/]/) options = 1
    }
    function is_it() { return named && (placed || (!options && ENVIRON["is_own"] != "")) }
    END { if (is_it()) print file }' "$@"
}

# Checks whether a link starts nothing. Units start nothing without systemd. With systemd an init script starts nothing
# where there is a unit of the same name.
is_unused_link() { # LINK
  case $1 in
    /etc/systemd/*) ! has_systemd ;;
    *)
      has_systemd || return 1
      stopped_init_name=${1##*/} stopped_init_name=${stopped_init_name#S[0-9][0-9]}
      [ -e "/lib/systemd/system/$stopped_init_name.service" ] || [ -e "/etc/systemd/system/$stopped_init_name.service" ]
      ;;
  esac
}
