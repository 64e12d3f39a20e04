# shellcheck shell=sh
# The verdict on the candidate. The shadow gives it. The shadow also starts on the live bytes, as a baseline, where the
# candidate is not plainly healthy. Where no shadow can judge, a smaller judge gives the verdict. This file sets verdict
# (well, refused) and judge: shadow, minimal (the smaller judge), syntax (only `httpd -t` at the reload), none.

judge=none

# Judges the candidate, and sets verdict and judge. Where the host allows no namespaces, the smaller judge gives the
# verdict.
# in: baseline, deadline_seconds, dumped, manifest, own_directory, removal, server_modules, server_root, work
# sets: judge, verdict
judge_candidate() {
  list_placed
  has_memory || return 0
  step 'judge: shadow start of httpd on the candidate'
  if shadow candidate; then
    judge_shadow
  else
    part "note this host allows no namespaces ($(head -n 1 "$work/shadow.errors" | tr -c '[:print:]' ' ')); the smaller judge speaks"
    judge_minimal
  fi
  judge_probes
}

# Turns the verdict well into refused where every holder of a certificate of some CA would be refused. This is read from
# the answers to the probe certificates in the shadow, or else is found by openssl from the files alone.
judge_probes() {
  [ "$verdict" = well ] && [ -s "$work/probes.list" ] || return 0
  if [ "$judge" = shadow ]; then read_alerts "$work/answers.candidate"; else read_verifications; fi >"$work/alerts"
  ! report_locked_out "$work/alerts" "$work/shadow.candidate" 'httpd would refuse' judged || verdict=refused
}

# Checks whether this host has the memory for the CRLs. Where it has not, refuses the change and fails. Each TLS virtual
# host loads its own copy of the CRLs, which takes about six times their size (measured: 47 MB of PEM take 276 MB).
# Where the memory is not enough, the kernel might end the live server. The shadow needs this memory now, and the reload
# needs it once more later. A need of at most 64 MiB (65536 KiB) is not compared.
has_memory() {
  judge_crl_bytes=$(stat -c %s -- "$(newest_own crl.pem)" 2>/dev/null || echo 0)
  judge_hosts=$(sort -u "$work/look.list" | grep -c .)
  judge_needed_kib=$((judge_crl_bytes / 1024 * 6 * judge_hosts))
  judge_available_kib=$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)
  [ "$judge_needed_kib" -gt 65536 ] && [ "$judge_needed_kib" -gt "${judge_available_kib:-0}" ] || return 0
  refuse "httpd would need about $((judge_needed_kib / 1024)) MiB for the CRLs of $judge_hosts virtual hosts ($((judge_crl_bytes / 1048576)) MiB each), and this host has $((${judge_available_kib:-0} / 1024)) MiB available; give it more memory, or cover fewer virtual hosts"
  verdict=refused
  return 1
}

# Sets the verdict by the shadow start on the candidate. A virtual host that would not ask for certificates makes it
# refused. Where the candidate is not plainly healthy, or where the request asks for a baseline, it is compared with a
# shadow start on the live files. A server that would not start on the live files is refused. Where the live files
# otherwise show no healthy server, the smaller judge gives the verdict.
judge_shadow() {
  judge=shadow
  if shadow_is_healthy candidate && report_unasking; then
    verdict=refused
    return
  fi
  if shadow_is_plain && [ "$baseline" != yes ]; then
    verdict=well
    return
  fi
  step 'judge: shadow start on the live files, as baseline'
  shadow live || :
  if is_unstartable; then
    verdict=refused
    report_words live
  elif ! is_baseline; then
    part 'note the shadow cannot judge this server (it is not well on its live files either); the smaller judge speaks'
    judge_minimal
  elif ! shadow_is_plain &&
    { ! shadow_is_healthy candidate || status_differs "$work/answers.live" "$work/answers.candidate"; }; then
    verdict=refused
    report_words candidate
  elif report_noticed "$work/answers.live" "$work/answers.candidate" "$(shadow_others)" 'tried on a copy' \
    'nothing was changed'; then
    verdict=refused
  else
    verdict=well
  fi
}

