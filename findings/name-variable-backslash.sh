#!/bin/sh
# mod_ssl: the variable of one attribute of a name (SSL_CLIENT_S_DN_O) holds each backslash twice, and nothing else is escaped.
#
# Guess: a variable for one attribute holds its plain text; only the whole name (SSL_CLIENT_S_DN) is escaped, as RFC 2253 has it.
# Seen:  quotes, commas, plus signs, leading hashes and UTF-8 come as they are, and O=A\B comes as A\\B: an SSLRequire or a `Require expr`
#        that names the organization as the certificate has it refuses its holders.
# Seen with Apache/2.4.71 (Debian), apache2-bin of bookworm. Ends with 1 when the behaviour is another one.
set -eu
command -v apache2 >/dev/null && command -v openssl >/dev/null && command -v curl >/dev/null ||
  apt-get install -y --no-install-recommends apache2-bin openssl curl >/dev/null
work=$(mktemp -d) && pid=''
trap '[ -z "$pid" ] || kill "$pid"; wait; rm -rf "$work"' EXIT
chmod 755 "$work" && touch "$work/page"
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 2 -keyout "$work/key" -out "$work/cert" 2>/dev/null
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=Lab-CA -days 2 -keyout "$work/ca.key" -out "$work/ca" 2>/dev/null
certify() { # NUMBER ORGANIZATION, with a backslash before each backslash, as -subj reads it
  openssl req -newkey rsa:2048 -nodes -utf8 -subj "/O=$2/CN=user" -keyout "$work/$1.key" -out "$work/request" 2>/dev/null
  openssl x509 -req -in "$work/request" -CA "$work/ca" -CAkey "$work/ca.key" -set_serial "$1" -days 2 -out "$work/$1" 2>/dev/null
}
certify 1 'A\\B' && certify 2 '#A, "B" \+ C' && certify 3 '株式会社'
port=$((20000 + $$ % 20000))
{
  for module in mpm_event authz_core socache_shmcb ssl headers; do
    echo "LoadModule ${module}_module /usr/lib/apache2/modules/mod_$module.so"
  done
  cat <<CONFIGURATION
Listen 127.0.0.1:$port
ServerName localhost
PidFile $work/pid
ErrorLog $work/log
DefaultRuntimeDir $work
User daemon
Group daemon
DocumentRoot $work
SSLEngine on
SSLCertificateFile $work/cert
SSLCertificateKeyFile $work/key
SSLCACertificateFile $work/ca
SSLVerifyClient optional
Header set X-Seen "%{SSL_CLIENT_S_DN_O}s"
CONFIGURATION
} >"$work/conf"
apache2 -d "$work" -f "$work/conf" -t 2>&1
apache2 -d "$work" -f "$work/conf" -D FOREGROUND & pid=$!
tries=0
until curl -sko /dev/null "https://127.0.0.1:$port/" || [ "$tries" -gt 50 ]; do tries=$((tries + 1)) && sleep 0.1; done
apache2 -v | head -n 1
for number in 1 2 3; do
  openssl x509 -in "$work/$number" -noout -subject -nameopt utf8,sep_multiline | sed -n 's/^ *O=/in the certificate: /p'
  curl -sk --cert "$work/$number" --key "$work/$number.key" -D - -o /dev/null "https://127.0.0.1:$port/page" |
    tr -d '\r' | sed -n 's/^X-Seen: /in the variable:    /p'
done | tee "$work/seen"
cat >"$work/wanted" <<'WANTED'
in the certificate: A\B
in the variable:    A\\B
in the certificate: #A, "B" + C
in the variable:    #A, "B" + C
in the certificate: 株式会社
in the variable:    株式会社
WANTED
diff "$work/wanted" "$work/seen"
