# shellcheck shell=sh
# From sources to the candidate crl.pem: one CRL for each CA key, the newest good one of what is installed, what came with the
# site, and what was downloaded. A source that fails costs nothing but its news.

# Where the settings and the CAs of this run are: the change's own, else the installed ones. Sets bundle, and makes:
#   $work/crls/ID.pem|facts     downloaded and good        $work/known/N.pem|facts   installed
#   $work/chosen/KEY.pem|facts  what crl.pem is made of    $work/told                lines for the record
#   $work/cas.list              SUBJECT_HASH ISSUER_HASH KEY_IDENTIFIER_or_- of each CA
# writes
prepare_collection() {
  rm -rf -- "$work/known" "$work/chosen"
  mkdir -p -- "$work/crls" "$work/known" "$work/chosen" || fail_no_room
  read_settings "$(newest_own refresh.conf)"
  bundle=$(newest_own "$ca_name") record=$state/refresh.record
  cat -- "$bundle" "$own_directory"/ca-*.pem >"$work/all-cas.pem" 2>/dev/null
  # Somebody waits for a change, and nobody for a refresh.
  # shellcheck disable=SC2086
  set -- $source_ids
  [ "$mode" = refresh ] || set -- one
  fetch_until=$(($(now_ticks) / 100 + 200 * $#))
  list_cas || fail disk "the CAs in $bundle cannot be read; is the disk full? Nothing was changed"
  read_installed_crls
}

# With a CA left out by accident, its list would be taken for that of a retired one.
list_cas() {
  split_cas "$bundle" "$work/cas"
  for each_ca in "$work"/cas/*; do
    openssl x509 -noout -subject_hash -issuer_hash -text -in "$each_ca" 2>/dev/null | awk '
      names < 2 && /^[0-9a-f]+$/ { name[++names] = $0; next }
      in_key { gsub(/[ :]/, ""); key = $0; in_key = 0 }
      /^ +X509v3 Subject Key Identifier:/ { in_key = 1 }
      END { if (names == 2) print name[1], name[2], (key == "" ? "-" : key) }'
  done >"$work/cas.list"
  [ -s "$work/cas.list" ] && [ "$(grep -c . "$work/cas.list")" = "$(grep -c -e '^-----BEGIN CERTIFICATE-----' -- "$bundle")" ]
}

# Whether a CA has that name and key: OpenSSL counts a list only then. After a change of keys the name alone says nothing.
is_of_ca() { # CRL_KEY
  awk -v crl="$1" 'BEGIN { split(crl, part, "-") } $1 == part[1] && (part[2] == "" || $3 == "-" || $3 == part[2]) { found = 1 } END { exit !found }' "$work/cas.list"
}

newest_own() { # NAME
  if [ -f "$work/own/$1" ]; then printf %s "$work/own/$1"; else printf %s "$own_directory/$1"; fi
}

# What crl.pem holds. Its facts were written down when it was made; read anew when somebody else wrote the file. Its CRLs are
# parted only when they are needed, because a million entries take a while.
read_installed_crls() {
  installed=$own_directory/crl.pem installed_hash='' is_parted=''
  [ -f "$installed" ] || return 0
  installed_hash=$(hash_of "$installed")
  if is_installed_known; then
    tail -n +2 -- "$state/crl.list" | awk -v directory="$work/known" '{ print >(directory "/" NR ".facts") }'
    # Of a CRL that is accepted by its hash the bytes are compared.
    [ -z "$accept_older" ] || { split_crls "$installed" "$work/known" && is_parted=yes; }
  else
    split_crls "$installed" "$work/known"
    read_each "$work/known" "$work/all-cas.pem"
    is_parted=yes
  fi
}

# Its second word: keys tell partitions apart. What an earlier build wrote is read anew.
is_installed_known() { [ -n "$installed_hash" ] && [ "$(head -n 1 -- "$state/crl.list" 2>/dev/null)" = "$installed_hash points" ]; }

split_crls() { # FILE DIRECTORY
  awk -v directory="$2" '/^-----BEGIN X509 CRL-----/ { n++ } n { print >(directory "/" n ".pem") }' "$1"
}

# Facts of each CRL of DIRECTORY; those that no CA of ours has signed go.
read_each() { # DIRECTORY BUNDLE
  for each in "$1"/*.pem; do
    [ -f "$each" ] || continue
    if read_crl "$each" "$1/read" "$2"; then
      mv -f -- "$1/read.pem" "$each" && mv -f -- "$1/read.facts" "${each%.pem}.facts"
    else
      rm -f -- "$each"
    fi
  done
}

# Within a change: the lists that came with the site count, too, and every CA gets its CRL before it is trusted.
collect_for_change() { # WHICH sources: all, or `new`
  : >"$work/told"
  prepare_collection
  if [ -f "$work/own/crl.pem" ]; then
    mkdir -- "$work/site"
    split_crls "$work/own/crl.pem" "$work/site"
    read_each "$work/site" "$bundle"
  fi
  # The program would take a zone that the host does not know for UTC.
  [ -z "$time_zone" ] || [ -f "/usr/share/zoneinfo/$time_zone" ] || refuse "the time zone $time_zone is not known on this host; install tzdata, or leave timeZone out"
  collect_from_sources "$1"
  assemble_crls || :
  check_assembled
  [ -s "$work/own.list" ] || [ -s "$work/edit.list" ] || [ -n "$(dropped)$(journal_value owed)" ] || [ -z "$(journal_value owner)" ] ||
    refuse 'no source delivers a newer CRL than the installed one'
}

# Tries the addresses of each source in their order. WHICH: all, or `new`, those that never delivered.
collect_from_sources() { # WHICH
  which=$1
  # shellcheck disable=SC2086
  set -- $source_ids
  while [ $# -gt 0 ]; do
    now=$(($(now_ticks) / 100))
    # What time is left is shared by those still to be asked: a source that trickles must not take it from all.
    source_until=$((now + (fetch_until - now) / $#))
    [ "$which" = new ] && is_source_installed "$1" || collect_from "$1"
    shift
  done
  [ "$crl_check" = leaf ] || drop_crls_of_users
}

# Whether what it delivered last is there, or a later one: its CA may have been retired and come back, and a run may have failed
# after the download.
is_source_installed() { # ID
  delivered=$(record_line "$1" crl)
  [ -n "$delivered" ] && cat -- "$work"/known/*.facts 2>/dev/null |
    awk -v this="${delivered%% *}" -v key="${delivered##* }" '$1 == key && $2 >= this { found = 1 } END { exit !found }'
}

# writes
collect_from() { # ID
  tried='' first_list=- is_outrun=''
  awk -F "$tab" -v id="$1" '$1 == id' "$work/source.list" >"$work/addresses"
  addresses_left=$(grep -c . "$work/addresses")
  while IFS=$tab read -r _ kind url <&4; do
    # The last `read`, which finds nothing, empties its variables.
    first_list=$kind told_url=$(without_credentials_in "$url")
    step "download $told_url"
    if download "$url" "$work/raw" && accept_download "$1"; then
      printf 'source %s success %s %s\n' "$1" "$(date +%s)" "$told_url" >>"$work/told"
      rm -f -- "$work/raw"
      return 0
    fi
    tried="$tried${tried:+; }$told_url: $(plain "$(without_credentials_in "$failure")")" addresses_left=$((addresses_left - 1))
  done 4<"$work/addresses"
  rm -f -- "$work/raw"
  printf 'source %s failure %s %.400s\n' "$1" "$(date +%s)" "$tried" >>"$work/told"
  explain_failure "$1" "$first_list"
}

# Nothing new, or a good CRL that is no older than the installed one.
# writes
accept_download() { # ID
  raw=$(hash_of "$work/raw")
  if [ "$(record_line "$1" raw)" = "$raw" ] && is_installed_known && is_source_installed "$1"; then return 0; fi
  read_crl "$work/raw" "$work/crls/$1" "$bundle" && check_crl_dates "$work/crls/$1" && check_is_counted "$work/crls/$1" &&
    check_is_no_older "$work/crls/$1" && tell_partition "$work/crls/$1" || { rm -f -- "$work/crls/$1".* && return 1; }
  printf 'source %s raw %s\nsource %s crl %s\n' "$1" "$raw" "$1" "$(awk '{ print $2, $3, $4, $5, $1 }' "$work/crls/$1.facts")" >>"$work/told"
}

# Rightly signed, but naming another key: OpenSSL would look for that one.
check_is_counted() { # TARGET
  read -r crl_key _ <"$1.facts"
  is_of_ca "$crl_key" || { failure='it names a key (authorityKeyIdentifier) that no CA of its name has' && return 1; }
}

check_is_no_older() { # TARGET
  [ "$(compare_with_installed "$1")" = older ] || return 0
  is_outrun=yes failure='it is older than the installed one'
  read -r crl_key crl_this _ <"$1.facts"
  cat -- "$work"/known/*.facts | awk -v key="$crl_key" -v this="$crl_this" '$1 == key && $2 > this { found = 1 } END { exit !found }' ||
    failure="its number is below that of the installed one; if its CA has begun its numbers anew, write under clientAuth acceptOlderCrls: [$(der_hash "$1")]"
  return 1
}

# newer, same or older than the installed one of its key; newer where there is none.
compare_with_installed() { # TARGET
  read -r crl_key _ <"$1.facts"
  for known in "$work"/known/*.facts; do
    [ -f "$known" ] && [ "$(cut -d ' ' -f 1 "$known")" = "$crl_key" ] || continue
    compare_crls "$1" "${known%.facts}"
    return
  done
  echo newer
}

# A source that never delivered has nothing installed to live on: a change that needs it does not go live. One whose list is
# there already, and newer, has: from the site file, or from an address of before.
explain_failure() { # ID FIRST_LIST
  if [ -n "$is_outrun$(record_line "$1" crl)" ]; then
    part "note a CRL source gives nothing usable, the installed CRL stays ($tried)"
  elif [ "$2" = file ]; then
    part "note a CRL source gives nothing usable yet, the CRL of the site file serves ($tried)"
  elif [ "$mode" = refresh ]; then
    part "note a CRL source gives nothing usable ($tried)"
  else
    refuse "a CRL source has never delivered a CRL, and gives none now ($tried)"
  fi
}

# The rest of a record's line `source ID KEY …`.
record_line() { # ID KEY
  awk -v id="$1" -v key="$2" '$1 == "source" && $2 == id && $3 == key { print substr($0, length($1 $2 $3) + 4); exit }' "$record" 2>/dev/null
}

# The newest of each key. A list whose CA is retired goes with the refresh after the change: the CA itself goes first.
choose_crls() {
  [ -n "$is_parted" ] || [ ! -f "$installed" ] || split_crls "$installed" "$work/known"
  for facts in "$work"/known/*.facts "$work"/crls/*.facts "$work"/site/*.facts; do
    [ -f "$facts" ] || continue
    read -r crl_key _ <"$facts"
    [ "$mode" != refresh ] || is_of_ca "$crl_key" || continue
    chosen=$work/chosen/$crl_key
    if [ ! -f "$chosen.facts" ] || [ "$(compare_crls "${facts%.facts}" "$chosen")" = newer ]; then
      ln -f -- "$facts" "$chosen.facts" && ln -f -- "${facts%.facts}.pem" "$chosen.pem" || fail disk "no room in ${work%/*}; nothing was changed"
    fi
  done
  drop_outlived
  check_nothing_lost
}

# A disk that is full cuts files off without a word: a CA whose list went with them would lock its users out.
check_nothing_lost() {
  is_installed_known || return 0
  while read -r crl_key _; do
    if [ -s "$work/chosen/$crl_key.facts" ] || grep -qsxF -e "$crl_key" "$work/outlived" || { [ "$mode" = refresh ] && ! is_of_ca "$crl_key"; }; then continue; fi
    fail disk "the installed CRL $crl_key was lost on the way; is the disk full? Nothing was changed"
  done <<EOF
$(tail -n +2 -- "$state/crl.list")
EOF
}

# The candidate: $work/own/crl.pem and $work/crl.list. Fails when it is what is installed.
# writes
assemble_crls() {
  choose_crls
  cat -- "$work"/chosen/*.pem >"$work/crl.pem" 2>/dev/null || return 1
  assembled_hash=$(hash_of "$work/crl.pem")
  { printf '%s points\n' "$assembled_hash" && cat -- "$work"/chosen/*.facts; } >"$work/crl.list"
  awk -F "$tab" '$2 != "crl.pem"' "$work/own.list" >"$work/own.list.new" && mv -f -- "$work/own.list.new" "$work/own.list"
  rm -f -- "$work/own/crl.pem"
  # What somebody else wrote there, or a run that nothing is known of, may never have been read by httpd.
  [ "$assembled_hash" != "$installed_hash" ] || ! is_installed_known || return 1
  # What is named comes before what names it: first of all files.
  mv -- "$work/crl.pem" "$work/own/crl.pem"
  { printf 'crl\tcrl.pem\t%s\n' "$assembled_hash" && cat -- "$work/own.list"; } >"$work/own.list.new" && mv -f -- "$work/own.list.new" "$work/own.list"
}

# The last look before httpd sees it: each block is a whole CRL and nothing else is there, no CA lacks one, and the sample
# certificate of the site is still accepted.
check_assembled() {
  for chosen in "$work"/chosen/*.pem; do
    [ -f "$chosen" ] || continue
    [ "$(grep -c '^-----' "$chosen")" = 2 ] && [ -s "${chosen%.pem}.facts" ] && openssl crl -in "$chosen" -noout 2>/dev/null || refuse "a CRL does not read back as it was written (${chosen##*/}); is the disk full?"
  done
  check_coverage
  if [ -n "$sample" ] && { [ -f "$work/own/crl.pem" ] || [ -f "$work/own/$sample" ]; }; then check_sample "$(newest_own crl.pem)"; fi
}

