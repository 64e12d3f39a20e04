# shellcheck shell=sh
# The refresh of the CRLs, by the timer or by hand. It needs nothing of Pulumi. Downloads go aside and without the lock; only
# what is new goes through the lock, judge, swap, reload and look of every change.

refresh_usage() {
  cat <<END_OF_USAGE
Usage: sh $state/refresh [--dry-run] [--verbose] [--status] [--timer]
Downloads the CRLs of this server's CAs, and gives httpd what is new and good.
  --dry-run   let the real httpd judge what is new on a copy, and change nothing
  --verbose   say each step
  --status    say how the last refreshes ended, and do nothing else
  --timer     as cron or systemd call it: quiet, after a random delay
Exit status: 0 up to date; 1 a source failed, the installed CRLs are good; 2 an installed CRL ends soon or has ended, or
httpd refuses every certificate of a CA; 3 httpd did not reload well, or would not start, or would refuse every certificate of a
CA, and runs on the files of before; 4 another run works on this server; 64 wrong options.
END_OF_USAGE
}

run_refresh() { # PROGRAM OPTIONS…
  state=${1%/*} mode=refresh dry_run='' verbose='' timer='' told_reason='' source_ids=''
  shift
  for option in "$@"; do
    case $option in
      --dry-run) dry_run=yes verbose=yes ;;
      --verbose) verbose=yes ;;
      --timer) timer=yes ;;
      --status) show_status && exit 0 ;;
      --help) refresh_usage && exit 0 ;;
      *) echo "$option: there is no such option" >&2 && refresh_usage >&2 && exit 64 ;;
    esac
  done
  [ "$(id -u)" = 0 ] || { echo 'this needs root' >&2 && exit 1; }
  id=refresh-$$-$(date +%s) work=$state/run.$id
  begin_refresh
  test_tools
  [ -z "$timer" ] || wait_for_turn
  # Everything, or the last source, was removed meanwhile: nothing may come back.
  [ -d "$work" ] && has_sources || exit 0
  prepare_collection
  collect_from_sources all
  if is_nothing_new; then end_refresh unchanged; fi
  carry_refresh_out
}

begin_refresh() {
  sweep_refreshes
  mkdir -m 700 -- "$work" && mkdir -- "$work/own" "$work/edit" && hold "$work" || { echo "no room in $state$(inodes_in_words "$state")" >&2 && exit 1; }
  # Words of other programs, which nobody has asked for: shown where nothing else tells why this ended.
  exec 2>"$work/errors"
  trap 'tell_errors; rm -rf -- "$work"' EXIT
  trap 'exit 1' HUP INT TERM
  : >"$work/own.list"
  : >"$work/edit.list"
  : >"$work/told"
  refresh_request
  # A killed change may have been about to take them away: put back, they are there again.
  has_sources || [ "$(state_of_transaction)" = idle ] || carry_refresh_out
  has_sources || end_refresh failed "$own_directory/refresh.conf is missing; run pulumi up, or the undo beside this program"
  read_settings "$own_directory/refresh.conf"
}

tell_errors() { [ -n "${result:-}" ] || head -c "$longest_words" -- "$work/errors" | without_credentials | escape_words lines; }

has_sources() { [ -f "$own_directory/refresh.conf" ]; }

# Of runs that were killed while they downloaded. One that was in its swap is put back by the next change.
# writes
sweep_refreshes() {
  read_journal
  for earlier in "$state"/run.refresh-*; do
    [ ! -d "$earlier" ] || is_held "$earlier" || is_half_done "$earlier" || rm -rf -- "$earlier"
  done
}

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

# Also when somebody altered crl.pem, when a CA was retired, and after an interrupted run there is something to do.
is_nothing_new() {
  [ "$(state_of_transaction)" = idle ] || return 1
  is_installed_known || return 1
  for facts in "$work"/crls/*.facts; do
    [ ! -f "$facts" ] || [ "$(compare_with_installed "${facts%.facts}")" != newer ] || return 1
  done
  for facts in "$work"/known/*.facts; do
    [ -f "$facts" ] || continue
    read -r crl_key _ <"$facts"
    is_of_ca "$crl_key" || return 1
  done
}

# In a session of its own, as every change: Ctrl-C must not stop it half-way.
# writes
carry_refresh_out() {
  printf '%s\n' "$script" >"$work/program" && : >"$work/output" || end_refresh failed "no room in $state"
  trap - EXIT
  "$(detacher)" /bin/sh "$work/program" carry-refresh "$work" "$dry_run" "$verbose" "$timer" </dev/null >"$work/output" 2>"$work/errors" &
  carrier=$!
  trap '' HUP INT TERM
  [ -n "$timer" ] || follow "$carrier"
  wait "$carrier"
  refresh_exit=$?
  # What a killed carrier left half-way is put back by the next run, which finds it there.
  is_half_done "$work" || rm -rf -- "$work"
  exit "$refresh_exit"
}

# Second part, under the lock: what is installed may be another by now.
# writes
carry_refresh() { # WORK DRY_RUN VERBOSE TIMER
  work=$1 id=${1##*/run.} state=${1%/run.*} mode=refresh dry_run=$2 verbose=$3 timer=$4 told_reason='' source_ids=''
  refresh_request
  hold "$work"
  recovered='' lock_wait_seconds=120
  # A dry run changes nothing, so nobody has to wait for it.
  [ -n "$dry_run" ] || take_lock
  find_server
  read_journal
  [ -n "$dry_run" ] || recover_earlier
  prepare
  if [ -n "$recovered" ]; then reload_restored; fi
  manifest=$(virtual_host_addresses)$nl
  # The lock may have been that of a change that took the last source away.
  has_sources || exit 0
  prepare_collection
  if ! assemble_crls; then
    [ -n "$dry_run" ] || keep_crl_list
    end_refresh unchanged
  fi
  check_assembled
  extend_deadline
  [ -n "$refused" ] || judge_candidate
  if [ -n "$refused" ] || [ "$verdict" = refused ]; then
    [ -n "$told_reason" ] || tell_refresh 'reason httpd or a check refused the new CRL'
    end_refresh refused
  fi
  [ -z "$dry_run" ] || end_refresh good
  find_unit
  change
}

