# shellcheck shell=sh
# Asks what a server answers, as a client sees it. The shadow gets the same questions as the live server gets after a
# reload.

# ask_all prints one line for each line `ADDRESS PORT NAME` of look.list (the covered virtual hosts) and others.list
# (the others; in a shadow only for a baseline), always in the same order. Fails where it cannot make its scratch
# directory or the untrusted certificate.
# The columns are separated by tabs, and `-` means that this was not asked:
# 1. `ADDRESS PORT NAME`
# 2. the answer to a client without a certificate: the HTTP status, `refused` where there was none, or `required` where
#    the server said that the certificate was missing
# 3. the answer to an untrusted certificate: the HTTP status, or `refused`
# 4. the names of CAs in the handshake, each with `|` in front
# 5. the number of certificates that the server sent
# 6. the answers to probe certificates, each `NAME:ALERT` (probe.sh), where asks_probes is set
# Four askers work at once, because openssl needs a process for each handshake. openssl asks the first 20 of each list.
# Of the rest each asker has curl ask the status alone, by one process. The untrusted certificate and the probes are
# shown to the first 20 covered virtual hosts alone, because covered virtual hosts all include the same file. openssl
# asks the rest, too, where curl is missing, and where lines of the administrator come back: these may keep out a client
# that shows no certificate, and curl cannot tell this status, `required`, from `refused`.
# in: asks_probes, baseline, returning
# sets: nothing
ask_all() { # [DIRECTORY]: that of the lists; without it the work directory, which is descriptor 9 in a shadow
  ask_lists=${1:-/proc/self/fd/9} ask_scratch=${1:+$1/asking} ask_askers=''
  # /dev/shm of a shadow belongs to the shadow alone. Outside everybody can write to /dev/shm, so the scratch directory
  # lies beside the lists, in a directory that belongs to root.
  ask_scratch=${ask_scratch:-/dev/shm/clientcert}
  mkdir -m 700 -- "$ask_scratch" && make_untrusted "$ask_scratch/untrusted" || return 1
  # Nobody who may set a header of an answer must know this mark. The mark of the request is not used, because it is
  # always the same for an undo and a refresh.
  IFS= read -r ask_mark </proc/sys/kernel/random/uuid
  # Of each list openssl asks the first ask_first lines, and curl the rest. A million stands for all.
  ask_first=20
  [ "$returning" != yes ] && command -v curl >/dev/null 2>&1 || ask_first=1000000
  for ask_quarter in 0 1 2 3; do
    {
      list_asked openssl "$ask_quarter" | ask_everything "$ask_scratch/said.$ask_quarter"
      list_asked curl "$ask_quarter" >"$ask_scratch/rest.$ask_quarter"
      [ ! -s "$ask_scratch/rest.$ask_quarter" ] || ask_statuses "$ask_scratch/rest.$ask_quarter"
    } >"$ask_scratch/answers.$ask_quarter" &
    ask_askers="$ask_askers $!"
  done
  # shellcheck disable=SC2086
  wait $ask_askers
  cat -- "$ask_scratch"/answers.*
  rm -rf -- "$ask_scratch"
}

# Prints every fourth line of both lists, which one asker gets: those for openssl, or those for curl. For openssl each
# line has two flags (1 or 0) in front: whether an untrusted certificate is shown, and whether `required` is told from
# `refused`. In a shadow the other virtual hosts are asked only where `baseline` has the live files asked the same.
list_asked() { # openssl|curl QUARTER
  ask_others=$ask_lists/others.list
  [ "$ask_lists" != /proc/self/fd/9 ] || [ "$baseline" = yes ] || ask_others=/dev/null
  awk -v program="$1" -v quarter="$2" -v first="$ask_first" -v returning="$returning" '
    NF && NR % 4 == quarter && (program == "openssl") == (FNR <= first) {
      isOther = (FILENAME == ARGV[2])
      flags = (FNR <= 20 && !isOther) " " (isOther || returning == "yes") " "
      print (program == "openssl" ? flags : "") $0
    }' "$ask_lists/look.list" "$ask_others"
}

# Asks the virtual hosts of LIST for the status alone, by one curl, and prints the lines of ask_all. curl asks one
# virtual host after the other, so the statuses come in the order of the list. It writes 000 where there was no answer.
ask_statuses() { # LIST
  awk '{
    address = $1; if (address ~ /:/) address = "[" address "]"
    name = NF > 2 ? $3 : address
    printf "url = \"https://%s:%s/\"\nconnect-to = \"%s:%s:%s:%s\"\noutput = /dev/null\n",
      name, $2, name, $2, address, $2
  }' "$1" | curl -q --config - --silent --insecure --head --max-time 10 --http1.1 --noproxy '*' \
    --user-agent clientcert \
    --header 'Connection: close' --write-out '%{http_code}\n' | paste -d "$tab" -- "$1" - |
      awk -F "$tab" -v tab="$tab" '
      { print $1 tab ($2 == "000" || $2 == "" ? "refused" : $2) tab "-" tab "-" tab "-" tab "-" }'
}

