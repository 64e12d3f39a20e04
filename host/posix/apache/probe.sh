# shellcheck shell=sh
# Checks whether holders of certificates of the site's CAs get in at all. It reads the answers to probe certificates. A
# probe carries the name of a CA and a signature that does not verify (core/pki/probe.ts). OpenSSL checks extensions,
# strength and CRLs before the signature. So a healthy httpd answers with the alert `decrypt error`, and any other alert
# means that every holder is refused.

# The good answer: the number of the alert `decrypt error`, and the number of OpenSSL's error for a signature that does
# not verify.
probe_decrypt_error=51 probe_signature_failure=7
probe_locked_out='' probe_already_refused=''

# Makes $work/probes.list, the names of the probes that are shown, and an empty $work/probes.refused. A CA has a probe
# there if it issues to users, or if it has a CRL that is not for CA certificates only. A refresh uses the probes that
# the last change left in the state directory.
# in: mode, state, work
# sets: nothing
list_probes() {
  [ "$mode" != refresh ] || [ ! -d "$state/probes" ] || cp -r -- "$state/probes" "$work/probes"
  for probe in "$work"/probes/*; do
    [ -f "$probe" ] || continue
    [ "$(probe_word role "$probe")" = users ] || has_users_crl "$probe" || continue
    printf '%s\n' "${probe##*/}"
  done >"$work/probes.list"
  : >"$work/probes.refused"
}

# Keeps the probes for refreshes.
# in: state, work
# sets: nothing
# writes
keep_probes() {
  rm -rf -- "$state/probes.new" && cp -r -- "$work/probes" "$state/probes.new" && rm -rf -- "$state/probes" &&
    mv -T -- "$state/probes.new" "$state/probes"
}

# Prints a value from the lines that stand before key and certificate in a probe.
probe_word() { sed -n "s/^$1 //p;/^-/q" "$2"; } # KEY FILE

# Checks whether the candidate crl.pem holds a CRL of this CA that is not for CA certificates only. The key of a CRL
# begins with the hash of its issuer, and `-ca` follows where it is for CA certificates only. Fails where no CRLs were
# collected.
has_users_crl() { # PROBE
  [ -f "$work/chosen.keys" ] || return 1
  probe_issuer=$(openssl x509 -noout -issuer_hash -in "$1" 2>/dev/null) &&
    awk -v issuer="$probe_issuer" \
      '{ split($1, part, "-") } part[1] == issuer && $1 !~ /-ca(-|$)/ { found = 1 } END { exit !found }' \
      "$work/chosen.keys"
}

# Prints the worst answer to each probe, as lines NAME ALERT [ADDRESS PORT HOST]. Any alert but the good one is worse
# than `-`, and `-` is worse than `+`. The alert `-` means that there was no alert, for example because the connection
# was cut. `+` means an HTTP answer, for example of a virtual host that asks for no certificate. The place is printed
# where another virtual host gives the good answer. A probe that was shown nowhere has no line. An answer of a virtual
# host without a name is left out where an unmanaged virtual host shares its address and port, because that one may have
# answered.
# in: manifest, state, work
# sets: nothing
read_alerts() { # ANSWERS
  { printf '%s' "$manifest" && sed 's/^/other /' "$state/others" 2>/dev/null; } |
    awk -F "$tab" -v answers="$1" -v list="$work/probes.list" -v good="$probe_decrypt_error" '
    function rank(alert) { return alert == good ? 0 : alert == "+" ? 1 : alert == "-" ? 2 : 3 }
    BEGIN { while ((getline name <list) > 0) names[++count] = name }
    /^other / { split($0, word, " "); isShared[word[2] " " word[3]] = 1 }
    END {
      while ((getline line <answers) > 0) {
        split(line, column, tab = "\t"); split(column[1], word, " ")
        if (word[3] == "" && (word[1] " " word[2]) in isShared) continue
        asked = split(column[6], answer, " ")
        for (i = 1; i <= asked; i++) {
          split(answer[i], pair, ":")
          if (pair[2] == good) isGoodSomewhere[pair[1]] = 1
          if (!(pair[1] in worst) || rank(pair[2]) > rank(worst[pair[1]])) {
            worst[pair[1]] = pair[2]; place[pair[1]] = column[1]
          }
        }
      }
      for (i = 1; i <= count; i++) {
        if (names[i] in worst) print names[i], worst[names[i]], (names[i] in isGoodSomewhere ? place[names[i]] : "")
      }
    }'
}

# Prints lines NAME ALERT as read_alerts does, but finds them by openssl from the files of the change alone, where no
# httpd can be asked. ALERT is the good one, `file` for another error, or `-` where openssl names none.
# in: work
# sets: nothing
read_verifications() {
  while read -r probe; do
    case $(verify_probe "$probe" newest_own) in
      "$probe_signature_failure") echo "$probe $probe_decrypt_error" ;;
      '') echo "$probe -" ;;
      *) echo "$probe file" ;;
    esac
  done <"$work/probes.list"
}

