# shellcheck shell=sh
# Makes the candidate crl.pem from the sources. It holds one CRL for each CA key: the newest good CRL of those that are
# installed, that came with the site, and that were downloaded. Where a source fails, only its newer CRL is missing.

# Prepares the collection. The settings and the CAs are those of the change itself, else the installed ones. Sets
# collect_bundle, and makes these files:
#   $work/crls/ID.pem|facts     downloaded and good        $work/known/N.pem|facts   installed
#   $work/chosen/KEY.pem|facts  what crl.pem is made of    $work/told                lines for the record
#   $work/cas.list              SUBJECT_HASH ISSUER_HASH KEY_IDENTIFIER_or_- of each CA
# in: mode, own_directory, state, work
# sets: collect_bundle, collect_installed, collect_record, fetch_until
# writes
prepare_collection() {
  rm -rf -- "$work/known" "$work/chosen"
  mkdir -p -- "$work/crls" "$work/known" "$work/chosen" || fail_no_room
  read_settings "$(newest_own refresh.conf)"
  collect_bundle=$(newest_own "$source_ca_name") collect_record=$state/refresh.record
  cat -- "$collect_bundle" "$own_directory"/ca-*.pem >"$work/all-cas.pem" 2>/dev/null
  # A change has somebody who waits for it, so it gets less time than a refresh, for which nobody waits.
  # shellcheck disable=SC2086
  set -- $source_ids
  [ "$mode" = refresh ] || set -- one
  fetch_until=$(($(now_ticks) / 100 + 200 * $#))
  list_cas || fail disk "the CAs in $collect_bundle cannot be read; is the disk full? Nothing was changed"
  read_installed_crls
}

# Lists the CAs, and fails if one is missing. The CRL of a CA that is left out by accident would be taken for the CRL of
# a retired CA.
list_cas() {
  split_cas "$collect_bundle" "$work/cas"
  for collect_each_ca in "$work"/cas/*; do
    openssl x509 -noout -subject_hash -issuer_hash -text -in "$collect_each_ca" 2>/dev/null | awk '
      names < 2 && /^[0-9a-f]+$/ { name[++names] = $0; next }
      in_key { gsub(/[ :]/, ""); key = $0; in_key = 0 }
      /^ +X509v3 Subject Key Identifier:/ { in_key = 1 }
      END { if (names == 2) print name[1], name[2], (key == "" ? "-" : key) }'
  done >"$work/cas.list"
  [ -s "$work/cas.list" ] &&
    [ "$(grep -c . "$work/cas.list")" = "$(grep -c -e '^-----BEGIN CERTIFICATE-----' -- "$collect_bundle")" ]
}

# Checks whether a CA has this name and this key, because OpenSSL counts a CRL only if one does. After a change of keys
# the name alone is not enough.
# in: work
# sets: nothing
is_of_ca() { # CRL_KEY
  awk -v crl="$1" \
    'BEGIN { split(crl, part, "-") }
    $1 == part[1] && (part[2] == "" || $3 == "-" || $3 == part[2]) { found = 1 }
    END { exit !found }' "$work/cas.list"
}

# in: own_directory, work
# sets: nothing
newest_own() { # NAME
  if [ -f "$work/own/$1" ]; then printf %s "$work/own/$1"; else printf %s "$own_directory/$1"; fi
}

# Reads what crl.pem holds. The facts of its CRLs were written when the file was made. They are read anew where somebody
# else wrote the file. The file is split into its CRLs only where that is needed, because a million entries take a
# while.
read_installed_crls() {
  collect_installed=$own_directory/crl.pem collect_installed_hash='' collect_is_parted=''
  [ -f "$collect_installed" ] || return 0
  collect_installed_hash=$(hash_of "$collect_installed")
  if is_installed_known; then
    tail -n +2 -- "$state/crl.list" | awk -v directory="$work/known" '{ print >(directory "/" NR ".facts") }'
    # A CRL that the site file accepts by its hash is compared by its bytes.
    [ -z "$source_accept_older" ] || { split_crls "$collect_installed" "$work/known" && collect_is_parted=yes; }
  else
    split_crls "$collect_installed" "$work/known"
    read_each "$work/known" "$work/all-cas.pem"
    collect_is_parted=yes
  fi
}

# Checks whether the facts of the installed crl.pem are known. The word `points` means that the keys tell apart the CRLs
# that a CA parts by address. A crl.list of an earlier build lacks this word, so the CRLs are read anew.
# in: state
# sets: nothing
is_installed_known() {
  [ -n "$collect_installed_hash" ] &&
    [ "$(head -n 1 -- "$state/crl.list" 2>/dev/null)" = "$collect_installed_hash points" ]
}

# in: nothing
# sets: nothing
split_crls() { # FILE DIRECTORY
  awk -v directory="$2" '/^-----BEGIN X509 CRL-----/ { n++ } n { print >(directory "/" n ".pem") }' "$1"
}

# Writes the facts of each CRL in DIRECTORY. A CRL that is signed by none of our CAs is removed.
read_each() { # DIRECTORY BUNDLE
  for collect_each in "$1"/*.pem; do
    [ -f "$collect_each" ] || continue
    if read_crl "$collect_each" "$1/read" "$2"; then
      mv -f -- "$1/read.pem" "$collect_each" && mv -f -- "$1/read.facts" "${collect_each%.pem}.facts"
    else
      rm -f -- "$collect_each"
    fi
  done
}

# Collects the CRLs within a change. The CRLs that came with the site count, too, and each CA gets its CRL before it is
# trusted.
# in: mode, own_directory, state, work
# sets: collect_addresses_left, collect_bundle, collect_installed, collect_record, collect_source_until, failure,
#   fetch_until
collect_for_change() { # WHICH sources: all, or `new`
  : >"$work/told"
  prepare_collection
  if [ -f "$work/own/crl.pem" ]; then
    mkdir -- "$work/site"
    split_crls "$work/own/crl.pem" "$work/site"
    read_each "$work/site" "$collect_bundle"
  fi
  # `date` would take a time zone that the host does not know for UTC.
  [ -z "$source_time_zone" ] || [ -f "/usr/share/zoneinfo/$source_time_zone" ] || refuse "the time zone $source_time_zone is not known on this host; install tzdata, or leave timeZone out"
  collect_from_sources "$1"
  assemble_crls || :
  check_assembled
  [ -s "$work/own.list" ] || [ -s "$work/edit.list" ] || [ -n "$(dropped)$(journal_value owed)" ] ||
    [ -z "$(journal_value owner)" ] ||
    refuse 'no source delivers a newer CRL than the installed one'
}

# Tries the addresses of each source in their order. WHICH is `all`, or `new` for the sources whose CRL is not
# installed.
# in: fetch_until, mode, source_check, source_ids, state, work
# sets: collect_addresses_left, collect_source_until, failure
collect_from_sources() { # WHICH
  collect_which=$1
  # shellcheck disable=SC2086
  set -- $source_ids
  while [ $# -gt 0 ]; do
    collect_now=$(($(now_ticks) / 100))
    # The sources that are still to be asked share the time that is left. So a source that sends slowly cannot take the
    # time of all.
    collect_source_until=$((collect_now + (fetch_until - collect_now) / $#))
    [ "$collect_which" = new ] && is_source_installed "$1" || collect_from "$1"
    shift
  done
  [ "$source_check" = leaf ] || drop_crls_of_users
}

# Checks whether the CRL that this source delivered last is installed, or a later one. Its CA may have been retired and
# come back, and a run may have failed after the download.
is_source_installed() { # ID
  collect_delivered=$(record_line "$1" crl)
  [ -n "$collect_delivered" ] && cat -- "$work"/known/*.facts 2>/dev/null |
    awk -v this="${collect_delivered%% *}" -v key="${collect_delivered##* }" \
      '$1 == key && $2 >= this { found = 1 } END { exit !found }'
}

# writes
collect_from() { # ID
  collect_tried='' collect_first_list=- collect_is_outrun=''
  awk -F "$tab" -v id="$1" '$1 == id' "$work/source.list" >"$work/addresses"
  collect_addresses_left=$(grep -c . "$work/addresses")
  while IFS=$tab read -r _ collect_kind collect_url <&4; do
    # This value is kept, because the last `read`, which finds nothing, empties its variables.
    collect_first_list=$collect_kind collect_shown_url=$(without_credentials_in "$collect_url")
    step "download $collect_shown_url"
    if download "$collect_url" "$work/raw" && accept_download "$1"; then
      printf 'source %s success %s %s\n' "$1" "$(date +%s)" "$collect_shown_url" >>"$work/told"
      rm -f -- "$work/raw"
      return 0
    fi
    collect_tried=$collect_tried${collect_tried:+; }
    collect_tried="$collect_tried$collect_shown_url: $(plain "$(without_credentials_in "$failure")")"
    collect_addresses_left=$((collect_addresses_left - 1))
  done 4<"$work/addresses"
  rm -f -- "$work/raw"
  printf 'source %s failure %s %.400s\n' "$1" "$(date +%s)" "$collect_tried" >>"$work/told"
  explain_failure "$1" "$collect_first_list" "$collect_is_outrun" "$collect_tried"
}

# Accepts a download that brings nothing new, or a good CRL that is not older than the installed one.
# writes
accept_download() { # ID
  collect_raw=$(hash_of "$work/raw")
  if [ "$(record_line "$1" raw)" = "$collect_raw" ] && is_installed_known && is_source_installed "$1"; then return 0; fi
  read_crl "$work/raw" "$work/crls/$1" "$collect_bundle" && check_crl_dates "$work/crls/$1" &&
    check_is_counted "$work/crls/$1" &&
    check_is_no_older "$work/crls/$1" && report_partition "$work/crls/$1" || { rm -f -- "$work/crls/$1".* && return 1; }
  printf 'source %s raw %s\nsource %s crl %s\n' "$1" "$collect_raw" "$1" \
    "$(awk '{ print $2, $3, $4, $5, $1 }' "$work/crls/$1.facts")" >>"$work/told"
}

# A CRL may be signed rightly and still name another key. OpenSSL would search for a CA with that key.
check_is_counted() { # TARGET
  read -r collect_key _ <"$1.facts"
  is_of_ca "$collect_key" || { failure='it names a key (authorityKeyIdentifier) that no CA of its name has' && return 1; }
}

check_is_no_older() { # TARGET
  [ "$(compare_with_installed "$1")" = older ] || return 0
  collect_is_outrun=yes failure='it is older than the installed one'
  read -r collect_key collect_this _ <"$1.facts"
  cat -- "$work"/known/*.facts |
    awk -v key="$collect_key" -v this="$collect_this" '$1 == key && $2 > this { found = 1 } END { exit !found }' ||
    failure="its number is below that of the installed one; if its CA has begun its numbers anew, write under clientAuth acceptOlderCrls: [$(der_hash "$1")]"
  return 1
}

# Prints whether a CRL is newer, the same or older than the installed one of its key. Prints newer where none is
# installed.
# in: work
# sets: nothing
compare_with_installed() { # TARGET
  read -r collect_key _ <"$1.facts"
  for collect_known in "$work"/known/*.facts; do
    [ -f "$collect_known" ] && [ "$(cut -d ' ' -f 1 "$collect_known")" = "$collect_key" ] || continue
    compare_crls "$1" "${collect_known%.facts}"
    return
  done
  echo newer
}

# Explains why a source failed. Nothing is installed of a source that never delivered, so a change that needs it does
# not go live. It goes on where a newer CRL is installed already, from the site file or from an earlier address.
# in: mode
# sets: nothing
explain_failure() { # ID FIRST_LIST IS_OUTRUN TRIED
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

# Prints the rest of a line `source ID KEY …` of the record.
record_line() { # ID KEY
  awk -v id="$1" -v key="$2" \
    '$1 == "source" && $2 == id && $3 == key { print substr($0, length($1 $2 $3) + 4); exit }' \
    "$collect_record" 2>/dev/null
}

# Chooses the newest CRL of each key. The CRL of a retired CA is removed by the refresh after the change, because the CA
# itself has to go first.
choose_crls() {
  [ -n "$collect_is_parted" ] || [ ! -f "$collect_installed" ] || split_crls "$collect_installed" "$work/known"
  for collect_facts in "$work"/known/*.facts "$work"/crls/*.facts "$work"/site/*.facts; do
    [ -f "$collect_facts" ] || continue
    read -r collect_key _ <"$collect_facts"
    [ "$mode" != refresh ] || is_of_ca "$collect_key" || continue
    collect_chosen=$work/chosen/$collect_key
    if [ ! -f "$collect_chosen.facts" ] ||
      [ "$(compare_crls "${collect_facts%.facts}" "$collect_chosen")" = newer ]; then
      ln -f -- "$collect_facts" "$collect_chosen.facts" &&
        ln -f -- "${collect_facts%.facts}.pem" "$collect_chosen.pem" ||
        fail disk "no room in ${work%/*}; nothing was changed"
    fi
  done
  drop_outlived
  check_nothing_lost
}

# A full disk cuts files off without an error. A CA whose CRL was lost in this way would lock its users out.
check_nothing_lost() {
  is_installed_known || return 0
  while read -r collect_key _; do
    if [ -s "$work/chosen/$collect_key.facts" ] || grep -qsxF -e "$collect_key" "$work/outlived" ||
      { [ "$mode" = refresh ] && ! is_of_ca "$collect_key"; }; then
      continue
    fi
    fail disk "the installed CRL $collect_key was lost on the way; is the disk full? Nothing was changed"
  done <<EOF
$(tail -n +2 -- "$state/crl.list")
EOF
}

# Makes the candidate: $work/own/crl.pem and $work/crl.list. Fails where the candidate equals what is installed.
# in: mode, state, work
# sets: nothing
# writes
assemble_crls() {
  choose_crls
  cat -- "$work"/chosen/*.pem >"$work/crl.pem" 2>/dev/null || return 1
  collect_assembled_hash=$(hash_of "$work/crl.pem")
  { printf '%s points\n' "$collect_assembled_hash" && cat -- "$work"/chosen/*.facts; } >"$work/crl.list"
  awk -F "$tab" '$2 != "crl.pem"' "$work/own.list" >"$work/own.list.new" &&
    mv -f -- "$work/own.list.new" "$work/own.list"
  rm -f -- "$work/own/crl.pem"
  # httpd may never have read a crl.pem that somebody else wrote, or that an unknown run wrote.
  [ "$collect_assembled_hash" != "$collect_installed_hash" ] || ! is_installed_known || return 1
  # A file is placed before the file that names it. So crl.pem is the first one.
  mv -- "$work/crl.pem" "$work/own/crl.pem"
  { printf 'crl\tcrl.pem\t%s\n' "$collect_assembled_hash" && cat -- "$work/own.list"; } >"$work/own.list.new" &&
    mv -f -- "$work/own.list.new" "$work/own.list"
}

# The last check before httpd reads the candidate: each block is a whole CRL and nothing else is in the file, no CA
# lacks its CRL, and the sample certificate of the site is still accepted.
# in: mode, own_directory, source_check, source_sample, work
# sets: nothing
check_assembled() {
  for collect_chosen in "$work"/chosen/*.pem; do
    [ -f "$collect_chosen" ] || continue
    [ "$(grep -c '^-----' "$collect_chosen")" = 2 ] && [ -s "${collect_chosen%.pem}.facts" ] &&
      openssl crl -in "$collect_chosen" -noout 2>/dev/null || refuse "a CRL does not read back as it was written (${collect_chosen##*/}); is the disk full?"
  done
  check_coverage
  if [ -n "$source_sample" ] && { [ -f "$work/own/crl.pem" ] || [ -f "$work/own/$source_sample" ]; }; then
    check_sample "$(newest_own crl.pem)"
  fi
}

