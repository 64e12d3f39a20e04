/** The mutations of `npm run mutate`: each one breaks a safety step and names the test that must notice. */
import { hostMutations } from "./mutations-of-hosts.mjs";

/**
 * `from` must be in the file exactly once; `grep` chooses the tests of `test` that must go red.
 *
 * @typedef {object} Mutation
 * @property {string} name
 * @property {string} [folder] of the file; by default that of the program that runs on hosts
 * @property {string} file
 * @property {string} from
 * @property {string} to
 * @property {string} test `RING/NAME`, or a name alone in the ring `faults`
 * @property {string} grep
 */

/** @type {readonly Mutation[]} */
export const mutations = [
  {
    name: "lock: a second run goes on",
    ...{ file: "lib/state.sh", from: "    if is_alive $state_holder; then", to: "    if false; then" },
    ...{ test: "process-runs", grep: "do not disturb" },
  },
  {
    name: "judge: what it refuses is well",
    ...{ file: "apache/judge.sh", from: "    verdict=refused\n    report_words candidate", to: "    verdict=well" },
    ...{ test: "attacks/peers", grep: "is garbage is refused" },
  },
  {
    name: "baseline: the shadow's no is never questioned",
    ...{ file: "apache/judge.sh", from: "if ! is_baseline; then", to: "if false; then" },
    ...{ test: "attacks/judge-words", grep: "passphrase program" },
  },
  {
    name: "judge: a virtual host in which a change has no effect is well",
    ...{
      file: "apache/judge.sh",
      from: "if shadow_is_healthy candidate && report_unasking; then",
      to: "if false; then",
    },
    ...{ test: "attacks/judge-words", grep: "refuses a change that has no effect" },
  },
  {
    name: "compare: a file that changed since the plan is edited",
    ...{
      file: "apache/stage.sh",
      from: '[ "$($stage_read_from cat -- "$2" | sha256sum | cut -c 1-64)" != "$1" ]',
      to: "false",
    },
    ...{ test: "files-host", grep: "edited after it had been looked at" },
  },
  {
    name: "swap: what came out is not looked at",
    ...{ file: "apache/swap.sh", from: '!= "$swap_before" ]; then', to: "= no ]; then" },
    ...{ test: "files-host", grep: "very moment of the swap" },
  },
  {
    name: "order: what names comes before what is named",
    ...{
      file: "apache/swap.sh",
      from: 'sync -- "${swap_path%/*}"\n  done <"$work/own.list"',
      to: 'sync -- "${swap_path%/*}"\n  done <<LIST\n$(tac "$work/own.list")\nLIST',
    },
    ...{ test: "process-reboot", grep: "the check .* to our CRL" },
  },
  {
    name: "look: every answer is right",
    ...{ file: "apache/health.sh", from: "&& ! health_differs; then", to: "; then" },
    ...{ test: "process-live", grep: "answers otherwise" },
  },
  {
    name: "comparison on other ports: the judge's is left out",
    ...{ file: "apache/judge.sh", from: "elif report_noticed ", to: "elif false && report_noticed " },
    ...{ test: "directives/other-ports", grep: "refused by the judge when" },
  },
  {
    name: "comparison on other ports: no baseline is made for it",
    ...{
      file: "apache/judge.sh",
      from: 'if shadow_is_plain && [ "$baseline" != yes ]; then',
      to: "if shadow_is_plain; then",
    },
    ...{ test: "directives/other-ports", grep: "refused by the judge when" },
  },
  {
    name: "comparison on other ports: the live server's is left out",
    ...{
      file: "apache/health.sh",
      from: 'if ! is_noticed "$work/answers.before" "$work/answers.after" "$work/others.list" && !',
      to: "if !",
    },
    ...{ test: "directives/other-ports", grep: "put back after the look" },
  },
  {
    name: "comparison on other ports: lines that come back open one",
    ...{
      file: "apache/compare.sh",
      from: "strictness(after) > strictness(before)",
      to: "strictness(after) != strictness(before)",
    },
    ...{ test: "directives/other-ports", grep: "may not open that port" },
  },
  {
    name: "comparison on other ports: certificates are not counted",
    ...{ file: "apache/compare.sh", from: "isCounted && $5 != sent[$1]", to: "0" },
    ...{ test: "directives/other-ports", grep: "that port would send fewer" },
  },
  {
    name: "comparison: certificates of covered hosts are not counted",
    ...{ file: "apache/compare.sh", from: "isCounted && $5 + 0 < sent[$1] + 0", to: "0" },
    ...{ test: "directives/other-ports", grep: "send its clients fewer" },
  },
  {
    name: "comparison: lines that come back may shut a covered host",
    ...{
      file: "apache/compare.sh",
      from: '&& !(returning == "yes" && removal == "yes" && $2',
      to: '&& !(returning == "yes" && $2',
    },
    ...{ test: "directives/other-ports", grep: "shut the covered" },
  },
  {
    name: "narrower rules are never taken out: adopt takes them",
    ...{
      folder: "core/apache/plan",
      file: "unmanaged-verdict.ts",
      from: '? reported("decides by',
      to: '? removable("decides by',
    },
    ...{ test: "directives/narrower", grep: "`SSLRequire` in `<Location /admin>`, with the site's CAs" },
  },
  {
    name: "taken-out lines come back: they stay out",
    ...{
      folder: "core/apache/plan",
      file: "adopt.ts",
      from: "return lines.filter(({ file, offset }) => !staying.has(`${file}:${offset}`));",
      to: "return [];",
    },
    ...{ test: "directives/upgrade", grep: "gets back the lines" },
  },
  {
    name: "taken-out lines come back: not past a conflict",
    ...{
      folder: "provider/resource",
      file: "apply.ts",
      from: "if (restore === undefined) return undefined;",
      to: "return undefined;",
    },
    ...{ test: "contract/put-back", grep: "although a conflict" },
  },
  {
    name: "roll back: the bytes stay",
    ...{ file: "apache/rollback.sh", from: '[ ! -f "$work/swapped" ] || put_back "$work"', to: ":" },
    ...{ test: "process-live", grep: "answers otherwise" },
  },
  {
    name: "roll back: httpd that died is not started",
    ...{
      file: "apache/rollback.sh",
      from: '  if [ -n "${reload_signalled:-}" ]; then\n    # A supervisor',
      to: "  if false; then\n    # A supervisor",
    },
    ...{ test: "process-live", grep: "dies at the reload" },
  },
  {
    name: "journal: an owed start is forgotten",
    ...{ file: "apache/run.sh", from: "owed='httpd was stopped when this was written'", to: "owed=''" },
    ...{ test: "process-live", grep: "stays stopped" },
  },
  {
    name: "journal: an interrupted run is not put back",
    ...{ file: "apache/recover.sh", from: 'if is_half_done "$recover_run"; then', to: "if false; then" },
    ...{ test: "process-hands", grep: "undo after a run that was killed" },
  },
  {
    name: "pid check: whoever the pid file names",
    ...{ file: "apache/reload.sh", from: '&& [ "$reload_named" = "$parent" ] ||', to: "||" },
    ...{ test: "process-live", grep: "names another process" },
  },
  {
    name: "order of the bundle: that of the fingerprints, whatever OpenSSL takes",
    ...{
      folder: "core/pki",
      file: "installed-order.ts",
      from: "if (best.faults === 0) return sorted;",
      to: "if (best.faults >= 0) return sorted;",
    },
    ...{ test: "core/pki-bundle-order", grep: "is judged as OpenSSL judges it" },
  },
  {
    name: "probe: the judge does not ask",
    ...{ file: "apache/judge.sh", from: '[ "$verdict" = well ] && [ -s "$work/probes.list" ] ||', to: "false ||" },
    ...{ test: "host/probe", grep: "names another certificate of its CA is refused" },
  },
  {
    name: "probe: the live server is not asked",
    ...{ file: "apache/health.sh", from: "is_parent_alive && locks_nobody_out", to: "is_parent_alive" },
    ...{ test: "host/probe", grep: "only the live server shows" },
  },
  {
    name: "probe: every alert is a good one",
    ...{ file: "apache/probe.sh", from: '      "$probe_decrypt_error") continue ;;', to: "      [0-9]*) continue ;;" },
    ...{ test: "host/probe", grep: "is for CA certificates only is refused" },
  },
  {
    name: "probe: another alert than decrypt error is the good one",
    ...{ file: "apache/probe.sh", from: "decrypt_error=51", to: "decrypt_error=46" },
    ...{ test: "host/probe", grep: "what is right goes live" },
  },
  {
    name: "probe: no alert means that all is well",
    ...{ file: "apache/probe.sh", from: '        probe_error=$(logged_errors "$2")\n', to: "        continue\n" },
    ...{ test: "host/probe", grep: "the log decides" },
  },
  {
    name: "probe: who was refused before holds a change up",
    ...{ file: "apache/probe.sh", from: 'elif is_refused_already "$probe" "$4"; then', to: "elif false; then" },
    ...{ test: "host/probe", grep: "hold up no change" },
  },
  {
    name: "probe: without a shadow nobody asks openssl",
    ...{ file: "apache/probe.sh", from: '      *) echo "$probe file" ;;', to: "      *) ;;" },
    ...{ test: "host/probe", grep: "by openssl where there is no shadow" },
  },
  {
    name: "probe: a refresh that would lock out ends like any other",
    ...{
      file: "crl/refresh.sh",
      from: '[ -z "$probe_locked_out$deadly_unstartable" ] ||',
      to: '[ -z "$deadly_unstartable" ] ||',
    },
    ...{ test: "host/refresh-probe", grep: "ends with 3" },
  },
  {
    name: "probe: a refresh raises no alarm for who is refused already",
    ...{ file: "crl/refresh.sh", from: '[ -n "$probe_already_refused" ]; then', to: "false; then" },
    ...{ test: "host/refresh-probe", grep: "raises the alarm" },
  },
  {
    name: "download: a signature is not looked at",
    ...{ file: "crl/crl.sh", from: "grep -q '^verify OK$' -- \"$2.errors\"", to: ":" },
    ...{ test: "refresh/refresh-moments", grep: "weather timer, (tampered|otherKey)" },
  },
  {
    name: "download: an old list replaces a newer one",
    ...{ file: "crl/crl.sh", from: 'print "older"', to: 'print "newer"' },
    ...{ test: "refresh/refresh-moments", grep: "weather timer, older" },
  },
  {
    name: "download: dates do not matter",
    ...{ file: "crl/accept.sh", from: '&& check_crl_dates "$work/crls/$1" ', to: "" },
    ...{ test: "refresh/refresh-moments", grep: "weather timer, (future|expired)" },
  },
  ...hostMutations,
];
