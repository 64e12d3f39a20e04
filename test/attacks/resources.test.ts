/** A login with limits, and file systems without inodes: named, nothing changed, and nothing left behind. */
import assert from "node:assert/strict";
import { startSession, type Session } from "../host/session.ts";
import { unchanged } from "../host/unchanged.ts";
import { faultyProgram } from "../faults/program.ts";

const endOf = (run: Promise<{ result: string; reasons: readonly string[] }>): Promise<string> =>
  run.then(
    ({ result, reasons }) => [result, ...reasons].join("\n"),
    (error: Error) => error.message,
  );

const works = "ls -d /var/lib/clientcert/*/run.* /run/clientcert.[0-9]* 2>/dev/null || :";

describe("a change that this login has too little for", function () {
  this.timeout(90_000);
  let session: Session;
  let program = faultyProgram({});

  before(async () => void (session = await startSession({}, {}, () => program)));
  afterEach(async () => {
    program = faultyProgram({});
    await limit("fsize=unlimited: --as=unlimited: --nofile=1024:");
  });
  after(() => session.stop());

  /** Of the connection that stands as well as of the next one. */
  const limit = (what: string) => session.lab.run(`for each in $(pgrep sshd); do prlimit --pid $each --${what}; done`);

  /** Nothing is changed, and no work folder stays; returns what was said. */
  async function refused(run: () => Promise<{ result: string; reasons: readonly string[] }>): Promise<string> {
    const said = await unchanged(session, () => endOf(run()));
    assert.doesNotMatch(said, /as if it had been killed/);
    assert.equal(await session.lab.run(works), "", said);
    return said;
  }

  it("names the limit of file size, before anything is written", async () => {
    await limit("fsize=100000:");
    const words = /may write no file of more than 100000 bytes \(limit of file size\), and this needs \d+; raise it/;
    assert.match(await refused(() => session.apply()), words);
    assert.match(await refused(() => session.judge()), words);
  });

  it("names limits where httpd itself does not run", async () => {
    const change = await session.prepare();
    program = faultyProgram({ more: "ulimit -v 7000" });
    const said = await refused(() => session.host.apply(session.target, change));
    assert.match(said, /limits that may be the cause \(address space 7168000 bytes\)/);
  });

  it("names limits where a run ends without a word", async () => {
    program = faultyProgram({ more: `ulimit -v 900000; extend_deadline() { kill -KILL $$; }` });
    const said = await refused(async () => session.host.apply(session.target, await session.prepare()));
    assert.match(said, /could not go on: this login has limits that may be the cause \(address space \d+ bytes\)/);
  });

  const spend = {
    memory: `ulimit -v 30000; awk 'BEGIN { all = "x"; while (1) all = all all }' || exit 1`,
    "file size": "ulimit -f 1; head -c 99999 /dev/zero >$work/big || exit 1",
    "open files": "ulimit -n 4; cat /dev/null /dev/null 5</dev/null; exit 1",
    processes: 'echo "sh: 1: Cannot fork" >&2; exit 2',
  };
  for (const [what, how] of Object.entries(spend)) {
    const isStandIn = what === "processes" ? " (a stand-in: root has none)" : "";
    it(`says which limit a run hit after it had begun: ${what}${isStandIn}`, async () => {
      program = faultyProgram({ more: `extend_deadline() { ${how}; }` });
      const said = await refused(async () => session.host.apply(session.target, await session.prepare()));
      assert.match(said, new RegExp(`could not go on: a limit of ${what} was hit.*nothing was changed`));
    });
  }

  it("is made once there is enough", async () => {
    assert.equal((await session.apply()).result, "applied");
  });
});

describe("a file system without inodes", function () {
  this.timeout(90_000);

  it("is named where the state lies, and where a judge works", async () => {
    const session = await startSession();
    try {
      await session.lab.run("mkdir /var/lib/clientcert; mount -t tmpfs -o nr_inodes=50 tmpfs /var/lib/clientcert");
      const said = await unchanged(session, () => endOf(session.apply()));
      assert.match(
        said,
        /the file system of \/var\/lib\/clientcert\/\w+ has 49 inodes left.*delete files there \(df -i/,
      );
      assert.equal(await session.lab.run(works), "");
      await session.lab.run("mount -o remount,nr_inodes=$(($(stat -f -c '%c - %d' /run))) /run");
      assert.match(await endOf(session.judge()), /private directory in \/run \(no inodes are left there: df -i/);
      await session.lab.run("mount -o remount,nr_inodes=100000 /run; umount /var/lib/clientcert");
      assert.equal((await session.apply()).result, "applied");
    } finally {
      await session.stop();
    }
  });
});
