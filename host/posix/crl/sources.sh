# shellcheck shell=sh
# The sources of CRLs: the settings beside our configuration, and one download.

source_ids=''

# Sets source_… for each setting. Writes $work/source.list (ID, tab, `file` or `-`, tab, URL) in the order in which the
# addresses are tried. `file` means that the site file has the first CRL of this source.
# in: work
# sets: source_accept_older, source_alarm_hours, source_ca_name, source_check, source_ids, source_sample,
#   source_spread_minutes, source_time_zone, source_times
read_settings() { # FILE
  # shellcheck disable=SC2034 # for the files that come after this one.
  source_check=leaf source_ca_name='' source_alarm_hours=24 source_spread_minutes=0 source_times='' source_time_zone=''
  source_proxy_file='' source_sample='' source_accept_older='' source_ids='' source=''
  : >"$work/source.list"
  while IFS=' ' read -r source_key source_value || [ -n "$source_key" ]; do
    case $source_key in
      check) source_check=$source_value ;;
      ca) source_ca_name=$source_value ;;
      alarm-hours) source_alarm_hours=$(whole_number "$source_value" 24) ;;
      spread-minutes) source_spread_minutes=$(whole_number "$source_value" 0) ;;
      times) source_times=$source_value ;;
      time-zone) source_time_zone=$source_value ;;
      proxy-file) source_proxy_file=$source_value ;;
      sample) source_sample=$source_value ;;
      accept-older) source_accept_older="$source_accept_older $source_value" ;;
      source) source=${source_value%% *} source_first_list=${source_value##* } source_ids="$source_ids $source" ;;
      url) printf '%s\t%s\t%s\n' "$source" "$source_first_list" "$source_value" >>"$work/source.list" ;;
    esac
  done <"$1"
}

# Prints TEXT where it is a whole number of at most four digits, else DEFAULT. Somebody may have written anything there
# by hand, and a word would end the shell where the shell calculates with it.
whole_number() { # TEXT DEFAULT
  case $1 in '' | 0?* | ?????* | *[!0-9]*) printf %s "$2" ;; *) printf %s "$1" ;; esac
}

# A download that brings less than 1 kB a second for this many seconds is given up.
source_stall_seconds=20

# Downloads URL to FILE within limits: the bytes that a CRL may have, its share of the time and two minutes at most, and
# a minimum speed. Sets `failure` and fails where that does not go well.
# in: accept_addresses_left, collect_source_until, crl_max_bytes, work
# sets: failure
download() { # URL FILE
  failure='' source_proxy=''
  # curl would end the address at a quote, and take a backslash for the beginning of an escape.
  case $1 in *['"\']*) failure='the address has a quote or a backslash' && return 1 ;; esac
  # Other programs would show this address in their words, and everybody can read the arguments of wget.
  source_authority=${1#*://} source_authority=${source_authority%%[/?#]*}
  case $source_authority in *@*) failure='the address has a user name or a password, and everybody can read a CRL without one; remove them' && return 1 ;; esac
  [ -z "$source_proxy_file" ] || read_proxy || return 1
  # Each address gets its share of the time, so that it cannot take the time of the addresses that follow.
  source_remaining=$(((collect_source_until - $(now_ticks) / 100) / accept_addresses_left))
  [ "$source_remaining" -gt 0 ] || { failure='no time was left for it' && return 1; }
  [ "$source_remaining" -lt 120 ] || source_remaining=120
  # A pipe has the exit status of `head` alone, so that of the download goes to a file.
  # One byte more than the limit shows that the download was cut off there.
  if command -v curl >/dev/null 2>&1; then
    { fetch_by_curl "$1"; echo $? >"$2.status"; } | head -c $((crl_max_bytes + 1)) >"$2"
  elif command -v wget >/dev/null 2>&1; then
    { fetch_by_wget "$1"; echo $? >"$2.status"; } 2>"$2.errors" | head -c $((crl_max_bytes + 1)) >"$2"
  else
    failure='neither curl nor wget is installed'
    return 1
  fi
  explain_download "$2"
  [ -z "$failure" ] || return 1
  case $1 in [lL][dD][aA][pP]*) decode_ldap "$2" ;; esac
}

