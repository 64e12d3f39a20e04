import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { request, startTraffic } from "../../lab/client.ts";
import { HostError } from "../../provider/remote/host-error.ts";
import { startSession, type Session } from "../host/session.ts";
import { bytesOf } from "./bytes.ts";
import { faultyProgram, forgetSteps, noteState, readSteps, distinctSteps } from "./program.ts";

const stateDirectory =
  "/var/lib/clientcert/$(printf %s /usr/local/ni/apache/conf/httpd.conf | sha256sum | cut -c 1-16)";
const quick = faultyProgram({ unjudged: true });
/** Waits while it holds the lock, before anything is swapped. */
const slow = faultyProgram({ unjudged: true, more: "find_unit() { start_unit=''; step lingering; sleep 2; }" });
const garbageCrl = Buffer.from("-----BEGIN X509 CRL-----\nnot a list\n-----END X509 CRL-----\n");
const cutConnections = `pids=$(pgrep -f '^sshd: root') && kill -KILL $pids`;

describe("runs on one host", function () {
  this.timeout(120_000);
  let session: Session;
  let program = quick;
  let clean: string;

  before(async () => {
    session = await startSession({ virtualHosts: 2 }, {}, () => program);
    clean = await bytesOf(session);
  });
  beforeEach(() => void (program = quick));
  after(() => session.stop());

  async function assertAppliedThenRemove(): Promise<void> {
    assert.equal((await session.plan()).change, undefined);
    assert.equal((await request(session.lab, { certificate: "revoked" })).outcome, "refused");
    program = quick;
    await session.remove();
    assert.equal(await bytesOf(session), clean);
  }

  /** Applies, calls `interfere` while the run lingers before its swap, and returns the outcome. */
  async function applyWhile(interfere: () => Promise<unknown>) {
    const transaction = await session.prepare();
    program = slow;
    let interference: Promise<unknown> | undefined;
    const outcome = await session.host.apply(session.target, transaction, {
      onProgress: (step) => {
        program = quick; // for whoever comes now
        if (step === "lingering") interference = interfere();
      },
    });
    assert.notEqual(interference, undefined);
    await interference;
    return outcome;
  }

  it("do not disturb each other: the second is told of the first", async () => {
    const second = await session.prepare({ organizations: ["ANOTHER CORPORATION"] });
    const outcome = await applyWhile(() =>
      assert.rejects(session.host.apply(session.target, second), (error: unknown) => {
        assert.ok(error instanceof HostError);
        assert.equal(error.kind, "locked");
        assert.match(error.message, /another run works on this server \(process \d+\); wait until it has ended/);
        return true;
      }),
    );
    assert.equal(outcome.result, "applied");
    await assertAppliedThenRemove();
  });

  it("do not disturb each other when the first stalls just while it takes the lock", async () => {
    const crowd = `find_unit() { start_unit=''; mkdir /run/inside || echo both >/run/both; for i in $(seq 40); do [ -f /run/both ] || sleep 0.2; done; rmdir /run/inside; }`;
    const stall = `hold() { case $1 in */lock) step stalling && sleep 6 ;; esac; read_process "$$"; echo "$$ $process_start $(boot_id)" >"$1/holder"; }`;
    const [first, second] = [await session.prepare(), await session.prepare({ organizations: ["X"] })];
    program = faultyProgram({ unjudged: true, more: `${crowd}\n${stall}` });
    const results: string[] = [];
    const run = (transaction: typeof first, options = {}) =>
      session.host.apply(session.target, transaction, options).then(
        ({ result }) => void results.push(result),
        (error: unknown) => void results.push(error instanceof HostError ? error.kind : String(error)),
      );
    let other: Promise<void> | undefined;
    await run(first, {
      onProgress: (step: string) => {
        program = faultyProgram({ unjudged: true, more: crowd });
        if (step === "stalling") other ??= run(second);
      },
    });
    await other;
    assert.equal((await session.lab.exec("cat /run/both")).stdout, "");
    assert.equal(results.filter((result) => result === "applied").length, 1, results.join());
    assert.equal(results.length, 2);
    program = quick;
    await session.remove();
    assert.equal(await bytesOf(session), clean);
  });

  for (const [whose, holder] of [
    ["a process that is gone", "999999 12345 $(cat /proc/sys/kernel/random/boot_id)"],
    ["another process with the same number", "1 99 $(cat /proc/sys/kernel/random/boot_id)"],
    ["a process before the last boot", "1 $(cut -d ' ' -f 22 /proc/1/stat) 00000000-0000-0000-0000-000000000000"],
    ["a process that died before it had written its name", ""],
  ] as const) {
    it(`take over the lock of ${whose}`, async () => {
      await session.lab.run(`mkdir -p ${stateDirectory}/lock && echo "${holder}" >${stateDirectory}/lock/holder`);
      assert.equal((await session.apply()).result, "applied");
      await assertAppliedThenRemove();
    });
  }

  it("go on when the connection is cut, and are asked how they ended", async () => {
    const outcome = await applyWhile(() => session.lab.run(cutConnections));
    assert.deepEqual([outcome.result, outcome.generation, outcome.reasons], ["applied", 1, []]);
    assert.notEqual(outcome.observation, undefined);
    await assertAppliedThenRemove();
  });

  it("that came to nothing tell why also after the connection was cut, and leave no look at the host", async () => {
    const refuse = 'judge_candidate() { list_placed; step lingering; sleep 1; refuse "the judge has its reasons"; }';
    const transaction = await session.prepare();
    program = faultyProgram({ more: refuse });
    const outcome = await session.host.apply(session.target, transaction, {
      onProgress: (step) => {
        if (step !== "lingering") return;
        // As when the network is gone and the host does not know: it goes on to the end, and is asked later.
        program = `sleep 5\n${faultyProgram({})}`;
        void session.lab.run(`pids=$(pgrep -f '^sshd: root') && kill -STOP $pids; sleep 4; kill -KILL $pids`);
      },
    });
    assert.deepEqual([outcome.result, outcome.reasons], ["refused", ["the judge has its reasons"]]);
    assert.equal(await bytesOf(session), clean);
    const kept = await session.lab.run("cat /run/clientcert.result.*; stat -c %a /run/clientcert.result.*");
    assert.match(kept, / done\n600\n$/);
    assert.doesNotMatch(kept, /ServerRoot/);
    await session.lab.run("touch -d '2 hours ago' /run/clientcert.result.*");
    program = quick;
    await session.judge();
    assert.equal((await session.lab.exec("ls /run/clientcert.result.*")).stdout, "");
  });

  it("of removal go on when the connection is cut, and leave nothing", async () => {
    await session.apply();
    program = slow;
    const removing = session.remove();
    await session.lab.run(
      `until grep -qs 'step lingering' /var/lib/clientcert/*/run.*/output; do sleep 0.05; done; ${cutConnections}`,
    );
    program = quick;
    assert.equal((await removing).result, "applied");
    assert.equal(await bytesOf(session), clean);
  });

  it("go on when the controlling process is killed", async () => {
    const controller = fileURLToPath(new URL("controller.ts", import.meta.url));
    const child = spawn(process.execPath, ["--import", "tsx", controller], { stdio: ["pipe", "pipe", "inherit"] });
    const transaction = await session.prepare();
    const written = (files: ReadonlyMap<string, Buffer>) =>
      [...files].map(([name, bytes]) => [name, bytes.toString("latin1")]);
    const { contents, probes } = transaction;
    child.stdin.end(
      JSON.stringify({
        target: session.target,
        transaction: { ...transaction, contents: written(contents), probes: written(probes) },
        program: slow,
      }),
    );
    for await (const chunk of child.stdout) if (String(chunk).includes("lingering")) break;
    child.kill("SIGKILL");
    await once(child, "close");
    await session.lab.run(
      "until [ -s /var/lib/clientcert/*/journal ] && ! [ -d /var/lib/clientcert/*/lock ]; do sleep 0.05; done",
    );
    await assertAppliedThenRemove();
  });

  it("bear a reload by somebody else between any two steps", async () => {
    const reloadEach = `{ ${noteState}; }; [ "$(tail -n 1 /run/fault/states)" = "$(tail -n 2 /run/fault/states | head -n 1)" ] || { kill -USR1 "$(cat /usr/local/ni/apache/logs/httpd.pid)"; echo reload >>/run/fault/reloads; sleep 0.2; }`;
    for (const run of [() => session.apply(), () => session.apply({ organizations: ["X"] }), () => session.remove()]) {
      await session.lab.run(forgetSteps);
      program = faultyProgram({ unjudged: true, at: reloadEach });
      const outcome = await run();
      assert.deepEqual([outcome.result, outcome.reasons], ["applied", []]);
      assert.ok(distinctSteps(await session.lab.run(readSteps)).length > 5);
      assert.ok(Number(await session.lab.run("wc -l </run/fault/reloads")) > 5);
      assert.equal((await request(session.lab)).outcome, "200");
      program = quick;
    }
    assert.equal(await bytesOf(session), clean);
  });

  it("fail no request of others: applied, changed, refused, rolled back, removed", async () => {
    const traffic = startTraffic(session.lab);
    const results: string[] = [];
    results.push((await session.apply()).result, (await session.apply({ organizations: ["X"] })).result);
    const transaction = await session.prepare({});
    program = faultyProgram({});
    const contents = new Map([...transaction.contents, ["crl.pem", garbageCrl]]);
    const crl = { role: "crl", name: "crl.pem", sha256: "", text: undefined } as const;
    const change = { ...transaction.change, write: [crl, ...transaction.change.write] };
    results.push((await session.host.apply(session.target, { ...transaction, change, contents })).result);
    program = faultyProgram({ unjudged: true, more: "check_health() { return 1; }" });
    results.push((await session.apply()).result);
    program = quick;
    results.push((await session.remove()).result);
    const { requests, failures } = await traffic.stop();
    assert.deepEqual(results, ["applied", "applied", "refused", "rolledBack", "applied"]);
    assert.ok(requests > 20);
    assert.deepEqual(failures, []);
    assert.equal(await bytesOf(session), clean);
  });
});
