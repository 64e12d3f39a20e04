# shellcheck shell=sh
# From sources to the candidate crl.pem: one CRL for each CA key, the newest good one of what is installed, what came with the
# site, and what was downloaded. A source that fails costs nothing but its news.

# Where the settings and the CAs of this run are: the change's own, else the installed ones. Sets bundle, and makes:
#   $work/crls/ID.pem|facts     downloaded and good        $work/known/N.pem|facts   installed
#   $work/chosen/KEY.pem|facts  what crl.pem is made of    $work/told                lines for the record
prepare_collection() {
  rm -rf -- "$work/known" "$work/chosen"
  mkdir -p -- "$work/crls" "$work/known" "$work/chosen" || fail disk "no room in $state; nothing was changed"
  read_settings "$(newest_own refresh.conf)"
  bundle=$(newest_own "$ca_name") record=$state/refresh.record failed_sources=''
  cat -- "$bundle" "$own_directory"/ca-*.pem >"$work/all-cas.pem" 2>/dev/null
  fetch_until=$(($(now_ticks) / 100 + 200))
  read_installed_crls
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
  else
    split_crls "$installed" "$work/known"
    read_each "$work/known" "$work/all-cas.pem"
    is_parted=yes
  fi
}

is_installed_known() { [ -n "$installed_hash" ] && [ "$(head -n 1 -- "$state/crl.list" 2>/dev/null)" = "$installed_hash" ]; }

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
  collect_from_sources "$1"
  assemble_crls || :
  check_assembled
  [ -s "$work/own.list" ] || [ -s "$work/edit.list" ] || [ -n "$(dropped)$(journal_value owed)" ] ||
    refuse 'no source delivers a newer CRL than the installed one'
}

# Tries the addresses of each source in their order. WHICH: all, or `new`, those that never delivered.
collect_from_sources() { # WHICH
  for id in $source_ids; do
    if [ "$1" = new ] && [ -n "$(record_line "$id" crl)" ]; then continue; fi
    collect_from "$id"
  done
}

collect_from() { # ID
  tried='' first_list=-
  awk -F "$tab" -v id="$1" '$1 == id' "$work/source.list" >"$work/addresses"
  while IFS=$tab read -r _ first_list url <&4; do
    step "download $url"
    if download "$url" "$work/raw" && accept_download "$1"; then
      printf 'source %s success %s %s\n' "$1" "$(date +%s)" "$url" >>"$work/told"
      rm -f -- "$work/raw"
      return 0
    fi
    tried="$tried${tried:+; }$url: $failure"
  done 4<"$work/addresses"
  rm -f -- "$work/raw"
  printf 'source %s failure %s %.400s\n' "$1" "$(date +%s)" "$tried" >>"$work/told"
  failed_sources="$failed_sources $1"
  explain_failure "$1" "$first_list"
}

# Nothing new, or a good CRL that is no older than the installed one.
accept_download() { # ID
  raw=$(hash_of "$work/raw")
  if [ "$(record_line "$1" raw)" = "$raw" ] && is_installed_known; then return 0; fi
  read_crl "$work/raw" "$work/crls/$1" "$bundle" && check_crl_dates "$work/crls/$1" && check_is_no_older "$work/crls/$1" || { rm -f -- "$work/crls/$1".* && return 1; }
  printf 'source %s raw %s\nsource %s crl %s\n' "$1" "$raw" "$1" "$(awk '{ print $2, $3, $4, $5, $1 }' "$work/crls/$1.facts")" >>"$work/told"
}