# httpd refuses every certificate below a CA that lacks its CRL: of all CAs for `chain`, for `leaf` of those that issue to users.
check_coverage() {
  for chosen in "$work"/chosen/*.pem; do echo "${chosen##*/}"; done | sed 's/[.]pem$//' >"$work/chosen.keys"
  awk -v check="$crl_check" '
    FILENAME == ARGV[1] { keys[$1]; next }
    { subject[++count] = $1; identifier[count] = $3; if ($1 != $2) above[$2] }
    END {
      for (i = 1; i <= count; i++) {
        is_above = subject[i] in above; covered = check == "leaf" && is_above
        for (key in keys) {
          split(key, part, "-")
          if (part[1] == subject[i] && (part[2] == "" || identifier[i] == "-" || part[2] == identifier[i]) && (part[3] == "" || is_above)) covered = 1
        }
        if (!covered && !seen[subject[i]]++) print subject[i]
      }
    }' "$work/chosen.keys" "$work/cas.list" >"$work/uncovered"
  while read -r subject; do
    # A refresh keeps what is installed, so it is no worse than before.
    [ "$mode" = refresh ] || refuse "no CRL source delivered the CRL of the CA $(ca_subject "$subject"), so every certificate below it would be refused"
  done <"$work/uncovered"
}

ca_subject() { # SUBJECT_HASH
  for each_ca in "$work"/cas/*; do
    if [ "$(openssl x509 -noout -subject_hash -in "$each_ca")" = "$1" ]; then openssl x509 -noout -subject -in "$each_ca" | cut -c 9- && return; fi
  done
}
