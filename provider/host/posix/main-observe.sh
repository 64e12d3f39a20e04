# shellcheck shell=sh
# The observation alone: the program for a sudoers rule that allows nothing else.

main() {
  read_request
  [ "$(id -u)" = 0 ] || fail root 'this needs root; give "sudo:" for this host or log in as root'
  find_server
  read_journal
  observe
  audit observation "looked at $config"
  part 'done'
}

main
