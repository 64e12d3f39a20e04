/**
 * No step of a change is forgotten by the tests that end runs at each of them: the steps are found by a mark in the
 * source.
 */
import assert from "node:assert/strict";
import { hostScript } from "../../provider/apache/host-program.ts";
import { sourced, startRefreshSession, stateDirectory } from "../host/refresh-session.ts";
import { markedFunctions, readShellFunctions, writesOf } from "./marks.ts";
import { faultyProgram, forgetSteps, readFunctionsSeen } from "./program.ts";

const scratch = "to files of its run that it is given by name, which vanish with the work directory";
const shadow = "in the shadow's own namespaces (attack-unshare.test.ts)";

/** Functions that write and are not marked, each with where they write to. */
const unmarked: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      ...["ask_all", "ask_everything", "show_probes", "make_untrusted", "ask_live", "write_log_words"],
      ...["read_each", "choose_crls", "take_off_certificate_armour", "print_crl", "split_cas", "write_crl_facts"],
      ...["drop_crls_of_users", "download", "decode_ldap", "gather_own", "build_candidate", "copy_run"],
    ].map((name) => [name, scratch]),
  ),
  ...Object.fromEntries(
    [
      ...["shadow_outside_view", "shadow_inside_view", "build_view", "view_of", "bind_candidates", "build_devices"],
      ...["place_candidates", "place_candidate", "empty_logs", "add_names", "say_deadly"],
    ].map((name) => [name, shadow]),
  ),
  spare_the_server: "to what the kernel says of this process",
  judge_minimal: "ends the throw-away httpd that it started",
  read_proxy: "nothing: a text says chmod",
  limited: "ends the process that it started beside a look",
  end_when_late: "to the pipe of the look that it ends",
  end_tree: "ends what a look has started, and no run that changes anything (hanging-look.test.ts)",
};

describe("the steps at which the fault ring ends runs", function () {
  const functions = readShellFunctions();

  it("are in every function that writes: it has the mark, or stands here with its reason", () => {
    const writers = functions.filter((one) => !one.isMarked && writesOf(one).length > 0);
    const found = writers.map((one) => `${one.name} of ${one.file} writes: ${writesOf(one).join("; ")}`);
    assert.deepEqual(
      found.filter((line) => unmarked[line.split(" ")[0] ?? ""] === undefined),
      [],
      "write `# writes` directly above it",
    );
    const names = new Set(writers.map(({ name }) => name));
    assert.deepEqual(
      Object.keys(unmarked).filter((name) => !names.has(name)),
      [],
      "writes no more, or is marked",
    );
  });

  it("are found where a function would write, by every way to do that", () => {
    for (const [commands, count] of examples) {
      const one = { file: "x.sh", name: "x", isMarked: false, start: 0, text: "", commands };
      assert.equal(writesOf(one).length, count, `${commands}: ${writesOf(one).join("; ")}`);
    }
  });

  it("are in every function of the sources, and in each marked one of the program under test", () => {
    const program = faultyProgram({ at: ":" });
    const heads = hostScript().match(/^\w+\(\) [{(]/gm) ?? [];
    const names = new Set(functions.map(({ name }) => name));
    for (const head of heads) assert.ok(names.has(head.split("(")[0] ?? ""), head);
    assert.ok(markedFunctions().size > 50);
    for (const name of markedFunctions()) assert.match(program, new RegExp(`\\bfault_point ${name}\\b`), name);
  });
});

const examples: readonly [commands: string, writes: number][] = [
  ['echo 1 >"$state/x"', 1],
  ['echo 1 >"$work/x" 2>&1 >/dev/null 2>/dev/null', 0],
  ['echo 1 >>"$work/swapped"', 1],
  ['cp -- "$state/x" "$work/x"', 0],
  ['cp -- "$work/x" "$state/x"', 1],
  ['mv -f -- "$work/x" "$work/y" && rm -rf -- "$work"', 0],
  ['[ -f x ] || rm -f -- "$own_directory/x"', 1],
  ['if mkdir -m 700 -- "$work"; then sync -- "$path"; fi', 1],
  ['kill -0 "$pid" && kill -USR1 "$parent"', 1],
  ["systemctl is-active x || systemctl start x", 1],
];

describe("every marked function", function () {
  this.timeout(120_000);

  it("is stepped through by a first change, a refresh, a later change, what goes wrong with them, and a removal", async () => {
    let program = faultyProgram({ at: ":", unjudged: true });
    const session = await startRefreshSession({}, () => program);
    const use = (more: string): void => void (program = faultyProgram({ at: ":", unjudged: true, more }));
    const other = () => sourced(session.publisher, { organizations: ["ANOTHER CORPORATION"] });
    try {
      await session.lab.run(forgetSteps);
      // Out of room to remember it, ended early, killed, and then made.
      use("journal_set() { return 1; }");
      await session.apply(sourced(session.publisher));
      use("check_health() { exit 1; }");
      await session.apply(sourced(session.publisher));
      use("wait_for_reload() { kill -KILL $$; }");
      await assert.rejects(session.apply(sourced(session.publisher)));
      use("");
      assert.equal((await session.apply(sourced(session.publisher))).result, "applied");
      await session.publishNew();
      assert.equal((await session.refresh()).exitCode, 0);
      use(
        "wait_for_reload() { [ -e /run/died ] || { touch /run/died; kill -TERM $parent; while is_parent_alive; do sleep 0.1; done; return 1; }; }",
      );
      assert.equal((await session.apply(other())).result, "rolledBack");
      use("");
      assert.equal((await session.apply({ crlSources: [] })).result, "applied");
      await session.lab.run(`sh ${stateDirectory}/undo`);
      const seen = new Set((await session.lab.run(readFunctionsSeen)).split("\n"));
      assert.deepEqual(
        [...markedFunctions()].filter((name) => !seen.has(name)),
        [],
      );
    } finally {
      await session.stop();
    }
  });
});
