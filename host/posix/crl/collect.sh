# shellcheck shell=sh
# From sources to the candidate crl.pem: one CRL for each CA key, the newest good one of what is installed, what came
# with the site, and what was downloaded. A source that fails costs nothing but its news.

# Where the settings and the CAs of this run are: the change's own, else the installed ones. Sets collect_bundle, and
# makes:
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
  # Somebody waits for a change, and nobody for a refresh.
  # shellcheck disable=SC2086
  set -- $source_ids
  [ "$mode" = refresh ] || set -- one
  fetch_until=$(($(now_ticks) / 100 + 200 * $#))
  list_cas || fail disk "the CAs in $collect_bundle cannot be read; is the disk full? Nothing was changed"
  read_installed_crls
}

# With a CA left out by accident, its list would be taken for that of a retired one.
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

# Whether a CA has that name and key: OpenSSL counts a list only then. After a change of keys the name alone says
# nothing.
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

# What crl.pem holds. Its facts were written down when it was made; read anew when somebody else wrote the file. Its
# CRLs are parted only when they are needed, because a million entries take a while.
read_installed_crls() {
  collect_installed=$own_directory/crl.pem collect_installed_hash='' collect_is_parted=''
  [ -f "$collect_installed" ] || return 0
  collect_installed_hash=$(hash_of "$collect_installed")
  if is_installed_known; then
    tail -n +2 -- "$state/crl.list" | awk -v directory="$work/known" '{ print >(directory "/" NR ".facts") }'
    # Of a CRL that is accepted by its hash the bytes are compared.
    [ -z "$source_accept_older" ] || { split_crls "$collect_installed" "$work/known" && collect_is_parted=yes; }
  else
    split_crls "$collect_installed" "$work/known"
    read_each "$work/known" "$work/all-cas.pem"
    collect_is_parted=yes
  fi
}

# Its second word: keys tell partitions apart. What an earlier build wrote is read anew.
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

# Facts of each CRL of DIRECTORY; those that no CA of ours has signed go.
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

# Within a change: the lists that came with the site count, too, and every CA gets its CRL before it is trusted.
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
  # The program would take a zone that the host does not know for UTC.
  [ -z "$source_time_zone" ] || [ -f "/usr/share/zoneinfo/$source_time_zone" ] || refuse "the time zone $source_time_zone is not known on this host; install tzdata, or leave timeZone out"
  collect_from_sources "$1"
  assemble_crls || :
  check_assembled
  [ -s "$work/own.list" ] || [ -s "$work/edit.list" ] || [ -n "$(dropped)$(journal_value owed)" ] ||
    [ -z "$(journal_value owner)" ] ||
    refuse 'no source delivers a newer CRL than the installed one'
}

# Tries the addresses of each source in their order. WHICH: all, or `new`, those that never delivered.
# in: fetch_until, mode, source_check, source_ids, state, work
# sets: collect_addresses_left, collect_source_until, failure
collect_from_sources() { # WHICH
  collect_which=$1
  # shellcheck disable=SC2086
  set -- $source_ids
  while [ $# -gt 0 ]; do
    collect_now=$(($(now_ticks) / 100))
    # What time is left is shared by those still to be asked: a source that trickles must not take it from all.
    collect_source_until=$((collect_now + (fetch_until - collect_now) / $#))
    [ "$collect_which" = new ] && is_source_installed "$1" || collect_from "$1"
    shift
  done
  [ "$source_check" = leaf ] || drop_crls_of_users
}

# Whether what it delivered last is there, or a later one: its CA may have been retired and come back, and a run may
# have failed after the download.
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
    # The last `read`, which finds nothing, empties its variables.
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

# Nothing new, or a good CRL that is no older than the installed one.
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

# Rightly signed, but naming another key: OpenSSL would look for that one.
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

# newer, same or older than the installed one of its key; newer where there is none.
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

# A source that never delivered has nothing installed to live on: a change that needs it does not go live. One whose
# list is there already, and newer, has: from the site file, or from an address of before.
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

# The rest of a record's line `source ID KEY …`.
record_line() { # ID KEY
  awk -v id="$1" -v key="$2" \
    '$1 == "source" && $2 == id && $3 == key { print substr($0, length($1 $2 $3) + 4); exit }' \
    "$collect_record" 2>/dev/null
}

# The newest of each key. A list whose CA is retired goes with the refresh after the change: the CA itself goes first.
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

# A disk that is full cuts files off without a word: a CA whose list went with them would lock its users out.
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

# The candidate: $work/own/crl.pem and $work/crl.list. Fails when it is what is installed.
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
  # What somebody else wrote there, or a run that nothing is known of, may never have been read by httpd.
  [ "$collect_assembled_hash" != "$collect_installed_hash" ] || ! is_installed_known || return 1
  # What is named comes before what names it: first of all files.
  mv -- "$work/crl.pem" "$work/own/crl.pem"
  { printf 'crl\tcrl.pem\t%s\n' "$collect_assembled_hash" && cat -- "$work/own.list"; } >"$work/own.list.new" &&
    mv -f -- "$work/own.list.new" "$work/own.list"
}

# The last look before httpd sees it: each block is a whole CRL and nothing else is there, no CA lacks one, and the
# sample certificate of the site is still accepted.
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

# httpd refuses every certificate below a CA that lacks its CRL: of all CAs for `chain`, for `leaf` of those that issue
# to users.
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
    # A refresh keeps what is installed, so it is no worse than before.
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
