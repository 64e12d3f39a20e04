#!/bin/sh
# OpenSSL: of two certificates of one CA the first one in the file that is valid counts, and no other is tried when it leads nowhere.
#
# Guess: a root stands in the CA file as self-signed and as a cross-certificate of a root that is not there; OpenSSL finds the chain that
#        is complete, in whatever order the two stand.
# Seen:  the self-signed one first: OK. The cross-certificate first: error 2 (unable to get issuer certificate), and the user is refused.
# Seen with OpenSSL 3.0.19, openssl of bookworm. Ends with 1 when the behaviour is another one.
set -eu
command -v openssl >/dev/null || apt-get install -y --no-install-recommends openssl >/dev/null
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
openssl version
printf '[req]\ndistinguished_name=dn\n[dn]\n[ca]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n' >conf
key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -config conf'
# shellcheck disable=SC2086
{
  openssl req -x509 $key -days 30 -subj /CN=Old-Root -extensions ca -keyout old.key -out old
  openssl req -x509 $key -days 30 -subj /CN=Root -extensions ca -keyout root.key -out root
  openssl req -new -key root.key -subj /CN=Root -config conf -out cross.csr
  openssl req $key -subj /CN=User -keyout user.key -out user.csr
} 2>/dev/null
openssl x509 -req -in cross.csr -CA old -CAkey old.key -set_serial 2 -days 30 -extfile conf -extensions ca -out cross 2>/dev/null
openssl x509 -req -in user.csr -CA root -CAkey root.key -set_serial 3 -days 10 -out user 2>/dev/null

failed=0
expect() { # WANTED FILES...
  wanted=$1
  shift
  cat "$@" >cas
  seen=$(openssl verify -CAfile cas user 2>&1 | sed -n -e 's/^error \([0-9]*\) at .*/error \1/p' -e 's/^user: OK$/OK/p' | head -n 1)
  echo "$*: $seen, expected $wanted"
  [ "$seen" = "$wanted" ] || failed=1
}
expect OK root cross
expect 'error 2' cross root
exit "$failed"
