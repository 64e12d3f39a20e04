# shellcheck shell=sh
# The candidate crl.pem: which CRLs it holds, and the last check before httpd reads it.

# Chooses the newest CRL of each key, among the installed ones, the downloaded ones and those that came with the site,
# into $work/chosen. A refresh leaves out the CRL of a retired CA. A change keeps it, because the CA itself has to go
# first. CRLs that have served their time are dropped then (drop_outlived).
choose_crls() {
  [ -n "$collect_is_split" ] || [ ! -f "$collect_installed" ] || split_crls "$collect_installed" "$work/known"
  for assemble_facts in "$work"/known/*.facts "$work"/crls/*.facts "$work"/site/*.facts; do
    [ -f "$assemble_facts" ] || continue
    read -r assemble_key _ <"$assemble_facts"
    [ "$mode" != refresh ] || is_of_ca "$assemble_key" || continue
    assemble_chosen=$work/chosen/$assemble_key
    if [ ! -f "$assemble_chosen.facts" ] ||
      [ "$(compare_crls "${assemble_facts%.facts}" "$assemble_chosen")" = newer ]; then
      ln -f -- "$assemble_facts" "$assemble_chosen.facts" &&
        ln -f -- "${assemble_facts%.facts}.pem" "$assemble_chosen.pem" ||
        fail disk "no room in ${work%/*}; nothing was changed"
    fi
  done
  drop_outlived
  check_nothing_lost
}

# Fails where an installed CRL is missing among the chosen ones, and was neither outlived nor of a retired CA in a
# refresh. A full disk cuts files off without an error. A CA whose CRL was lost in this way would lock its users out.
check_nothing_lost() {
  is_installed_known || return 0
  while read -r assemble_key _; do
    if [ -s "$work/chosen/$assemble_key.facts" ] || grep -qsxF -e "$assemble_key" "$work/outlived" ||
      { [ "$mode" = refresh ] && ! is_of_ca "$assemble_key"; }; then
      continue
    fi
    fail disk "the installed CRL $assemble_key was lost on the way; is the disk full? Nothing was changed"
  done <<EOF
$(tail -n +2 -- "$state/crl.list")
EOF
}

# Makes the candidate: $work/own/crl.pem and $work/crl.list, and the line of crl.pem in $work/own.list. Fails where
# there is no CRL at all, or where the candidate equals what is installed, which then is no part of the change.
# in: collect_installed, collect_installed_hash, collect_is_split, mode, state, work
# sets: nothing
# writes
assemble_crls() {
  choose_crls
  cat -- "$work"/chosen/*.pem >"$work/crl.pem" 2>/dev/null || return 1
  assemble_hash=$(hash_of "$work/crl.pem")
  # The first line is what is_installed_known looks for.
  { printf '%s points\n' "$assemble_hash" && cat -- "$work"/chosen/*.facts; } >"$work/crl.list"
  awk -F "$tab" '$2 != "crl.pem"' "$work/own.list" >"$work/own.list.new" &&
    mv -f -- "$work/own.list.new" "$work/own.list"
  rm -f -- "$work/own/crl.pem"
  # httpd may never have read a crl.pem that somebody else wrote, or that an unknown run wrote.
  [ "$assemble_hash" != "$collect_installed_hash" ] || ! is_installed_known || return 1
  # A file is placed before the file that names it. So crl.pem is the first one.
  mv -- "$work/crl.pem" "$work/own/crl.pem"
  { printf 'crl\tcrl.pem\t%s\n' "$assemble_hash" && cat -- "$work/own.list"; } >"$work/own.list.new" &&
    mv -f -- "$work/own.list.new" "$work/own.list"
}

# The last check before httpd reads the candidate. It reports a reason against the change where a chosen file is not one
# whole CRL and nothing else, where a change leaves a CA without its CRL, and where the sample certificate of the site
# would no longer be accepted. The sample is checked where the CRLs or the sample change.
# in: mode, source_check, source_sample, work
# sets: nothing
check_assembled() {
  for assemble_chosen in "$work"/chosen/*.pem; do
    [ -f "$assemble_chosen" ] || continue
    # The two lines with hyphens are the first one and the last one of a single PEM block.
    [ "$(grep -c '^-----' "$assemble_chosen")" = 2 ] && [ -s "${assemble_chosen%.pem}.facts" ] &&
      openssl crl -in "$assemble_chosen" -noout 2>/dev/null || refuse "a CRL does not read back as it was written (${assemble_chosen##*/}); is the disk full?"
  done
  check_coverage
  if [ -n "$source_sample" ] && { [ -f "$work/own/crl.pem" ] || [ -f "$work/own/$source_sample" ]; }; then
    check_sample "$(newest_own crl.pem)"
  fi
}

# Reports a reason against a change for each CA that would lack the CRL that it needs, because httpd refuses every
# certificate below it. With `chain` every CA needs a CRL, with `leaf` every CA that issues to users: one that is above
# no other CA. A CRL for CA certificates only counts for a CA that is above another one.
check_coverage() {
  for assemble_chosen in "$work"/chosen/*.pem; do
    echo "${assemble_chosen##*/}"
  done | sed 's/[.]pem$//' >"$work/chosen.keys"
  awk -v check="$source_check" '
    FILENAME == ARGV[1] { keys[$1]; next }
    # A CA is above another one that names it as its issuer.
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
  while read -r assemble_subject; do
    # A refresh keeps what is installed, so a missing CRL was missing before.
    [ "$mode" = refresh ] ||
      refuse "no CRL source delivered the CRL of the CA $(ca_subject "$assemble_subject"), so every certificate below it would be refused"
  done <"$work/uncovered"
}

# Prints the name of the CA whose name has this hash. Prints nothing where there is none.
# in: work
# sets: nothing
ca_subject() { # SUBJECT_HASH
  for assemble_each_ca in "$work"/cas/*; do
    if [ "$(openssl x509 -noout -subject_hash -in "$assemble_each_ca")" = "$1" ]; then
      # This cuts `subject=` off.
      openssl x509 -noout -subject -in "$assemble_each_ca" | cut -c 9- && return
    fi
  done
}