# httpd refuses every certificate below a CA that lacks its CRL. With `chain` every CA needs a CRL, with `leaf` every CA
# that issues to users.
check_coverage() {
  for collect_chosen in "$work"/chosen/*.pem; do
    echo "${collect_chosen##*/}"
  done | sed 's/[.]pem$//' >"$work/chosen.keys"
  awk -v check="$source_check" '
    FILENAME == ARGV[1] { keys[$1]; next }
    { subject[++count] = $1; identifier[count] = $3; if ($1 != $2) above[$2] }
    END {
      for (i = 1; i <= count; i++) {
        is_above = subject[i] in above; covered = check == "leaf" && is_above
        for (key in keys) {
          split(key, part, "-")
          if (part[1] == subject[i] && (part[2] == "" || identifier[i] == "-" || part[2] == identifier[i]) &&
            (part[3] == "" || is_above)) covered = 1
        }
        if (!covered && !seen[subject[i]]++) print subject[i]
      }
    }' "$work/chosen.keys" "$work/cas.list" >"$work/uncovered"
  while read -r collect_subject; do
    # A refresh keeps what is installed, so a missing CRL was missing before.
    [ "$mode" = refresh ] ||
      refuse "no CRL source delivered the CRL of the CA $(ca_subject "$collect_subject"), so every certificate below it would be refused"
  done <"$work/uncovered"
}

# in: work
# sets: nothing
ca_subject() { # SUBJECT_HASH
  for collect_each_ca in "$work"/cas/*; do
    if [ "$(openssl x509 -noout -subject_hash -in "$collect_each_ca")" = "$1" ]; then
      openssl x509 -noout -subject -in "$collect_each_ca" | cut -c 9- && return
    fi
  done
}
