# shellcheck shell=sh
# A CA may part its CRL by address: it publishes several CRLs, each for the certificates that name its address
# (issuingDistributionPoint). OpenSSL picks a CRL by that address, byte by byte. One CRL is kept for each address,
# beside the CRL for all certificates.

# Adds the hash of the address to a key, behind its third hyphen, even where earlier parts of the key are missing.
# in: nothing
# sets: nothing
point_key() { # KEY POINT
  part_hashed=$(printf %s "$2" | sha256sum | cut -c 1-8)
  case $1 in
    *-*-*) printf '%s-p%s' "$1" "$part_hashed" ;;
    *-*) printf '%s--p%s' "$1" "$part_hashed" ;;
    *) printf '%s---p%s' "$1" "$part_hashed" ;;
  esac
}

# Reports that a CRL is for some addresses only, where an installed one of the same CA is for all certificates. That one
# stays as long as it is valid. Never fails.
# in: work
# sets: nothing
report_partition() { # TARGET
  read -r part_key _ <"$1.facts"
  case $part_key in *-*-*-p*) ;; *) return 0 ;; esac
  for part_known in "$work"/known/*.facts; do
    [ -f "$part_known" ] && read -r part_known_key _ part_known_next _ <"$part_known" &&
      [ "$part_known_key" = "$(whole_key "$part_key")" ] || continue
    [ "$part_known_next" = - ] && part_until='for now' ||
      part_until="until it ends ($(date -u -d "@$part_known_next" +%FT%TZ))"
    part "note the CA $(ca_subject "${part_key%%-*}") has begun to part its CRL by address; for certificates that name none of them the CRL of before serves $part_until, and then they are refused; give every address a source of its own, and a user's certificate as sampleCertificate"
  done
}

# Prints the key of the CRL for all certificates of the same CA and kind: KEY without its part for the address, and
# without the hyphens of parts that are empty.
whole_key() { printf %s "${1%-p*}" | sed 's/-*$//'; } # KEY

# Drops chosen CRLs that have expired because their CA has begun to part its CRL by address, has stopped doing so, or
# has new addresses. Their keys go to $work/outlived. OpenSSL does not count a CRL that has expired. A CRL for all
# certificates is dropped only where the current CRLs alone accept the sample, which shows that users' certificates name
# an address: every other certificate loses its CRL by this.
# in: collect_record, source_ids, source_sample, work
# sets: nothing
drop_outlived() {
  : >"$work/outlived"
  for part_facts in "$work"/chosen/*.facts; do
    [ -f "$part_facts" ] && read -r part_key _ part_next _ <"$part_facts" && [ "$part_next" != - ] &&
      [ "$part_next" -le "$(date +%s)" ] || continue
    case $part_key in
      # The first pattern is the key of a CRL for one address, the second one that of a CRL for all certificates.
      *-*-*-p*) is_current "$(whole_key "$part_key")" || is_moved "$part_key" ;;
      *) [ -n "$source_sample" ] && [ -z "$(current_crls | verify_sample -)" ] ;;
    esac || continue
    printf '%s\n' "$part_key" >>"$work/outlived"
  done
  while read -r part_key; do
    rm -f -- "$work/chosen/$part_key.pem" "$work/chosen/$part_key.facts"
  done <"$work/outlived"
}

# Checks whether a CRL for one address has been replaced: no source delivers it any more, and its CA has another CRL by
# address that is current. In that case the CA has a new address. A certificate that names the old address is refused
# with the old CRL as well as without it.
is_moved() { # KEY
  ! delivered_keys | grep -qxF -e "$1" || return 1
  for part_other in "$work"/chosen/*-p*.facts; do
    part_other=${part_other##*/} part_other=${part_other%.facts}
    [ "$(whole_key "$part_other")" != "$(whole_key "$1")" ] || ! is_current "$part_other" || return 0
  done
  return 1
}

# Prints the key of the CRL that each source delivered last, in this run or, where it has delivered none, in an earlier
# one.
delivered_keys() {
  cat -- "$work/told" "$collect_record" 2>/dev/null |
    awk -v ids="$source_ids " '$1 == "source" && $3 == "crl" && index(ids, " " $2 " ") && !seen[$2]++ { print $NF }'
}

# Checks whether there is a chosen CRL of a key that has not expired.
is_current() { # KEY
  [ -f "$work/chosen/$1.facts" ] && read -r _ _ part_is_current_until _ <"$work/chosen/$1.facts" &&
    { [ "$part_is_current_until" = - ] || [ "$part_is_current_until" -gt "$(date +%s)" ]; }
}

# Prints the chosen CRLs that have not expired.
current_crls() {
  for part_current in "$work"/chosen/*.pem; do
    part_current=${part_current##*/}
    ! is_current "${part_current%.pem}" || cat -- "$work/chosen/$part_current"
  done
}

# Drops downloaded CRLs for users only, where they would lock users out, and reports the failure of their sources. Under
# `chain` OpenSSL needs a CRL for each CA's own certificate, too. Where a CA publishes only a CRL for users, this CRL
# would take the place of the CRL for all certificates, and lock out everybody below this CA.
# in: collect_bundle, work
# sets: nothing
drop_crls_of_users() {
  for part_text in "$work"/crls/*.text; do
    [ -f "$part_text" ] && [ -n "$(text_value users "$part_text")" ] || continue
    part_users=${part_text%.text}
    ! has_other_crl "$part_users" && refuses_a_ca "$part_users.pem" || continue
    rm -f -- "$part_users".*
    part_users=${part_users##*/}
    part_tried="its CRL is for certificates of users only, and crlCheck: chain looks up those of CAs, too; give the CRL for CAs as one more source, or write crlCheck: leaf"
    blame_source "$part_users" "$part_tried"
    explain_failure "$part_users" \
      "$(awk -F "$tab" -v id="$part_users" '$1 == id { print $2; exit }' "$work/source.list")" '' "$part_tried"
  done
}

# Checks whether the same CA key has a second CRL, downloaded or installed, with another KEY, so that both stand in
# crl.pem.
has_other_crl() { # TARGET
  cat -- "$work"/crls/*.facts "$work"/known/*.facts 2>/dev/null | awk -v own="$(cut -d ' ' -f 1 "$1.facts")" '
    BEGIN { split(own, part, "-") }
    { split($1, other, "-") }
    $1 != own && other[1] == part[1] && other[2] == part[2] { found = 1 }
    END { exit !found }'
}

# Checks whether OpenSSL would refuse the certificate of a CA with this CRL alone, because the CRL is for users. This is
# its error 44, `different CRL scope`.
refuses_a_ca() { # CRL_FILE
  for part_each_ca in "$work"/cas/*; do
    if openssl verify -CAfile "$collect_bundle" -crl_check -CRLfile "$1" "$part_each_ca" 2>&1 |
      grep -q '^error 44 '; then
      return 0
    fi
  done
  return 1
}
