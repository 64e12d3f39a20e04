# shellcheck shell=sh
# One CRL: openssl reads it and writes it anew, and this file tells it apart from other CRLs of its issuer. A CRL comes
# by plain http, so the downloaded file itself is never installed: a CERTIFICATE in httpd's CRL file would become a CA
# that httpd trusts.

# The facts of a CRL are one line: KEY THIS_UPDATE NEXT_UPDATE NUMBER ENTRIES. Times are in seconds since 1970, and `-`
# means that there is none. KEY has up to four parts, joined by hyphens; a missing part is empty:
# 1. the hash of the issuer's name
# 2. the key identifier where the CRL has one, because a CA that changed its key has two CRLs
# 3. `ca` where the CRL lists CA certificates only, because such a CRL must not take the place of the users' CRL
# 4. `p` with a hash of the addresses that the CRL is for, where the CA parts its CRL by address.

# The most bytes that a downloaded CRL may have: 256 MiB.
crl_max_bytes=268435456

# Sets crl_form to DER or PEM. Where the file is no single CRL, sets `failure` and fails. A CRL with the label of a
# certificate becomes DER in its file.
find_crl_form() { # FILE
  failure=''
  case $(head -c 2 -- "$1" | od -An -tx1 | tr -d ' \n') in
    '') failure='it is empty' ;;
    # DER begins with the byte 30 (SEQUENCE), a gzip file with 1f 8b.
    30*) crl_form=DER ;;
    1f8b) failure='it is compressed (gzip), which a CRL must not be' ;;
    *)
      crl_form=PEM
      case $(grep -ac -e '-----BEGIN X509 CRL-----' -- "$1") in
        0) take_off_certificate_armour "$1" ;;
        1)
          # openssl would ask the terminal for a passphrase of an encrypted file.
          ! grep -aq -e '^Proc-Type:' -- "$1" || failure='it is encrypted'
          ;;
        *) failure='it holds several CRLs; give each its own source' ;;
      esac
      ;;
  esac
  [ -z "$failure" ]
}

# Takes off the label that `certutil -encode` of Windows writes, and leaves DER in the file. It labels everything that
# it encodes as a CERTIFICATE, and openssl refuses this label for a CRL. Sets `failure` where the file is something
# else, or a real certificate.
take_off_certificate_armour() { # FILE
  failure='it is no CRL, but a web page or another file' crl_form=DER
  [ "$(grep -ac -e '-----BEGIN CERTIFICATE-----' -- "$1")" = 1 ] || return 0
  awk '/-----END CERTIFICATE-----/ { exit } on { print } /-----BEGIN CERTIFICATE-----/ { on = 1 }' "$1" | tr -d ' \r' |
    base64 -d >"$1.der" 2>/dev/null && mv -f -- "$1.der" "$1" && failure=''
  # No certificate is longer than 64 KiB.
  ! head -c 65536 -- "$1" | openssl x509 -inform DER -noout 2>/dev/null || failure='it is a certificate, not a CRL; give the address of the CRL'
}

# read_crl FILE TARGET BUNDLE: reads a CRL, checks its signature, and writes TARGET.pem and TARGET.facts. Where it
# cannot, it fails, and `failure` says what was wrong. openssl tries only the first CA of BUNDLE that has the name of
# the CRL's issuer. After a change of keys there may be several, so the others are tried as well.
# in: source_check, work
# sets: failure
read_crl() {
  find_crl_form "$1" || return 1
  if ! print_crl "$1" "$2" "$3"; then
    failure='it cannot be read as a CRL; it may have been cut off, or need more memory than this host has'
    # `verify failure`: the CA of that name did not sign it. `Error getting…`: there is no CA of that name.
    grep -q -e '^verify failure$' -e '^Error getting CRL issuer certificate' -- "$2.errors" || return 1
    failure='it is signed by none of the CAs, or was changed on the way'
    grep -q -e '^verify failure$' -- "$2.errors" && print_crl_by_each_ca "$1" "$2" "$3" || return 1
  fi
  grep -q '^-----END X509 CRL-----$' -- "$2.pem" 2>/dev/null || { failure='there is no room for it, on the disk or in memory' && return 1; }
  find_unusable "$2.text" && write_crl_facts "$2"
}

