# shellcheck shell=sh
# The observation: one run reads everything that the plan needs and changes nothing.

observe_openssl=''

# Prints the value of a line `Name: "value"` of DUMP_RUN_CFG. awk does this, because a shell cuts a text in quadratic
# time and 500 virtual hosts dump a megabyte.
# in: dumped
# sets: nothing
run_setting() { # NAME
  printf '%s\n' "$dumped" | awk -v name="$1: \"" '
    index($0, name) == 1 && !found++ { cut = length(name); print substr($0, cut + 1, length($0) - cut - 1) }'
}

# The first line holds the version of OpenSSL, and another line how it was built.
ask_openssl() { observe_openssl=${observe_openssl:-$(openssl version -v -f 2>/dev/null || echo none)}; }

# Prints the security level of OpenSSL for httpd's handshakes. It is the lowest level that a cipher list names, else the
# level that OpenSSL was built with, else OpenSSL's own default, which is 2 from version 3.2 on. @see
# SSL_CTX_set_security_level(3)
# in: dumped
# sets: nothing
security_level() {
  ask_openssl
  {
    printf '%s\n' "$dumped" |
      awk 'tolower($1) ~ /^sslciphersuite$/ && match($0, /@SECLEVEL=[0-5]/) { print substr($0, RSTART + 10, 1) }' |
      sort -n
    printf '%s\n' "$observe_openssl" | sed -n 's/.*-DOPENSSL_TLS_SECURITY_LEVEL=\([0-5]\).*/\1/p'
    printf '%s\n' "$observe_openssl" |
      awk 'NR == 1 && $2 ~ /^(3[.]([2-9]|[1-9][0-9])|[4-9])/ { print 2; found = 1 } END { if (!found) print 1 }'
  } | head -n 1
}

# Prints the directives that name files which httpd reads at its start, as `Directive<TAB>path`.
named_files() {
  printf '%s\n' "$dumped" | server_root=$server_root awk -v tab="$tab" "$quoting_read_word"'
    BEGIN {
      n = split("SSLCertificateFile SSLCertificateKeyFile SSLCertificateChainFile SSLCACertificateFile " \
        "SSLCADNRequestFile SSLCARevocationFile SSLSessionTicketKeyFile SSLProxyCACertificateFile", names, " ")
      for (i = 1; i <= n; i++) known[tolower(names[i])] = names[i]
    }
    tolower($1) in known {
      path = $0; sub(/^[ \t]*[^ \t]+[ \t]+/, "", path)
      line = known[tolower($1)] tab absolute(read_word(path))
      if (!(line in seen)) { seen[line] = 1; print line }
    }'
}

# Warnings may stand anywhere between the lines. So a list ends where the next list begins.
# in: dumped
# sets: nothing
included_files() {
  printf '%s\n' "$dumped" | awk '
    /^Included configuration files:/ { on = 1; next }
    /^(VirtualHost configuration|# In file|ServerRoot)/ { on = 0 }
    on && /^ *\([0-9*]+\) / { sub(/^ *\([0-9*]+\) /, ""); if (!($0 in seen)) { seen[$0] = 1; print } }'
}

# in: nothing
# sets: nothing
resolve_paths() { tr '\n' '\0' | inside xargs -0 -r realpath -m --; }

# Prints one part for each path: its size, times, resolved path, path, and bytes. A file above the limit is cut to its
# first 8 KiB. For a file of ours or a CRL file both ends of each PEM block are printed instead.
observe_files() { # KIND LIMIT_BYTES PATHS
  [ -n "$3" ] || return 0
  observe_ifs=$IFS IFS=$nl
  set -f
  doing "a look at ${3%%"$nl"*}, or at a file that is named beside it,"
  # shellcheck disable=SC2086
  observe_resolved=$(inside realpath -m -- $3)
  # shellcheck disable=SC2086
  observe_facts=$(inside stat -c '%f %s %Y %Z %n' -- $observe_resolved 2>/dev/null)
  set +f
  IFS=$observe_ifs
  while IFS= read -r observe_path <&3 && IFS= read -r observe_real <&4 && IFS= read -r observe_fact <&5; do
    [ "${observe_fact#* * * * }" = "$observe_real" ] || fail changed "$observe_real went away while it was being read; run again"
    observe_type=${observe_fact%% *} observe_fact=${observe_fact#* }
    is_readable "$observe_type" "$observe_real" || { [ "$1" = crontab ] && continue; } ||
      fail pipe "$observe_real: is no regular file but a pipe, a device or a socket, so it is not read; name a regular file there"
    part "$1 ${observe_fact%" $observe_real"}$tab$observe_real$tab$observe_path"
    # Files in /proc have size 0, and reading them may never end.
    [ "${observe_fact%% *}" != 0 ] || continue
    doing "reading $observe_real"
    if [ "$1" = server-certificates ]; then
      inside cat -- "$observe_real" | certificates_alone
    elif [ "${observe_fact%% *}" -le "$2" ]; then
      inside cat -- "$observe_real"
    elif [ "$1" = own ] || [ "$1" = crl ]; then
      ends_of_blocks "$observe_real"
    else
      inside head -c 8192 -- "$observe_real"
    fi
  done 3<<PATHS 4<<RESOLVED 5<<FACTS
$3
PATHS
$observe_resolved
RESOLVED
$observe_facts
FACTS
}

# Reading a pipe may never end, and reading a device may do anything. /dev/null is allowed, because a configuration may
# name it where nothing is to be read.
is_readable() { # TYPE_AND_MODE PATH: hexadecimal, as `stat -c %f` prints it
  case $1 in 8??? | 4???) return 0 ;; *) [ "$2" = /dev/null ] ;; esac
}

