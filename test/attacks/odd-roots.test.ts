/**
 * The whole life of a server whose root and files have names that a shell, a list or an encoding could take for
 * something else.
 */
import assert from "node:assert/strict";
import type { Diagnostic } from "../../core/diagnostic.ts";
import { request } from "../../lab/client.ts";
import { faultyProgram } from "../faults/program.ts";
import { clientsOf, wantedTable } from "../host/clients.ts";
import { asBytes, moveTree, oddNames, shellWord } from "./odd-root.ts";
import { sourced, startRefreshSession, type RefreshSession } from "../host/refresh-session.ts";

for (const [what, names] of Object.entries(oddNames))
  describe(`a server ${what}`, function () {
    this.timeout(180_000);
    const { root, config, included } = names;
    const own = `${root}/conf/clientcert`;
    const tls = `${root}/conf/extra/${included}`;
    let session: RefreshSession;
    let clean: string;
    /** Shell text that redefines functions of the program. */
    let more = "";

    before(async () => {
      session = await startRefreshSession({ virtualHosts: 2, stopped: true }, () => faultyProgram({ more }));
      await moveTree(session.lab, names);
      clean = await tree();
    });
    after(() => session.stop());
    afterEach(() => {
      more = "";
    });

    const wish = () => sourced(session.publisher);
    const run = (command: string) => session.lab.run(command);
    /** Bytes, owners and modes of all that is not written by httpd itself, and of our state. */
    const tree = () =>
      run(`cd ${shellWord(root)} && { find . /var/lib/clientcert /etc/cron.d -path ./logs -prune -o -printf '%y %m %u %p\\n'
        find . /etc/cron.d -path ./logs -prune -o -type f -exec sha256sum {} +; } 2>/dev/null | sort`);
    const blocking = (findings: readonly Diagnostic[]) => findings.filter(({ severity }) => severity !== "note");

    it("is looked at under its own names", async () => {
      const { server, virtualHosts, obstacles } = await session.look();
      assert.deepEqual(obstacles, []);
      assert.equal(server.serverRoot, asBytes(root));
      assert.equal(server.configFile, asBytes(`${root}/conf/${config}`));
      assert.deepEqual(new Set(virtualHosts.map(({ file }) => file)), new Set([asBytes(tls)]));
      assert.equal(virtualHosts[0]?.documentRoot, asBytes(`${root}/htdocs`));
    });

    it("is judged well by the shadow, and left as it was", async () => {
      const { result, judge, reasons } = await session.judge(wish());
      assert.deepEqual([result, judge, reasons], ["well", "shadow", []]);
      assert.equal(await tree(), clean);
    });

    it("is judged well by the smaller judge where the host allows no namespaces", async () => {
      more = 'shadow() { echo "none here" >"$work/shadow.errors"; return 3; }';
      const { result, judge } = await session.judge(wish());
      assert.deepEqual([result, judge], ["well", "minimal"]);
    });

    it("is not touched where a file is a mount point", async () => {
      await run(`mount --bind ${shellWord(tls)} ${shellWord(tls)}`);
      const { result, reasons } = await session.apply(wish());
      await run(`umount ${shellWord(tls)}`);
      assert.equal(result, "refused");
      assert.ok(
        reasons.includes(`${tls}: is a mount point, which cannot be replaced; edit the file that is mounted there`),
      );
      assert.equal(await tree(), clean);
    });

    it("is put back to the byte where it does not answer as promised", async () => {
      more = "check_health() { return 1; }";
      assert.equal((await session.apply(wish())).result, "rolledBack");
      assert.equal(await tree(), clean);
    });

    it("is set up, and a second look wants nothing", async () => {
      const { result, reasons } = await session.apply(wish());
      assert.deepEqual([result, reasons], ["applied", []]);
      assert.deepEqual(await clientsOf(session.lab), wantedTable);
      const { change, diagnostics } = await session.plan(wish());
      assert.deepEqual([change, blocking(diagnostics)], [undefined, []]);
    });

    it("gets a new CRL by the timer's own command", async () => {
      await session.publishNew();
      const before = await run(`sha256sum <${shellWord(`${own}/crl.pem`)}`);
      assert.deepEqual(await session.timer(), { exitCode: 0, output: "" });
      assert.notEqual(await run(`sha256sum <${shellWord(`${own}/crl.pem`)}`), before);
      assert.deepEqual(await clientsOf(session.lab), wantedTable);
      assert.match((await session.refresh("--status")).output, /^last run .*: updated \(exit status 0\)$/m);
      assert.equal((await session.plan(wish())).change, undefined);
    });

    it("is told which file of ours httpd does not accept", async () => {
      const conf = shellWord(`${own}/clientcert.conf`);
      await run(`cp -a ${conf} /tmp/conf && echo Nonsense >>${conf}`);
      const { obstacles } = await session.look();
      await run(`cp -a /tmp/conf ${conf}`);
      assert.deepEqual(
        obstacles.map(({ place, text }) => [place.replace(/:\d+$/, ""), /the file is ours and was altered/.test(text)]),
        [[asBytes(`${own}/clientcert.conf`), true]],
      );
      assert.equal((await session.plan(wish())).change, undefined);
    });

    it("is repaired where somebody took our lines and files away", async () => {
      await run(`sed -i /clientcert/d ${shellWord(tls)} && rm ${shellWord(`${own}/README`)}
        echo '# tampered' >>${shellWord(`${own}/clientcert.conf`)}`);
      const { change, diagnostics } = await session.plan(wish());
      assert.equal(change?.edits.length, 1);
      assert.ok(
        diagnostics.every(({ place }) => !place.includes("Ã") && !/[\x80-\x9f]/.test(place)),
        "places are text",
      );
      assert.equal((await session.apply({ ...wish(), reloadPendingEdits: true })).result, "applied");
      assert.deepEqual(await clientsOf(session.lab), wantedTable);
      assert.equal((await session.plan(wish())).change, undefined);
    });

    it("is as before after its own undo, and after a removal", async () => {
      const said = await run("sh /var/lib/clientcert/*/undo");
      assert.match(said, /^done: client-certificate authentication is out of this server/m);
      assert.equal(await tree(), clean);
      assert.equal((await session.apply(wish())).result, "applied");
      const { result, reasons } = await session.remove();
      assert.deepEqual([result, reasons], ["applied", []]);
      assert.equal(await tree(), clean);
      assert.equal((await request(session.lab)).outcome, "200");
    });
  });
