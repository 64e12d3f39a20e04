/**
 * Words of programs on a host, with a planted password and with what steers a terminal: nowhere may either come out.
 */
import assert from "node:assert/strict";
import { HostError } from "../../provider/remote/host-error.ts";
import { hostScript } from "../../provider/apache/host-program.ts";
import { hostile, isHarmless } from "../core/hostile-words.ts";
import { sourced, startRefreshSession, stateDirectory, type RefreshSession } from "../host/refresh-session.ts";
import type { Wish } from "../host/session.ts";

const secret = "marker-4711";
const proxyFile = "/etc/clientcert-proxy";
const printed = "/var/log/stand-in";
const utf8 = (latin1: string): string => Buffer.from(latin1, "latin1").toString("utf8");
/** As a shell writes it. */
const quoted = `'${[...Buffer.from(hostile)].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("")}'`;

describe("words of other programs", function () {
  this.timeout(120_000);
  let session: RefreshSession;
  let program = hostScript();
  /** What came out so far, of changes, refreshes and looks. */
  let told: string[] = [];

  before(async () => {
    session = await startRefreshSession({ ops: { sudo: "passwordless" } }, () => program);
    // A stand-in for syslog: keeps its arguments.
    await standIn("logger", `printf '%s\\n' "$*" >>${printed}.logger`);
    assert.equal((await session.apply(sourced(session.publisher))).result, "applied");
  });
  beforeEach(() => void (told = []));
  after(() => session.stop());

  /**
   * A stand-in for a program, before the real one on the PATH; it says its arguments to a file, and may go on with the
   * real one.
   */
  async function standIn(name: string, script: string): Promise<void> {
    const text = `#!/bin/sh\n# A stand-in for ${name}.\nprintf '%s\\n' "$*" >>${printed}.arguments\n${script}\n`;
    await session.lab.run(`cat >/usr/local/sbin/${name} && chmod 755 /usr/local/sbin/${name}`, text);
  }
  const takeAway = (...names: readonly string[]): Promise<string> =>
    session.lab.run(names.map((name) => `rm -f /usr/local/sbin/${name}`).join("; "));

  const byHand = async (options: string): Promise<void> =>
    void told.push(utf8((await session.refresh(options)).output));

  /** A change, a preview, a refresh by hand and by the timer, the status, and what the next look brings. */
  async function everyWay(wish: Wish): Promise<void> {
    for (const run of [session.judge, session.apply]) {
      const answer = await run({ ...wish, countries: run === session.judge ? ["JP", "DE"] : ["JP"] }).catch(String);
      told.push(typeof answer === "string" ? answer : answer.reasons.join("\n"));
    }
    for (const options of ["--verbose", "--dry-run", "--status"]) await byHand(options);
    told.push(await session.timer().then(({ output }) => utf8(output)));
    told.push(JSON.stringify(await session.look()));
  }

  /** All that was told, and all that is kept, but for the file with the proxy's address itself. */
  async function everything(): Promise<string> {
    const kept = await session.lab.run(
      `cat ${printed}.* /var/lib/clientcert/*/*.* /var/lib/clientcert/*/[a-oq-z]* 2>/dev/null || :; find /var/lib/clientcert /run/clientcert* /etc/cron.d /etc/systemd /usr/local/ni/apache/conf/clientcert -type f -exec cat {} + 2>/dev/null || :`,
    );
    return [...told, utf8(kept)].join("\n");
  }
  async function assertClean(): Promise<void> {
    const all = await everything();
    assert.ok(
      !all.includes(secret),
      all.split("\n").find((line) => line.includes(secret)),
    );
    const line = all.split("\n").find((one) => !isHarmless(one.replaceAll("\t", "")));
    assert.equal(line, undefined, JSON.stringify(line));
  }
  const viaProxy = (): Wish =>
    sourced(session.publisher, { crlRefresh: { times: ["00:30"], spreadMinutes: 0, alarmHours: 24, proxyFile } });
  const writeProxy = (address: string): Promise<string> =>
    session.lab.run(`umask 077; cat >${proxyFile}`, `${address}\n`);

  for (const address of [
    `http://ops:${secret}@127.0.0.1:1`,
    `http//ops:${secret}@127.0.0.1:1`,
    `http://ops:${secret}@h:x`,
  ])
    it(`do not tell the password of the proxy ${address.replace(secret, "PASSWORD")}`, async () => {
      await writeProxy(address);
      await everyWay(viaProxy());
      await assertClean();
      assert.match(told.join(), /Failed to connect|does not hold one address on one line/);
    });

  it("do not tell it by the real wget either, nor by a stand-in for curl that quotes it", async () => {
    await writeProxy(`http://ops:${secret}@127.0.0.1:1`);
    await standIn("curl", `printf "curl: (5) Unsupported 'http//ops:${secret}@h' "${quoted}"\\n" >&2; exit 5`);
    await everyWay(viaProxy());
    assert.match(told.join(), /Unsupported …@h/);
    await takeAway("curl");
    await session.lab.run("mv /usr/bin/curl /usr/bin/curl.away");
    await everyWay(viaProxy());
    await session.lab.run("mv /usr/bin/curl.away /usr/bin/curl");
    await assertClean();
  });

  it("do not tell the password of an address that a hand wrote into refresh.conf, and it goes to no program", async () => {
    const conf = "/usr/local/ni/apache/conf/clientcert/refresh.conf";
    await session.apply(sourced(session.publisher));
    await session.lab.run(`cp -p ${conf} /root/ && sed -i 's#^url http://#url http://ops:${secret}@#' ${conf}`);
    for (const options of ["--verbose", "--status"]) await byHand(options);
    await session.lab.run(`cat /root/refresh.conf >${conf}`);
    assert.match(told.join(), /the address has a user name or a password/);
    await assertClean();
  });

  it("are escaped where stand-ins for openssl, unshare and systemctl print them", async () => {
    const noise = `printf ${quoted}'\\n' >&2`;
    await standIn(
      "openssl",
      `${noise}; case $1 in verify) printf 'error 7 at 0 depth lookup: '${quoted}'\\n' ;; *) exec /usr/bin/openssl "$@" ;; esac`,
    );
    await standIn("unshare", `${noise}; exit 1`);
    await standIn("systemctl", `${noise}; printf ${quoted}; exit 1`);
    await session.lab.run("mkdir -p /run/systemd/system");
    const samplePem = session.pki.clients.good?.certificate;
    await session.publishNew();
    await everyWay(sourced(session.publisher, { ...(samplePem === undefined ? {} : { samplePem }) }));
    // Of the sample the judge speaks where a list is new.
    await session.publishNew();
    await byHand("--verbose");
    told.push(utf8(await session.lab.run(`sh ${stateDirectory}/undo 2>&1 || :`)));
    await takeAway("openssl", "unshare", "systemctl");
    await session.lab.run("rmdir /run/systemd/system");
    await assertClean();
    assert.match(told.join(), /\\u202egpj/);
  });

  it("are escaped where a stand-in for sudo prints them", async () => {
    await session.lab.run(
      `mv /usr/bin/sudo /usr/bin/sudo.away; cat >/usr/bin/sudo; chmod 755 /usr/bin/sudo`,
      `#!/bin/sh\nprintf 'sudo: effective uid is not 0 '${quoted} >&2; exit 1\n`,
    );
    const connection = { ...session.connection, user: "ops", sudo: { how: "passwordless" } } as const;
    const failed = session.host.observe({ ...session.target, connection });
    await assert.rejects(failed, (error) => error instanceof HostError && isHarmless(error.message));
    await session.lab.run("mv /usr/bin/sudo.away /usr/bin/sudo");
  });

  it("are no more than 4 MB, before our program says that it begins and after it, or the host is left", async () => {
    const flood = "yes flood | head -c 60000000";
    program = `${flood} >&2\n${hostScript()}`;
    await assert.rejects(session.look(), /: the host prints more than 4 MB that is no answer; look at /);
    program = hostScript();
    await session.lab.run(
      `printf '#!/bin/sh\\n${flood}\\nexec /bin/sh "$@"\\n' >/usr/local/sbin/stand-in-shell; chmod 755 /usr/local/sbin/stand-in-shell; sed -i '/^ops:/s#/bin/sh#/usr/local/sbin/stand-in-shell#' /etc/passwd`,
    );
    // sshd looks the shell up at the login.
    await session.host.close();
    const connection = { ...session.connection, user: "ops", sudo: { how: "passwordless" } } as const;
    const failed = session.host.observe({ ...session.target, connection });
    await assert.rejects(failed, /: the host prints more than 4 MB that is no answer; look at /);
  });
});
