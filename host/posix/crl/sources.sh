# shellcheck shell=sh
# Where CRLs come from: the settings beside our configuration, and one download.

# Sets crl_check, alarm_hours, spread_minutes, times, time_zone, proxy_file, sample, accept_older, source_ids, and writes $work/source.list
# (ID, tab, `file` or `-`, tab, URL) in the order in which they are tried.
read_settings() { # FILE
  # shellcheck disable=SC2034 # for the files that come after this one.
  crl_check=leaf ca_name='' alarm_hours=24 spread_minutes=0 times='' time_zone='' proxy_file='' sample='' accept_older='' source_ids='' source=''
  : >"$work/source.list"
  while IFS=' ' read -r key value || [ -n "$key" ]; do
    case $key in
      check) crl_check=$value ;;
      ca) ca_name=$value ;;
      alarm-hours) alarm_hours=$(whole_number "$value" 24) ;;
      spread-minutes) spread_minutes=$(whole_number "$value" 0) ;;
      times) times=$value ;;
      time-zone) time_zone=$value ;;
      proxy-file) proxy_file=$value ;;
      sample) sample=$value ;;
      accept-older) accept_older="$accept_older $value" ;;
      source) source=${value%% *} first_list=${value##* } source_ids="$source_ids $source" ;;
      url) printf '%s\t%s\t%s\n' "$source" "$first_list" "$value" >>"$work/source.list" ;;
    esac
  done <"$1"
}

# Whatever a hand wrote there: a word would end the shell where it counts with it.
whole_number() { # TEXT DEFAULT
  case $1 in '' | 0?* | ?????* | *[!0-9]*) printf %s "$2" ;; *) printf %s "$1" ;; esac
}

# A download that brings less than 1 kB a second for so long is given up.
stall_seconds=20

# Bounded: no more bytes than a CRL may have, no longer than two minutes, and not at all when it trickles.
download() { # URL FILE
  failure='' proxy=''
  case $1 in *['"\']*) failure='the address has a quote or a backslash' && return 1 ;; esac
  # Other programs would quote it, and the arguments of wget show it to everybody.
  authority=${1#*://} authority=${authority%%[/?#]*}
  case $authority in *@*) failure='the address has a user name or a password, and everybody can read a CRL without one; remove them' && return 1 ;; esac
  [ -z "$proxy_file" ] || read_proxy || return 1
  # No address takes the time of those that come after it.
  remaining=$(((source_until - $(now_ticks) / 100) / addresses_left))
  [ "$remaining" -gt 0 ] || { failure='no time was left for it' && return 1; }
  [ "$remaining" -lt 120 ] || remaining=120
  if command -v curl >/dev/null 2>&1; then
    { fetch_by_curl "$1"; echo $? >"$2.status"; } | head -c $((max_crl_bytes + 1)) >"$2"
  elif command -v wget >/dev/null 2>&1; then
    { fetch_by_wget "$1"; echo $? >"$2.status"; } 2>"$2.errors" | head -c $((max_crl_bytes + 1)) >"$2"
  else
    failure='neither curl nor wget is installed'
    return 1
  fi
  explain_download "$2"
  [ -z "$failure" ] || return 1
  case $1 in [lL][dD][aA][pP]*) decode_ldap "$2" ;; esac
}

# The proxy may have a password: it comes from a file that only root reads, and goes in by standard input, where ps sees nothing.
read_proxy() {
  case $(stat -L -c '%u %a' -- "$proxy_file" 2>/dev/null) in
    '0 600' | '0 400') ;;
    '') failure="the proxy's file $proxy_file does not exist" && return 1 ;;
    *) failure="the proxy's file $proxy_file must belong to root and be readable by nobody else (chmod 600)" && return 1 ;;
  esac
  IFS= read -r proxy <"$proxy_file" || [ -n "$proxy" ] || failure="the proxy's file $proxy_file is empty"
  [ -n "$failure" ] || is_proxy_address "$proxy" ||
    failure="the proxy's file $proxy_file does not hold one address on one line, such as http://proxy.example:3128; in a name or a password write an at sign as %40 and a slash as %2F"
  [ -z "$failure" ]
}

# [scheme://][user:password@]host[:port][/]. Of any other text curl would say what it is, and the password may be a part of that.
is_proxy_address() { # TEXT
  set -- "${1%/}"
  case $1 in
    [hH][tT][tT][pP]://* | [hH][tT][tT][pP][sS]://* | [sS][oO][cC][kK][sS][45]://* | [sS][oO][cC][kK][sS]4[aA]://* | [sS][oO][cC][kK][sS]5[hH]://*) set -- "${1#*://}" ;;
  esac
  case $1 in *[!!-~]* | *[\"\'\\/?#]* | *@*@*) return 1 ;; esac
  set -- "${1##*@}"
  case $1 in
    \[*\]) set -- "$1" 1 ;;
    \[*\]:*) set -- "${1%:*}" "${1##*:}" ;;
    *:*) set -- "${1%%:*}" "${1#*:}" ;;
    *) set -- "$1" 1 ;;
  esac
  case $2 in '' | *[!0-9]* | ??????*) return 1 ;; esac
  [ "$2" -le 65535 ] || return 1
  case $1 in
    \[*\]) set -- "${1#?}" && set -- "${1%?}" && case ${1%%%*} in '' | *[!0-9A-Fa-f:.]*) return 1 ;; esac ;;
    '' | *[!0-9A-Za-z._-]*) return 1 ;;
  esac
}

fetch_by_curl() { # URL
  {
    printf 'url = "%s"\n' "$1"
    [ -z "$proxy" ] || printf 'proxy = "%s"\n' "$proxy"
  } | curl -q --config - --silent --show-error --fail --location --max-redirs 3 --proto '=http,https,ldap,ldaps' --proto-redir '=http,https' \
    --globoff --user-agent clientcert --connect-timeout 10 --max-time "$remaining" --speed-limit 1000 --speed-time "$stall_seconds" 2>"$work/curl.errors"
}

# busybox's wget has no more options than these.
fetch_by_wget() { # URL
  (
    [ -z "$proxy" ] || { http_proxy=$proxy https_proxy=$proxy && export http_proxy https_proxy; }
    exec timeout "$remaining" wget -q -O - -T "$stall_seconds" -U clientcert "$1"
  )
}

# Sets failure, empty when all is well. curl's own words name hosts and numbers, never the answer's content.
explain_download() { # FILE
  fetch_status='not known, is the disk full?'
  read -r fetch_status <"$1.status" || :
  if [ "$(stat -c %s -- "$1")" -gt "$max_crl_bytes" ]; then
    failure="it has more than $max_crl_bytes bytes"
  elif [ "$fetch_status" != 0 ]; then
    failure=$(sed -n 's/^curl: ([0-9]*) //p' "$work/curl.errors" 2>/dev/null | tr -c '[:print:]\n' '?' | head -n 1)
    failure="the download failed: ${failure:-status $fetch_status}"
  fi
}

# curl prints an entry as text, the list in base64 (RFC 2849).
decode_ldap() { # FILE
  awk 'tolower($0) ~ /^[ \t]*certificaterevocationlist[^ ]*:: / && !found++ { print $2 }' "$1" | base64 -d >"$1.list" 2>/dev/null
  mv -f -- "$1.list" "$1"
  [ -s "$1" ] || { failure='the LDAP entry has no certificateRevocationList' && return 1; }
}