# Checks whether a shadow is healthy: it is up, every virtual host was asked, and each covered one answers over TLS.
shadow_is_healthy() { # live|candidate
  shadow_has_answered "$1" && ! covered_statuses "$1" | grep -qx refused
}

# Checks whether a shadow is up and every virtual host was asked. Also takes the answers out of the report of the
# shadow, into $work/answers.WHICH: of the lines before `words`, they alone have tabs.
shadow_has_answered() { # live|candidate
  awk -v tab="$tab" '$0 == "words" { exit } index($0, tab) { print }' "$work/shadow.$1" >"$work/answers.$1"
  shadow_is_up "$1" && [ "$(wc -l <"$work/answers.$1")" -ge "$(cat -- "$work/look.list" "$(shadow_others)" | wc -l)" ]
}

# Prints the path of the list of other virtual hosts that are asked in a shadow.
shadow_others() { [ "$baseline" = yes ] && printf %s "$work/others.list" || printf /dev/null; }

# Prints the answers of the covered virtual hosts in a shadow.
covered_answers() { # live|candidate
  awk -F "$tab" -v list="$work/look.list" '
    BEGIN { while ((getline where <list) > 0) isCovered[where] = 1 }
    $1 in isCovered' "$work/answers.$1"
}

covered_statuses() { covered_answers "$1" | cut -f 2; }

# Checks whether the candidate is so plainly healthy that no baseline is needed: each covered virtual host answers with
# 2xx or 3xx.
shadow_is_plain() { shadow_is_healthy candidate && ! covered_statuses candidate | grep -qv '^[23]'; }

# Checks whether the candidate can be compared with the shadow start on the live files. The live files need not be
# healthy where the candidate is plainly healthy: the other virtual hosts must still be compared.
is_baseline() { shadow_is_healthy live || { shadow_is_plain && shadow_has_answered live; }; }

# Checks whether httpd started in a shadow.
# in: work
# sets: nothing
shadow_is_up() { awk '$0 == "words" { exit } $0 == "up" { up = 1 } END { exit !up }' "$work/shadow.$1"; }

