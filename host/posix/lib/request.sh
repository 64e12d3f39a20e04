# shellcheck shell=sh
# Reading the request, answering in parts. Every answer line begins with $mark, a random word chosen by the caller, so that
# no byte of a configuration can be taken for an answer and no length is needed.
set -u
LC_ALL=C
export LC_ALL
# Where a login sets these, tools print and read otherwise: without its quotes no link in /proc would be understood.
unset QUOTING_STYLE POSIXLY_CORRECT GREP_OPTIONS CDPATH
# What a login exports stays exported when it is set here, and no program can be started beside a text above 128 KiB.
unset script request_text manifest dumped processes version_text journal
# A download of a change must go the way of the timer's, which has no login: the site file names the proxy.
unset http_proxy https_proxy ftp_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY FTP_PROXY ALL_PROXY NO_PROXY CURL_HOME WGETRC
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin
umask 077
# Then a write beyond a limit of file size fails, and does not end this shell.
trap '' XFSZ
nl='
'
tab=$(printf '\t')
# How long a look may take: less than its caller waits for it.
look_seconds=50

# An answer for the caller, or for who runs this by hand.
part() {
  set -- "$*"
  case ${1%% *} in step | note | reason | error) is_plain "$1" || set -- "$(plain "$1")" ;; esac
  case ${mode:-} in
    undo) tell_undo "$1" ;;
    refresh) tell_refresh "$1" ;;
    *) printf '\n%s %s\n' "$mark" "$1" ;;
  esac
}
step() { doing "$1" '; look at the load of the host, and run again' && part "step $1"; }

# fail KIND TEXT: the run ends here, before anything was changed; later it is put back first (end_carrier).
fail() {
  if [ -n "${unreported:-}" ] && [ -f "$work/swapped" ]; then part "reason $2" && exit 1; fi
  is_told=yes
  part "error $1 $2"
  part 'done'
  exit 1
}

# Lines `key value` until `end`; then, for a change, the bytes of our files follow. The manifest, a line for each file, splice
# and virtual host, is taken whole behind its line: a shell reads lines byte by byte.
read_request() {
  mode=observe id='' owner='' take_over=no reload_unstartable=no removal=no returning=no refresh=no aside=no baseline=no expected_config='' deadline_seconds=15 limit_seconds=$look_seconds
  want_httpd='' want_config='' want_pid_file='' want_defines='' want_environment='' manifest='' request_text=''
  while IFS= read -r line; do
    value=${line#* } request_text=$request_text$line$nl
    case ${line%% *} in
      end) return 0 ;;
      mark) mark=$value ;;
      mode) mode=$value ;;
      id) id=$value ;;
      owner) owner=$value ;;
      take-over) take_over=$value ;;
      reload-unstartable) reload_unstartable=$value ;;
      removal) removal=$value ;;
      refresh) refresh=$value ;;
      aside) aside=$value ;;
      baseline) baseline=$value ;;
      config) expected_config=$value ;;
      deadline) deadline_seconds=$value ;;
      limit) case $value in '' | *[!0-9]*) ;; *) limit_seconds=$value ;; esac ;;
      want-httpd) want_httpd=$value ;;
      want-config) want_config=$value ;;
      want-pid-file) want_pid_file=$value ;;
      want-define) want_defines=$want_defines$value$nl ;;
      want-environment) want_environment=$value ;;
      manifest) manifest=$(head -c "$value")$nl request_text=$request_text$manifest ;;
    esac
  done
  mark=${mark:-clientcert}
  fail request 'the request ends before its last line; send it again'
}

# One line in the host's log for each run, all of which are root's: who, what, how it ended.
audit() {
  set -- "$1 by ${SUDO_USER:-root}: $2"
  is_plain "$1" || set -- "$(plain "$1")"
  logger -t clientcert -- "$1" 2>/dev/null || :
}
