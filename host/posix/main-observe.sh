# shellcheck shell=sh
# The observation alone: the program for a sudoers rule that allows only the observation.

# Fails unless the request has the same overrides of httpd, configuration, pid file, environment file and defines as
# this program. A user who may run this as root must not choose what root runs: a program, a configuration (which names
# modules) or a file of variables. So the overrides are a part of this text: `npx clientcert observe-program` writes the
# function fixed_overrides, which sets them.
keep_overrides() {
  main_asked=$want_httpd$tab$want_config$tab$want_pid_file$tab$want_environment$tab$want_defines
  fixed_overrides
  [ "$main_asked" = "$want_httpd$tab$want_config$tab$want_pid_file$tab$want_environment$tab$want_defines" ] ||
    fail overrides 'the site file overrides httpd, config, pidFile, environmentFile or defines otherwise than when this program was made; make and install it again: npx clientcert observe-program --site SITE --host HOST'
}

observe_usage() {
  cat <<'END_OF_USAGE'
Reads a request of clientcert on standard input and tells how this host's httpd is set up; changes nothing. It is
meant to be called by clientcert, over SSH and sudo. It has no options.
END_OF_USAGE
}

# Answers a request on standard input with an observation. Takes no argument but --help, and exits with 64 at any other.
main() {
  case ${1:-} in
    '') ;;
    --help) observe_usage && exit 0 ;;
    *) echo "$1: there is no such option" >&2 && observe_usage >&2 && exit 64 ;;
  esac
  read_request
  keep_overrides
  limited look_at_host
}

# Does what `observe` does in main.sh. It runs under the time limit.
look_at_host() {
  test_tools
  runs_as_root self || fail root 'this needs root; give "sudo:" for this host or log in as root'
  find_server
  read_journal
  observe
  audit observation "looked at $config"
  part 'done'
}

main "$@"
