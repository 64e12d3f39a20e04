#!/bin/sh
# OpenSSL: the CRL of a certificate is looked for before the certificate's own signature is checked.
#
# Guess: a certificate whose signature is broken is refused for its signature, whatever else is wrong.
# Seen:  with its CA's CRL missing it is error 3 (unable to get certificate CRL), with a CRL for CA certificates only error 44 (Different
#        CRL scope), and only where the CRL counts error 7 (certificate signature failure). So a certificate that anybody can write, and
#        that nobody can use, shows whether a CA's CRL counts.
# Seen with OpenSSL 3.0.19, openssl of bookworm. Ends with 1 when the behaviour is another one.
set -eu
command -v openssl >/dev/null || apt-get install -y --no-install-recommends openssl >/dev/null
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
openssl version

cat >conf <<'END'
[req]
distinguished_name = dn
[dn]
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
[user]
keyUsage = critical,digitalSignature
[for_cas]
issuingDistributionPoint = critical,@point
[point]
onlyCA = TRUE
[plain]
[list]
database = index
default_md = sha256
default_crl_days = 30
END
: >index

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=CA -config conf -extensions ca -keyout ca.key -out ca.pem 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=User -config conf -keyout user.key -out user.csr 2>/dev/null
openssl x509 -req -in user.csr -CA ca.pem -CAkey ca.key -set_serial 7 -days 10 -extfile conf -extensions user -outform DER -out user.der 2>/dev/null

# The last byte of the file is the last one of the signature.
size=$(wc -c <user.der)
last=$(tail -c 1 user.der | od -An -tu1 | tr -d ' ')
{ head -c $((size - 1)) user.der && printf "\\$(printf %03o $((last ^ 1)))"; } | openssl x509 -inform DER -out broken.pem

for kind in plain for_cas; do
  openssl ca -gencrl -config conf -name list -keyfile ca.key -cert ca.pem -crlexts "$kind" -out "$kind.crl" 2>/dev/null
done

failed=0
expect() { # WHAT ERROR OPTIONS...
  what=$1 wanted=$2
  shift 2
  seen=$(openssl verify -CAfile ca.pem -crl_check "$@" broken.pem 2>&1 | sed -n 's/^error \([0-9]*\) at .*/\1/p' | head -n 1)
  echo "$what: error ${seen:-none}, expected $wanted"
  [ "$seen" = "$wanted" ] || failed=1
}
expect 'no CRL of the CA' 3
expect 'a CRL for CA certificates only' 44 -CRLfile for_cas.crl
expect 'a CRL as it should be' 7 -CRLfile plain.crl
exit "$failed"
