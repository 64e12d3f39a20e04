# shellcheck shell=sh
# The observation: everything the plan needs, in one look, touching nothing.

# DUMP_RUN_CFG's `Name: "value"`. By awk: a shell's own cutting of a text is quadratic, and 500 virtual hosts dump a megabyte.
run_setting() { # NAME
  printf '%s\n' "$dumped" | awk -v name="$1: \"" 'index($0, name) == 1 && !found++ { cut = length(name); print substr($0, cut + 1, length($0) - cut - 1) }'
}

# Its version is the first line, and how it was built another one.
ask_openssl() { openssl_said=${openssl_said:-$(openssl version -v -f 2>/dev/null || echo none)}; }

# OpenSSL's security level for httpd's handshakes: the lowest that a cipher list names, else what OpenSSL was built with, else
# its own default, which is 2 from 3.2 on. @see SSL_CTX_set_security_level(3)
security_level() {
  ask_openssl
  {
    printf '%s\n' "$dumped" | awk 'tolower($1) ~ /^sslciphersuite$/ && match($0, /@SECLEVEL=[0-5]/) { print substr($0, RSTART + 10, 1) }' | sort -n
    printf '%s\n' "$openssl_said" | sed -n 's/.*-DOPENSSL_TLS_SECURITY_LEVEL=\([0-5]\).*/\1/p'
    printf '%s\n' "$openssl_said" | awk 'NR == 1 && $2 ~ /^(3[.]([2-9]|[1-9][0-9])|[4-9])/ { print 2; found = 1 } END { if (!found) print 1 }'
  } | head -n 1
}

# The directives whose files httpd reads at its start, as `Directive<TAB>path`.
named_files() {
  printf '%s\n' "$dumped" | server_root=$server_root awk -v tab="$tab" "$read_word"'
    BEGIN {
      n = split("SSLCertificateFile SSLCertificateKeyFile SSLCertificateChainFile SSLCACertificateFile SSLCADNRequestFile SSLCARevocationFile SSLSessionTicketKeyFile SSLProxyCACertificateFile", names, " ")
      for (i = 1; i <= n; i++) known[tolower(names[i])] = names[i]
    }
    tolower($1) in known {
      path = $0; sub(/^[ \t]*[^ \t]+[ \t]+/, "", path)
      line = known[tolower($1)] tab absolute(read_word(path))
      if (!(line in seen)) { seen[line] = 1; print line }
    }'
}

# Warnings may stand anywhere between the lines: a list ends where the next one begins.
included_files() {
  printf '%s\n' "$dumped" | awk '
    /^Included configuration files:/ { on = 1; next }
    /^(VirtualHost configuration|# In file|ServerRoot)/ { on = 0 }
    on && /^ *\([0-9*]+\) / { sub(/^ *\([0-9*]+\) /, ""); if (!($0 in seen)) { seen[$0] = 1; print } }'
}

resolve_paths() { tr '\n' '\0' | inside xargs -0 -r realpath -m --; }

# One part for each path of the list: size, times, resolved path, path, and the bytes
# (of a file above the limit the first 8 KiB, of one of ours both ends of each PEM block).
observe_files() { # KIND LIMIT_BYTES PATHS
  [ -n "$3" ] || return 0
  oldifs=$IFS IFS=$nl
  set -f
  doing "a look at ${3%%"$nl"*}, or at a file that is named beside it,"
  # shellcheck disable=SC2086
  resolved=$(inside realpath -m -- $3)
  # shellcheck disable=SC2086
  facts=$(inside stat -c '%f %s %Y %Z %n' -- $resolved 2>/dev/null)
  set +f
  IFS=$oldifs
  while IFS= read -r path <&3 && IFS= read -r real <&4 && IFS= read -r fact <&5; do
    [ "${fact#* * * * }" = "$real" ] || fail changed "$real went away while it was being read; run again"
    type=${fact%% *} fact=${fact#* }
    is_readable "$type" "$real" || { [ "$1" = crontab ] && continue; } ||
      fail pipe "$real: is no regular file but a pipe, a device or a socket, so it is not read; name a regular file there"
    part "$1 ${fact%" $real"}$tab$real$tab$path"
    # Files in /proc have no size, and may be read for ever.
    [ "${fact%% *}" != 0 ] || continue
    doing "reading $real"
    if [ "$1" = server-certificates ]; then
      inside cat -- "$real" | certificates_alone
    elif [ "${fact%% *}" -le "$2" ]; then
      inside cat -- "$real"
    elif [ "$1" = own ] || [ "$1" = crl ]; then
      ends_of_blocks "$real"
    else
      inside head -c 8192 -- "$real"
    fi
  done 3<<PATHS 4<<RESOLVED 5<<FACTS
$3
PATHS
$resolved
RESOLVED
$facts
FACTS
}

# A pipe would be read for ever, and a device may do anything. Where nothing is meant to be read, /dev/null may be named.
is_readable() { # TYPE_AND_MODE PATH: hexadecimal, as `stat -c %f` prints it
  case $1 in 8??? | 4???) return 0 ;; *) [ "$2" = /dev/null ] ;; esac
}

