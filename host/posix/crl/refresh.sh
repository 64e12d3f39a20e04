# shellcheck shell=sh
# The refresh of the CRLs, by the timer or by hand. It needs nothing of Pulumi. The downloads go to a separate
# directory, and no lock is held for them. Only a new CRL is installed, with the lock, judge, swap, reload and check of
# every change.

refresh_usage() {
  cat <<END_OF_USAGE
Usage: sh $state/refresh [--dry-run] [--verbose] [--status] [--timer]
Downloads the CRLs of this server's CAs, and gives httpd what is new and good.
  --dry-run   let the real httpd judge what is new on a copy, and change nothing
  --verbose   say each step
  --status    say how the last refreshes ended, and do nothing else
  --timer     as cron or systemd call it: quiet, after a random delay
Exit status: 0 up to date; 1 a source failed, the installed CRLs are good; 2 an installed CRL ends soon or has ended, or
httpd refuses every certificate of a CA; 3 httpd did not reload well, or would not start, or would refuse every
certificate of a CA, and runs on the files of before; 4 another run works on this server; 64 wrong options.
END_OF_USAGE
}

# The first part of a refresh, without the lock. It reads the options, downloads the CRLs, and ends this process where
# nothing is new. Otherwise it starts the second part.
# in: deadly_unstartable, parent, probe_already_refused, probe_locked_out, script, source_alarm_hours
# sets: id, is_reported, mode, own_directory, refresh_reason, state, unreported, work
run_refresh() { # PROGRAM OPTIONS…
  state=${1%/*} mode=refresh refresh_dry_run='' refresh_verbose='' refresh_timer='' refresh_reason=''
  shift
  for refresh_option in "$@"; do
    case $refresh_option in
      --dry-run) refresh_dry_run=yes refresh_verbose=yes ;;
      --verbose) refresh_verbose=yes ;;
      --timer) refresh_timer=yes ;;
      --status) show_status && exit 0 ;;
      --help) refresh_usage && exit 0 ;;
      *) echo "$refresh_option: there is no such option" >&2 && refresh_usage >&2 && exit 64 ;;
    esac
  done
  [ "$(id -u)" = 0 ] || { echo 'this needs root' >&2 && exit 1; }
  id=refresh-$$-$(date +%s) work=$state/run.$id
  begin_refresh
  test_tools
  [ -z "$refresh_timer" ] || wait_for_turn
  # Everything, or the last source, was removed meanwhile. This refresh must not bring any of it back.
  [ -d "$work" ] && has_sources || exit 0
  prepare_collection
  collect_from_sources all
  if is_nothing_new; then end_refresh unchanged; fi
  detach_refresh
}

# Makes the work directory and reads the settings. Where there are no sources, it goes on to the second part at once if
# an interrupted change has to be put back, and ends this process otherwise. Also ends it where there is no room.
begin_refresh() {
  sweep_refreshes
  mkdir -m 700 -- "$work" && mkdir -- "$work/own" "$work/edit" && hold "$work" ||
    { echo "no room in $state$(inodes_in_words "$state")" >&2 && exit 1; }
  # The words of other programs go to a file. They are shown only where nothing else explains why this run ended.
  exec 2>"$work/errors"
  trap 'report_errors; rm -rf -- "$work"' EXIT
  trap 'exit 1' HUP INT TERM
  : >"$work/own.list"
  : >"$work/edit.list"
  : >"$work/told"
  refresh_request
  # A change that was killed may have been about to remove the sources. When it is put back, they are there again.
  has_sources || [ "$(state_of_transaction)" = idle ] || detach_refresh
  has_sources || end_refresh failed "$own_directory/refresh.conf is missing; run pulumi up, or the undo beside this program"
  read_settings "$own_directory/refresh.conf"
}

# Shows the words of other programs where this run ended without a result.
report_errors() {
  [ -n "${refresh_result:-}" ] || head -c "$word_max_bytes" -- "$work/errors" | without_credentials | escape_words lines
}

has_sources() { [ -f "$own_directory/refresh.conf" ]; }

# Removes what refreshes left that were killed while they downloaded. A refresh that was killed in its swap is put back
# by the next change.
# writes
sweep_refreshes() {
  read_journal
  for refresh_earlier in "$state"/run.refresh-*; do
    [ ! -d "$refresh_earlier" ] || is_held "$refresh_earlier" || is_half_done "$refresh_earlier" ||
      rm -rf -- "$refresh_earlier"
  done
}

# Makes the request of a refresh from the journal, as if a caller had sent it.
refresh_request() {
  read_journal
  own_directory=$(journal_value directory)
  read_request <<END_OF_REQUEST
mark clientcert:
mode refresh
id $id
owner $(journal_value owner)
want-config $(journal_value config)
config $(journal_value config)
deadline 30
end
END_OF_REQUEST
}

# Checks whether there is nothing to do: no downloaded CRL is newer than the installed one. There is also something to
# do after an interrupted run, when somebody altered crl.pem, and when a CA was retired.
is_nothing_new() {
  [ "$(state_of_transaction)" = idle ] || return 1
  is_installed_known || return 1
  for refresh_facts in "$work"/crls/*.facts; do
    [ ! -f "$refresh_facts" ] || [ "$(compare_with_installed "${refresh_facts%.facts}")" != newer ] || return 1
  done
  for refresh_facts in "$work"/known/*.facts; do
    [ -f "$refresh_facts" ] || continue
    read -r refresh_key _ <"$refresh_facts"
    is_of_ca "$refresh_key" || return 1
  done
}

# Starts the second part in a session of its own, as every change does: Ctrl-C must not stop it half-way. Shows what it
# says, but not to the timer, and ends this process with its exit status.
# writes
detach_refresh() {
  printf '%s\n' "$script" >"$work/program" && : >"$work/output" || end_refresh failed "no room in $state"
  trap - EXIT
  "$(detacher)" /bin/sh "$work/program" carry-refresh "$work" "$refresh_dry_run" "$refresh_verbose" \
    "$refresh_timer" </dev/null >"$work/output" 2>"$work/errors" &
  refresh_carrier=$!
  trap '' HUP INT TERM
  [ -n "$refresh_timer" ] || follow "$refresh_carrier"
  wait "$refresh_carrier"
  refresh_exit=$?
  # The next run finds what a killed process left half done, and puts it back.
  is_half_done "$work" || rm -rf -- "$work"
  exit "$refresh_exit"
}

# The second part, under the lock; a dry run has none. It finds anew what is to be installed, because something else may
# be installed by now. Lets httpd judge it, and then changes the server or ends the refresh. It ends this process.
# in: deadly_unstartable, probe_already_refused, probe_locked_out
# sets: id, is_reported, manifest, mode, own_directory, refresh_reason, state, unreported, work
# writes
refresh_detached() { # WORK DRY_RUN VERBOSE TIMER
  work=$1 id=${1##*/run.} state=${1%/run.*} mode=refresh refresh_dry_run=$2 refresh_verbose=$3 refresh_timer=$4
  refresh_reason=''
  refresh_request
  hold "$work"
  # A dry run changes nothing, so no other run has to wait for it.
  [ -n "$refresh_dry_run" ] || take_lock 120
  find_server
  read_journal
  [ -n "$refresh_dry_run" ] || recover_earlier
  prepare
  if [ -n "$recover_done" ]; then reload_restored; fi
  manifest=$(virtual_host_addresses)$nl
  # A change may have held the lock meanwhile and removed the last source.
  has_sources || exit 0
  prepare_collection
  if ! assemble_crls; then
    [ -n "$refresh_dry_run" ] || keep_crl_list
    end_refresh unchanged
  fi
  check_assembled
  extend_deadline
  [ -n "$stage_refused" ] || judge_candidate
  if [ -n "$stage_refused" ] || [ "$verdict" = refused ]; then
    [ -n "$refresh_reason" ] || report_refresh 'reason httpd or a check refused the new CRL'
    end_refresh refused
  fi
  [ -z "$refresh_dry_run" ] || end_refresh good
  find_unit
  change
}

