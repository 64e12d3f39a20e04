/** Looks that would wait for ever: they end on the host, too, leave no process there, and say what they waited for. */
import assert from "node:assert/strict";
import type { LabHost } from "../../lab/host.ts";
import type { Target } from "../../core/site/target.ts";
import { hostScript } from "../../provider/apache/host-program.ts";
import { startSession, type Session } from "../host/session.ts";
import { replaceOnce } from "../faults/program.ts";

const root = "/usr/local/ni/apache";
const directory = `${root}/conf/clientcert`;

/** Ends after 3 s, whatever the request says. `more`: shell text that redefines functions. */
function hastyProgram(more = ""): string {
  const hasty = replaceOnce(hostScript(), "request_observe_seconds=50", "request_observe_seconds=3");
  const deaf = replaceOnce(hasty, "limit_seconds=$request_value ;; esac ;;", ": ;; esac ;;");
  return replaceOnce(deaf, 'main "$@"\n', `${more}\nmain "$@"\n`);
}

/** What runs there besides the servers' own, and the kept connection. */
async function processes(lab: LabHost): Promise<string[]> {
  const lines = (await lab.run("ps -eo stat=,args=")).split("\n");
  return lines.filter((line) => line !== "" && !/^Z|sshd|apache2|ps -eo/.test(line)).sort();
}

describe("a look that would wait for ever", function () {
  this.timeout(120_000);
  let session: Session;
  let program: string;
  let quiet: string[];

  before(async () => {
    session = await startSession({ virtualHosts: 2, ops: { sudo: "passwordless" } }, {}, () => program);
    program = hostScript();
    await session.apply();
    program = hastyProgram();
    quiet = await processes(session.lab);
  });
  after(() => session.stop());

  /** A pipe in the place of a file, for the time of a look. */
  async function withPipe<Result>(path: string, look: () => Promise<Result>): Promise<Result> {
    await session.lab.run(`[ ! -e ${path} ] || mv ${path} /run/aside; mkfifo ${path}`);
    try {
      return await look();
    } finally {
      await session.lab.run(`rm ${path}; [ ! -e /run/aside ] || cp -p /run/aside ${path}; rm -f /run/aside`);
    }
  }

  async function nothingIsLeft(): Promise<void> {
    assert.deepEqual(await processes(session.lab), quiet);
    assert.equal(await session.lab.run("ls -d /run/clientcert.* 2>/dev/null || :"), "");
  }

  const slow = { name: "HostError", kind: "timeout" };
  const lookAs = (connection: Partial<Target["connection"]>) =>
    session.host.observe({ ...session.target, connection: { ...session.connection, ...connection } });
  const included = `${root}/conf/extra/httpd-ssl.conf`;
  const readingWords = /httpd's reading of its configuration \(\S+\) took longer than 3 seconds: does that name a pipe/;

  for (const [how, rules] of [
    ["as root", undefined],
    ["through sudo", "ops ALL=(ALL) NOPASSWD: ALL\n"],
    ["through sudo with a terminal of its own", "Defaults use_pty\nops ALL=(ALL) NOPASSWD: ALL\n"],
  ] as const) {
    it(`ends where httpd reads a pipe that is included, ${how}`, async () => {
      if (rules !== undefined)
        await session.lab.run("cat >/etc/sudoers.d/ops; chmod 440 /etc/sudoers.d/ops; rm -rf /run/sudo/ts", rules);
      const connection = rules === undefined ? {} : ({ user: "ops", sudo: { how: "passwordless" } } as const);
      await withPipe(included, () => assert.rejects(lookAs(connection), { ...slow, message: readingWords }));
      await nothingIsLeft();
    });
  }

  it("ends with all that it started where a tool waits for a file server (a stand-in: it sleeps)", async () => {
    program = hastyProgram('observe_php() { doing "reading /net/x"; : "$( (sleep 1000; :) | (sleep 1001; cat) )"; }');
    const message =
      /reading \/net\/x took longer than 3 seconds: is it a pipe, or on a file server that does not answer\?/;
    await assert.rejects(session.look(), { ...slow, message });
    await nothingIsLeft();
    program = hastyProgram();
  });

  it("leaves nothing either when its connection was cut", async () => {
    await withPipe(included, async () => {
      const cancel = new AbortController();
      const look = session.host.observe(session.target, { signal: cancel.signal });
      setTimeout(() => cancel.abort(), 1000);
      await assert.rejects(look, { kind: "cancelled" });
      assert.notDeepEqual(await processes(session.lab), quiet);
      await new Promise((resolve) => setTimeout(resolve, 4000));
    });
    await nothingIsLeft();
  });

  it("refuses to read a pipe that is named as a file of CAs", async () => {
    const file = `${root}/conf/theirs.pem`;
    const line = `SSLProxyCACertificateFile ${root}/conf/server.crt\\nSSLCACertificateFile ${file}`;
    await session.lab.run(`cp ${directory}/ca-*.pem ${file}; cp -p ${root}/conf/httpd.conf /run/main`);
    await session.lab.run(`printf '${line}\\n' >>${root}/conf/httpd.conf`);
    await withPipe(file, () =>
      assert.rejects(session.look(), /theirs\.pem: is no regular file but a pipe, .*; name a reg/),
    );
    await session.lab.run(`cp -p /run/main ${root}/conf/httpd.conf; rm ${file} /run/main`);
    await nothingIsLeft();
  });

  for (const [what, path] of [
    ["httpd's error log", `${root}/logs/error_log`],
    ["httpd's pid file", `${root}/logs/httpd.pid`],
    ["a file of cron", "/etc/cron.d/lab-pipe"],
    ["a script of cron", "/etc/cron.daily/lab-pipe"],
    ["a file in our directory", `${directory}/README`],
    ["the journal", "/var/lib/clientcert/*/journal"],
    ["the record of the refreshes", "/var/lib/clientcert/*/refresh.record"],
    ["what a sample was worth", "/var/lib/clientcert/*/sample"],
    ["what httpd has loaded", "/var/lib/clientcert/*/loaded"],
  ] as const) {
    it(`does not open ${what} where that is a pipe`, async () => {
      const there = (await session.lab.run(`cd ${path.slice(0, path.lastIndexOf("/"))} && pwd`)).trim();
      const file = `${there}/${path.slice(path.lastIndexOf("/") + 1)}`;
      const facts = await withPipe(file, () => session.look());
      assert.equal(facts.server.configFile, session.lab.configFile);
      await nothingIsLeft();
    });
  }

  it("ends a judge that waits for ever, who tidies up", async () => {
    program = hastyProgram('judge_candidate() { step "judge: waits"; (sleep 1000; :) | cat; }');
    await assert.rejects(session.judge({ organizations: ["OTHER"] }), { ...slow, message: /judge: waits took longer/ });
    await nothingIsLeft();
  });

  it("leaves a change alone, which goes on though nobody waits for it any more", async () => {
    program = hastyProgram("find_unit() { sleep 5; start_unit=; }");
    const message = /the run that works on this server took longer than 3 seconds; it goes on there/;
    await assert.rejects(session.apply({ organizations: ["OTHER"] }), { ...slow, message });
    program = hastyProgram();
    await session.lab.run("timeout 60 sh -c 'until [ ! -e /var/lib/clientcert/*/lock ]; do sleep 0.2; done'");
    assert.equal((await session.plan({ organizations: ["OTHER"] })).change, undefined);
    assert.equal(await session.lab.run(`grep -c OTHER ${directory}/clientcert.conf`), "1\n");
    await nothingIsLeft();
  });
});