# Prints the certificates of a PEM file, and nothing else of it. A key may stand beside them, also in a block that is
# never closed.
certificates_alone() {
  awk '/^-----BEGIN / { on = /^-----BEGIN CERTIFICATE-----/ } on { print } /^-----END / { on = 0 }'
}

# Prints the first and the last 64 lines of each PEM block. `...COUNT` stands for the characters between them.
ends_of_blocks() { # PATH
  awk -v keep=64 '
    { sub(/\r$/, "") }
    /^-----BEGIN / { print; first = 0; last = 0; left = 0; inside = 1; next }
    !inside { next }
    /^-----END / {
      if (left) print "..." left
      for (i = last > keep ? last - keep : 0; i < last; i++) print tail[i % keep]
      print; inside = 0; next
    }
    first < keep { first++; print substr($0, 1, 200); next }
    { if (last >= keep) left += length(tail[last % keep]); tail[last++ % keep] = substr($0, 1, 200) }
  ' "$1"
}

# Prints the times of all named files. It also prints the CAs and CRLs of the files that are not ours; ours are sent in
# any case.
observe_named_files() { # NAMED
  [ -n "$1" ] || return 0
  part named
  observe_ifs=$IFS IFS=$nl
  set -f
  doing "a look at the files that httpd's configuration names"
  # shellcheck disable=SC2046
  observe_times=$(inside stat -L -c "%Y %Z$tab%n" -- $(printf '%s\n' "$1" | cut -f 2-) 2>/dev/null)
  set +f
  IFS=$observe_ifs
  printf '%s\n\n%s\n' "$observe_times" "$1" | awk -v tab="$tab" '
    { cut = index($0, tab); head = substr($0, 1, cut - 1); path = substr($0, cut + 1) }
    !on && cut { time[path] = head }
    !cut { on = 1 }
    on && cut && path in time { print time[path] tab $0 }'
  observe_theirs=$(printf '%s\n' "$1" |
    own=$server_root/conf/clientcert/ awk -F "$tab" 'index($2, ENVIRON["own"]) != 1')
  observe_cas=$(paths_of "$observe_theirs" 'SSLCACertificateFile|SSLCADNRequestFile')
  observe_files certificates 1048576 "$observe_cas"
  observe_files crl 65536 "$(paths_of "$observe_theirs" SSLCARevocationFile)"
  # Only a CA file completes the chain of a server's own certificate. The file of that certificate may hold its key, so
  # only the certificates of the file are sent.
  [ -z "$observe_cas" ] || observe_files server-certificates 0 "$(paths_of "$observe_theirs" SSLCertificateFile)"
}

# Prints each path that one of the directives names, once.
paths_of() { # NAMED DIRECTIVES
  printf '%s\n' "$1" |
    awk -F "$tab" -v names="^($2)\$" '$1 ~ names { path = substr($0, length($1) + 2); if (!seen[path]++) print path }'
}