# Prints the number of the first error that `openssl verify` names for a probe, and nothing where it names none or where
# our files are missing. PATH_OF is the function that prints the path of a file of ours: newest_own or installed_own.
verify_probe() { # NAME PATH_OF
  probe_conf=$("$2" clientcert.conf) probe_checks=''
  [ -f "$probe_conf" ] || return 0
  case $(conf_value SSLCARevocationCheck "$probe_conf") in
    leaf*) probe_checks=-crl_check ;;
    chain*) probe_checks=-crl_check_all ;;
  esac
  probe_ca_file=$(conf_value SSLCACertificateFile "$probe_conf") probe_ca_file=${probe_ca_file%\"}
  # shellcheck disable=SC2086
  openssl verify -purpose sslclient -auth_level "$(security_level)" \
    -verify_depth "$(conf_value SSLVerifyDepth "$probe_conf")" -CAfile "$("$2" "${probe_ca_file##*/}")" \
    $probe_checks ${probe_checks:+-CRLfile "$("$2" crl.pem)"} "$work/probes/$1" 2>&1 |
    sed -n 's/^error \([0-9]*\) at .*/\1/p' | head -n 1
}

# Prints the argument of a directive in a file of ours.
conf_value() { sed -n "s/^$1 //p" "$2" | head -n 1; } # DIRECTIVE FILE

# Prints the path of an installed file of ours: a PATH_OF for verify_probe, as newest_own is.
installed_own() { printf %s "$own_directory/$1"; } # NAME

# Checks whether the files that served before the change refuse this probe, too. If they do, a change that does not mend
# it is not the cause. At the stage `judged` this is found from the installed files, and is noted in
# $work/probes.refused. At the stage `live` the installed files are new, so only the notes count. A CA that is missing
# from the files of before (error 20) has no holders yet.
is_refused_already() { # NAME STAGE
  ! grep -qx -e "$1" -- "$work/probes.refused" || return 0
  [ "$2" = judged ] || return 1
  case $(verify_probe "$1" installed_own) in '' | "$probe_signature_failure" | 20) return 1 ;; esac
  printf '%s\n' "$1" >>"$work/probes.refused"
}

# report_locked_out ALERTS WORDS WHEN STAGE: reports a reason for each CA whose holders are refused. Reports a note
# instead where they were refused before, or where this cannot be told. Fails where there is no reason. ALERTS is a file
# of read_alerts, WORDS a file with httpd's log, and WHEN the beginning of the sentence. STAGE is `judged` while the
# installed files are those that serve, and `live` afterwards.
# in: judge, mode, own_directory, work
# sets: probe_already_refused, probe_locked_out
report_locked_out() {
  probe_locked_out=''
  while read -r probe probe_alert probe_place; do
    probe_ca=$(probe_word ca "$work/probes/$probe") probe_error=''
    case $probe_alert in
      "$probe_decrypt_error") continue ;;
      - | +)
        # The alert was lost. The log may still have the error, or the signature failure of a good probe.
        probe_error=$(logged_errors "$2")
        [ -n "$probe_error" ] || ! grep -qs "Certificate Verification: Error ($probe_signature_failure)" "$2" ||
          continue
        ;;
      *)
        # There is an alert. Where the log does not name exactly one error, openssl finds it from the files.
        probe_error=$(logged_errors "$2") &&
          case $probe_error in '' | *"$nl"*) probe_error=$(verify_probe "$probe" newest_own) ;; esac
        ;;
    esac
    # This probe is left from a change that was put back. A refresh brings no CA, so nobody holds a certificate of this
    # CA.
    [ "$mode:$probe_error" != refresh:20 ] || continue
    if is_unreported "$probe_alert" "$probe_error" "$2"; then
      probe_note "$4" "it could not be told whether holders of certificates of the CA $probe_ca get in: neither httpd's answer nor its error log says so; try a user's certificate"
    elif is_refused_already "$probe" "$4"; then
      probe_already_refused=$(plain "httpd refuses every certificate of the CA $probe_ca already: $(refusal_in_words "$probe_alert" "$probe_error")")
      probe_note "$4" "$probe_already_refused"
    elif [ "$probe_error" = 44 ] && is_guess "$probe" "$4"; then
      probe_note "$4" "the CRL of the CA $probe_ca counts only for certificates that name its address; give a sampleCertificate of a user, which shows whether they do"
    else
      probe_locked_out=yes
      part "reason $3 every certificate of the CA $probe_ca${probe_place:+ at $(place_in_words "$probe_place")}: $(refusal_in_words "$probe_alert" "$probe_error")"
    fi
  done <"$1"
  [ -n "$probe_locked_out" ]
}

# Reports a note, but not at the stage `live` where the shadow has judged: the judge has said it already.
probe_note() { [ "$1:$judge" = live:shadow ] || part "note $2"; } # STAGE TEXT

# Prints the error numbers in httpd's log, each once, without that of a good probe and that of the untrusted certificate
# (18, self-signed).
logged_errors() { # WORDS
  sed -n 's/.*Certificate Verification: Error (\([0-9]*\)).*/\1/p' "$1" 2>/dev/null |
    grep -vx -e "$probe_signature_failure" -e 18 | sort -u
}

