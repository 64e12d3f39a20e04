# shellcheck shell=sh
# One run: it observes the host, judges a change, applies a change, reports how an earlier run ended, or undoes.

# Does what this run was started for. The first argument says how it was started:
#   (none)                  by a caller over SSH; the request on standard input names the mode
#   carry-out WORK          by run_apply: the part of a change that outlives the connection
#   undo, refresh           by a person or the timer, through the callers that write_caller makes
#   carry-refresh WORK ...  by detach_refresh: the part of a refresh that outlives its starter
#   shadow_...              by shadow, in new namespaces: the argument is the function to run
# run_refresh and refresh_detached end the process themselves.
main() {
  verdict='' swap_began='' asks_probes=''
  # The text of this program is in the file that is being run, or the caller gives it as $s. A shadow does not need it
  # any more.
  case ${1:-} in
    shadow_*) ;;
    carry-out | undo | refresh | carry-refresh) script=$(cat -- "$0") ;;
    *) script=${s:-$(cat -- "$0")} ;;
  esac
  case ${1:-} in
    shadow_outside_view | shadow_inside_view) "$@"; exit ;;
    carry-out) read_request <"$2/request" ;;
    refresh) shift && run_refresh "$0" "$@" ;;
    carry-refresh) shift && refresh_detached "$@" ;;
    undo) shift && undo_request "$0" "$@" ;;
    *) read_request ;;
  esac
  # An undo or a detached change goes on without its caller, so it has no time limit. Any other run has a caller, who
  # waits only for a limited time. An undo has no first argument here: `shift` took it, and undo_request set mode.
  case ${1:-}:$mode in
    :undo) serve undo ;;
    :*) limited serve "$mode" ;;
    *) serve "$@" ;;
  esac
}

# Finds the server, and does the work of a mode. Fails where this process does not run as root, or where no server is
# found. The part `done` ends a complete answer: a caller takes an answer without it as cut off. The tools were already
# tested before `carry-out` was started.
serve() { # MODE | carry-out WORK
  [ "$1" = carry-out ] || test_tools
  runs_as_root self || fail root 'this needs root; give "sudo:" for this host or log in as root'
  find_server
  case $1 in
    observe) read_journal && observe && audit observation "looked at $config" ;;
    judge) prepare && run_judge ;;
    apply) run_apply ;;
    result) run_result ;;
    carry-out) apply_detached "$2" ;;
    undo) run_undo ;;
  esac
  part 'done'
}

main "$@"