# Finds the version of PHP by the words that every PHP binary holds for its X-Powered-By header. No PHP is executed. A
# host may run several php-fpm, and any of them may be the product's.
observe_php() {
  observe_programs=$(printf %s "$process_php_fpm" | awk '!seen[$0]++ { print "fpm:" $0 }')
  observe_programs=${server_php_module:+module:$server_php_module$nl}$observe_programs$nl
  observe_programs=${observe_programs}cli:${server_root%/*}/php/bin/php
  observe_ifs=$IFS IFS=$nl
  set -f
  for observe_found in $observe_programs; do
    IFS=$observe_ifs observe_path=${observe_found#*:}
    [ -n "$observe_path" ] && inside test -f "$observe_path" || continue
    doing "reading $observe_path"
    observe_known=$(inside stat -L -c '%i.%Y.%s' -- "$observe_path")
    # The journal remembers the version that the last change found, as `php INODE.TIME.SIZE VERSION`, because a PHP
    # binary has 20 MB.
    case $(journal_value "php $observe_known") in
      '')
        observe_php_version=$(inside grep -a -o -m1 'X-Powered-By: PHP/[0-9.]*' -- "$observe_path" | head -n 1) &&
          observe_php_version=${observe_php_version##*/}
        ;;
      *) observe_php_version=$(journal_value "php $observe_known") ;;
    esac
    [ -z "$observe_php_version" ] ||
      part "php ${observe_found%%:*} $observe_known $observe_php_version$tab$observe_path"
  done
  set +f
}

# Prints when the parent last logged that it goes on after a reload. Only the parent's own words count: a request can
# put any text into the log, but not at this place of a line.
reload_stamp() {
  observe_said="^[^]]*[]] [[]mpm_[a-z]+:notice[]] [[]pid $parent(:tid [0-9]+)?[]] "
  awk -v said="$observe_said([a-z_0-9]+[.]c[(][0-9]+[)]: )?AH004(93|89): " '
    $0 ~ said { stamp = $0 }
    END { sub(/^\[/, "", stamp); sub(/\].*/, "", stamp); sub(/\.[0-9]+/, "", stamp); print stamp }'
}

# The log has httpd's local time. The login may have another time zone.
log_seconds() { # STAMP
  observe_zone=$(printf '%s\n' "$server_environment" | awk '/^TZ=/ { print substr($0, 4) }')
  (
    unset TZ
    [ -z "$observe_zone" ] || export TZ="$observe_zone"
    date -d "$1" +%s 2>/dev/null
  )
}

# Prints the time of our last reload. It is the earlier one of two times: what the clock showed then, and what the clock
# of today would have shown. So a clock that was set since then cannot hide an edit. After a reboot it is 0, because
# httpd was started later than that reload.
reloaded_seconds() {
  observe_moment=$(journal_value reloaded-at) observe_by_clock=$(journal_value reloaded) observe_by_uptime=0
  [ "${observe_moment#* }" != "$(boot_id)" ] || observe_by_uptime=$((observe_boot + ${observe_moment%% *} / 100))
  [ "$observe_by_uptime" -lt "${observe_by_clock:-0}" ] && printf %s "$observe_by_uptime" ||
    printf %s "${observe_by_clock:-0}"
}

# Prints when httpd last read its configuration: at the start of the parent, at our last reload, or at a later reload
# that its error log shows.
loaded_seconds() {
  [ -n "$parent" ] || return 0
  observe_loaded=$((observe_boot + server_parent_start / 100))
  observe_reloaded=$(reloaded_seconds)
  [ "$observe_reloaded" -le "$observe_loaded" ] || observe_loaded=$observe_reloaded
  observe_log=$(run_setting 'Main ErrorLog')
  if [ -n "$observe_log" ] && inside test -f "$observe_log"; then
    observe_stamp=$(inside tail -c 65536 -- "$observe_log" | reload_stamp)
    if [ -n "$observe_stamp" ] && observe_reloaded=$(log_seconds "$observe_stamp") &&
      [ "$observe_reloaded" -gt "$observe_loaded" ] && [ "$observe_reloaded" -le "$(date +%s)" ]; then
      observe_loaded=$observe_reloaded
    fi
  fi
  printf %s "$observe_loaded"
}

