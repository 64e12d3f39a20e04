# shellcheck shell=sh
# A server that does not run: which one is meant, how it ran, that it is stopped indeed, and what starts it with the machine.

# Sets recalled_config, recalled_directory and recalled_as (program and arguments, parted by tabs). Fails where no change is valid.
recall() { # JOURNAL
  recalled_config='' recalled_directory='' recalled_as='' recalled_generation=''
  while IFS= read -r line; do
    case $line in
      'config '*) recalled_config=${line#* } ;;
      'directory '*) recalled_directory=${line#* } ;;
      'generation '*) recalled_generation=${line#* } ;;
      'ran-as '*) recalled_as=${line#* } ;;
    esac
  done 2>/dev/null <"$1"
  [ -n "$recalled_generation" ] && [ -n "$recalled_config" ]
}

# Whether the one that runs is the only server here that a change of ours stands in, or there is none.
is_only_set_up() {
  set -- /var/lib/clientcert/*/journal
  [ $# -eq 1 ] && { [ "$1" = "$state/journal" ] || [ ! -f "$1" ]; }
}

# Where the site file names no server, the one is meant that a change of ours stands in, whether it runs or not: another one
# that happens to run must neither be looked at in its place nor changed.
mean_set_up() {
  set_up='' set_up_count=0 standing='' standing_count=0
  for known in /var/lib/clientcert/*/journal; do
    # A configuration that is gone is that of a server that was taken off this host.
    recall "$known" && [ -e "$recalled_config" ] && ! ran_by_other_program || continue
    set_up="$set_up; $recalled_config" set_up_count=$((set_up_count + 1))
    [ -d "$recalled_directory" ] || continue
    standing=$recalled_config standing_count=$((standing_count + 1))
  done
  case $set_up_count:$standing_count in
    0:*) ;;
    1:*) want_config=${set_up#; } ;;
    *:1) want_config=$standing ;;
    *) fail several "several servers of this machine are set up (${set_up#; }); write \"config:\" for this host" ;;
  esac
}

ran_by_other_program() {
  recalled_program=${recalled_as%%"$tab"*}
  # shellcheck disable=SC3013 # dash and busybox ash have -ef.
  [ -n "$want_httpd" ] && [ -x "$recalled_program" ] && ! [ "$want_httpd" -ef "$recalled_program" ]
}

# For the journal, at the end of a change with which httpd runs.
ran_as() {
  printf %s "$program"
  oldifs=$IFS IFS=$nl
  set -f
  for word in $arguments; do printf '%s%s' "$tab" "$word"; done
  set +f
  IFS=$oldifs
}

