# shellcheck shell=sh
# What a server answers, as a client sees it. The same questions go to the shadow and, after a reload, to the live server.

# ask_all: for each line `ADDRESS PORT NAME` of the list one line `ADDRESS PORT NAME TAB status TAB answer to a stranger's
# certificate TAB CA names`, in an order that is always the same. Four ask at once: each handshake is a process of its own.
ask_all() {
  look_list=${look_from:-/proc/self/fd/9/look.list} scratch=/dev/shm/clientcert.$$ askers=''
  mkdir -m 700 -- "$scratch" && make_stranger "$scratch/stranger"
  for quarter in 0 1 2 3; do
    ask_quarter "$quarter" <"$look_list" >"$scratch/answers.$quarter" &
    askers="$askers $!"
  done
  # shellcheck disable=SC2086
  wait $askers
  cat -- "$scratch"/answers.*
  rm -rf -- "$scratch"
}

# A stranger's certificate (`-` = not asked) is shown to the first 20 virtual hosts only: all of them include the same file.
ask_quarter() { # NUMBER
  # shellcheck disable=SC2030
  awk -v quarter="$1" 'NF && NR % 4 == quarter { print (NR <= 20), $0 }' | while read -r is_shown address port name; do
    printf '\n%s question %s %s %s\n' "$mark" "$address" "$port" "$name"
    talk
    [ "$is_shown" = 0 ] || { printf '\n%s stranger\n' "$mark" && talk -cert "$stranger_pem" -key "$stranger_pem"; }
  done | awk -v mark="$mark" -v tab="$tab" '
    function tell() { if (where != "") print where tab status["plain"] tab status["stranger"] tab names }
    $1 == mark && $2 == "question" { tell(); who = "plain"; where = $3 " " $4 " " $5; names = ""; on = 0; status["plain"] = "refused"; status["stranger"] = "-"; next }
    $1 == mark && $2 == "stranger" { who = "stranger"; on = 0; status[who] = "refused"; next }
    /^Acceptable client certificate CA names/ { on = 1; next }
    /^(Client Certificate Types|Requested Signature|Shared Requested|Peer signing|Server Temp|---)/ { on = 0 }
    on && who == "plain" { names = names "|" $0 }
    /^HTTP\/1\.[01] [0-9][0-9][0-9]/ && status[who] == "refused" { status[who] = $2 }
    END { tell() }'
}

# `Host` and an orderly end are needed: without them httpd logs an error, and TLS 1.3 refuses a certificate only after the
# request. Without this host's trusted CAs, which nobody asks here, and which cost openssl most of its time.
talk() { # FURTHER_OPTIONS…
  # shellcheck disable=SC2031
  host=${name:-$address}
  case $host in *[!0-9.:]*) set -- "$@" -servername "$host" ;; *) set -- "$@" -noservername ;; esac
  case $address in *:*) connect="[$address]:$port" ;; *) connect=$address:$port ;; esac
  printf 'HEAD / HTTP/1.1\r\nHost: %s\r\nUser-Agent: clientcert\r\nConnection: close\r\n\r\n' "$host" |
    SSL_CERT_FILE=/dev/null SSL_CERT_DIR=/dev/null timeout 10 openssl s_client -connect "$connect" -ign_eof "$@" 2>/dev/null
}

# A certificate that nobody trusts; its key opens nothing.
make_stranger() { # FILE
  stranger_pem=$1
  printf '[req]\ndistinguished_name=dn\n[dn]\n' >"$1.cnf"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=clientcert-stranger \
    -config "$1.cnf" -keyout "$1.key" -out "$1.cert" 2>/dev/null && cat "$1.key" "$1.cert" >"$1"
}
