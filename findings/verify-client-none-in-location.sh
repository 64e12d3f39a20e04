#!/bin/sh
# mod_ssl: `SSLVerifyClient none` in a Location takes nothing back of a certificate that the virtual host has asked for.
#
# Guess: below a virtual host with `SSLVerifyClient optional` such a Location sees no certificate (SSL_CLIENT_VERIFY=NONE), as a
#        Location with `require` sees one where the virtual host asked for none; or the directive is refused there.
# Seen:  in TLS 1.2 and 1.3 alike SSL_CLIENT_VERIFY is SUCCESS there, with the subject, for whoever showed a certificate in the
#        handshake: the directive of a section can only ask for more. httpd -t is content, and the log has no word of it.
# Seen with Apache/2.4.71 (Debian), apache2-bin of bookworm. Ends with 1 when the behaviour is another one.
set -eu
command -v apache2 >/dev/null && command -v openssl >/dev/null && command -v curl >/dev/null ||
  apt-get install -y --no-install-recommends apache2-bin openssl curl >/dev/null
work=$(mktemp -d) && pid=''
trap '[ -z "$pid" ] || kill "$pid"; wait; rm -rf "$work"' EXIT
chmod 755 "$work" && touch "$work/asked" "$work/none"
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 2 -keyout "$work/key" -out "$work/cert" 2>/dev/null
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=Lab-CA -days 2 -keyout "$work/ca.key" -out "$work/ca" 2>/dev/null
openssl req -newkey rsa:2048 -nodes -subj /O=Harbour/CN=user -keyout "$work/user.key" -out "$work/request" 2>/dev/null
openssl x509 -req -in "$work/request" -CA "$work/ca" -CAkey "$work/ca.key" -set_serial 1 -days 2 -out "$work/user" 2>/dev/null
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
Header set X-Seen "%{SSL_CLIENT_VERIFY}s %{SSL_CLIENT_S_DN_O}s"
<Location /none>
SSLVerifyClient none
</Location>
CONFIGURATION
} >"$work/conf"
apache2 -d "$work" -f "$work/conf" -t 2>&1
apache2 -d "$work" -f "$work/conf" -D FOREGROUND & pid=$!
tries=0
until curl -sko /dev/null "https://127.0.0.1:$port/" || [ "$tries" -gt 50 ]; do tries=$((tries + 1)) && sleep 0.1; done
apache2 -v | head -n 1
for version in 1.2 1.3; do
  for place in asked none; do
    printf 'TLS %s %s: ' "$version" "$place"
    curl -sk --tlsv$version --tls-max $version --cert "$work/user" --key "$work/user.key" -D - -o /dev/null \
      "https://127.0.0.1:$port/$place" | tr -d '\r' | sed -n 's/^X-Seen: //p'
  done
done | tee "$work/seen"
cat >"$work/wanted" <<'WANTED'
TLS 1.2 asked: SUCCESS Harbour
TLS 1.2 none: SUCCESS Harbour
TLS 1.3 asked: SUCCESS Harbour
TLS 1.3 none: SUCCESS Harbour
WANTED
diff "$work/wanted" "$work/seen"
