# shellcheck shell=sh
# What a server answers, as a client sees it. The same questions go to the shadow and, after a reload, to the live server.

# ask ADDRESS PORT NAME: one line `ADDRESS PORT NAME TAB status TAB answer to a stranger's certificate TAB CA names`.
# `Host` and an orderly end are needed: without them httpd logs an error, and TLS 1.3 refuses a certificate only after the request.
ask() {
  host=${3:-$1}
  case $host in *[!0-9.:]*) set -- "$@" -servername "$host" ;; *) set -- "$@" -noservername ;; esac
  case $1 in *:*) connect="[$1]:$2" ;; *) connect=$1:$2 ;; esac
  where="$1 $2 $3"
  shift 3
  plain=$(talk "$@")
  stranger=$(talk "$@" -cert "$stranger_pem" -key "$stranger_pem")
  printf '%s\t%s\t%s\t%s\n' "$where" "${plain%%"$tab"*}" "${stranger%%"$tab"*}" "${plain#*"$tab"}"
}

talk() {
  printf 'GET / HTTP/1.1\r\nHost: %s\r\nUser-Agent: clientcert\r\nConnection: close\r\n\r\n' "$host" |
    timeout 10 openssl s_client -connect "$connect" -ign_eof "$@" 2>/dev/null | head -c 65536 | awk '
      /^Acceptable client certificate CA names/ { on = 1; next }
      /^(Client Certificate Types|Requested Signature|Shared Requested|Peer signing|Server Temp|---)/ { on = 0 }
      on { names = names "|" $0 }
      /^HTTP\/1\.[01] [0-9][0-9][0-9]/ && !status { status = $2 }
      END { print (status ? status : "refused") "\t" names }'
}

# A certificate that nobody trusts; its key opens nothing.
make_stranger() { # FILE
  stranger_pem=$1
  printf '[req]\ndistinguished_name=dn\n[dn]\n' >"$1.cnf"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=clientcert-stranger \
    -config "$1.cnf" -keyout "$1.key" -out "$1.cert" 2>/dev/null && cat "$1.key" "$1.cert" >"$1"
}

ask_all() {
  make_stranger /dev/shm/clientcert-stranger.$$
  while read -r address port name; do
    ask "$address" "$port" "$name"
  done <"${look_from:-/proc/self/fd/9/look.list}"
  rm -f -- "/dev/shm/clientcert-stranger.$$"*
}