# The certificates of a PEM file, and nothing else of it: a key may stand beside them, also where a block is never closed.
certificates_alone() {
  awk '/^-----BEGIN / { on = /^-----BEGIN CERTIFICATE-----/ } on { print } /^-----END / { on = 0 }'
}

# Of each PEM block the first and the last 64 lines; `...COUNT` stands for the characters between them.
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

# The times of all of them; and of those of others, because ours are sent anyway, what their CAs and CRLs are.
observe_named_files() { # NAMED
  [ -n "$1" ] || return 0
  part named
  oldifs=$IFS IFS=$nl
  set -f
  doing "a look at the files that httpd's configuration names"
  # shellcheck disable=SC2046
  times=$(inside stat -L -c "%Y %Z$tab%n" -- $(printf '%s\n' "$1" | cut -f 2-) 2>/dev/null)
  set +f
  IFS=$oldifs
  printf '%s\n\n%s\n' "$times" "$1" | awk -v tab="$tab" '
    { cut = index($0, tab); head = substr($0, 1, cut - 1); path = substr($0, cut + 1) }
    !on && cut { time[path] = head }
    !cut { on = 1 }
    on && cut && path in time { print time[path] tab $0 }'
  theirs=$(printf '%s\n' "$1" | own=$server_root/conf/clientcert/ awk -F "$tab" 'index($2, ENVIRON["own"]) != 1')
  cas=$(paths_of "$theirs" 'SSLCACertificateFile|SSLCADNRequestFile')
  observe_files certificates 1048576 "$cas"
  observe_files crl 65536 "$(paths_of "$theirs" SSLCARevocationFile)"
  # Only a CA file completes the chain of a server's own certificate. Of that file, which may hold its key, the certificates alone.
  [ -z "$cas" ] || observe_files server-certificates 0 "$(paths_of "$theirs" SSLCertificateFile)"
}

# Each path once that one of the directives names.
paths_of() { # NAMED DIRECTIVES
  printf '%s\n' "$1" | awk -F "$tab" -v names="^($2)\$" '$1 ~ names { path = substr($0, length($1) + 2); if (!seen[path]++) print path }'
}

# PHP by the words that every PHP binary carries for its X-Powered-By header; nothing is executed. A host may run several
# php-fpm, and any may be the product's.
observe_php() {
  programs=$(printf %s "$php_fpm" | awk '!seen[$0]++ { print "fpm:" $0 }')
  programs=${php_module:+module:$php_module$nl}$programs${nl}cli:${server_root%/*}/php/bin/php
  oldifs=$IFS IFS=$nl
  set -f
  for found in $programs; do
    IFS=$oldifs path=${found#*:}
    [ -n "$path" ] && inside test -f "$path" || continue
    doing "reading $path"
    known=$(inside stat -L -c '%i.%Y.%s' -- "$path")
    # The journal remembers `php INODE.TIME.SIZE VERSION` of the last change: a PHP binary has 20 MB.
    case $(journal_value "php $known") in
      '') php_version=$(inside grep -a -o -m1 'X-Powered-By: PHP/[0-9.]*' -- "$path" | head -n 1) && php_version=${php_version##*/} ;;
      *) php_version=$(journal_value "php $known") ;;
    esac
    [ -z "$php_version" ] || part "php ${found%%:*} $known $php_version$tab$path"
  done
  set +f
}

# When the parent said last that it goes on after a reload. Its own words only: a request can bring any text into the log,
# but not to this place of a line.
reload_stamp() {
  awk -v said="^[^]]*[]] [[]mpm_[a-z]+:notice[]] [[]pid $parent(:tid [0-9]+)?[]] ([a-z_0-9]+[.]c[(][0-9]+[)]: )?AH004(93|89): " '
    $0 ~ said { stamp = $0 } END { sub(/^\[/, "", stamp); sub(/\].*/, "", stamp); sub(/\.[0-9]+/, "", stamp); print stamp }'
}

# The log has httpd's local time, which need not be the login's.
log_seconds() { # STAMP
  zone=$(printf '%s\n' "$environment" | awk '/^TZ=/ { print substr($0, 4) }')
  (
    unset TZ
    [ -z "$zone" ] || export TZ="$zone"
    date -d "$1" +%s 2>/dev/null
  )
}

