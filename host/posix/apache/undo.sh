# shellcheck shell=sh
# The removal without Pulumi: /var/lib/clientcert/INSTANCE/undo removes our lines and files by the same transaction as
# every change. The removal is judged, swapped, reloaded and checked, or put back.

undo_quiet=''

# Writes what a removal without Pulumi needs: the list of the edited files, this program, and its callers. Fails where
# there is no room.
# in: own_directory, run_loaded_files, state, work
# sets: nothing
# writes
write_undo() {
  {
    cat -- "$state/edited" 2>/dev/null || find_edited
    cut -f 4 "$work/edit.list"
  } | awk '!seen[$0]++' >"$state/edited.new" && sync -- "$state/edited.new" &&
    mv -f -- "$state/edited.new" "$state/edited" || return 1
  cp -- "$work/program" "$state/program.new" || return 1
  write_caller undo 'Takes client-certificate authentication out of this server again. Needs no Pulumi and no network.' || return 1
  set -- program undo
  # At this point refresh.conf is already installed, or has already been removed.
  if [ -f "$own_directory/refresh.conf" ]; then
    write_caller refresh 'Downloads the CRLs of this server now, as the timer does. --help says more.' || return 1
    set -- program undo refresh
  fi
  install_unattended "$@"
}

# Prints the paths of edited files, at a first change and where the state of this host was lost. Files with our line
# come first, because they were edited first; then those with lines that an adoption commented out.
find_edited() {
  undo_crontabs=$(printf '%s\n' /etc/crontab /etc/cron.*/* /var/spool/cron/* /var/spool/cron/crontabs/*)
  for undo_sought in "$undo_our_line" '^#clientcert-adopted# '; do
    printf '%s\n' "$run_loaded_files" "$undo_crontabs" | tr '\n' '\0' | xargs -0 -r grep -las -e "$undo_sought" --
  done
}

# Installs each program NAME.new as NAME, by a rename, because a shell may be reading the old one right now. The
# directories get root as their owner, because whoever may write there could replace the programs.
# writes
install_unattended() { # NAME…
  chown 0 "${state%/*}/." "$state/." && chmod go-w "${state%/*}/." "$state/."
  for undo_name in "$@"; do
    chmod 700 -- "$state/$undo_name.new" && sync -- "$state/$undo_name.new" &&
      mv -f -T -- "$state/$undo_name.new" "$state/$undo_name" || return 1
  done
}

# Writes the caller that a person or a timer starts. A shell that runs an empty program ends well, and runs a program
# that was cut off as far as it goes, so the caller checks the last line of the program. The caller itself is in braces,
# because no shell runs anything of it where it was cut off. core/apache/facts/unattended.ts knows this text.
# writes
write_caller() { # NAME WHAT_IT_DOES
  printf '%s\n' '#!/bin/sh' "{ # $2" \
    "if [ \"\$(tail -n 1 '$state/program' 2>/dev/null)\" = 'main \"\$@\"' ]; \
then exec /bin/sh '$state/program' $1 \"\$@\"; fi" \
    "text='$state/program: is missing, empty or cut off, so nothing was done; pulumi up writes it again'" \
    'logger -t clientcert -- "$text" 2>/dev/null' \
    'echo "$text" >&2' \
    'exit 1' '}' >"$state/$1.new"
}

# Removes everything of a refresh. It is called where no sources are left.
# in: state
# sets: nothing
# writes
forget_refresh() {
  rm -rf -- "$state/refresh" "$state/refresh.new" "$state/refresh.record" "$state/crl.list" "$state/sample" \
    "$state/probes" "$state/probes.new"
}

# Writes what the next refresh needs: the probes, the list of the installed CRLs, and the record.
# in: nothing
# sets: nothing
# writes
write_refresh() {
  keep_probes && keep_crl_list
  save_record 0 updated
}

undo_usage() {
  cat <<END_OF_USAGE
Usage: sh $state/undo
Takes client-certificate authentication out of this server, as pulumi destroy does: judged by the real httpd, swapped,
reloaded, looked at, or put back. It has no options, and asks nothing.
Exit status: 0 taken out; 1 not, for the reasons printed; 64 wrong options.
END_OF_USAGE
}

# Makes a request for the removal from the files beside the program, and reads it. --help prints the usage and ends this
# process; any other option ends it with 64.
# in: nothing
# sets: state
undo_request() { # PROGRAM OPTIONS…
  state=${1%/*}
  case ${2:-} in
    '') ;;
    --help) undo_usage && exit 0 ;;
    *) echo "$2: there is no such option" >&2 && undo_usage >&2 && exit 64 ;;
  esac
  read_journal
  read_request <<EOF
mark clientcert:
mode undo
id undo-$$
owner $(journal_value owner)
removal yes
want-config $(journal_value config)
config $(journal_value config)
end
EOF
}

# Prints a part of the answer for an administrator who ran this by hand. Parts of other kinds are not shown.
# in: nothing
# sets: undo_status
report_undo() { # KIND TEXT…, in one argument
  undo_text=${1#* }
  case ${1%% *} in
    step) echo "$undo_text ..." ;;
    note | reason) echo "$undo_text" ;;
    words) echo 'httpd says:' ;;
    error) echo "nothing was taken out: ${undo_text#* }" ;;
    result) report_result "${undo_text%% *}" ;;
  esac
}

# Says how the removal ended, and sets undo_status, the exit status of the run.
report_result() { # RESULT
  undo_status=1
  case $1 in
    applied) undo_status=0 && echo 'done: client-certificate authentication is out of this server, and httpd runs without it' ;;
    stopped) undo_status=0 && echo 'done: client-certificate authentication is out of the files of this server; httpd is stopped and was not started' ;;
    refused) echo 'nothing was changed, for the reasons above' ;;
    *) echo 'put back: client-certificate authentication is still on, for the reasons above' ;;
  esac
}

# Runs the removal in a subshell, and ends this process with its exit status.
# in: id, state, word_max_bytes
# sets: undo_quiet, work
run_undo() {
  undo_quiet=yes
  work=$state/run.$id
  mkdir -m 700 -- "$work" "$work/own" "$work/edit" || fail_no_room
  : >"$work/own.list"
  # The lock names this process, which waits for the process that does the work. That process puts back what a signal
  # interrupts.
  trap : HUP INT QUIT PIPE TERM
  # The words of other programs are shown where the removal failed.
  (apply_detached "$work") 2>"$work/errors"
  set -- "$?"
  [ "$1" = 0 ] || head -c "$word_max_bytes" -- "$work/errors" 2>/dev/null | escape_words lines
  exit "$1"
}

# Prints the manifest of a removal: our installed files, our lines in the edited files, and the virtual hosts to ask.
# in: own_directory, state
# sets: nothing
undo_manifest() {
  installed_timers | sed 's/^/drop /'
  undo_hex='[0-9a-f][0-9a-f]'
  # shellcheck disable=SC2231
  for undo_file in "$own_directory"/clientcert.conf "$own_directory"/ca-$undo_hex$undo_hex$undo_hex$undo_hex.pem \
    "$own_directory"/crl.pem "$own_directory"/README \
    "$own_directory"/refresh.conf "$own_directory"/sample.pem; do
    [ ! -f "$undo_file" ] || printf 'drop %s\n' "${undo_file##*/}"
  done
  # Files with our line were edited first and are restored last, so that our line stays in force until the end.
  tac -- "$state/edited" | while IFS= read -r undo_path; do
    undo_spans=$(our_spans "$undo_path")
    [ -z "$undo_spans" ] || printf 'edit %s %s\n%s\n' "$(hash_of "$undo_path")" "$undo_path" "$undo_spans"
  done
  virtual_host_addresses
  # On a host that an older build set up this file is missing.
  sed 's/^/other /' "$state/others" 2>/dev/null
}