# Asks each virtual host by openssl, and prints the lines of ask_all. IS_SHOWN 1 also shows the untrusted certificate
# and, where asks_probes is set, the probes. DISTINGUISHES 1 tells `required` from `refused`. FILE is a scratch file.
# Lines that begin with ask_mark tell awk what follows: `question` the answer to a client without a certificate, `said`
# the words of its standard error, `untrusted` the answer to the untrusted certificate, and `probe` the result of one
# probe.
ask_everything() { # FILE; lines IS_SHOWN DISTINGUISHES ADDRESS PORT NAME on standard input
  while read -r ask_is_shown ask_distinguishes ask_address ask_port ask_name; do
    printf '\n%s question %s %s %s\n' "$ask_mark" "$ask_address" "$ask_port" "$ask_name"
    send_request 2>"$1"
    # The words of standard error follow all the rest, because both streams in one would be torn.
    [ "$ask_distinguishes" = 0 ] || { printf '\n%s said\n' "$ask_mark" && cat -- "$1"; }
    if [ "$ask_is_shown" != 0 ]; then
      printf '\n%s untrusted\n' "$ask_mark"
      send_request -cert "$ask_untrusted_pem" -key "$ask_untrusted_pem" 2>/dev/null
    fi
    [ "$ask_is_shown" = 0 ] || [ -z "$asks_probes" ] || show_probes "$1"
  done | awk -v mark="$ask_mark" -v tab="$tab" '
    # Prints the line of the virtual host whose answers have been read, where there is one.
    function report() {
      if (status["plain"] == "refused" && isAsked && isAlerted) status["plain"] = "required"
      if (where == "") return
      print where tab status["plain"] tab status["untrusted"] tab names tab (sent ? sent : "-") tab \
        (probes == "" ? "-" : probes)
    }
    $1 == mark && $2 == "question" { report(); who = "plain"; where = $3 " " $4 " " $5; names = probes = ""
      inNames = inChain = sent = isAsked = isAlerted = 0
      status["plain"] = "refused"; status["untrusted"] = "-"; next }
    $1 == mark && $2 == "untrusted" { who = "untrusted"; inNames = 0; status[who] = "refused"; next }
    $1 == mark && $2 == "probe" {
      who = "probe"; inNames = 0; probes = probes (probes == "" ? "" : " ") $3 ":" $4
      next
    }
    $1 == mark && $2 == "said" { who = "said"; inNames = 0; next }
    # The server asked for a certificate in the handshake, or in a second handshake for a part of the site. It then
    # reports by an alert that the certificate is missing.
    who == "plain" && /^(Acceptable client certificate CA names|New, TLS)/ { isAsked = 1 }
    who == "said" && /alert (certificate required|handshake failure)/ { isAlerted = 1 }
    /^Acceptable client certificate CA names/ { inNames = 1; next }
    /^(Client Certificate Types|Requested Signature|Shared Requested|Peer signing|Server Temp|---)/ { inNames = 0 }
    # This counts what the server itself sent: openssl builds no chain here, because it trusts no CA.
    /^(Certificate chain|---)/ { inChain = /^C/ }
    inChain && who == "plain" && /^ *[0-9]+ s:/ { sent++ }
    inNames && who == "plain" { names = names "|" $0 }
    # Only the first status counts.
    /^HTTP\/1\.[01] [0-9][0-9][0-9]/ && status[who] == "refused" { status[who] = $2 }
    END { report() }'
}

# Prints for each probe a line MARK `probe` NAME ALERT: the number of the alert that httpd answers with, `+` where it
# gives an HTTP answer instead, `-` where neither came. The security level is 0 so that a weak digest does not keep
# openssl from showing a probe. Where TLS 1.3 loses the alert, TLS 1.2 may show it, so it is the second try.
show_probes() { # FILE: a scratch file
  while read -r ask_probe; do
    for ask_version in '' -tls1_2; do
      send_request -cert "$ask_lists/probes/$ask_probe" -key "$ask_lists/probes/$ask_probe" \
        -cipher DEFAULT:@SECLEVEL=0 $ask_version >"$1" 2>&1
      ask_alert=$(sed -n -e 's/.*SSL alert number \([0-9]*\).*/\1/p' -e 's/^HTTP.*/+/p' "$1" | head -n 1)
      [ -z "$ask_alert" ] || break
    done
    printf '\n%s probe %s %s\n' "$ask_mark" "$ask_probe" "${ask_alert:--}"
  done <"$ask_lists/probes.list"
}

# Sends one request to the virtual host of ask_address, ask_port and ask_name, and prints the handshake and the answer.
# It ends after 10 seconds. `Host` and an orderly end are needed: without them httpd logs an error, and TLS 1.3 refuses
# a certificate only after the request, so openssl reads (-ign_eof) until the server closes. The trusted CAs of this
# host are left out: they are not needed here, and openssl spends most of its time on them.
send_request() { # FURTHER_OPTIONS…
  # shellcheck disable=SC2031
  case $ask_address in *:*) ask_bracketed="[$ask_address]" ;; *) ask_bracketed=$ask_address ;; esac
  ask_host=${ask_name:-$ask_bracketed}
  # TLS takes no address for a server name (RFC 6066).
  case $ask_host in
    "["*) set -- "$@" -noservername ;;
    *[!0-9.]*) set -- "$@" -servername "$ask_host" ;;
    *) set -- "$@" -noservername ;;
  esac
  printf 'HEAD / HTTP/1.1\r\nHost: %s\r\nUser-Agent: clientcert\r\nConnection: close\r\n\r\n' "$ask_host" |
    SSL_CERT_FILE=/dev/null SSL_CERT_DIR=/dev/null \
      timeout 10 openssl s_client -connect "$ask_bracketed:$ask_port" -ign_eof "$@"
}

# Writes a new key and a certificate that no server trusts to FILE, and sets ask_untrusted_pem to FILE. The key opens
# nothing. FILE.cnf, FILE.key and FILE.cert are left beside it. Fails where openssl does.
# in: nothing
# sets: nothing
make_untrusted() { # FILE
  ask_untrusted_pem=$1
  printf '[req]\ndistinguished_name=dn\n[dn]\n' >"$1.cnf"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=clientcert-stranger \
    -config "$1.cnf" -keyout "$1.key" -out "$1.cert" 2>/dev/null && cat "$1.key" "$1.cert" >"$1"
}
