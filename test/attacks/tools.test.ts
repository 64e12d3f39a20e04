/** Hosts whose tools do not run, or are of another make: named at once, before anything is done. */
import assert from "node:assert/strict";
import { hostScript } from "../../provider/apache/host-program.ts";
import { startSession, type Session } from "../host/session.ts";

const looking = ["awk", "cat", "cut", "date", "env", "grep", "readlink", "realpath"].concat(
  ["sed", "sha256sum", "sort", "stat", "tr", "xargs"], // prettier-ignore
);
const changing = ["base64", "chmod", "cp", "ln", "mkdir", "mv", "rm", "sync", "tail", "timeout"];

describe("a host whose tools do not run", function () {
  this.timeout(120_000);
  let session: Session;
  before(async () => {
    session = await startSession({ virtualHosts: 2 }, {}, () => `PATH=/run/tools:$PATH\n${hostScript()}`);
    await session.lab.run("mkdir /run/tools");
  });
  after(() => session.stop());
  afterEach(() => session.lab.run("rm -f /run/tools/*"));

  const cannotRun = (tool: string) =>
    new RegExp(`: this host's ${tool} cannot be run \\(exit status 127\\); repair it$`);

  for (const tool of looking) {
    it(`names ${tool} where a library of it is missing`, async () => {
      const words = `${tool}: error while loading shared libraries: libmissing.so: cannot open shared object file`;
      await session.lab.run(
        `cat >/run/tools/${tool}; chmod 755 /run/tools/*`,
        `#!/bin/sh\necho '${words}' >&2\nexit 127\n`,
      );
      await assert.rejects(session.look(), { kind: "refused", message: cannotRun(tool) });
    });
  }

  it("names head, without which nothing of ours runs", async () => {
    await session.lab.run("mv /usr/bin/head /usr/bin/head.gone");
    await assert.rejects(session.look(), { kind: "answer", message: /: this host's head cannot be run; repair it$/ });
    await session.lab.run("mv /usr/bin/head.gone /usr/bin/head");
  });

  for (const tool of ["awk", "stat", "grep"]) {
    for (const [what, how] of [
      ["is missing", "mv $file $file.gone"],
      ["may not be executed", "chmod 644 $file"],
    ] as const) {
      it(`names ${tool} where it ${what}`, async () => {
        await session.lab.run(`file=$(readlink -f $(command -v ${tool})); echo $file >/run/file; ${how}`);
        try {
          const message = new RegExp(`: this host's ${tool} cannot be run \\(exit status 12[67]\\); repair it$`);
          await assert.rejects(session.look(), { message });
        } finally {
          await session.lab.run("read -r file </run/file; [ -f $file ] || mv $file.gone $file; chmod 755 $file");
        }
      });
    }
  }

  it("names grep where it is of another make (busybox)", async () => {
    await session.lab.run("ln -s /usr/bin/busybox /run/tools/grep");
    await assert.rejects(session.look(), { message: /: this host's grep does not do what GNU's does/ });
  });

  it("reads a host whose tools are all right, also where PATH is empty but for ours", async () => {
    assert.equal((await session.look()).server.configFile, session.lab.configFile);
  });

  it("asks for root's rights without a tool", async () => {
    const script = `echo >/dev/null; ${hostScript()}`;
    const output = await session.lab.exec(
      "cat >/run/program; chmod 644 /run/program; printf 'mark m\\nmode observe\\nend\\n' | setpriv --reuid 65534 --clear-groups sh /run/program",
      script,
    );
    assert.match(output.stdout, /^m error root this needs root/m);
  });

  for (const tool of changing) {
    it(`names ${tool} before a change`, async () => {
      await session.lab.run(`printf '#!/bin/sh\\nexit 127\\n' >/run/tools/${tool}; chmod 755 /run/tools/*`);
      await assert.rejects(session.apply(), { message: cannotRun(tool) });
      assert.equal(await session.lab.run("/bin/ls -d /var/lib/clientcert 2>/dev/null || :"), "");
    });
  }
});
