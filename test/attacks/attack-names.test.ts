/**
 * The central faults once more, beside processes of an ordinary user whose names hold whatever misleads a reader of
 * /proc.
 */
import assert from "node:assert/strict";
import { request } from "../../lab/client.ts";
import { hostScript } from "../../provider/apache/host-program.ts";
import { sourced, startRefreshSession, stateDirectory, type RefreshSession } from "../host/refresh-session.ts";
import { bytesOf, endHttpd } from "../faults/bytes.ts";
import { startNeighbours } from "./neighbours.ts";
import { faultyProgram } from "../faults/program.ts";
import { replaceOnce } from "../faults/program.ts";

const quick = faultyProgram({ unjudged: true });
const root = "/usr/local/ni/apache";

describe("beside processes with hostile names", function () {
  this.timeout(120_000);
  let session: RefreshSession;
  let program = faultyProgram({});
  let clean: string;

  before(async () => {
    session = await startRefreshSession({ virtualHosts: 2 }, () => program);
    await startNeighbours(session);
    clean = await bytesOf(session);
  });
  beforeEach(() => void (program = quick));
  after(() => session.stop());

  const wire = async (): Promise<string> => {
    const asked = [{}, { certificate: "good" }, { certificate: "revoked" }] as const;
    return (await Promise.all(asked.map((wish) => request(session.lab, wish)))).map(({ outcome }) => outcome).join();
  };
  const apply = () => session.apply(sourced(session.publisher));

  for (const shell of ["sh", "busybox ash"]) {
    it(`${shell} reads of each process whose child it is and when it began`, async () => {
      const tell = `for entry in /proc/[0-9]*; do read_process "\${entry#/proc/}" && echo "\${entry#/proc/} $process_parent $process_start"; done`;
      await session.lab.run("cat >/run/read.sh", replaceOnce(hostScript(), 'main "$@"\n', `${tell}\n`));
      const [read = "", truth = ""] = (
        await session.lab.run(`${shell} /run/read.sh; echo --; perl -e '${truthOfProcesses}'`)
      ).split("--\n");
      const lines = truth.split("\n").filter((line) => line !== "");
      assert.ok(lines.length > 20, truth);
      for (const line of lines) assert.ok(read.includes(`${line}\n`), `${line} in ${read}`);
    });
  }

  it("a first change is judged, made and seen", async () => {
    program = faultyProgram({});
    const { result, judge, reasons } = await apply();
    assert.deepEqual([result, judge], ["applied", "shadow"], reasons.join("\n"));
    assert.equal(await wire(), "200,200,refused");
    assert.equal((await session.plan(sourced(session.publisher))).change, undefined);
  });

  it("a refresh installs the new list", async () => {
    await session.publishNew(session.pki.clients.good.serial);
    const { exitCode, output } = await session.refresh();
    assert.equal(exitCode, 0, output);
    assert.equal(await wire(), "200,refused,refused");
  });

  it("a change that does not answer as promised is rolled back", async () => {
    const before = await bytesOf(session, `${root}/conf`);
    program = faultyProgram({ unjudged: true, more: "check_health() { return 1; }" });
    const wish = sourced(session.publisher, { organizations: ["ANOTHER CORPORATION"] });
    assert.equal((await session.apply(wish)).result, "rolledBack");
    assert.equal(await bytesOf(session, `${root}/conf`), before);
    assert.equal(await wire(), "200,refused,refused");
  });

  it("a run that is killed at its reload is put back by the next one", async () => {
    program = faultyProgram({ unjudged: true, more: "wait_for_reload() { kill -KILL $$; }" });
    const wish = sourced(session.publisher, { countries: ["JP", "US"] });
    await assert.rejects(session.apply(wish), /as if it had been killed/);
    program = quick;
    const { result, reasons } = await session.apply(wish);
    assert.equal(result, "applied", reasons.join("\n"));
    assert.match(reasons.join("\n"), /was interrupted; its changes were put back first/);
  });

  it("undo by hand, and a removal, leave nothing", async () => {
    const said = await session.lab.run(`sh ${stateDirectory}/undo`);
    assert.match(said, /^done: client-certificate authentication is out of this server, and httpd runs without it$/m);
    assert.equal(await bytesOf(session), clean);
    assert.equal(await wire(), "200,200,200");
    assert.equal((await apply()).result, "applied");
    assert.equal((await session.remove()).result, "applied");
    assert.equal(await bytesOf(session), clean);
    assert.equal(await wire(), "200,200,200");
  });

  it("a server that root runs below another user's program of that name is found", async () => {
    await endHttpd(session);
    await session.lab.run(`rm -f ${root}/logs/httpd.pid; cat >/run/below.pl`, belowHttpd);
    await session.lab.run(
      "perl /run/below.pl </dev/null >/dev/null 2>&1 & for i in $(seq 50); do pgrep -x httpd >/dev/null && break; sleep 0.1; done; sleep 0.5",
    );
    assert.equal((await session.look()).server.running, true);
  });
});

/** Those of the neighbours and of httpd, as another reader has them. */
const truthOfProcesses =
  'for (</proc/[0-9]*>) { open F, "$_/stat" or next; local $/; my @f = split " ", <F> =~ s/^.*\\)//sr; m/(\\d+)/; print "$1 $f[1] $f[19]\\n" if $f[1] == 1 }';

const belowHttpd = `
  my $child = fork;
  exec "sh", "-c", ". ${root}/bin/envvars; exec ${root}/bin/httpd -d ${root} -f conf/httpd.conf -D FOREGROUND" if !$child;
  exec "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/tmp/neighbours/httpd", "-e", "sleep 10 while 1";
`;
