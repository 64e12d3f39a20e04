/**
 * Mutations of the safety steps for unusual hosts: a host may be stopped, hanging, damaged, short of something, or
 * shared with strangers.
 */

/** @type {readonly import("./mutations.mjs").Mutation[]} */
export const hostMutations = [
  {
    name: "tools: none is tried",
    ...{ file: "main.sh", from: '  [ "$1" = carry-out ] || test_tools\n', to: "" },
    ...{ test: "attacks/tools", grep: "names (awk|sed|stat) " },
  },
  {
    name: "look: nobody ends one that waits for ever",
    ...{ file: "lib/time-limit.sh", from: '  end_tree "$1"\n', to: "" },
    ...{ test: "attacks/hanging-look", grep: "reads a pipe that is included, as root" },
  },
  {
    name: "undo: is ended as a look is",
    ...{ file: "main.sh", from: ":undo) serve undo ;;", to: ":undo) limited serve undo ;;" },
    ...{ test: "attacks/attack-hand-runs", grep: "not ended as a look" },
  },
  {
    name: "lock: has the name of the shell that waits",
    ...{
      file: "lib/processes.sh",
      from: "</proc/self/stat && read_process self",
      to: '</proc/self/stat; process_own_pid=$$; read_process "$$"',
    },
    ...{ test: "attacks/attack-hand-runs", grep: "holds the lock" },
  },
  {
    name: "answers: words of ours in a header are believed",
    ...{ file: "apache/ask.sh", from: "IFS= read -r ask_mark </proc/sys/kernel/random/uuid", to: "ask_mark=$mark" },
    ...{ test: "attacks/attack-hand-runs", grep: "believes no header" },
  },
  {
    name: "stopped: the only one that runs is taken for the one that is set up",
    ...{ file: "apache/server.sh", from: "      ! is_only_set_up || return 0", to: "      return 0" },
    ...{ test: "attacks/stopped-choice", grep: "while it is stopped" },
  },
  {
    name: "stopped: believed without a proof",
    ...{ file: "apache/stopped.sh", from: '  [ -z "$parent$stopped_proved" ] || return 0', to: "  return 0" },
    ...{ test: "attacks/stopped-proof", grep: "by its pid file$" },
  },
  {
    name: "stopped: nobody asks who has its port",
    ...{ file: "apache/stopped.sh", from: '  [ -z "$stopped_listening" ] || suspect_holders', to: "  :" },
    ...{ test: "attacks/stopped-proof", grep: "by its port where its pid file is gone" },
  },
  {
    name: "stopped: that it ran is not written down, nor believed of an older build",
    ...{
      folder: "core/apache/facts",
      file: "stopped.ts",
      from: "  if (starter === undefined && own.hasRun !== true) return [];",
      to: "  if (starter === undefined) return [];",
    },
    ...{ test: "attacks/stopped-alarm", grep: "where it ran at the last change" },
  },
  {
    name: "names: a process's fields begin behind the first parenthesis",
    ...{ file: "lib/processes.sh", from: "process_text=${process_text##*)}", to: "process_text=${process_text#*)}" },
    ...{ test: "attacks/attack-names", grep: "whose child it is" },
  },
  {
    name: "shadow: namespaces of its own are believed in",
    ...{ file: "apache/shadow.sh", from: "  is_apart || {", to: "  : || {" },
    ...{ test: "attacks/attack-unshare", grep: "what --pid asks for" },
  },
  {
    name: "carrier: whatever ends it, only the lock is given back",
    ...{ file: "lib/carrier.sh", from: "trap end_carrier EXIT", to: "trap release_lock EXIT" },
    ...{ test: "attacks/carrier-killed", grep: "ended by a signal" },
  },
  {
    name: "judge: live files on which httpd would not start are reloaded",
    ...{ file: "apache/deadly.sh", from: "&& read_deadly || return 1", to: "&& false || return 1" },
    ...{ test: "attacks/judge-deadly", grep: "says why: AH00104|raises the alarm" },
  },
  {
    name: "resources: what a run lacked is not told",
    ...{ file: "lib/carrier.sh", from: '[ -z "$carrier_hit" ] || fail limit "the run', to: ': || fail limit "the run' },
    ...{ test: "attacks/resources", grep: "hit after it had begun: memory" },
  },
  {
    name: "unattended: whichever program stays on a host is right",
    ...{ folder: "core/apache/facts", file: "unattended.ts", from: "unattended.program !== program || ", to: "" },
    ...{ test: "attacks/unattended", grep: "(an older|no) program$" },
  },
  {
    name: "words: what a terminal obeys passes the gate of the host",
    ...{ file: "lib/words.sh", from: "  case $1 in *[!\\ -~]*) return 1 ;; esac\n", to: "" },
    ...{ test: "attacks/foreign-words", grep: "stand-ins for openssl" },
  },
  {
    name: "words: whatever stands in the proxy's file is given to curl",
    ...{ file: "crl/sources.sh", from: 'is_proxy_address "$source_proxy" ||', to: ": ||" },
    ...{ test: "attacks/foreign-words", grep: "PASSWORD@h:x" },
  },
  {
    name: "words: a host's words are printed as they come",
    ...{
      folder: "core",
      file: "shown.ts",
      from: "short : short.replace(unshowable, escaped);",
      to: "short : short;",
    },
    ...{ test: "core/foreign-words", grep: "host that lies" },
  },
  {
    name: "paths: what a site file names is sent as it is in memory",
    ...{ folder: "provider/apache", file: "request.ts", from: "`${key} ${hostBytes(value)}`", to: "`${key} ${value}`" },
    ...{ test: "attacks/odd-paths", grep: "finds the server by" },
  },
  {
    name: "labels: files of ours have whatever label they get",
    ...{ file: "apache/swap.sh", from: "[ ! -d /sys/fs/selinux ] ||", to: "true ||" },
    ...{ test: "attacks/labels", grep: "of (new|a replaced) file" },
  },
];
