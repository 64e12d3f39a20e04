/** Executions and the end of connections, against a real sshd in a lab host. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { readLogin, requireHostKey } from "../../provider/remote/credentials.ts";
import { logIn } from "../../provider/remote/login.ts";
import { nothing, until, useSshHost } from "./ssh-host.ts";

describe("provider/ssh", function () {
  this.timeout(60_000);
  const ssh = useSshHost();
  const { connection, execute, output, fails } = ssh;

  describe("execution", () => {
    it("sends script and data, and returns output, errors and exit status", async () => {
      const ended = await execute("cat; echo trouble >&2; exit 7\n", Buffer.from("line\n"));
      assert.deepEqual(
        { ...ended, stdout: ended.stdout.toString() },
        { exitCode: 7, signal: undefined, stdout: "line\n", stderr: "trouble\n" },
      );
    });

    it("reports the signal that ended the script", async () => {
      const { exitCode, signal } = await execute("kill -KILL $$");
      assert.deepEqual({ exitCode, signal }, { exitCode: undefined, signal: "SIGKILL" });
    });

    it("carries 20 MB of any bytes in both directions", async () => {
      const data = randomBytes(20 * 1024 * 1024);
      const { stdout } = await execute("cat", data);
      assert.ok(stdout.equals(data));
    });

    it("streams data, and ends well when the script reads only part of it", async () => {
      let sent = 0;
      async function* endless(): AsyncGenerator<Buffer, void> {
        for (; sent < 4000; sent++) yield Buffer.alloc(65536, "x");
      }
      assert.equal(await output("head -c 10; exec 0</dev/null", endless()), "xxxxxxxxxx");
      assert.ok(sent < 4000, "all was sent to a script that had ended");
    });

    it("passes the error of the data on", async () => {
      async function* broken(): AsyncGenerator<Buffer, void> {
        yield Buffer.from("a");
        throw new Error("the file went away");
      }
      await assert.rejects(execute("cat", broken()), /the file went away/);
    });

    it("hands over output as it comes", async () => {
      const seen: string[] = [];
      const script = "echo one; read answer; echo two $answer";
      let goOn = (): void => undefined;
      const first = new Promise<void>((resolve) => (goOn = resolve));
      async function* data(): AsyncGenerator<Buffer, void> {
        await first;
        yield Buffer.from("yes\n");
      }
      const onStdout = (chunk: Buffer): void => {
        seen.push(chunk.toString());
        goOn();
      };
      await ssh.pool.execute(connection(), { script, data: data() }, { timeoutSeconds: 20, onStdout });
      assert.deepEqual(seen, ["one\n", "two yes\n"]);
    });

    it("keeps the last 64 KiB of standard error", async () => {
      const { stderr } = await execute("head -c 200000 /dev/zero | tr '\\0' e >&2; echo end >&2");
      assert.equal(stderr.length, 65536);
      assert.ok(stderr.endsWith("eend\n"));
    });

    it("uses one connection for executions one after the other and at once", async () => {
      const logins = async (): Promise<number> =>
        (await ssh.host.run("cat /var/log/sshd.log")).split("Accepted publickey for ").length;
      const before = await logins();
      await execute("true");
      await Promise.all(Array.from({ length: 8 }, () => execute("true")));
      assert.equal((await logins()) - before, 1);
    });

    it("is not misled by a login shell that talks, nor by a banner", async () => {
      await withShell("#!/bin/sh\nprintf 'welcome '\nprintf 'have a nice day' >&2\nexec /bin/sh \"$@\"\n", async () => {
        const { stdout, stderr } = await execute("echo out; echo err >&2", nothing, { user: "ops" });
        assert.deepEqual([stdout.toString(), stderr], ["out\n", "err\n"]);
      });
    });

    it("says so when the login shell runs nothing", async () => {
      await withShell("#!/bin/sh\necho this account is closed; exit 1\n", () =>
        fails("login", /login shell of ops did not run our command.*this account is closed/, { user: "ops" }),
      );
    });

    for (const shell of ["bash", "busybox"]) {
      it(`works with ${shell} as /bin/sh`, async () => {
        await ssh.host.run(`ln -sf "$(command -v ${shell})" /bin/sh`);
        try {
          const script = 'read first; printf \'%s|\' "$first" "$LC_ALL"; cat\n';
          assert.equal(
            await output(script, Buffer.from("a\nb\nc"), { user: "ops", sudo: { how: "passwordless" } }),
            "a|C|b\nc",
          );
        } finally {
          await ssh.host.run("ln -sf dash /bin/sh");
        }
      });
    }

    it("refuses a host whose head swallows data", async () => {
      await ssh.host.run("mv /usr/bin/head /usr/bin/head.gnu && ln -s /bin/busybox /usr/bin/head");
      try {
        await assert.rejects(execute("cat", Buffer.from("data")), /"head -c" reads more than it is told.*coreutils/);
      } finally {
        await ssh.host.run("mv -f /usr/bin/head.gnu /usr/bin/head");
      }
    });
  });

  /** The user ops with a login shell of this text. */
  async function withShell(text: string, work: () => Promise<void>): Promise<void> {
    await ssh.host.run(
      "cat >/bin/strange; chmod 755 /bin/strange; sed -i '/^ops:/s|[^:]*$|/bin/strange|' /etc/passwd",
      text,
    );
    try {
      await work();
    } finally {
      await ssh.host.run("sed -i '/^ops:/s|[^:]*$|/bin/sh|' /etc/passwd");
    }
  }

  describe("end of the connection", () => {
    const killSessions = "pkill -KILL -f '^sshd: root'";

    it("calls a cut in the middle cut, and connects again for the next execution", async () => {
      const wanted = { name: "HostError", kind: "cut", message: /unknown; run again/ };
      const cut = assert.rejects(execute("echo begun; sleep 20"), wanted);
      await until(async () => (await ssh.host.exec("pgrep -x sleep")).status === 0);
      await ssh.host.run(killSessions);
      await cut;
      await ssh.host.exec("pkill -x sleep");
      assert.equal(await output("echo again"), "again\n");
    });

    it("replaces a connection that died while idle", async () => {
      await execute("true");
      await ssh.host.run(killSessions);
      assert.equal(await output("echo again"), "again\n");
    });

    it("knows that it is dead before any event has said so", async () => {
      const { address, port, user, hostKey, login } = connection();
      const [place, environment] = ["web1", {}];
      const socket = connect(port, address);
      const loggedIn = await logIn({
        ...{ place, address, port, user, socket, readyTimeoutSeconds: 5, onEnd: () => undefined },
        hostKey: requireHostKey(place, hostKey),
        credentials: await readLogin(place, login, environment),
      });
      assert.equal(loggedIn.isOpen(), true);
      socket.destroy();
      const started = loggedIn.start("true", () => undefined);
      assert.equal(loggedIn.isOpen(), false);
      await assert.rejects(started, /Not connected/);
    });

    it("gives up after the time allowed, and says that the outcome is unknown", async () => {
      const slow = ssh.pool.execute(connection(), { script: "sleep 20", data: nothing }, { timeoutSeconds: 0.5 });
      await assert.rejects(slow, { name: "HostError", kind: "timeout", message: /no end after 0.5 s.*unknown/ });
      await ssh.host.exec("pkill -x sleep");
    });

    it("does not connect when it was cancelled before", async () => {
      const before = await ssh.host.executions();
      const signal = AbortSignal.abort();
      const cancelled = ssh.pool.execute(
        connection({ port: 1 }),
        { script: "id", data: nothing },
        { timeoutSeconds: 9, signal },
      );
      await assert.rejects(cancelled, { name: "HostError", kind: "cancelled" });
      assert.equal(await ssh.host.executions(), before);
    });

    it("closes the channel when it is cancelled later", async () => {
      const controller = new AbortController();
      const options = { timeoutSeconds: 9, signal: controller.signal, onStdout: () => controller.abort() };
      const script = "echo begun; cat >/dev/null; echo ended >/tmp/ended";
      async function* data(): AsyncGenerator<Buffer, void> {
        yield nothing;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      const cancelled = ssh.pool.execute(connection(), { script, data: data() }, options);
      await assert.rejects(cancelled, { name: "HostError", kind: "cancelled" });
      await until(async () => (await ssh.host.exec("test -e /tmp/ended")).status === 0);
    });
  });
});