# And what the sample certificate was found to be worth, where it was tried.
# writes
keep_crl_list() {
  mv -f -- "$work/crl.list" "$state/crl.list" && { [ ! -f "$work/sample.words" ] || mv -f -- "$work/sample.words" "$state/sample"; }
}

# The swap of crl.pem is live and well, or waits for httpd to be started. No generation: a renewed list is no change of ours.
# writes
finish_refresh() { # applied|stopped
  remove_stages "$work"
  keep_crl_list
  journal_end "$1"
  rm -f -- "$work/swapped"
  end_refresh updated
}

# Ends this process with the exit status that the result and the dates ask for.
# writes
end_refresh() { # RESULT [REASON]
  # Everything was removed meanwhile: that is no failure, which systemd would remember.
  [ -d "$state" ] || exit 0
  result=$1 unreported='' is_told=yes
  [ $# -lt 2 ] || tell_refresh "reason $2"
  case $result in
    refused | reload | failed | locked) blame_new_crls "${told_reason:-it was not seen to serve well}" ;;
    unchanged | updated) [ -z "$(failures_told)" ] || result=failed ;;
  esac
  [ -z "$already_refused" ] || told_reason=$already_refused
  case $result in unchanged | updated | good) refresh_exit=0 ;; reload) refresh_exit=3 ;; locked) refresh_exit=4 ;; *) refresh_exit=1 ;; esac
  [ -z "$locked_out$unstartable" ] || refresh_exit=3
  if [ "$refresh_exit" -lt 3 ] && is_ending; then result=expiring refresh_exit=2; fi
  if [ "$refresh_exit" -lt 3 ] && [ -n "$already_refused" ]; then result=refusing refresh_exit=2; fi
  [ -n "$dry_run" ] || save_record "$refresh_exit" "$result"
  tell_refresh_end
  exit "$refresh_exit"
}

failures_told() { grep ' failure ' -- "$work/told" 2>/dev/null; }

# Whether an installed CRL ends within the alarm time: then everybody with a certificate of its CA is refused.
is_ending() {
  tail -n +2 -- "$state/crl.list" 2>/dev/null | awk -v limit=$(($(date +%s) + ${alarm_hours:-24} * 3600)) '
    $3 != "-" && $3 < limit { found = 1 } END { exit !found }'
}

tell_refresh_end() {
  case $result in
    unchanged) ending='the CRLs are up to date' ;;
    updated) ending='httpd runs with the new CRL' && [ -n "${parent:-}" ] || ending='the new CRL is written; httpd is stopped and stays so' ;;
    good) ending='httpd would run with the new CRL; nothing was changed (dry run)' ;;
    failed) ending='the installed CRLs stay' && [ -n "$told_reason" ] || ending='a source failed; the installed CRLs stay' ;;
    refused) ending='the new CRL was refused; the installed one stays' && [ -z "$unstartable" ] || ending='httpd was not reloaded; the installed CRLs stay' ;;
    reload) ending='the new CRL was put back' ;;
    refusing) ending="it did what it could, and $already_refused" ;;
    expiring) ending='an installed CRL ends soon, or has ended: its CA'"'"'s certificates are refused then' ;;
    *) ending='nothing was done' ;;
  esac
  logger -t clientcert -- "refresh of $state: $result: $ending" 2>/dev/null || :
  [ -n "$timer" ] || printf '%s: %s\n' "$result" "$ending"
}

# A part of the answer, for a person and for the host's log.
tell_refresh() { # KIND TEXT…, in one argument
  told_text=${1#* }
  case ${1%% *} in
    step) [ -z "$verbose" ] || echo "$told_text ..." ;;
    note | reason)
      [ "${1%% *}" = note ] || told_reason=$told_text
      logger -t clientcert -- "refresh: $told_text" 2>/dev/null || :
      [ -n "$timer" ] || echo "$told_text"
      ;;
    words) [ -z "$verbose" ] || echo 'httpd says:' ;;
    error)
      told_text=${told_text#* }
      case ${1#error } in locked*) end_refresh locked "$told_text" ;; *) end_refresh failed "$told_text" ;; esac
      ;;
    result) case $told_text in rolledBack*) end_refresh reload ;; refused*) end_refresh refused ;; esac ;;
  esac
}

# cron calls at the minutes of the times, in every hour where they have a time zone, which cron does not know.
wait_for_turn() {
  [ ! -f "/etc/systemd/system/clientcert-${state##*/}.timer" ] || return 0
  case " ${time_zone:+$times }" in ' ' | *" $(TZ=$time_zone date +%H:%M) "*) ;; *) exit 0 ;; esac
  [ "$spread_minutes" = 0 ] || sleep "$(od -An -N4 -tu4 /dev/urandom | awk -v most=$((spread_minutes * 60)) '{ print $1 % most }')"
}