# Reads a CRL by openssl in two minutes at most, and writes it to TARGET.pem and what openssl prints of it to
# TARGET.text, as lines NAME, tab, value. Fails unless openssl says that a CA of BUNDLE signed it. Only openssl's words
# show that a signature is wrong, because its exit status is 0. One call does everything, because a CRL of a million
# entries takes openssl a second and 270 MB each time.
print_crl() { # FILE TARGET BUNDLE
  {
    spare_the_server
    exec timeout 120 openssl crl -inform "$crl_form" -in "$1" -CAfile "$3" -hash -lastupdate -nextupdate -crlnumber \
      -text
  } 2>"$2.errors" </dev/null |
    awk -v pem="$2.pem" -v indirect='it is an indirect CRL, which lists certificates of other CAs' '
      # Nearly all lines of a large CRL are of these two kinds, so they are tested first.
      /^    Serial Number:/ { entries++; next }
      /^        Revocation Date:/ { next }
      on { print >pem; next }
      /^-----BEGIN X509 CRL-----$/ { on = 1; print >pem; next }
      /^(issuer name hash|lastUpdate|nextUpdate|crlNumber)=/ {
        cut = index($0, "="); print substr($0, 1, cut - 1) "\t" substr($0, cut + 1); next
      }
      # openssl prints the hash of the name with a label or without one.
      length($0) == 8 && /^[0-9a-f]+$/ { print "issuer name hash\t" $0; next }
      /^ +X509v3 Authority Key Identifier:/ { in_key = 1; next }
      in_key {
        in_key = 0; key = $1; sub(/^keyid:/, "", key); gsub(/:/, "", key)
        if (key ~ /^[0-9A-F]+$/) print "key\t" key
      }
      /^ +X509v3 Delta CRL Indicator/ { print "unusable\tit is a delta CRL, which lists changes only" }
      /^ +X509v3 Certificate Issuer: critical/ { print "unusable\t" indirect }
      # openssl prints the name of an extension behind 12 blanks, its parts behind 16, and addresses behind 18.
      /^ +X509v3 Issuing Distribution Point:/ { in_point = 1; next }
      in_point && /^            [^ ]/ { in_point = 0 }
      in_point && /^ +Relative Name:/ { print "unusable\tit names its address relative to its issuer, which is not supported" }
      in_point && /^ +Full Name:/ { in_names = 1; next }
      in_names && /^                  / {
        # OpenSSL 3.0 ends no line behind the last name: what the CRL is for follows on the same line.
        scope = ""
        if (cut = match($0, /[^ ]                (Only |Indirect CRL)/)) {
          scope = substr($0, cut + 1); $0 = substr($0, 1, cut)
        }
        sub(/^ +/, ""); names = names (names == "" ? "" : " ") $0
        if (scope == "") next
        $0 = scope
      }
      in_names { in_names = in_point = 0; print "point\t" names }
      /^ +Indirect CRL/ { print "unusable\t" indirect }
      /^ +Only CA Certificates/ { print "partition\tit lists CA certificates only" }
      /^ +Only User Certificates/ { print "users\tit lists certificates of users only" }
      /^ +Only Some Reasons|^ +Only Attribute Certificates/ { print "unusable\tit lists a part of the revoked certificates only" }
      # OpenSSL accepts only the first two of these critical extensions in a CRL, and none of them in an entry
      # (x_crl.c), although it knows them. The last two are reported above.
      /^            [^ ].*: critical *$/ &&
        !/X509v3 (Issuing Distribution Point|Authority Key Identifier|Certificate Issuer|Delta CRL Indicator):/ {
        sub(/^ +/, ""); sub(/: critical *$/, "")
        print "unusable\tit has the critical extension " $0 ", for which OpenSSL refuses every certificate"
      }
      END { print "entries\t" entries + 0 }' >"$2.text"
  grep -q '^verify OK$' -- "$2.errors"
}

