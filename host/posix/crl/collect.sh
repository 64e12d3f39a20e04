# shellcheck shell=sh
# Makes the candidate crl.pem from the sources. It holds one CRL for each CA key: the newest good CRL of those that are
# installed, that came with the site, and that were downloaded. Where a source fails, only its newer CRL is missing.

# Prepares the collection: reads the settings, the CAs and the installed CRLs, and sets fetch_until and collect_bundle,
# the file of the CAs. The settings and the CAs are those of the change itself, else the installed ones. Fails where
# there is no room, or a CA cannot be read. These are the files of a collection, here and in the steps after this one:
#   $work/crls/ID.pem|facts     downloaded and good        $work/known/N.pem|facts   installed
#   $work/chosen/KEY.pem|facts  what crl.pem is made of    $work/told                lines for the record
#   $work/cas.list              SUBJECT_HASH ISSUER_HASH KEY_IDENTIFIER_or_- of each CA
# in: mode, own_directory, state, work
# sets: collect_bundle, collect_installed, collect_installed_hash, collect_is_split, collect_record, fetch_until
# writes
prepare_collection() {
  rm -rf -- "$work/known" "$work/chosen"
  mkdir -p -- "$work/crls" "$work/known" "$work/chosen" || fail_no_room
  read_settings "$(newest_own refresh.conf)"
  collect_bundle=$(newest_own "$source_ca_name") collect_record=$state/refresh.record
  cat -- "$collect_bundle" "$own_directory"/ca-*.pem >"$work/all-cas.pem" 2>/dev/null
  # The time is 200 seconds for each source. A change has somebody who waits for it, so it gets the time of one source.
  # For a refresh nobody waits.
  # shellcheck disable=SC2086
  set -- $source_ids
  [ "$mode" = refresh ] || set -- one
  fetch_until=$(($(now_ticks) / 100 + 200 * $#))
  list_cas || fail disk "the CAs in $collect_bundle cannot be read; is the disk full? Nothing was changed"
  read_installed_crls
}

# Writes $work/cas.list, and fails if a CA of the bundle is missing in it. The CRL of a CA that is left out by accident
# would be taken for the CRL of a retired CA.
list_cas() {
  split_cas "$collect_bundle" "$work/cas"
  for collect_each_ca in "$work"/cas/*; do
    openssl x509 -noout -subject_hash -issuer_hash -text -in "$collect_each_ca" 2>/dev/null | awk '
      # The first two lines are the hashes. The text of the certificate follows.
      names < 2 && /^[0-9a-f]+$/ { name[++names] = $0; next }
      in_key { gsub(/[ :]/, ""); key = $0; in_key = 0 }
      /^ +X509v3 Subject Key Identifier:/ { in_key = 1 }
      END { if (names == 2) print name[1], name[2], (key == "" ? "-" : key) }'
  done >"$work/cas.list"
  [ -s "$work/cas.list" ] &&
    [ "$(grep -c . "$work/cas.list")" = "$(grep -c -e '^-----BEGIN CERTIFICATE-----' -- "$collect_bundle")" ]
}

# Prints the path of a file of ours: the one that the change brings, else the installed one.
# in: own_directory, work
# sets: nothing
newest_own() { # NAME
  if [ -f "$work/own/$1" ]; then printf %s "$work/own/$1"; else printf %s "$own_directory/$1"; fi
}

# Reads what the installed crl.pem holds, into $work/known. The facts of its CRLs were written when the file was made.
# They are read anew where somebody else wrote the file. The file is split into its CRLs only where that is needed,
# because a million entries take a while.
read_installed_crls() {
  collect_installed=$own_directory/crl.pem collect_installed_hash='' collect_is_split=''
  [ -f "$collect_installed" ] || return 0
  collect_installed_hash=$(hash_of "$collect_installed")
  if is_installed_known; then
    tail -n +2 -- "$state/crl.list" | awk -v directory="$work/known" '{ print >(directory "/" NR ".facts") }'
    # A CRL that the site file accepts by its hash is compared by its bytes.
    [ -z "$source_accept_older" ] || { split_crls "$collect_installed" "$work/known" && collect_is_split=yes; }
  else
    split_crls "$collect_installed" "$work/known"
    read_each "$work/known" "$work/all-cas.pem"
    collect_is_split=yes
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

# Writes each CRL of a PEM file to a file of its own, DIRECTORY/N.pem, N from 1 on. Leaves out what stands before the
# first.
# in: nothing
# sets: nothing
split_crls() { # FILE DIRECTORY
  awk -v directory="$2" '/^-----BEGIN X509 CRL-----/ { n++ } n { print >(directory "/" n ".pem") }' "$1"
}

# Writes the facts of each CRL in DIRECTORY, and writes the CRL anew. A CRL that read_crl cannot use is removed, such as
# one that is signed by none of the CAs in BUNDLE.
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
# trusted. Reports reasons against the change: an unknown time zone, those of check_assembled, and that nothing is left
# to do on a host that has our configuration.
# in: mode, own_directory, state, work
# sets: collect_bundle, collect_installed, collect_installed_hash, collect_is_split, collect_record,
#   collect_source_until, fetch_until
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
# installed. Under `chain`, CRLs that would lock users out are dropped afterwards.
# in: fetch_until, source_check, source_ids, work
# sets: collect_source_until
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
# in: work
# sets: nothing
is_source_installed() { # ID
  collect_delivered=$(record_line "$1" crl)
  [ -n "$collect_delivered" ] && cat -- "$work"/known/*.facts 2>/dev/null |
    awk -v this="${collect_delivered%% *}" -v key="${collect_delivered##* }" \
      '$1 == key && $2 >= this { found = 1 } END { exit !found }'
}
