#!/bin/sh
# httpd: a virtual host for 0.0.0.0 answers IPv6 clients, and one for [::] answers IPv4 clients.
#
# Guess: `<VirtualHost 0.0.0.0:PORT>` answers at the IPv4 addresses, and the main server (or nobody) at `Listen [::1]:PORT`, as a
#        socket bound to 0.0.0.0 takes IPv4 alone; and `<VirtualHost [::]:PORT>` the other way round.
# Seen:  each of the two answers at both addresses: httpd puts an address of zeros into the list of `*` and `_default_`, whatever
#        its family, and `httpd -S` prints it as `*`. So such a line covers more than it says, and an include in it does, too.
# Seen with Apache/2.4.71 (Debian), apache2-bin of bookworm. Ends with 1 when the behaviour is another one.
set -eu
command -v apache2 >/dev/null && command -v curl >/dev/null ||
  apt-get install -y --no-install-recommends apache2-bin curl >/dev/null
work=$(mktemp -d) && pid=''
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; wait; rm -rf "$work"' EXIT
chmod 755 "$work"
port=$((20000 + $$ % 20000))
apache2 -v | head -n 1
for address in 0.0.0.0 '[::]'; do
  {
    for module in mpm_event authz_core alias; do
      echo "LoadModule ${module}_module /usr/lib/apache2/modules/mod_$module.so"
    done
    cat <<CONFIGURATION
Listen 127.0.0.1:$port
Listen [::1]:$port
ServerName localhost
PidFile $work/pid
ErrorLog $work/log
DefaultRuntimeDir $work
User daemon
Group daemon
Redirect / http://main-server/
<VirtualHost $address:$port>
  ServerName b.example
  Redirect / http://virtual-host/
</VirtualHost>
CONFIGURATION
  } >"$work/conf"
  apache2 -d "$work" -f "$work/conf" -D FOREGROUND & pid=$!
  tries=0
  until curl -so /dev/null "http://127.0.0.1:$port/" || [ "$tries" -gt 50 ]; do tries=$((tries + 1)) && sleep 0.1; done
  for asked in 127.0.0.1 '[::1]'; do
    printf '<VirtualHost %s> asked at %s: ' "$address" "$asked"
    curl -sgD - -o /dev/null "http://$asked:$port/" | tr -d '\r' | sed -n 's|^Location: http://\(.*\)/$|\1|p'
  done
  kill "$pid" && wait "$pid" || :
done | tee "$work/seen"
cat >"$work/wanted" <<'WANTED'
<VirtualHost 0.0.0.0> asked at 127.0.0.1: virtual-host
<VirtualHost 0.0.0.0> asked at [::1]: virtual-host
<VirtualHost [::]> asked at 127.0.0.1: virtual-host
<VirtualHost [::]> asked at [::1]: virtual-host
WANTED
diff "$work/wanted" "$work/seen"
