# shellcheck shell=sh
# This file reads the request and writes the parts of the answer. Every part begins with a line that begins with $mark,
# a random word chosen by the caller. So no byte of a configuration can be taken for the beginning of a part, and no
# part needs a length.

# The variables that files share. Every other one begins with the name of the file that sets it, and a function that
# another file calls says above itself what it takes from others (`# in:`) and what it sets for them (`# sets:`).
#   nl, tab             a line end and a tab
#   script              the text of this program
#   mark                the word that begins each line of an answer; chosen by the caller
#   mode                what is asked for: observe, judge, apply, result, undo, or refresh
#   id                  the name of this run, the same in its work directory, the journal and the host's log
#   owner, take_over    the stack that makes the change, and whether it may take the server from another one
#   removal, refresh    whether everything of ours goes, and whether CRLs are collected
#   aside               whether the change touches nothing that httpd reads
#   baseline            whether the live files are started in a shadow, too, even where the candidate is plainly healthy
#   reload_unstartable  whether a server is reloaded that would not start on its live files
#   expected_config     the main configuration file that the change was planned for
#   deadline_seconds    how long httpd may take to start, to reload and to answer
#   limit_seconds       how long the observation of the host may take
#   want_httpd, want_config, want_pid_file, want_defines, want_environment  what the site file says of this server
#   manifest            the lines of the request about our files, edits and virtual hosts
#   returning           whether lines of the customer's own come back, which may keep people out again
#   work                the work directory of this run
#   state               the directory of what we remember of this server, /var/lib/clientcert/INSTANCE
#   own_directory       the directory of our files beside httpd's configuration
#   parent              the process that httpd's children belong to; empty where the server is stopped
#   program, arguments  httpd's own path, and its arguments, each with a line end
#   root_argument       the server root of these arguments
#   enter               the words that enter the mount namespace of httpd; empty where it is ours
#   config, instance    httpd's main configuration file, resolved, and the name that is made of it
#   server_root         httpd's ServerRoot
#   dumped              what httpd says of its configuration
#   stopped_proved      whether it is certain that the server is stopped
#   asks_probes         whether probe certificates are shown, too
#   verdict             of the judge: well or refused
#   failure             why a CRL cannot be taken; empty where it can
#   fetch_until         when the downloads of this run must have ended, in seconds since boot
#   swap_began          when the swap began, in clock ticks since boot; empty before
#   unreported          whether a change has begun whose end is not reported yet
#   is_reported         whether the end of this run is reported
set -u
LC_ALL=C
export LC_ALL
# A login may set these variables, with which tools print and read in another way. For example, without the quotes that
# stat prints no link in /proc would be understood.
unset QUOTING_STYLE POSIXLY_CORRECT GREP_OPTIONS CDPATH
# A variable that the login exports would stay exported when it is set here. No program can be started with a text above
# 128 KiB in its environment.
unset script request_text manifest dumped process_links server_version_text state_journal
# A download of a change must use the same proxy as the timer, which has no login. The site file names that proxy.
unset http_proxy https_proxy ftp_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY FTP_PROXY ALL_PROXY NO_PROXY \
  CURL_HOME WGETRC
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin
umask 077
# With this signal ignored, a write beyond a limit of file size fails, but does not end this shell.
trap '' XFSZ
nl='
'
tab=$(printf '\t')
# An observation may take this long. The caller waits longer than that.
request_observe_seconds=50

# Writes one part of the answer: `KIND TEXT…`. In the modes undo and refresh a person reads it, so report_undo or
# report_refresh writes it in words; report_refresh ends the run at an error. The words of a step, note, reason or error
# are cleaned.
# in: mark, mode
# sets: nothing
part() {
  set -- "$*"
  case ${1%% *} in step | note | reason | error) is_plain "$1" || set -- "$(plain "$1")" ;; esac
  case ${mode:-} in
    undo) report_undo "$1" ;;
    refresh) report_refresh "$1" ;;
    *) printf '\n%s %s\n' "$mark" "$1" ;;
  esac
}
# Reports the step that begins now, and notes it for the error message of the time limit.
# in: mark, mode
# sets: nothing
step() { doing "$1" '; look at the load of the host, and run again' && part "step $1"; }

# fail KIND TEXT: reports an error and ends the run. KIND tells the caller what the error is about. Before the swap
# nothing has been changed. From the swap on TEXT is the reason, and end_carrier puts the change back before the process
# ends.
# in: mark, mode, unreported, work
# sets: is_reported
fail() {
  if [ -n "${unreported:-}" ] && [ -f "$work/swapped" ]; then part "reason $2" && exit 1; fi
  is_reported=yes
  part "error $1 $2"
  part 'done'
  exit 1
}

# Reads lines `key value` until `end`, and fails where the request has no such line. For a change the bytes of our files
# follow, which are read later. The manifest has a line for each file, splice and virtual host. `manifest BYTES` says
# its length: it is read as a whole by `head`, because a shell reads lines byte by byte. request_text gets the whole
# text of the request, for the process that carries a change out.
# in: work
# sets: aside, baseline, deadline_seconds, expected_config, id, is_reported, limit_seconds, manifest, mark, mode, owner,
#   refresh, reload_unstartable, removal, request_text, returning, take_over, want_config, want_defines,
#   want_environment, want_httpd, want_pid_file
read_request() {
  mode=observe id='' owner='' take_over=no reload_unstartable=no removal=no returning=no refresh=no aside=no baseline=no
  expected_config='' deadline_seconds=15 limit_seconds=$request_observe_seconds
  want_httpd='' want_config='' want_pid_file='' want_defines='' want_environment='' manifest='' request_text=''
  while IFS= read -r request_line; do
    request_value=${request_line#* } request_text=$request_text$request_line$nl
    case ${request_line%% *} in
      end) return 0 ;;
      mark) mark=$request_value ;;
      mode) mode=$request_value ;;
      id) id=$request_value ;;
      owner) owner=$request_value ;;
      take-over) take_over=$request_value ;;
      reload-unstartable) reload_unstartable=$request_value ;;
      removal) removal=$request_value ;;
      refresh) refresh=$request_value ;;
      aside) aside=$request_value ;;
      baseline) baseline=$request_value ;;
      config) expected_config=$request_value ;;
      deadline) deadline_seconds=$request_value ;;
      limit) case $request_value in '' | *[!0-9]*) ;; *) limit_seconds=$request_value ;; esac ;;
      want-httpd) want_httpd=$request_value ;;
      want-config) want_config=$request_value ;;
      want-pid-file) want_pid_file=$request_value ;;
      want-define) want_defines=$want_defines$request_value$nl ;;
      want-environment) want_environment=$request_value ;;
      manifest) manifest=$(head -c "$request_value")$nl request_text=$request_text$manifest ;;
    esac
  done
  mark=${mark:-clientcert}
  fail request 'the request ends before its last line; send it again'
}

# Writes one line to the host's log for each run: who made it, what it did, how it ended. All runs are root's, so only
# this line shows who called sudo.
# in: nothing
# sets: nothing
audit() {
  set -- "$1 by ${SUDO_USER:-root}: $2"
  is_plain "$1" || set -- "$(plain "$1")"
  logger -t clientcert -- "$1" 2>/dev/null || :
}