# Limits the memory of the reader to what is free now, and makes the kernel end it before any other process where memory
# runs out. Anyone who answers in place of the CA can send a CRL that takes gigabytes to read, before its signature is
# known to be wrong. With this limit the reader ends, not httpd.
spare_the_server() {
  echo 1000 >/proc/self/oom_score_adj
  crl_free_kib=$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)
  # shellcheck disable=SC3045 # dash and busybox ash have -v.
  [ -z "$crl_free_kib" ] || ulimit -v "$crl_free_kib"
} 2>/dev/null

# Calls print_crl with each CA of the issuer's name alone, until the signature is right, and fails where it never is.
# openssl takes the first CA of that name for the signer, which can be the wrong one after a change of keys.
print_crl_by_each_ca() { # FILE TARGET BUNDLE
  crl_issuer_hash=$(text_value 'issuer name hash' "$2.text")
  split_cas "$3" "$work/each"
  for crl_each_ca in "$work"/each/*; do
    [ "$(openssl x509 -noout -subject_hash -in "$crl_each_ca" 2>/dev/null)" = "$crl_issuer_hash" ] || continue
    if print_crl "$1" "$2" "$crl_each_ca"; then return 0; fi
  done
  return 1
}

# Writes each certificate of a PEM file to a file of its own, DIRECTORY/N.
# in: nothing
# sets: nothing
split_cas() { # FILE DIRECTORY, which is made anew
  rm -rf -- "$2" && mkdir -- "$2"
  awk -v directory="$2" '/^-----BEGIN CERTIFICATE-----/ { n++ } n { print >(directory "/" n) }' "$1"
}

# Prints the first value of a name in a TARGET.text.
# in: nothing
# sets: nothing
text_value() { # NAME FILE
  awk -F "$tab" -v name="$1" '$1 == name { print $2; exit }' "$2"
}

# Sets `failure` where OpenSSL cannot use a CRL, and then fails. httpd refuses every certificate of a CA whose CRL
# OpenSSL does not understand or does not count. A CRL for CA certificates only is of use under `chain` alone.
find_unusable() { # TEXT
  failure=$(text_value unusable "$1")
  [ -n "$failure" ] || [ "$source_check" = chain ] || failure=$(text_value partition "$1")
  [ -z "$failure" ]
}

# Writes TARGET.facts from TARGET.text. Sets `failure` and fails where a date cannot be read: the first failure text
# holds until both dates are read.
write_crl_facts() { # TARGET
  crl_next=$(text_value nextUpdate "$1.text") crl_key=$(text_value key "$1.text")
  failure='it has a date that OpenSSL does not count'
  crl_this=$(seconds_of "$(text_value lastUpdate "$1.text")") || return 1
  case $crl_next in '' | NONE) crl_next=- ;; *) crl_next=$(seconds_of "$crl_next") || return 1 ;; esac
  failure='' crl_key=${crl_key:+-$crl_key}
  [ -z "$(text_value partition "$1.text")" ] || crl_key=${crl_key:--}-ca
  crl_point=$(text_value point "$1.text")
  [ -z "$crl_point" ] || crl_key=$(point_key "$crl_key" "$crl_point")
  crl_number=$(text_value crlNumber "$1.text" | decimal_of)
  printf '%s%s %s %s %s %s\n' "$(text_value 'issuer name hash' "$1.text")" "$crl_key" \
    "$crl_this" "$crl_next" "${crl_number:--}" "$(text_value entries "$1.text")" >"$1.facts"
}

# Prints a time in seconds since 1970. Fails for a time with fractions or with a time zone: openssl prints it, but it
# makes OpenSSL refuse every certificate of the CA.
seconds_of() { # TIME, as openssl prints it
  case $1 in
    [A-Z][a-z][a-z]' '[\ 0-9][0-9]' '[0-9][0-9]:[0-9][0-9]:[0-9][0-9]' '[0-9][0-9][0-9][0-9]' GMT')
      date -u -d "$1" +%s
      ;;
    *) return 1 ;;
  esac
}

# A filter that prints the number of a CRL in decimal, and nothing for `<NONE>`. openssl prints it in hexadecimal, with
# up to 20 bytes. awk has no such numbers, so the digits are kept in an array, the last one first.
decimal_of() {
  awk '{
    sub(/^0x/, ""); count = 1; digit[1] = 0
    for (i = 1; i <= length($0); i++) {
      carry = index("0123456789ABCDEF", toupper(substr($0, i, 1))) - 1
      if (carry < 0) { count = 0; exit }
      for (k = 1; k <= count; k++) { value = digit[k] * 16 + carry; digit[k] = value % 10; carry = int(value / 10) }
      for (; carry > 0; carry = int(carry / 10)) digit[++count] = carry % 10
    }
  } END { for (k = count; k > 0; k--) printf "%d", digit[k] }'
}

# Checks the dates of a CRL by this host's clock, after a short wait where it is not valid yet. Sets `failure` and fails
# where it is not valid then. httpd refuses every certificate of the CA before the first date and after the second one,
# to the second.
# in: mode
# sets: failure, fetch_until
check_crl_dates() { # TARGET
  read -r _ crl_this crl_next _ <"$1.facts"
  wait_until_valid
  crl_now=$(date +%s) failure=''
  if [ "$crl_this" -gt "$crl_now" ]; then
    failure="it is from the future ($(date -u -d "@$crl_this" +%FT%TZ)); is this host's clock right?"
  elif [ "$crl_next" != - ] && [ "$crl_next" -le "$crl_now" ]; then
    failure="it has expired ($(date -u -d "@$crl_next" +%FT%TZ))"
  fi
  [ -z "$failure" ]
}

# The longest waits, in seconds, for a CRL that is not valid yet because two clocks differ. A refresh holds no lock
# while it downloads, so it waits longer. A change, for which somebody waits, waits for a shorter time, which is taken
# from the time for its downloads.
crl_wait_seconds=300 crl_change_wait_seconds=60

# Waits until the CRL with the date crl_this is valid, where that takes no longer than the longest wait. In a refresh
# the end of its downloads, fetch_until, moves by the time that it waited.
wait_until_valid() {
  crl_early=$((crl_this - $(date +%s))) crl_longest=$crl_change_wait_seconds
  [ "$mode" != refresh ] || crl_longest=$crl_wait_seconds
  [ "$crl_early" -gt 0 ] && [ "$crl_early" -le "$crl_longest" ] || return 0
  step "wait $crl_early seconds, until the CRL is valid"
  sleep "$crl_early"
  [ "$mode" != refresh ] || fetch_until=$((fetch_until + crl_early))
}

# compare_crls A B, two CRLs of one issuer: prints newer, same or older, for A. A with a lower number is older whatever
# its date says: httpd takes the CRL with the later date, and a replayed CRL could have that. But the number of B does
# not count where B has expired, because a CRL that has expired protects nobody. For a CRL that the site file accepts by
# its hash the date counts and the number does not: once such a CRL has been replaced, nobody can bring it back.
# in: source_accept_older
# sets: nothing
compare_crls() { # TARGET TARGET
  crl_accepted=''
  if [ -n "$source_accept_older" ] && is_accepted "$1"; then
    [ "$(der_hash "$1")" != "$(der_hash "$2")" ] || { echo same && return; }
    crl_accepted=yes
  fi
  awk -v now="$(date +%s)" -v accepted="$crl_accepted" '
    # Compares two decimal numbers as texts, because awk has no numbers of 20 bytes.
    function above(a, b) { return length(a) > length(b) || (length(a) == length(b) && a "" > b "") }
    accepted { if (NR > 1) print this < $2 ? "older" : "newer"; else this = $2; next }
    NR == 1 { this = $2; number = $4; next }
    {
      numbered = number != "-" && $4 != "-"
      expired = $3 != "-" && $3 <= now
      if (this == $2 && (!numbered || number == $4)) print "same"
      else if (this < $2 || (numbered && above($4, number) && !expired)) print "older"
      else print "newer"
    }' "$1.facts" "$2.facts"
}

# Checks whether the site file accepts this very CRL, although it is older.
is_accepted() { # TARGET
  case "$source_accept_older " in *" $(der_hash "$1") "*) return 0 ;; *) return 1 ;; esac
}

# Prints the SHA-256 of the DER in TARGET.pem, as the site file has it. It is the same in whatever form a CRL comes.
# in: nothing
# sets: nothing
der_hash() { # TARGET
  grep -v '^-----' -- "$1.pem" | base64 -d 2>/dev/null | sha256sum | cut -c 1-64
}
