# shellcheck shell=sh
# The sample certificate of the site, which is the certificate of one user: this file checks what a new CRL would do to
# it.

# Checks the sample with the CRLs of FILE. Reports a reason against them where they would refuse it, unless the
# installed CRL refuses it already: then the new CRL is not the cause. A CRL that revokes the sample itself is right and
# is installed, but the sample shows nothing from then on.
# in: collect_bundle, collect_installed, source_check, source_sample, work
# sets: nothing
check_sample() { # FILE
  sample_error=$(verify_sample "$1")
  rm -f -- "$work/sample.words"
  case $sample_error in
    '') : >"$work/sample.words" ;;
    # certificate revoked
    "23 "*) report_sample 'is revoked, so it no longer shows whether a new CRL locks users out; give the certificate of another user as sampleCertificate' ;;
    *)
      sample_why="openssl verify gives error ${sample_error%% *}, ${sample_error#* }"
      if [ -f "$collect_installed" ] && [ -n "$(verify_sample "$collect_installed")" ]; then
        report_sample "is refused already, so it no longer shows whether a new CRL locks users out: $sample_why"
      else
        refuse "with the new CRL the sample certificate of the site would be refused: $sample_why"
      fi
      ;;
  esac
}

# Reports that the sample shows nothing any more, and keeps the text for observations of the host until a CRL accepts
# the sample (keep_crl_list).
report_sample() { # TEXT
  part "note the sample certificate of the site $1"
  printf '%.400s\n' "$(plain "$1")" >"$work/sample.words"
}

# Prints the number and the words of OpenSSL's first error. Prints nothing where OpenSSL accepts the sample.
# in: collect_bundle, source_check, source_sample, work
# sets: nothing
verify_sample() { # CRL_FILE, or - for what comes in
  [ "$1" != - ] || { cat >"$work/current.pem" && set -- "$work/current.pem"; }
  sample_checks=-crl_check
  [ "$source_check" = leaf ] || sample_checks=-crl_check_all
  openssl verify -purpose sslclient -CAfile "$collect_bundle" -untrusted "$collect_bundle" -CRLfile "$1" \
    "$sample_checks" "$(newest_own "$source_sample")" 2>&1 |
    sed -n 's/^error \([0-9]*\) at [^:]*: */\1 /p' | head -n 1
}
