/** What a power cut leaves of files that nobody had written through to the disk: they are empty. */
import assert from "node:assert/strict";
import { startSession, type Session } from "../host/session.ts";
import { bytesOf } from "./bytes.ts";
import { faultyProgram } from "./program.ts";

const root = "/usr/local/ni/apache";
const tls = `${root}/conf/extra/httpd-ssl.conf`;

describe("a power cut", function () {
  this.timeout(90_000);
  let session: Session;
  let program: string;
  let clean: string;

  before(async () => {
    session = await startSession({}, {}, () => program);
    program = faultyProgram({ unjudged: true });
    clean = await bytesOf(session);
  });
  beforeEach(() => void (program = faultyProgram({ unjudged: true })));
  after(() => session.stop());

  it("finds what would be put back on the disk before the first step, and what undo needs before the journal", async () => {
    const log = 'sync() { for file in "$@"; do echo "$file" >>/run/syncs; done; command sync "$@"; }';
    for (const [wish, kept] of [
      [{}, "before/edit/1"],
      [{ organizations: ["X"] }, "before/own/clientcert.conf"],
    ] as const) {
      await session.lab.run(": >/run/syncs");
      program = faultyProgram({ unjudged: true, more: log });
      assert.equal((await session.apply(wish)).result, "applied");
      const synced = (
        await session.lab.run("sed 's,.*/run[.][^/]*/,,; s,^/var/lib/clientcert/[^/]*/,state/,' /run/syncs")
      )
        .trim()
        .split("\n");
      const first = synced.slice(0, synced.indexOf("swapped"));
      for (const file of [kept, "before/edit.list", "directory", "made"]) assert.ok(first.includes(file), file);
      const earlier = synced.slice(0, synced.indexOf("state/journal.new"));
      for (const file of ["state/edited.new", "state/program.new"]) assert.ok(earlier.includes(file), file);
    }
    program = faultyProgram({ unjudged: true });
    await session.remove();
    assert.equal(await bytesOf(session), clean);
  });

  it("before anything was swapped leads no later run astray", async () => {
    const state = "/var/lib/clientcert/$(printf %s /usr/local/ni/apache/conf/httpd.conf | sha256sum | cut -c 1-16)";
    await session.lab.run(
      `mkdir -p ${state}/run.cut/before && cd ${state}/run.cut && touch swapped directory made before/edit.list; mkdir /.stage`,
    );
    assert.equal((await session.apply()).result, "applied");
    await session.lab.run("rmdir /.stage"); // nobody took it for ours
    await session.remove();
    assert.equal(await bytesOf(session), clean);
  });

  it("after the stages were tidied up loses no attribute of an edited file, such as its security label", async function () {
    const attribute = (call: string): Promise<string> => session.lab.run(`python3 -c 'import os; print(os.${call})'`);
    await attribute(`setxattr("${tls}", "user.label", b"kept")`);
    program = faultyProgram({ unjudged: true, more: "journal_set() { kill -KILL $$; }" });
    await assert.rejects(session.apply());
    program = faultyProgram({ unjudged: true });
    const { change } = await session.plan();
    assert.notEqual(change, undefined);
    const wish = { reloadPendingEdits: true };
    assert.equal((await session.apply(wish)).result, "applied");
    await session.remove();
    assert.match(await attribute(`getxattr("${tls}", "user.label")`), /kept/);
  });

  it("or a removal while the timer waits brings nothing back", async () => {
    await session.apply();
    const wait = 'wait_for_turn() { rm -rf -- "$state"; }';
    await session.lab.run(
      `touch ${root}/conf/clientcert/refresh.conf; cat >/run/p; cp /run/p "$(echo /var/lib/clientcert/*)/refresh-program"`,
      faultyProgram({ more: wait }),
    );
    await session.lab.run("sh /var/lib/clientcert/*/refresh-program refresh --timer");
    assert.equal((await session.lab.exec("ls /var/lib/clientcert")).stdout, "");
  });
});
