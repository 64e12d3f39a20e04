#!/bin/sh
# mod_ssl: of several options without a sign on one SSLOptions line, only the last one counts.
#
# Guess: `SSLOptions StdEnvVars ExportCertData` sets both, as `Options Indexes FollowSymLinks` does for core's Options.
# Seen:  each option without a sign begins anew, on the same line, too. The first form hands an application no SSL_PROTOCOL,
#        the other order no SSL_SERVER_CERT; only with signs are both there. httpd -t is content with all three.
# Seen with Apache/2.4.71 (Debian), apache2-bin of bookworm. Ends with 1 when the behaviour is another one.
set -eu
command -v apache2 >/dev/null && command -v openssl >/dev/null && command -v curl >/dev/null ||
  apt-get install -y --no-install-recommends apache2-bin openssl curl >/dev/null
work=$(mktemp -d) && pid=''
trap '[ -z "$pid" ] || kill "$pid"; wait; rm -rf "$work"' EXIT
chmod 755 "$work" && touch "$work/first" "$work/second" "$work/signs"
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 2 -keyout "$work/key" -out "$work/cert" 2>/dev/null
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
Header set X-Seen "protocol=%{SSL_PROTOCOL}e"
Header append X-Seen "certificate=yes" "expr=-n env('SSL_SERVER_CERT')"
<Location /first>
SSLOptions StdEnvVars ExportCertData
</Location>
<Location /second>
SSLOptions ExportCertData StdEnvVars
</Location>
<Location /signs>
SSLOptions +StdEnvVars +ExportCertData
</Location>
CONFIGURATION
} >"$work/conf"
apache2 -d "$work" -f "$work/conf" -t 2>&1
apache2 -d "$work" -f "$work/conf" -D FOREGROUND & pid=$!
tries=0
until curl -sko /dev/null "https://127.0.0.1:$port/" || [ "$tries" -gt 50 ]; do tries=$((tries + 1)) && sleep 0.1; done
apache2 -v | head -n 1
for place in first second signs; do
  printf '%s: ' "$place"
  curl -sk -D - -o /dev/null "https://127.0.0.1:$port/$place" | tr -d '\r' | sed -n 's/^X-Seen: //p'
done | tee "$work/seen"
cat >"$work/wanted" <<'WANTED'
first: protocol=(null), certificate=yes
second: protocol=TLSv1.3
signs: protocol=TLSv1.3, certificate=yes
WANTED
diff "$work/wanted" "$work/seen"
