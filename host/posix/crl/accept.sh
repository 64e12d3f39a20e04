# shellcheck shell=sh
# One source: its addresses are asked in turn, and a download is accepted where it is good, counts for a CA of the site,
# and is not older than the installed CRL.

# Checks whether a CA has the name and the key identifier in CRL_KEY, because OpenSSL counts a CRL only if one does.
# After a change of keys the name alone is not enough. Where the CRL or the CA has no key identifier, the name alone
# decides.
# in: work
# sets: nothing
is_of_ca() { # CRL_KEY
  awk -v crl="$1" \
    'BEGIN { split(crl, part, "-") }
    $1 == part[1] && (part[2] == "" || $3 == "-" || $3 == part[2]) { found = 1 }
    END { exit !found }' "$work/cas.list"
}

# Asks the addresses of one source in turn, until one gives a CRL that is accepted, and notes the result in $work/told.
# Where none does, explain_failure reports it. accept_first_list is `file` where the site file has the first CRL of this
# source, else `-`. accept_gave_older is set where an address gave a CRL that is older than the installed one.
# in: collect_bundle, collect_record, mode, work
# sets: accept_addresses_left, failure
# writes
collect_from() { # ID
  accept_tried='' accept_first_list=- accept_gave_older=''
  awk -F "$tab" -v id="$1" '$1 == id' "$work/source.list" >"$work/addresses"
  accept_addresses_left=$(grep -c . "$work/addresses")
  # The list is on descriptor 4, so that no program in the loop reads it.
  while IFS=$tab read -r _ accept_kind accept_url <&4; do
    # accept_kind is copied, because the last `read`, which finds nothing, empties its variables.
    accept_first_list=$accept_kind accept_shown_url=$(without_credentials_in "$accept_url")
    step "download $accept_shown_url"
    if download "$accept_url" "$work/raw" && accept_download "$1"; then
      printf 'source %s success %s %s\n' "$1" "$(date +%s)" "$accept_shown_url" >>"$work/told"
      rm -f -- "$work/raw"
      return 0
    fi
    accept_tried=$accept_tried${accept_tried:+; }
    accept_tried="$accept_tried$accept_shown_url: $(plain "$(without_credentials_in "$failure")")"
    accept_addresses_left=$((accept_addresses_left - 1))
  done 4<"$work/addresses"
  rm -f -- "$work/raw"
  printf 'source %s failure %s %.400s\n' "$1" "$(date +%s)" "$accept_tried" >>"$work/told"
  explain_failure "$1" "$accept_first_list" "$accept_gave_older" "$accept_tried"
}

# Accepts the download in $work/raw where it brings nothing new, or is a good CRL that is not older than the installed
# one. A new CRL becomes $work/crls/ID.pem and .facts, and is noted in $work/told. Sets `failure` and fails where the
# download is not accepted.
# writes
accept_download() { # ID
  accept_raw=$(hash_of "$work/raw")
  # These are the very bytes whose CRL is installed, so that they need not be read again.
  if [ "$(record_line "$1" raw)" = "$accept_raw" ] && is_installed_known && is_source_installed "$1"; then return 0; fi
  read_crl "$work/raw" "$work/crls/$1" "$collect_bundle" && check_crl_dates "$work/crls/$1" &&
    check_is_counted "$work/crls/$1" &&
    check_is_no_older "$work/crls/$1" && report_partition "$work/crls/$1" || { rm -f -- "$work/crls/$1".* && return 1; }
  printf 'source %s raw %s\nsource %s crl %s\n' "$1" "$accept_raw" "$1" \
    "$(awk '{ print $2, $3, $4, $5, $1 }' "$work/crls/$1.facts")" >>"$work/told"
}

# Checks whether OpenSSL would count a CRL, and sets `failure` where not. A CRL may be signed rightly and still name
# another key. OpenSSL would search for a CA with that key.
check_is_counted() { # TARGET
  read -r accept_key _ <"$1.facts"
  is_of_ca "$accept_key" || { failure='it names a key (authorityKeyIdentifier) that no CA of its name has' && return 1; }
}

# Checks whether a CRL is not older than the installed one, and sets `failure` where it is. An installed CRL with a
# later date makes it older. Without one its number is lower, and `failure` says what to do about that.
check_is_no_older() { # TARGET
  [ "$(compare_with_installed "$1")" = older ] || return 0
  accept_gave_older=yes failure='it is older than the installed one'
  read -r accept_key accept_this _ <"$1.facts"
  cat -- "$work"/known/*.facts |
    awk -v key="$accept_key" -v this="$accept_this" '$1 == key && $2 > this { found = 1 } END { exit !found }' ||
    failure="its number is below that of the installed one; if its CA has begun its numbers anew, write under clientAuth acceptOlderCrls: [$(der_hash "$1")]"
  return 1
}

# Prints whether a CRL is newer, the same or older than the installed one of its key. Prints newer where none is
# installed.
# in: work
# sets: nothing
compare_with_installed() { # TARGET
  read -r accept_key _ <"$1.facts"
  for accept_known in "$work"/known/*.facts; do
    [ -f "$accept_known" ] && [ "$(cut -d ' ' -f 1 "$accept_known")" = "$accept_key" ] || continue
    compare_crls "$1" "${accept_known%.facts}"
    return
  done
  echo newer
}

# Reports that a source failed. It is a note where there is a CRL all the same: GAVE_OLDER is set where a newer one is
# installed already, the record has one that the source delivered earlier, or FIRST_LIST is `file`. In a refresh it is
# always a note, because a refresh keeps what is installed. In a change without such a CRL it is a reason against the
# change.
# in: collect_record, mode
# sets: nothing
explain_failure() { # ID FIRST_LIST GAVE_OLDER TRIED
  if [ -n "$3$(record_line "$1" crl)" ]; then
    part "note a CRL source gives nothing usable, the installed CRL stays ($4)"
  elif [ "$2" = file ]; then
    part "note a CRL source gives nothing usable yet, the CRL of the site file serves ($4)"
  elif [ "$mode" = refresh ]; then
    part "note a CRL source gives nothing usable ($4)"
  else
    refuse "a CRL source has never delivered a CRL, and gives none now ($4)"
  fi
}

# Prints what follows `source ID KEY ` in the record. Prints nothing where it has no such line. The 4 counts the three
# blanks and the first letter of what follows.
# in: collect_record
# sets: nothing
record_line() { # ID KEY
  awk -v id="$1" -v key="$2" \
    '$1 == "source" && $2 == id && $3 == key { print substr($0, length($1 $2 $3) + 4); exit }' \
    "$collect_record" 2>/dev/null
}
