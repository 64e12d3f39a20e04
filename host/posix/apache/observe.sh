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

# Sets observe_openssl, once: the first line holds the version of OpenSSL, and another line how it was built. It is
# `none` where openssl does not run.
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

# Sends a part for each PHP binary of the server: the module that httpd loads, each running php-fpm, and the program
# that is installed beside the server root. The part is `php KIND ID VERSION<TAB>PATH`, where KIND is module, fpm or
# cli, and ID is INODE.TIME.SIZE. The version is found by the words that every PHP binary holds for its X-Powered-By
# header, so no PHP is executed. A host may run several php-fpm, and any of them may serve this site. observe_programs
# has a line KIND:PATH for each binary.
observe_php() {
  observe_programs=$(printf %s "$process_php_fpm" | awk '!seen[$0]++ { print "fpm:" $0 }')
  observe_programs=${server_php_module:+module:$server_php_module$nl}$observe_programs$nl
  observe_programs=${observe_programs}cli:${server_root%/*}/php/bin/php
  observe_ifs=$IFS IFS=$nl
  set -f
  for observe_program in $observe_programs; do
    IFS=$observe_ifs observe_path=${observe_program#*:}
    [ -n "$observe_path" ] && inside test -f "$observe_path" || continue
    doing "reading $observe_path"
    observe_file_id=$(inside stat -L -c '%i.%Y.%s' -- "$observe_path")
    # The journal remembers the version that the last change found, as `php INODE.TIME.SIZE VERSION`, because a PHP
    # binary has 20 MB.
    case $(journal_value "php $observe_file_id") in
      '')
        observe_php_version=$(inside grep -a -o -m1 'X-Powered-By: PHP/[0-9.]*' -- "$observe_path" | head -n 1) &&
          observe_php_version=${observe_php_version##*/}
        ;;
      *) observe_php_version=$(journal_value "php $observe_file_id") ;;
    esac
    [ -z "$observe_php_version" ] ||
      part "php ${observe_program%%:*} $observe_file_id $observe_php_version$tab$observe_path"
  done
  set +f
}

# A filter for httpd's error log. Prints when the parent last logged that it reloads or goes on after that, as the log
# writes it but without fractions of a second, or an empty line. Each module has codes of its own for both: event 493
# and 489, worker 297 and 292, prefork 171 and 163. Only the parent's own words count: a request can put any text into
# the log, but not at this place of a line.
reload_stamp() {
  observe_notice="^[^]]*[]] [[]mpm_[a-z]+:notice[]] [[]pid $parent(:tid [0-9]+)?[]] "
  awk -v resumed="$observe_notice([a-z_0-9]+[.]c[(][0-9]+[)]: )?AH00(493|489|297|292|171|163): " '
    $0 ~ resumed { stamp = $0 }
    END { sub(/^\[/, "", stamp); sub(/\].*/, "", stamp); sub(/\.[0-9]+/, "", stamp); print stamp }'
}

# Prints a time of httpd's log in seconds since 1970, and fails where `date` cannot read it. The log has httpd's local
# time, so TZ is that of httpd's environment. The login may have another time zone.
log_seconds() { # STAMP
  observe_zone=$(printf '%s\n' "$server_environment" | awk '/^TZ=/ { print substr($0, 4) }')
  (
    unset TZ
    [ -z "$observe_zone" ] || export TZ="$observe_zone"
    date -d "$1" +%s 2>/dev/null
  )
}

# Prints the time of our last reload in seconds since 1970, and 0 where there was none. It is the earlier one of two
# times: what the clock showed then, and what the clock of today would have shown. So a clock that was set since then
# cannot hide an edit. After a reboot it is 0, because httpd was started later than that reload.
reloaded_seconds() {
  observe_moment=$(journal_value reloaded-at) observe_by_clock=$(journal_value reloaded) observe_by_uptime=0
  # `reloaded-at` is TICKS BOOT_ID, with 100 ticks a second since boot.
  [ "${observe_moment#* }" != "$(boot_id)" ] || observe_by_uptime=$((observe_boot + ${observe_moment%% *} / 100))
  [ "$observe_by_uptime" -lt "${observe_by_clock:-0}" ] && printf %s "$observe_by_uptime" ||
    printf %s "${observe_by_clock:-0}"
}

# Prints when httpd last read its configuration, in seconds since 1970: at the start of the parent, at our last reload,
# or at a later reload that the last 64 KiB of its error log show. Prints nothing for a stopped server.
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

# Sends crontabs and scripts of cron that may fetch a CRL, because they hold `crl` in any case or the path of a CRL
# file, or that have a line which an adoption commented out. They are those of this host, whatever httpd's mount
# namespace holds. Which lines count is not decided here.
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

# Sends our files: the owner, mode and size of those that run unattended, the hashes of all, and the contents of those
# beside httpd's configuration. One process hashes all files. Sets observe_timers for observe_refresh.
observe_own() {
  observe_own_directory=$server_root/conf/clientcert observe_own_files='' observe_timers=$(installed_timers)
  part unattended
  # With `/.` stat describes the directory itself, also where its name is a link.
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

# Sends the timers, and the record of the refreshes (at most 64 KiB). A line `sample ...` is added where the sample
# certificate was useless. The timers are those of this host, whatever httpd's mount namespace holds.
observe_refresh() {
  (enter='' && observe_files timer 65536 "$observe_timers")
  [ ! -f "$state/refresh.record" ] ||
    { part refresh-record && head -c 65536 -- "$state/refresh.record" &&
    { [ ! -f "$state/sample" ] || sed 's/^/sample /' "$state/sample"; }; }
}

# Reads everything that a plan needs, and sends it in parts. Ends the run where no httpd runs and that cannot be proved.
# It also sets dumped and server_root for what follows.
# in: arguments, config, instance, parent, root_argument, server_compiled_root, server_environment, server_parent_start,
#   server_version, state, state_journal
# sets: dumped, server_root
observe() {
  read_modules
  # Where httpd does not accept its configuration, the exit status and its words are sent as the dump.
  observe_dump_status=0
  dumped=$nl$(dump) || observe_dump_status=$?
  server_root=$(run_setting ServerRoot)
  [ -n "$server_root" ] || server_root=${root_argument:-$server_compiled_root}
  observe_started_by=''
  [ -n "$parent" ] || { prove_stopped "$(run_setting PidFile)" && observe_started_by=$(starter); }
  doing "reading httpd's error log"
  observe_boot=$(awk '$1 == "btime" { print $2 }' /proc/stat)
  ask_openssl
  # `cat` prints the whole next part, where its failure would not be seen.
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