undo_our_line="^[[:blank:]]*IncludeOptional \"conf/clientcert/clientcert\\.conf\"[[:blank:]$(printf '\r')]*\$"

# Prints a splice (byte offset and length, without an insertion) for each line and each mark of ours in FILE, in the
# order of the offsets. A line of ours that somebody has indented counts, too.
our_spans() { # FILE
  {
    # grep -b prints OFFSET:TEXT for each match.
    grep -ab "$undo_our_line" -- "$1" | while IFS= read -r undo_match; do
      undo_line=${undo_match#*:} && printf 'splice %s %s \n' "${undo_match%%:*}" $((${#undo_line} + 1))
    done
    grep -abo '^#clientcert-adopted# ' -- "$1" | while IFS= read -r undo_match; do
      undo_mark_text=${undo_match#*:} && printf 'splice %s %s \n' "${undo_match%%:*}" "${#undo_mark_text}"
    done
  } | sort -n -k 2,2
}

# Prints the covered virtual hosts that the last change asked, as lines of a manifest. A refresh asks no others. It
# replaces crl.pem, which no other virtual host names, and a new revocation must not wait for another site whose answer
# changes for reasons of its own.
# in: state
# sets: nothing
virtual_host_addresses() { sed 's/^/look /' "$state/look" 2>/dev/null; }