# Keeps the list of installed CRLs, and what was found out about the sample certificate where it was checked.
# in: state, work
# sets: nothing
# writes
keep_crl_list() {
  mv -f -- "$work/crl.list" "$state/crl.list" &&
    { [ ! -f "$work/sample.words" ] || mv -f -- "$work/sample.words" "$state/sample"; }
}

# Ends a refresh whose crl.pem is in place: httpd runs with it and is healthy (applied), or is stopped and reads it at
# its next start (stopped). The number of the generation stays, because a renewed CRL is not a change of ours.
# in: deadly_unstartable, parent, probe_already_refused, probe_locked_out, source_alarm_hours, state, work
# sets: is_reported, refresh_reason, unreported
# writes
finalize_refresh() { # applied|stopped
  remove_stages "$work"
  keep_crl_list
  journal_end "$1"
  rm -f -- "$work/swapped"
  end_refresh updated
}

# Saves the record, says how the refresh ended, and ends this process with the exit status that follows from RESULT and
# from the dates of the CRLs. A worse result that it finds takes the place of RESULT. refresh_usage says what each
# status means.
# in: deadly_unstartable, parent, probe_already_refused, probe_locked_out, source_alarm_hours, state, work
# sets: is_reported, refresh_reason, unreported
# writes
end_refresh() { # RESULT [REASON]
  # Everything was removed meanwhile. This is not a failure, which systemd would remember.
  [ -d "$state" ] || exit 0
  refresh_result=$1 unreported='' is_reported=yes
  [ $# -lt 2 ] || report_refresh "reason $2"
  case $refresh_result in
    refused | reload | failed | locked) blame_new_crls "${refresh_reason:-it was not seen to serve well}" ;;
    unchanged | updated) [ -z "$(reported_failures)" ] || refresh_result=failed ;;
  esac
  [ -z "$probe_already_refused" ] || refresh_reason=$probe_already_refused
  case $refresh_result in
    unchanged | updated | good) refresh_exit=0 ;;
    reload) refresh_exit=3 ;;
    locked) refresh_exit=4 ;;
    *) refresh_exit=1 ;;
  esac
  [ -z "$probe_locked_out$deadly_unstartable" ] || refresh_exit=3
  if [ "$refresh_exit" -lt 3 ] && is_ending; then refresh_result=expiring refresh_exit=2; fi
  if [ "$refresh_exit" -lt 3 ] && [ -n "$probe_already_refused" ]; then refresh_result=refusing refresh_exit=2; fi
  [ -n "$refresh_dry_run" ] || save_record "$refresh_exit" "$refresh_result"
  report_refresh_end
  exit "$refresh_exit"
}

