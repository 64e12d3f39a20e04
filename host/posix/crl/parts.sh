# shellcheck shell=sh
# CRLs of which a CA gives out several, each for the certificates that name its address (issuingDistributionPoint): OpenSSL picks by
# that address, byte by byte. One is kept for each address, beside the one for all.

# Behind the third hyphen, whatever is missing before it.
point_key() { # KEY POINT
  hashed=$(printf %s "$2" | sha256sum | cut -c 1-8)
  case $1 in *-*-*) printf '%s-p%s' "$1" "$hashed" ;; *-*) printf '%s--p%s' "$1" "$hashed" ;; *) printf '%s---p%s' "$1" "$hashed" ;; esac
}

# One that is for some addresses, of a CA that had one for all: which stays as long as it is valid.
tell_partition() { # TARGET
  read -r crl_key _ <"$1.facts"
  case $crl_key in *-*-*-p*) ;; *) return 0 ;; esac
  for known in "$work"/known/*.facts; do
    [ -f "$known" ] && read -r known_key _ known_next _ <"$known" && [ "$known_key" = "$(whole_key "$crl_key")" ] || continue
    [ "$known_next" = - ] && until='for now' || until="until it ends ($(date -u -d "@$known_next" +%FT%TZ))"
    part "note the CA $(ca_subject "${crl_key%%-*}") has begun to part its CRL by address; for certificates that name none of them the CRL of before serves $until, and then they are refused; give every address a source of its own, and a user's certificate as sampleCertificate"
  done
}

# Of the CRL for all certificates of the same CA and kind.
whole_key() { printf %s "${1%-p*}" | sed 's/-*$//'; } # KEY

# What has ended and is not renewed, because its CA has begun to give out CRLs by address, or ceased to: OpenSSL counts no CRL that
# has expired. One for all goes only where the sample shows that users' certificates name an address, for it ends for the others.
drop_outlived() {
  : >"$work/outlived"
  for facts in "$work"/chosen/*.facts; do
    [ -f "$facts" ] && read -r crl_key _ crl_next _ <"$facts" && [ "$crl_next" != - ] && [ "$crl_next" -le "$(date +%s)" ] || continue
    case $crl_key in
      *-*-*-p*) is_current "$(whole_key "$crl_key")" || is_moved "$crl_key" ;;
      *) [ -n "$sample" ] && [ -z "$(current_crls | verify_sample -)" ] ;;
    esac || continue
    printf '%s\n' "$crl_key" >>"$work/outlived"
  done
  while read -r crl_key; do rm -f -- "$work/chosen/$crl_key.pem" "$work/chosen/$crl_key.facts"; done <"$work/outlived"
}

# A part that no source delivers any more, of a CA with another that counts: its issuer has another address now. Whoever's
# certificate names the old one is refused with it as well as without.
is_moved() { # KEY
  ! delivered_keys | grep -qxF -e "$1" || return 1
  for other in "$work"/chosen/*-p*.facts; do
    other=${other##*/} other=${other%.facts}
    [ "$(whole_key "$other")" != "$(whole_key "$1")" ] || ! is_current "$other" || return 0
  done
  return 1
}

# What each source delivered last: now, else before.
delivered_keys() {
  cat -- "$work/told" "$record" 2>/dev/null |
    awk -v ids="$source_ids " '$1 == "source" && $3 == "crl" && index(ids, " " $2 " ") && !seen[$2]++ { print $NF }'
}

is_current() { # KEY
  [ -f "$work/chosen/$1.facts" ] && read -r _ _ is_current_until _ <"$work/chosen/$1.facts" &&
    { [ "$is_current_until" = - ] || [ "$is_current_until" -gt "$(date +%s)" ]; }
}

current_crls() {
  for current in "$work"/chosen/*.pem; do
    current=${current##*/}
    ! is_current "${current%.pem}" || cat -- "$work/chosen/$current"
  done
}

# Under `chain` OpenSSL looks for a CRL of each CA's certificate as well. A CRL for users alone, which is all that its CA gives out,
# would take the place of the one for all, and lock out everybody below.
drop_crls_of_users() {
  for text in "$work"/crls/*.text; do
    [ -f "$text" ] && [ -n "$(text_value users "$text")" ] || continue
    users=${text%.text}
    ! has_other_crl "$users" && lacks_crl_of_authority "$users.pem" || continue
    rm -f -- "$users".*
    users=${users##*/} is_outrun=''
    tried="its CRL is for certificates of users only, and crlCheck: chain looks up those of CAs, too; give the CRL for CAs as one more source, or write crlCheck: leaf"
    blame_source "$users" "$tried"
    explain_failure "$users" "$(awk -F "$tab" -v id="$users" '$1 == id { print $2; exit }' "$work/source.list")"
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
  for each_ca in "$work"/cas/*; do
    ! openssl verify -CAfile "$bundle" -crl_check -CRLfile "$1" "$each_ca" 2>&1 | grep -q '^error 44 ' || return 0
  done
  return 1
}