# Our last reload. The earlier of what the clock said then and of what it would say today: a clock that was set since must
# not hide an edit. Since a reboot httpd was started later.
reloaded_seconds() {
  moment=$(journal_value reloaded-at) by_clock=$(journal_value reloaded) by_uptime=0
  [ "${moment#* }" != "$(boot_id)" ] || by_uptime=$((boot + ${moment%% *} / 100))
  [ "$by_uptime" -lt "${by_clock:-0}" ] && printf %s "$by_uptime" || printf %s "${by_clock:-0}"
}

# When httpd last read its configuration: start of the parent, our last reload, or a later one in its error log.
loaded_seconds() {
  [ -n "$parent" ] || return 0
  loaded=$((boot + parent_start / 100))
  reloaded=$(reloaded_seconds)
  [ "$reloaded" -le "$loaded" ] || loaded=$reloaded
  log=$(run_setting 'Main ErrorLog')
  if [ -n "$log" ] && inside test -f "$log"; then
    stamp=$(inside tail -c 65536 -- "$log" | reload_stamp)
    if [ -n "$stamp" ] && reloaded=$(log_seconds "$stamp") && [ "$reloaded" -gt "$loaded" ] && [ "$reloaded" -le "$(date +%s)" ]; then loaded=$reloaded; fi
  fi
  printf %s "$loaded"
}

# Crontabs and scripts of cron that may fetch a CRL, or have a line that an adoption commented out: of this host, whatever
# httpd's mount namespace holds. Which lines count is not decided here.
observe_crontabs() { # NAMED
  doing "reading the crontabs"
  crontabs=$({
    printf 'crl\n#clientcert-adopted# \n'
    printf '%s\n' "$1" | sed -n "s/^SSLCARevocationFile$tab//p"
  } | grep -lisF -D skip -f - -- /etc/crontab /etc/cron.d/* /etc/cron.hourly/* /etc/cron.daily/* /etc/cron.weekly/* /etc/cron.monthly/* \
    /var/spool/cron/* /var/spool/cron/crontabs/*)
  (enter='' && observe_files crontab 1048576 "$crontabs")
}

# Our files, and what of ours runs unattended: of that also whose it is. One process hashes all of them.
observe_own() {
  own=$server_root/conf/clientcert own_files='' timers=$(installed_timers)
  part unattended
  # shellcheck disable=SC2086 # the names of timers are letters and digits
  [ ! -d "$state" ] && [ -z "$timers" ] || stat -c '%u %a %s %n' -- "${state%/*}/." "$state/." "$state/program" "$state/refresh" "$state/undo" $timers 2>/dev/null
  set --
  for file in "$state/program" "$state/refresh" "$state/undo" $timers "$own"/*; do
    [ -f "$file" ] || continue
    set -- "$@" "$file"
    case $file in "$own"/*) own_files=${own_files:+$own_files$nl}$file ;; esac
  done
  [ $# -gt 0 ] || return 0
  part own-hashes
  doing "reading the files in $own"
  sha256sum -- "$@"
  observe_files own 1048576 "$own_files"
}

# The timers, of this host, whatever httpd's mount namespace holds, and how the refreshes ended.
observe_refresh() {
  (enter='' && observe_files timer 65536 "$timers")
  [ ! -f "$state/refresh.record" ] || { part refresh-record && head -c 65536 -- "$state/refresh.record" && { [ ! -f "$state/sample" ] || sed 's/^/sample /' "$state/sample"; }; }
}

observe() {
  read_modules
  dump_status=0
  dumped=$nl$(dump) || dump_status=$?
  server_root=$(run_setting ServerRoot)
  [ -n "$server_root" ] || server_root=${root_argument:-$compiled_root}
  started_by=''
  [ -n "$parent" ] || { prove_stopped "$(run_setting PidFile)" && started_by=$(starter); }
  doing "reading httpd's error log"
  boot=$(awk '$1 == "btime" { print $2 }' /proc/stat)
  ask_openssl
  now=$(date +%s) && cat </dev/null || name_broken_tool
  part server
  cat <<EOF
now $now
version $version
openssl ${openssl_said%%"$nl"*}
security-level $(security_level)
server-root $server_root
config $config
instance $instance
parent $parent
started $parent_start
loaded $(loaded_seconds)
arguments $(printf %s "$arguments" | tr '\n' '\t')
state $(state_of_transaction)
starter $started_by
$(observe_timer)
EOF
  part "dump $dump_status"
  printf '%s\n' "$dumped"
  observe_files file 67108864 "$(included_files)"
  observe_own
  part journal
  printf '%s\n' "$journal"
  [ ! -f "$state/loaded" ] || { part loaded-hashes && cat -- "$state/loaded"; }
  observe_refresh
  named=$(named_files)
  observe_named_files "$named"
  observe_php
  observe_crontabs "$named"
}