check_is_no_older() { # TARGET
  read -r crl_key _ <"$1.facts"
  for known in "$work"/known/*.facts; do
    [ -f "$known" ] && [ "$(cut -d ' ' -f 1 "$known")" = "$crl_key" ] || continue
    [ "$(compare_crls "$1" "${known%.facts}")" != older ] || { failure='it is older than the installed one' && return 1; }
  done
}

# A source that never delivered has nothing installed to live on: a change that needs it does not go live.
explain_failure() { # ID FIRST_LIST
  if [ -n "$(record_line "$1" crl)" ]; then
    part "note CRL source $1 gives nothing usable, the installed CRL stays ($tried)"
  elif [ "$2" = file ]; then
    part "note CRL source $1 gives nothing usable yet, the CRL of the site file serves ($tried)"
  elif [ "$mode" = refresh ]; then
    part "note CRL source $1 gives nothing usable ($tried)"
  else
    refuse "CRL source $1 has never delivered a CRL, and gives none now ($tried)"
  fi
}

# The rest of a record's line `source ID KEY …`.
record_line() { # ID KEY
  awk -v id="$1" -v key="$2" '$1 == "source" && $2 == id && $3 == key { print substr($0, length($1 $2 $3) + 4); exit }' "$record" 2>/dev/null
}

# The newest of each key. A list whose CA is retired goes with the refresh after the change: the CA itself goes first.
choose_crls() {
  [ -n "$is_parted" ] || [ ! -f "$installed" ] || split_crls "$installed" "$work/known"
  ca_hashes=$(list_ca_names | cut -d ' ' -f 1)
  for facts in "$work"/known/*.facts "$work"/crls/*.facts "$work"/site/*.facts; do
    [ -f "$facts" ] || continue
    read -r crl_key _ <"$facts"
    case "$mode $nl$ca_hashes$nl" in
      'refresh '*"$nl${crl_key%%-*}$nl"* | 'apply '* | 'judge '*) ;;
      *) continue ;;
    esac
    chosen=$work/chosen/$crl_key
    if [ ! -f "$chosen.facts" ] || [ "$(compare_crls "${facts%.facts}" "$chosen")" = newer ]; then
      ln -f -- "$facts" "$chosen.facts" && ln -f -- "${facts%.facts}.pem" "$chosen.pem"
    fi
  done
}

# Subject and issuer of each CA, as openssl hashes names.
list_ca_names() {
  rm -rf -- "$work/cas" && mkdir -- "$work/cas"
  awk -v directory="$work/cas" '/^-----BEGIN CERTIFICATE-----/ { n++ } n { print >(directory "/" n) }' "$bundle"
  for each_ca in "$work"/cas/*; do
    openssl x509 -noout -subject_hash -issuer_hash -in "$each_ca" 2>/dev/null | paste -s -d ' ' -
  done
}

# The candidate: $work/own/crl.pem and $work/crl.list. Fails when it is what is installed.
assemble_crls() {
  choose_crls
  cat -- "$work"/chosen/*.pem >"$work/crl.pem" 2>/dev/null || return 1
  assembled_hash=$(hash_of "$work/crl.pem")
  { printf '%s\n' "$assembled_hash" && cat -- "$work"/chosen/*.facts; } >"$work/crl.list"
  awk -F "$tab" '$2 != "crl.pem"' "$work/own.list" >"$work/own.list.new" && mv -f -- "$work/own.list.new" "$work/own.list"
  rm -f -- "$work/own/crl.pem"
  [ "$assembled_hash" != "$installed_hash" ] || return 1
  # What is named comes before what names it: first of all files.
  mv -- "$work/crl.pem" "$work/own/crl.pem"
  { printf 'crl\tcrl.pem\t%s\n' "$assembled_hash" && cat -- "$work/own.list"; } >"$work/own.list.new" && mv -f -- "$work/own.list.new" "$work/own.list"
}

# The last look before httpd sees it: each block is a whole CRL and nothing else is there, no CA lacks one, and the sample
# certificate of the site is still accepted.
check_assembled() {
  for chosen in "$work"/chosen/*.pem; do
    [ -f "$chosen" ] || continue
    [ "$(grep -c '^-----' "$chosen")" = 2 ] && openssl crl -in "$chosen" -noout 2>/dev/null || refuse "a CRL does not read back as it was written (${chosen##*/}); is the disk full?"
  done
  check_coverage
  [ -z "$sample" ] || [ ! -f "$work/own/crl.pem" ] || check_sample "$work/own/crl.pem"
}

# httpd refuses every certificate below a CA that lacks its CRL: of all CAs for `chain`, for `leaf` of those that issue to users.
check_coverage() {
  names=$(list_ca_names | sort -u)
  printf '%s\n' "$names" | while read -r subject _; do
    if [ "$crl_check" = leaf ] && printf '%s\n' "$names" | awk -v name="$subject" '$2 == name && $1 != name { found = 1 } END { exit !found }'; then continue; fi
    set -- "$work/chosen/$subject"*.pem
    [ -f "$1" ] || printf '%s\n' "$subject"
  done >"$work/uncovered"
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

# With what is installed it may be refused already: then the new list is not to blame.
check_sample() { # FILE
  is_sample_accepted "$1" && return
  if [ -f "$installed" ] && ! is_sample_accepted "$installed"; then
    part 'note the sample certificate of the site is refused already, by the installed CRL'
  else
    refuse 'with the new CRL the sample certificate of the site would be refused'
  fi
}

is_sample_accepted() { # CRL_FILE
  checks=-crl_check
  [ "$crl_check" = leaf ] || checks=-crl_check_all
  openssl verify -CAfile "$bundle" -untrusted "$bundle" -CRLfile "$1" "$checks" "$(newest_own "$sample")" >/dev/null 2>&1
}