# Prints the failures of sources in this run. Fails where there are none.
reported_failures() { grep ' failure ' -- "$work/told" 2>/dev/null; }

# Checks whether an installed CRL has expired or expires within the alarm time. When it has expired, every certificate
# of its CA is refused.
is_ending() {
  tail -n +2 -- "$state/crl.list" 2>/dev/null | awk -v limit=$(($(date +%s) + ${source_alarm_hours:-24} * 3600)) '
    $3 != "-" && $3 < limit { found = 1 } END { exit !found }'
}

# Says how the refresh ended, to the log of the host and to the person who started it. The timer has no such person.
report_refresh_end() {
  case $refresh_result in
    unchanged) refresh_ending='the CRLs are up to date' ;;
    updated)
      refresh_ending='httpd runs with the new CRL' && [ -n "${parent:-}" ] ||
        refresh_ending='the new CRL is written; httpd is stopped and stays so'
      ;;
    good) refresh_ending='httpd would run with the new CRL; nothing was changed (dry run)' ;;
    failed)
      refresh_ending='the installed CRLs stay' && [ -n "$refresh_reason" ] ||
        refresh_ending='a source failed; the installed CRLs stay'
      ;;
    refused)
      refresh_ending='the new CRL was refused; the installed one stays' && [ -z "$deadly_unstartable" ] ||
        refresh_ending='httpd was not reloaded; the installed CRLs stay'
      ;;
    reload) refresh_ending='the new CRL was put back' ;;
    refusing) refresh_ending="it did what it could, and $probe_already_refused" ;;
    expiring) refresh_ending='an installed CRL ends soon, or has ended: its CA'"'"'s certificates are refused then' ;;
    *) refresh_ending='nothing was done' ;;
  esac
  logger -t clientcert -- "refresh of $state: $refresh_result: $refresh_ending" 2>/dev/null || :
  [ -n "$refresh_timer" ] || printf '%s: %s\n' "$refresh_result" "$refresh_ending"
}

# Writes a part of the answer for a person and for the host's log. Ends this process at an error, and where a change was
# refused or put back. Nobody reads along with the timer. Steps and the remark before httpd's words are shown with
# --verbose only.
# in: deadly_unstartable, parent, probe_already_refused, probe_locked_out, source_alarm_hours, state, work
# sets: is_reported, refresh_reason, unreported
report_refresh() { # KIND TEXT…, in one argument
  refresh_text=${1#* }
  case ${1%% *} in
    step) [ -z "$refresh_verbose" ] || echo "$refresh_text ..." ;;
    note | reason)
      [ "${1%% *}" = note ] || refresh_reason=$refresh_text
      logger -t clientcert -- "refresh: $refresh_text" 2>/dev/null || :
      [ -n "$refresh_timer" ] || echo "$refresh_text"
      ;;
    words) [ -z "$refresh_verbose" ] || echo 'httpd says:' ;;
    error)
      refresh_text=${refresh_text#* }
      case ${1#error } in locked*) end_refresh locked "$refresh_text" ;; *) end_refresh failed "$refresh_text" ;; esac
      ;;
    result) case $refresh_text in rolledBack*) end_refresh reload ;; refused*) end_refresh refused ;; esac ;;
  esac
}

# Waits a random part of the delay, or ends this process where it is not the time of a refresh. cron calls at the
# minutes of the times. Where the times have a time zone, which cron does not know, cron calls at these minutes of every
# hour. systemd does both by itself.
wait_for_turn() {
  [ ! -f "/etc/systemd/system/clientcert-${state##*/}.timer" ] || return 0
  # Without a time zone the text is one blank, and every call is at a right time.
  case " ${source_time_zone:+$source_times }" in ' ' | *" $(TZ=$source_time_zone date +%H:%M) "*) ;; *) exit 0 ;; esac
  [ "$source_spread_minutes" = 0 ] ||
    sleep "$(od -An -N4 -tu4 /dev/urandom | awk -v most=$((source_spread_minutes * 60)) '{ print $1 % most }')"
}
