# shellcheck shell=sh
# CRLs of which a CA gives out several, each for the certificates that name its address (issuingDistributionPoint):
# OpenSSL picks by that address, byte by byte. One is kept for each address, beside the one for all.

# Behind the third hyphen, whatever is missing before it.
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

# One that is for some addresses, of a CA that had one for all: which stays as long as it is valid.
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

# Of the CRL for all certificates of the same CA and kind.
whole_key() { printf %s "${1%-p*}" | sed 's/-*$//'; } # KEY

# What has ended and is not renewed, because its CA has begun to give out CRLs by address, or ceased to: OpenSSL counts
# no CRL that has expired. One for all goes only where the sample shows that users' certificates name an address, for it
# ends for the others.
# in: collect_record, source_ids, source_sample, work
# sets: nothing
drop_outlived() {
  : >"$work/outlived"
  for part_facts in "$work"/chosen/*.facts; do
    [ -f "$part_facts" ] && read -r part_key _ part_next _ <"$part_facts" && [ "$part_next" != - ] &&
      [ "$part_next" -le "$(date +%s)" ] || continue
    case $part_key in
      *-*-*-p*) is_current "$(whole_key "$part_key")" || is_moved "$part_key" ;;
      *) [ -n "$source_sample" ] && [ -z "$(current_crls | verify_sample -)" ] ;;
    esac || continue
    printf '%s\n' "$part_key" >>"$work/outlived"
  done
  while read -r part_key; do
    rm -f -- "$work/chosen/$part_key.pem" "$work/chosen/$part_key.facts"
  done <"$work/outlived"
}

# A part that no source delivers any more, of a CA with another that counts: its issuer has another address now.
# Whoever's certificate names the old one is refused with it as well as without.
is_moved() { # KEY
  ! delivered_keys | grep -qxF -e "$1" || return 1
  for part_other in "$work"/chosen/*-p*.facts; do
    part_other=${part_other##*/} part_other=${part_other%.facts}
    [ "$(whole_key "$part_other")" != "$(whole_key "$1")" ] || ! is_current "$part_other" || return 0
  done
  return 1
}

# What each source delivered last: now, else before.
delivered_keys() {
  cat -- "$work/told" "$collect_record" 2>/dev/null |
    awk -v ids="$source_ids " '$1 == "source" && $3 == "crl" && index(ids, " " $2 " ") && !seen[$2]++ { print $NF }'
}

is_current() { # KEY
  [ -f "$work/chosen/$1.facts" ] && read -r _ _ part_is_current_until _ <"$work/chosen/$1.facts" &&
    { [ "$part_is_current_until" = - ] || [ "$part_is_current_until" -gt "$(date +%s)" ]; }
}

current_crls() {
  for part_current in "$work"/chosen/*.pem; do
    part_current=${part_current##*/}
    ! is_current "${part_current%.pem}" || cat -- "$work/chosen/$part_current"
  done
}

# Under `chain` OpenSSL looks for a CRL of each CA's certificate as well. A CRL for users alone, which is all that its
# CA gives out, would take the place of the one for all, and lock out everybody below.
# in: collect_bundle, work
# sets: nothing
drop_crls_of_users() {
  for part_text in "$work"/crls/*.text; do
    [ -f "$part_text" ] && [ -n "$(text_value users "$part_text")" ] || continue
    part_users=${part_text%.text}
    ! has_other_crl "$part_users" && lacks_crl_of_authority "$part_users.pem" || continue
    rm -f -- "$part_users".*
    part_users=${part_users##*/}
    part_tried="its CRL is for certificates of users only, and crlCheck: chain looks up those of CAs, too; give the CRL for CAs as one more source, or write crlCheck: leaf"
    blame_source "$part_users" "$part_tried"
    explain_failure "$part_users" \
      "$(awk -F "$tab" -v id="$part_users" '$1 == id { print $2; exit }' "$work/source.list")" '' "$part_tried"
  done
}

# Whether its CA has another one, of another kind, whose place it does not take.
has_other_crl() { # TARGET
  cat -- "$work"/crls/*.facts "$work"/known/*.facts 2>/dev/null | awk -v own="$(cut -d ' ' -f 1 "$1.facts")" '
    BEGIN { split(own, part, "-") }
    { split($1, other, "-") }
    $1 != own && other[1] == part[1] && other[2] == part[2] { found = 1 }
    END { exit !found }'
}

# Error 44: different CRL scope.
lacks_crl_of_authority() { # CRL_FILE
  for part_each_ca in "$work"/cas/*; do
    ! openssl verify -CAfile "$collect_bundle" -crl_check -CRLfile "$1" "$part_each_ca" 2>&1 | grep -q '^error 44 ' ||
      return 0
  done
  return 1
}