# Sets program and arguments as they were at the last change, where the site file says nothing else; of a host of an older build:
# the program that reads this configuration by itself, where several are installed.
recall_program() {
  [ -n "$want_config" ] || return 0
  wanted_config=$(realpath -m -- "$want_config")
  for known in /var/lib/clientcert/*/journal; do
    recall "$known" && [ "$recalled_config" = "$wanted_config" ] && ! ran_by_other_program && [ -x "$recalled_program" ] || continue
    program=$recalled_program
    [ -n "$want_defines" ] || recall_arguments
    return 0
  done
  [ -z "$program" ] || return 0
  for candidate in /usr/local/ni/apache/bin/httpd "$(command -v apache2)" "$(command -v httpd)"; do
    program=$candidate
    [ ! -x "$candidate" ] || [ "$(mode=observe want_config='' && read_version >/dev/null && printf %s "$config")" != "$wanted_config" ] || return 0
  done
  program=''
}

recall_arguments() {
  previous='' oldifs=$IFS IFS=$tab
  set -f
  for word in ${recalled_as#"$program"}; do
    [ "$previous" != -d ] || root_argument=$word
    case $word in -d?*) root_argument=${word#-d} ;; esac
    arguments=$arguments$word$nl previous=$word
  done
  set +f
  IFS=$oldifs
}

# A server whose program has another name, or that /proc does not show, would be taken for stopped: its files would be written and
# never loaded. So something must be found of it that is dead, and nobody else in its place. Needs what httpd says of itself.
prove_stopped() { # PID_FILE
  [ -z "$parent$stopped_proved" ] || return 0
  case $processes in
    *"'/proc/$$/exe' -> "*) ;;
    *) fail no-httpd "the processes of this host cannot be listed (/proc does not show even the one that asks, $$), so nobody can tell whether httpd runs; have /proc mounted so that root sees all of it" ;;
  esac
  named=$(timeout 5 cat -- "$1" 2>/dev/null)
  case $named in
    '' | *[!0-9]*) ;;
    *) ! kill -0 "$named" 2>/dev/null || suspect "$named" "is named by the pid file $1" ;;
  esac
  listening=$(listening_sockets)
  [ -z "$listening" ] || suspect_holders
  stopped_proved=yes
}

# `INODE PORT …` of the sockets that listen on a port of the configuration.
listening_sockets() {
  set -- /proc/net/tcp
  [ ! -f /proc/net/tcp6 ] || set -- "$@" /proc/net/tcp6
  printf '%s\n' "$dumped" | awk '
    function note(text) { gsub(/"/, "", text); sub(/^.*:/, "", text); if (text ~ /^[0-9]+$/) ports[sprintf("%04X", text)] = text }
    FNR == NR {
      if (/^VirtualHost configuration:/) on = 1
      if (/^(ServerRoot|# In file)/) on = 0
      if (on && $1 ~ /:[0-9]+$/) note($1)
      if (on && $1 == "port") note($2)
      if (tolower($1) == "listen") note($2)
      next
    }
    $4 == "0A" { port = $2; sub(/^.*:/, "", port); if (port in ports) printf "%s %s ", $10, ports[port] }' - "$@"
}

# Whoever holds them; the sockets of one that /proc hides belong to nobody.
suspect_holders() {
  holders=$(list_holders)
  case "$nl$holders" in
    *"$nl- "*)
      # It may have ended just now.
      sleep 0.5
      listening=$(listening_sockets)
      [ -n "$listening" ] && holders=$(list_holders) || return 0
      ;;
  esac
  while read -r holder port; do
    case $holder in
      '') ;;
      -) fail no-httpd "port $port of $config is in use, and /proc does not show by which process, so nobody can tell whether httpd runs; have /proc mounted so that root sees all of it" ;;
      *) suspect "$holder" "listens on port $port" ;;
    esac
  done <<END_OF_HOLDERS
$holders
END_OF_HOLDERS
}

list_holders() {
  printf '%s\0' /proc/[0-9]*/fd/* | xargs -0 stat -c %N 2>/dev/null | awk -F "'" -v listening="$listening" '
    BEGIN { n = split(listening, words, " "); for (i = 1; i < n; i += 2) { port[words[i]] = words[i + 1]; hidden[words[i]] = 1 } }
    $4 ~ /^socket:/ {
      inode = $4; gsub(/[^0-9]/, "", inode)
      if (!(inode in port)) next
      split($2, parts, "/"); delete hidden[inode]
      if (!seen[parts[3] " " port[inode]]++) print parts[3], port[inode]
    }
    END { for (inode in hidden) print "-", port[inode] }'
}

# Ends the run where this process may be the server that is meant.
suspect() { # PID HOW
  ! is_another "$1" || return 0
  top=$1
  while read_process "$top" && [ "$process_parent" -gt 1 ] && runs_httpd "$process_parent"; do top=$process_parent; done
  find_processes
  case " $httpd_pids " in *" $top "*) fail gone 'httpd was started while it was being looked at; run again' ;; esac
  executable=$(readlink "/proc/$top/exe")
  case $executable in
    '') fail no-httpd "process $1 $2, and /proc does not show which program it runs, so nobody can tell whether httpd runs; have /proc mounted so that root sees all of it" ;;
    *' (deleted)') remedy='restart it, for its program file is gone' ;;
    *) remedy="write \"httpd: $executable\" for this host, or restart it by its usual name" ;;
  esac
  # Its program must not be advised: whatever "httpd:" names runs as root.
  runs_as_root "$top" || fail no-httpd "no httpd of $config runs as root here, but process $top does as another user, which $2 and looks like httpd; stop it, or start httpd as root"
  fail no-httpd "no httpd of $config is known to run here, but process $top ($executable) does, which $2 and looks like httpd; $remedy"
}

# Surely not the server that is meant: another one that is known, one of a container or of a judge of ours, or no httpd.
is_another() { # PID
  [ -e "/proc/$1/stat" ] || { ! kill -0 "$1" 2>/dev/null; return; }
  ancestor=$1
  while [ "$ancestor" -gt 1 ]; do
    case " $httpd_pids " in *" $ancestor "*) return 0 ;; esac
    read_process "$ancestor" || return 0
    ancestor=$process_parent
  done
  # shellcheck disable=SC3013 # dash and busybox ash have -ef.
  [ ! -e "/proc/$1/ns/pid" ] || [ /proc/self/ns/pid -ef "/proc/$1/ns/pid" ] || return 0
  ! is_of_judge "$1" || return 0
  if [ -e "/proc/$1/exe" ]; then ! runs_httpd "$1"; else is_of_kernel "$1"; fi
}

# A thread of the kernel has neither program nor arguments.
is_of_kernel() { # PID
  first_word=''
  IFS= read -r first_word 2>/dev/null <"/proc/$1/cmdline"
  [ -z "$first_word" ]
}

# Whatever its name: by words that stand in each httpd, or the library that each needs.
runs_httpd() { # PID
  grep -aqs 'D SERVER_CONFIG_FILE=' "/proc/$1/exe" || grep -qs '/libapr-1[.]so' "/proc/$1/maps"
}

# What starts a stopped server with the machine: the link of a unit or of an init script. One that was given another configuration
# than the program's own must name this one.
starter() {
  set --
  for link in /etc/systemd/system/*.wants/*.service /etc/rc[2-5].d/S* /etc/rc.d/rc[2-5].d/S* /etc/runlevels/*/*; do
    [ ! -f "$link" ] || is_unused_link "$link" || set -- "$@" "$link"
  done
  [ $# -gt 0 ] || return 0
  own_config=${version_text#*SERVER_CONFIG_FILE=\"} own_config=${own_config%%\"*}
  case $own_config in /*) ;; *) own_config=$compiled_root/$own_config ;; esac
  # shellcheck disable=SC3013 # dash and busybox ash have -ef.
  [ "$own_config" -ef "$config" ] && is_own_config=yes || is_own_config=''
  # An apachectl within the server root names its configuration itself.
  case $program in "$server_root"/*) is_own_config=yes ;; esac
  program=$program config=$config root=$server_root is_own=$is_own_config awk '
    function cut_out(name,   at) {
      while ((at = index(line, name)) > 0 && substr(line, at + length(name), 1) !~ /[A-Za-z0-9_-]/) {
        line = substr(line, 1, at - 1) " " substr(line, at + length(name)); named = 1
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

# Of the two ways only one is gone: without systemd its units are nothing, and beside a unit of the same name an init script is not.
is_unused_link() { # LINK
  case $1 in
    /etc/systemd/*) ! has_systemd ;;
    *)
      has_systemd || return 1
      init_name=${1##*/} init_name=${init_name#S[0-9][0-9]}
      [ -e "/lib/systemd/system/$init_name.service" ] || [ -e "/etc/systemd/system/$init_name.service" ]
      ;;
  esac
}