# Sets source_proxy to the address of the proxy, which may have a password, or sets `failure` and fails. The address
# comes from a file that only root can read, and is given to the program where ps cannot see it.
read_proxy() {
  case $(stat -L -c '%u %a' -- "$source_proxy_file" 2>/dev/null) in
    '0 600' | '0 400') ;;
    '') failure="the proxy's file $source_proxy_file does not exist" && return 1 ;;
    *) failure="the proxy's file $source_proxy_file must belong to root and be readable by nobody else (chmod 600)" && return 1 ;;
  esac
  IFS= read -r source_proxy <"$source_proxy_file" || [ -n "$source_proxy" ] ||
    failure="the proxy's file $source_proxy_file is empty"
  [ -n "$failure" ] || is_proxy_address "$source_proxy" ||
    failure="the proxy's file $source_proxy_file does not hold one address on one line, such as http://proxy.example:3128; in a name or a password write an at sign as %40 and a slash as %2F"
  [ -z "$failure" ]
}

# Checks for [scheme://][user:password@]host[:port][/]. For any other text curl would print the part that it cannot use,
# and the password may be in that part.
is_proxy_address() { # TEXT
  set -- "${1%/}"
  case $1 in
    [hH][tT][tT][pP]://* | [hH][tT][tT][pP][sS]://* | [sS][oO][cC][kK][sS][45]://* | \
      [sS][oO][cC][kK][sS]4[aA]://* | [sS][oO][cC][kK][sS]5[hH]://*)
      set -- "${1#*://}"
      ;;
  esac
  # Refuses blanks and all that is not printable ASCII, quotes, whatever may follow a host, and a second @.
  case $1 in *[!!-~]* | *[\"\'\\/?#]* | *@*@*) return 1 ;; esac
  set -- "${1##*@}"
  # From here on $1 is the host, and $2 the port. Without a port, 1 stands for it.
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

# Prints the download. The settings go through standard input, because everybody can read arguments.
fetch_by_curl() { # URL
  {
    printf 'url = "%s"\n' "$1"
    [ -z "$source_proxy" ] || printf 'proxy = "%s"\n' "$source_proxy"
  } | curl -q --config - --silent --show-error --fail --location --max-redirs 3 --proto '=http,https,ldap,ldaps' \
    --proto-redir '=http,https' --globoff --user-agent clientcert --connect-timeout 10 --max-time "$source_remaining" \
    --speed-limit 1000 --speed-time "$source_stall_seconds" 2>"$work/curl.errors"
}

# Prints the download. The options are all that busybox's wget has. The proxy goes through the environment.
fetch_by_wget() { # URL
  (
    [ -z "$source_proxy" ] || { http_proxy=$source_proxy https_proxy=$source_proxy && export http_proxy https_proxy; }
    exec timeout "$source_remaining" wget -q -O - -T "$source_stall_seconds" -U clientcert "$1"
  )
}

# Sets failure, which is empty when the download went well. curl's own words name hosts and numbers, never the content
# of the answer.
explain_download() { # FILE
  source_fetch_status='not known, is the disk full?'
  read -r source_fetch_status <"$1.status" || :
  if [ "$(stat -c %s -- "$1")" -gt "$crl_max_bytes" ]; then
    failure="it has more than $crl_max_bytes bytes"
  elif [ "$source_fetch_status" != 0 ]; then
    failure=$(sed -n 's/^curl: ([0-9]*) //p' "$work/curl.errors" 2>/dev/null | tr -c '[:print:]\n' '?' | head -n 1)
    failure="the download failed: ${failure:-status $source_fetch_status}"
  fi
}

# Replaces a downloaded LDAP entry by the CRL in it, the first one where it has several. Sets `failure` and fails where
# there is none. curl prints an LDAP entry as text that holds the CRL in base64, behind two colons (RFC 2849).
decode_ldap() { # FILE
  awk 'tolower($0) ~ /^[ \t]*certificaterevocationlist[^ ]*:: / && !found++ { print $2 }' "$1" |
    base64 -d >"$1.list" 2>/dev/null
  mv -f -- "$1.list" "$1"
  [ -s "$1" ] || { failure='the LDAP entry has no certificateRevocationList' && return 1; }
}