# Checks whether the error is unknown: there was no alert, and the log does not have exactly one number. Several numbers
# in the log belong to several CAs, and it is not known which number belongs to which CA.
is_unreported() { # ALERT ERROR WORDS
  case $1 in - | +) ;; *) return 1 ;; esac
  case $2 in '' | *"$nl"*) return 0 ;; *) return 1 ;; esac
}

# Checks whether error 44 (the CRL is for other certificates) is only a guess. The probe names the addresses of the CRL
# sources (`points guessed`), because no user's certificate is known. The installed files do not have the CA, so they
# show nothing about it; at the stage `live` that is not asked again. And crl.pem has a CRL that names an address, which
# the certificates of users may name, too.
is_guess() { # PROBE STAGE
  [ "$(probe_word points "$work/probes/$1")" = guessed ] || return 1
  case $2:$(verify_probe "$1" installed_own) in judged: | judged:20) ;; live:*) ;; *) return 1 ;; esac
  mkdir -p -- "$work/scopes" && split_crls "$(newest_own crl.pem)" "$work/scopes"
  for probe_scope in "$work"/scopes/*.pem; do
    if openssl crl -noout -text -in "$probe_scope" 2>/dev/null | grep -q '^ *Full Name:'; then return 0; fi
  done
  return 1
}

# Prints `NAME (ADDRESS port PORT)`, or `ADDRESS port PORT` where there is no name.
place_in_words() { # ADDRESS PORT NAME
  # shellcheck disable=SC2086
  set -- $1
  printf '%s' "${3:+$3 (}$1 port $2${3:+)}"
}

# Prints why httpd refuses a certificate, and what to do. The alert is httpd's answer to its clients, and the number is
# OpenSSL's error. @see openssl-verification-options(1),
# RFC 8446, section 6
refusal_in_words() { # ALERT ERROR
  case $2 in
    2 | 20 | 21) probe_cause='its chain does not reach a root among caFiles; list the CAs above it up to the root' ;;
    3) probe_cause='no CRL of it counts: there is none, or its authority key identifier names another certificate of the CA; give the CRL that the issuer publishes for the listed certificate' ;;
    9) probe_cause='a CA certificate of its chain is not valid yet; look at the clock of this host' ;;
    10) probe_cause='a CA certificate of its chain has expired; list the current one' ;;
    11) probe_cause='its CRL is not valid yet; look at the clock of this host' ;;
    12) probe_cause='its CRL has expired; download the current one' ;;
    13 | 14 | 15 | 16) probe_cause='a date in its chain or CRL is malformed; ask the issuer for one without fractions and time zones' ;;
    8) probe_cause='its CRL is signed by another key; list the CA whose key signs it now' ;;
    22) probe_cause='its chain has more CAs than verifyDepth; raise that' ;;
    24 | 79) probe_cause='a certificate of its chain is no CA certificate; list the CA that issues to users' ;;
    25) probe_cause='it stands deeper than a CA above it allows (pathLenConstraint); list the CA that the issuer names for clients' ;;
    26) probe_cause='a CA of its chain may not issue client certificates (extended key usage); list the CA for clients' ;;
    32) probe_cause='a CA of its chain may not sign certificates (keyUsage); list the CA that does' ;;
    34) probe_cause='a CA certificate of its chain has a critical extension that OpenSSL does not know; ask the issuer for another one' ;;
    35) probe_cause='it may not sign CRLs (keyUsage without cRLSign); ask the issuer which CRL to use, or give no CRL' ;;
    36) probe_cause='its CRL has a critical extension that OpenSSL does not know; ask the issuer for a plain CRL' ;;
    44) probe_cause='its CRL is not for these certificates (issuingDistributionPoint); give the CRL whose address the users name, and the certificate of one as sampleCertificate' ;;
    50) probe_cause='httpd asks an OCSP responder that does not answer; look at its SSLOCSP directives' ;;
    66 | 67) probe_cause='a key of its chain is too short for the security level of this host; ask the issuer for a successor' ;;
    68) probe_cause='a signature of its chain has too weak a digest for the security level of this host; ask the issuer for a successor' ;;
    94) probe_cause='a CA key has explicit elliptic-curve parameters; ask the issuer for a certificate with a named curve' ;;
    *) probe_cause='look at the error log of httpd' ;;
  esac
  printf '%s (%s)' "$probe_cause" "$(alert_in_words "$1")${2:+, OpenSSL error $2}"
}

# Prints the name of a TLS alert. ALERT may also be one of the signs of read_alerts and read_verifications.
alert_in_words() {
  case $1 in
    40) echo 'alert handshake failure' ;;
    42) echo 'alert bad certificate' ;;
    43) echo 'alert unsupported certificate' ;;
    44) echo 'alert certificate revoked' ;;
    45) echo 'alert certificate expired' ;;
    46) echo 'alert certificate unknown' ;;
    48) echo 'alert unknown CA' ;;
    - | +) echo 'no alert' ;;
    file) echo 'by openssl verify' ;;
    *) echo "alert $1" ;;
  esac
}
