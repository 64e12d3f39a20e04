# shellcheck shell=sh
# Finds what would end httpd at a reload although `httpd -t` says OK. The shadow start on the live files finds such a
# cause. But the shadow itself may be why httpd does not start (no network, no passphrase, no NFS). For that case there
# is a smaller judge. So only those error codes of httpd count here whose cause is the same on the live host.

deadly_unstartable=''

# Prints lines CODE KIND MEANING; the meaning is for an administrator. The kind says what else must be true, so that a
# code counts: `program`, that the message of httpd names a program that is missing or not executable; `file`, that it
# names a file that cannot be opened for a reason that lies in its path; `content`, nothing, because the fault is in
# something that httpd has read.
# These codes are left out because the shadow itself can cause them: AH02564, AH02578, AH02580 (a key whose passphrase
# httpd keeps), AH10132, AH10492 (a key in a token), AH00547 (names), AH00804 (a cache that cannot be written). The
# shadow cannot see a taken port (AH00072). These codes are left out because `httpd -t`, which is run before each
# signal, finds their causes: AH00526, AH00543, AH02291, AH02297.
deadly_codes() {
  cat <<'END_OF_CODES'
AH00089 program the program of an ErrorLog cannot be started
AH00104 program the program that a log is piped to cannot be started
AH00654 program the program of a RewriteMap cannot be started
AH00091 file an ErrorLog cannot be opened
AH00649 file a log cannot be opened
AH00651 file a ForensicLog cannot be opened
AH01597 file the TypesConfig cannot be opened
AH01895 content a file of CA certificates holds none that can be read
AH01896 content a file of CA names for clients holds none that can be read
AH01898 content SSLCipherSuite names no cipher that OpenSSL knows
AH01901 content a file of CRLs holds none that can be read
AH02231 content SSLProtocol leaves no TLS version
AH02287 content an SSLSessionTicketKeyFile is too short
AH02326 content a certificate for the proxy and its key do not match
AH02561 content a certificate cannot be used
AH02562 content a certificate cannot be used
AH02565 content a certificate and its key do not match
AH02572 content a virtual host with SSLEngine on has no certificate
AH02579 content a key cannot be read
AH10127 content SSLCipherSuite names no cipher for TLS 1.3 that OpenSSL knows
END_OF_CODES
}

# Prints `deadly CODE PATH` for each code of deadly_codes that httpd printed or logged and that counts: the condition of
# its kind holds, and PATH is not in a place that the view lacks. Each code is looked at once. PATH is the first path of
# the message, or empty. This runs in the shadow's view, where no path leads to a file system that may not answer.
# in: shadow_lacking
# sets: nothing
say_deadly() {
  deadly_codes >/dev/shm/codes
  say_httpd_messages | awk '
    FILENAME == ARGV[1] { kind[$1] = $2; next }
    # httpd writes `... (ERRNO)message: AHnnnnn: text`. The error number and its message may be missing.
    match($0, /AH[0-9]+: /) {
      code = substr($0, RSTART, RLENGTH - 2); before = substr($0, 1, RSTART); after = substr($0, RSTART + RLENGTH)
      if (!(code in kind) || seen[code]++) next
      error = match(before, /\([0-9]+\)/) ? substr(before, RSTART + 1, RLENGTH - 2) : "-"
      # \047 is the apostrophe.
      path = match(after, /\/[^ \t\047"]*/) ? substr(after, RSTART, RLENGTH) : ""
      sub(/[.,:]$/, "", path)
      print kind[code], code, error, path
    }' /dev/shm/codes - | while IFS=' ' read -r deadly_kind deadly_code deadly_error deadly_path; do
    ! is_lacking "$deadly_path" || continue
    case $deadly_kind:$deadly_error in
      program:*) if [ -f "$deadly_path" ] && [ -x "$deadly_path" ]; then continue; fi ;;
      # The numbers are ENOENT, ENOTDIR, EISDIR and ELOOP.
      content:* | file:2 | file:20 | file:21 | file:40) ;;
      *) continue ;;
    esac
    printf 'deadly %s %s\n' "$deadly_code" "$deadly_path"
  done
}

# Checks whether PATH leads to a place where the view has nothing, or has something else than the host. An empty PATH
# does not.
is_lacking() { # PATH
  deadly_resolved=$(realpath -m -- "${1:-/}")/
  while IFS= read -r deadly_point; do
    # An empty line is no place. Any other place matches where it is the resolved path or a directory above it.
    case $deadly_point:$deadly_resolved in :*) ;; "$deadly_point:$deadly_point"/*) return 0 ;; esac
  done <<EOF
/proc
/sys
/dev
$shadow_lacking
EOF
  return 1
}

# Checks whether a reload would end the site, whatever is changed: a server runs, httpd starts neither on the candidate
# nor on the live files, and it names an error of deadly_codes as the cause. Reports that as a reason. Where the request
# says reloadUnstartable, reports it as a note and fails. A stopped server has nothing to lose.
# in: mode, parent, reload_unstartable, work
# sets: deadly_unstartable
is_unstartable() {
  [ -n "$parent" ] && ! shadow_is_up candidate && read_deadly || return 1
  deadly_why="httpd would not start on the files that are installed now, so a reload would end the site: $deadly"
  if [ "$reload_unstartable" = yes ]; then
    part "note $deadly_why; going on, as reloadUnstartable says"
    return 1
  fi
  case $mode in
    apply | judge) deadly_way=', or write "reloadUnstartable: true" for this host' ;;
    *) deadly_way='' ;;
  esac
  part "reason $deadly_why; mend this first$deadly_way"
  deadly_unstartable=yes
}

# Sets deadly: the first error of httpd that counts, in words. Reads it from the report of the shadow start on the live
# files, and fails where there is none.
read_deadly() {
  deadly=$(sed -n '/^words$/q; s/^deadly //p' "$work/shadow.live" | head -n 1)
  [ -n "$deadly" ] || return 1
  deadly_code=${deadly%% *} deadly_path=${deadly#* }
  deadly="$(deadly_codes | sed -n "s/^$deadly_code [a-z]* //p") (${deadly_path:+$deadly_path, }$deadly_code)"
}