# Reports each virtual host that would not ask for certificates as a reason. Fails where there is none, and at a
# removal. A virtual host that answers a client with an untrusted certificate does not ask for one: our line stands in
# it and is not in effect. A virtual host without a name is left out. The first virtual host of its address may have
# answered in its place, and that one may be left alone by this change.
report_unasking() {
  [ "$removal" != yes ] || return 1
  judge_unasking=$(awk -F "$tab" '
    $3 ~ /^[1-5]/ { split($1, word, " "); if (word[3] != "") print word[3] " (" word[1] " port " word[2] ")" }
  ' "$work/answers.candidate")
  [ -n "$judge_unasking" ] || return 1
  while IFS= read -r judge_host; do
    part "reason $judge_host would not ask for certificates although our line stands in it: does another virtual host answer for this name, or is ServerRoot another one there?"
  done <<EOF
$judge_unasking
EOF
}

# Reports in which way a shadow is not healthy, and the words of its httpd. For the live files is_unstartable has
# reported why it does not start.
report_words() { # live|candidate
  [ "$1" = live ] || shadow_is_up "$1" || part 'reason httpd does not start on the candidate'
  covered_answers "$1" | awk -F "$tab" '
    # refused or required
    $2 ~ /^re/ {
      split($1, word, " ")
      what = ($2 == "refused" ? "no TLS handshake succeeds" : "nobody gets in without a certificate")
      print what " any more with " word[3] " (" word[1] " port " word[2] ")"
    }' | while IFS= read -r judge_sentence; do part "reason $judge_sentence"; done
  part words
  awk 'on { print } $0 == "words" { on = 1 }' "$work/shadow.$1" | words_of_httpd
}

# Makes the lists that the judge needs. placed.list has SOURCE and TARGET of each file that the change places or
# removes, with a tab between them. SOURCE is the candidate, relative to the work directory, or `-` where the file is
# removed. look.list has the covered virtual hosts, others.list the others, probes.list the probes, and `names` the
# addresses of names.
list_placed() {
  {
    while IFS=$tab read -r _ judge_name _; do
      printf 'own/%s\t%s\n' "${judge_name##*/}" "$(own_path "$judge_name")"
    done <"$work/own.list"
    while IFS=$tab read -r judge_number _ _ judge_path; do
      printf 'edit/%s\t%s\n' "$judge_number" "$judge_path"
    done <"$work/edit.list"
    dropped | while IFS= read -r judge_name; do printf -- '-\t%s\n' "$(own_path "$judge_name")"; done
  } >"$work/placed.list"
  printf '%s' "$manifest" | sed -n 's/^look //p' >"$work/look.list"
  list_others >"$work/others.list"
  list_probes
  list_names >"$work/names"
}

# Prints the other virtual hosts that are asked, each once. A covered one is left out. One without a name is also left
# out where it shares its address and port with a covered one, because that one may answer for it.
list_others() {
  printf '%s' "$manifest" | sed -n 's/^other //p' | awk '
    { place = $1 " " $2 }
    FILENAME == ARGV[1] { isTaken[$0] = isTaken[place " "] = 1; next }
    # A virtual host without a name has the key `ADDRESS PORT `, which each covered one of its place has taken.
    !isTaken[NF > 2 ? $0 : place " "]++' "$work/look.list" -
}

# Prints the names of our files that the change removes.
# in: manifest
# sets: nothing
dropped() { printf '%s' "$manifest" | sed -n 's/^drop //p'; }

# Prints a line `ADDRESS NAME` for each address of each name in Listen and VirtualHost, because the shadow has no
# resolver.
list_names() {
  printf '%s\n' "$dumped" | awk '
    tolower($1) == "listen" || tolower($1) == "<virtualhost" {
      for (i = 2; i <= NF; i++) {
        name = $i; gsub(/[">]/, "", name); sub(/:[0-9*]+$/, "", name)
        if (name ~ /[A-Za-z]/ && name !~ /^\[/ && name != "_default_" && !seen[name]++) print name
      }
    }' | while IFS= read -r judge_name; do
    getent ahosts "$judge_name" | awk -v name="$judge_name" '!seen[$1]++ { print $1, name }'
  done
}

# Sets judge and the verdict of the smaller judge. It starts httpd on our file with mod_ssl alone, in a private
# directory and on a port of its own. At a removal, or without our file or the modules, it starts nothing, and the
# verdict is well. No copy of the customer's configuration is ever started outside of namespaces, because its absolute
# log and pid paths would be the live ones.
judge_minimal() {
  judge=minimal
  # There is nothing that this judge could start. `reload` has httpd check its configuration before the signal.
  if [ "$removal" = yes ] || [ ! -f "$(newest_own clientcert.conf)" ] || [ -z "$server_modules" ]; then
    verdict=well judge=syntax
    return
  fi
  mkdir -p -- "$work/minimal/conf"
  gather_own "$work/minimal/conf/clientcert"
  make_untrusted "$work/minimal/server.pem"
  judge_port=$(free_port) && write_minimal_configuration "$judge_port"
  verdict=refused
  # httpd runs in the foreground with a time limit of its own. So a run that is killed leaves a server behind only for a
  # short time.
  (
    arguments='' enter=''
    httpd_for "$deadline_seconds" -d "$work/minimal" -f "$work/minimal/httpd.conf" -D FOREGROUND
  ) >"$work/minimal/words" 2>&1 &
  judge_minimal_pid=$!
  wait_for_minimal "$judge_port" && verdict=well
  kill "$(cat "$work/minimal/pid" 2>/dev/null)" 2>/dev/null
  wait "$judge_minimal_pid"
  [ "$verdict" = well ] || report_minimal
}

# Reports why the small httpd is not well: limits of this login that may be the cause, and its own words.
report_minimal() {
  judge_limits=$(limits_in_words)
  [ -z "$judge_limits" ] || part "reason httpd did not serve on a small configuration of its own$judge_limits"
  part words
  cat "$work/minimal/words" "$work/minimal/error_log" 2>/dev/null | words_of_httpd
}

# Fills DIRECTORY with links to our files, as they would be after the change: the installed ones, and those of the
# change in their place, because a change need not bring all files. Files that the change removes are still there, but
# no file names them.
gather_own() { # DIRECTORY
  mkdir -- "$1"
  for judge_file in "$own_directory"/* "$work"/own/*; do
    [ ! -f "$judge_file" ] || ln -s -f -- "$judge_file" "$1/${judge_file##*/}"
  done
}

# Waits until the small httpd is well: it answers a client without a certificate, and refuses the untrusted certificate.
# Fails where the small httpd ends before that, as it does after the deadline.
wait_for_minimal() { # PORT
  printf '127.0.0.1 %s localhost\n' "$1" >"$work/minimal/look.list"
  : >"$work/minimal/others.list"
  while read_process "$judge_minimal_pid"; do
    if [ -s "$work/minimal/pid" ]; then
      # These are the second and the third column.
      case $(ask_all "$work/minimal") in *"$tab"[1-5][0-9][0-9]"$tab"refused"$tab"*) return 0 ;; esac
    fi
    sleep 0.1
  done
  return 1
}

# Prints a port from 20000 on that no socket of this host has, not even as its peer. The search begins at a port that
# depends on this process.
free_port() {
  judge_candidate_port=$((20000 + $$ % 20000))
  while grep -qi ":$(printf %04X "$judge_candidate_port") " /proc/net/tcp /proc/net/tcp6; do
    judge_candidate_port=$((judge_candidate_port + 1))
  done
  printf %s "$judge_candidate_port"
}

# Writes $work/minimal/httpd.conf: the modules that are needed, and one virtual host with the directives of our
# candidate file. Sections of that file on the customer's directories are kept as they are.
write_minimal_configuration() { # PORT
  {
    printf 'ServerName localhost\nListen 127.0.0.1:%s\nPidFile pid\nErrorLog error_log\n' "$1"
    # 65534 is nobody.
    printf 'DefaultRuntimeDir .\nUser #65534\nGroup #65534\n'
    # One MPM is loaded. A module without a file is built into httpd.
    for judge_module in mpm_event mpm_worker mpm_prefork; do
      [ -f "$server_modules/mod_$judge_module.so" ] || continue
      quote_word "$server_modules/mod_$judge_module.so"
      printf 'LoadModule %s_module %s\n' "$judge_module" "$quoting_word"
      break
    done
    for judge_module in unixd authz_core socache_shmcb log_config ssl; do
      [ -f "$server_modules/mod_$judge_module.so" ] || continue
      quote_word "$server_modules/mod_$judge_module.so"
      printf 'LoadModule %s_module %s\n' "$judge_module" "$quoting_word"
    done
    printf 'DocumentRoot "%s"\n<VirtualHost *:%s>\nSSLEngine on\nSSLCertificateFile server.pem\n' "$work/minimal" "$1"
    # The candidate names its files relative to the server root, which is ours here. The file of an older build names
    # them by their whole path.
    own=\"$server_root/conf/clientcert/ awk '
      { cut = index($0, ENVIRON["own"]) }
      cut { $0 = substr($0, 1, cut) "conf/clientcert/" substr($0, cut + length(ENVIRON["own"])) }
      { print }
    ' "$work/minimal/conf/clientcert/clientcert.conf"
    printf '</VirtualHost>\n'
  } >"$work/minimal/httpd.conf"
}