# Sends crontabs and scripts of cron that may fetch a CRL, or that have a line which an adoption commented out. They are
# those of this host, whatever httpd's mount namespace holds. Which lines count is not decided here.
observe_crontabs() { # NAMED
  doing "reading the crontabs"
  observe_crontab_paths=$({
    printf 'crl\n#clientcert-adopted# \n'
    printf '%s\n' "$1" | sed -n "s/^SSLCARevocationFile$tab//p"
  } | grep -lisF -D skip -f - -- /etc/crontab /etc/cron.d/* /etc/cron.hourly/* /etc/cron.daily/* \
    /etc/cron.weekly/* /etc/cron.monthly/* \
    /var/spool/cron/* /var/spool/cron/crontabs/*)
  (enter='' && observe_files crontab 1048576 "$observe_crontab_paths")
}

# Sends our files. For the files that run unattended it also sends the owner and the mode. One process hashes all files.
observe_own() {
  observe_own_directory=$server_root/conf/clientcert observe_own_files='' observe_timers=$(installed_timers)
  part unattended
  # shellcheck disable=SC2086 # the names of timers are letters and digits
  [ ! -d "$state" ] && [ -z "$observe_timers" ] ||
    stat -c '%u %a %s %n' -- "${state%/*}/." "$state/." "$state/program" "$state/refresh" "$state/undo" \
    $observe_timers 2>/dev/null
  set --
  for observe_file in "$state/program" "$state/refresh" "$state/undo" $observe_timers "$observe_own_directory"/*; do
    [ -f "$observe_file" ] || continue
    set -- "$@" "$observe_file"
    case $observe_file in
      "$observe_own_directory"/*) observe_own_files=${observe_own_files:+$observe_own_files$nl}$observe_file ;;
    esac
  done
  [ $# -gt 0 ] || return 0
  part own-hashes
  doing "reading the files in $observe_own_directory"
  sha256sum -- "$@"
  observe_files own 1048576 "$observe_own_files"
}

# Sends the timers and how the refreshes ended. The timers are those of this host, whatever httpd's mount namespace
# holds.
observe_refresh() {
  (enter='' && observe_files timer 65536 "$observe_timers")
  [ ! -f "$state/refresh.record" ] ||
    { part refresh-record && head -c 65536 -- "$state/refresh.record" &&
    { [ ! -f "$state/sample" ] || sed 's/^/sample /' "$state/sample"; }; }
}

# in: arguments, config, instance, parent, quoting_read_word, root_argument, server_compiled_root, server_environment,
#   server_parent_start, server_version, state, state_journal
# sets: dumped, server_root
observe() {
  read_modules
  observe_dump_status=0
  dumped=$nl$(dump) || observe_dump_status=$?
  server_root=$(run_setting ServerRoot)
  [ -n "$server_root" ] || server_root=${root_argument:-$server_compiled_root}
  observe_started_by=''
  [ -n "$parent" ] || { prove_stopped "$(run_setting PidFile)" && observe_started_by=$(starter); }
  doing "reading httpd's error log"
  observe_boot=$(awk '$1 == "btime" { print $2 }' /proc/stat)
  ask_openssl
  observe_now=$(date +%s) && cat </dev/null || name_broken_tool
  part server
  cat <<EOF
now $observe_now
version $server_version
openssl ${observe_openssl%%"$nl"*}
security-level $(security_level)
server-root $server_root
config $config
instance $instance
parent $parent
started $server_parent_start
loaded $(loaded_seconds)
arguments $(printf %s "$arguments" | tr '\n' '\t')
state $(state_of_transaction)
starter $observe_started_by
$(observe_timer)
EOF
  part "dump $observe_dump_status"
  printf '%s\n' "$dumped"
  observe_files file 67108864 "$(included_files)"
  observe_own
  part journal
  printf '%s\n' "$state_journal"
  [ ! -f "$state/loaded" ] || { part loaded-hashes && cat -- "$state/loaded"; }
  observe_refresh
  observe_named=$(named_files)
  observe_named_files "$observe_named"
  observe_php
  observe_crontabs "$observe_named"
}
