# shellcheck shell=sh
# Checks that the tools of this host do what this program asks of them. A tool may be missing, may have lost a library,
# or may not be GNU's. Without this check the only sign of it would be missing output, and reasons or plans would be
# made from that output.

# Tests one pipeline of all the tools that an observation needs, and for a change the other tools, too. Fails where one
# of them is broken. Only where the result of the pipeline is wrong, the broken tool is searched for.
# in: mode
# sets: nothing
test_tools() {
  [ "$(try_together 2>/dev/null)" = /51/proc ] || blame_all_tools
  case ${mode:-} in apply | undo | refresh) test_changing_tools ;; esac
}

# Prints `/51/proc` where all these tools work. stat describes the link /proc/mounts in a text that has 5 parts between
# slashes. The second part has 1 character, and the third part is `proc`. realpath takes out the `.`.
try_together() {
  stat -c "/%N%F$tab%f" -- /proc/mounts | cut -f 1 | sed -E -n 's/^(\/)(.*)$/\1\2/p' | sort -t / -u -k 2,2 |
    grep -a -D skip -e / | awk -F / '{ print "/" NF length($2) "/./" $3 }' | xargs -r realpath -m --
}

# Tests each of these tools alone, and fails with the name of the first broken one. The other tools are checked where
# they are first used, which costs nothing.
# in: nothing
# sets: nothing
name_broken_tool() {
  tool_input="b$tab 1${nl}a$tab 2"
  try_tool cat "$tool_input" --
  try_tool date 1970-01-01 -u -d @0 +%F
  try_tool readlink / -f -- /
  try_tool stat "'/proc/mounts' -> 'self/mounts' symbolic link" -c '%N %F' -- /proc/mounts
  try_tool cut " 1$nl 2" -f 2-
  try_tool sed a -E -n "s/^(a)$tab 2\$/\\1/p"
  try_tool env A=1 -i A=1
  try_tool sort "a$tab 2${nl}b$tab 1" -t "$tab" -u -k 1,1
  try_tool grep "a$tab 2" -a -D skip -e '^a'
  try_tool awk b -F "$tab" '$2 == " 1" { print $1 }'
  try_tool tr "b$tab 1:a$tab 2:" '\n' :
  try_tool xargs "b 1 a 2" -r printf '%s %s %s %s'
  try_tool realpath /proc/self-missing/b -m -- /proc/self-missing/a/../b
  try_tool sha256sum '14479bb43e96b10b514f23bbf78b93cd6de505e7bd29c9bd1735c8e019a829f8  -' --
}

# Fails with the name of the broken tool, or of none where each one works alone.
blame_all_tools() {
  name_broken_tool
  fail tools "this host's tools do not work together as they must, though each does for itself; look at its PATH and at the load of the host"
}

# Runs the tool with the lines of tool_input as its input. Fails with its name where its exit status is not 0 or its
# answer, with its words of errors, is another one than EXPECTED.
try_tool() { # TOOL EXPECTED ARGS…
  tool=$1 tool_expected=$2
  shift 2
  tool_answer=$(printf '%s\n' "$tool_input" | "$tool" "$@" 2>&1)
  tool_status=$?
  [ "$tool_status" != 0 ] || [ "$tool_answer" != "$tool_expected" ] || return 0
  case $tool_status in
    126 | 127) fail tools "this host's $tool cannot be run (exit status $tool_status); repair it" ;;
    *) fail tools "this host's $tool does not do what GNU's does (exit status $tool_status); install GNU's, or repair it" ;;
  esac
}

# Tests the other tools that a change needs, and fails with the name of the first broken one. GNU's tools print their
# version. A tool that does not is not GNU's, or does not run. try_tool then reports it.
test_changing_tools() {
  for tool in base64 chmod chown cp head ln mkdir mkfifo mv od rm rmdir sync tail timeout wc; do
    "$tool" --version >/dev/null 2>&1 || { tool_input='' && try_tool "$tool" '' --version; }
  done
}
