# shellcheck shell=sh
# The way out without Pulumi: /var/lib/clientcert/INSTANCE/undo takes our lines and files out again, by the same
# transaction as every change: judged, swapped, reloaded, looked at, or put back.

undo_quiet=''

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
  # It is there by now, or gone.
  if [ -f "$own_directory/refresh.conf" ]; then
    write_caller refresh 'Downloads the CRLs of this server now, as the timer does. --help says more.' || return 1
    set -- program undo refresh
  fi
  install_unattended "$@"
}

# For a first change, and where the state of this host was lost: files with our line first, as when they were edited.
find_edited() {
  undo_crontabs=$(printf '%s\n' /etc/crontab /etc/cron.*/* /var/spool/cron/* /var/spool/cron/crontabs/*)
  for undo_sought in "$undo_our_line" '^#clientcert-adopted# '; do
    printf '%s\n' "$run_loaded_files" "$undo_crontabs" | tr '\n' '\0' | xargs -0 -r grep -las -e "$undo_sought" --
  done
}

# Each by a rename, as a shell may be reading the old one right now. Who may write where they lie could replace them.
# writes
install_unattended() { # NAME…
  chown 0 "${state%/*}/." "$state/." && chmod go-w "${state%/*}/." "$state/."
  for undo_name in "$@"; do
    chmod 700 -- "$state/$undo_name.new" && sync -- "$state/$undo_name.new" &&
      mv -f -T -- "$state/$undo_name.new" "$state/$undo_name" || return 1
  done
}

# What a person or a timer calls, all of it in braces: an empty program ends well, one that was cut off runs as far as
# it goes, and of a caller that was cut off itself no shell runs anything. core/apache/facts/unattended.ts knows this
# text.
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

# Without sources nothing of a refresh stays.
# in: state
# sets: nothing
# writes
forget_refresh() {
  rm -rf -- "$state/refresh" "$state/refresh.new" "$state/refresh.record" "$state/crl.list" "$state/sample" \
    "$state/probes" "$state/probes.new"
}

# What the next refresh goes by.
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

# A request for the removal, made from what lies beside the program.
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

# A part of the answer as an administrator reads it, who ran this by hand.
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

report_result() { # RESULT
  undo_status=1
  case $1 in
    applied) undo_status=0 && echo 'done: client-certificate authentication is out of this server, and httpd runs without it' ;;
    stopped) undo_status=0 && echo 'done: client-certificate authentication is out of the files of this server; httpd is stopped and was not started' ;;
    refused) echo 'nothing was changed, for the reasons above' ;;
    *) echo 'put back: client-certificate authentication is still on, for the reasons above' ;;
  esac
}

# in: id, state, word_max_bytes
# sets: undo_quiet, work
run_undo() {
  undo_quiet=yes
  work=$state/run.$id
  mkdir -m 700 -- "$work" "$work/own" "$work/edit" || fail_no_room
  : >"$work/own.list"
  # The lock has the name of this process: it waits for the other one, which puts back what a signal interrupts.
  trap : HUP INT QUIT PIPE TERM
  # Words of other programs are shown where it did not go well.
  (apply_detached "$work") 2>"$work/errors"
  set -- "$?"
  [ "$1" = 0 ] || head -c "$word_max_bytes" -- "$work/errors" 2>/dev/null | escape_words lines
  exit "$1"
}

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
  # Files with our line came first when they were edited, and go last: while it is there, it is ours that counts.
  tac -- "$state/edited" | while IFS= read -r undo_path; do
    undo_spans=$(our_spans "$undo_path")
    [ -z "$undo_spans" ] || printf 'edit %s %s\n%s\n' "$(hash_of "$undo_path")" "$undo_path" "$undo_spans"
  done
  virtual_host_addresses
  # A host of an older build has no such list.
  sed 's/^/other /' "$state/others" 2>/dev/null
}

undo_our_line="^[[:blank:]]*IncludeOptional \"conf/clientcert/clientcert\\.conf\"[[:blank:]$(printf '\r')]*\$"

# Byte offset and length of each line and mark of ours; the line also where somebody has indented it.
our_spans() { # FILE
  {
    grep -ab "$undo_our_line" -- "$1" | while IFS= read -r undo_found; do
      undo_line=${undo_found#*:} && printf 'splice %s %s \n' "${undo_found%%:*}" $((${#undo_line} + 1))
    done
    grep -abo '^#clientcert-adopted# ' -- "$1" | while IFS= read -r undo_found; do
      undo_mark_text=${undo_found#*:} && printf 'splice %s %s \n' "${undo_found%%:*}" "${#undo_mark_text}"
    done
  } | sort -n -k 2,2
}

# What the last change looked at. A refresh asks no others: it swaps crl.pem, which no other virtual host names, and a
# new revocation must not wait for another site that answers otherwise for reasons of its own.
# in: state
# sets: nothing
virtual_host_addresses() { sed 's/^/look /' "$state/look" 2>/dev/null; }
