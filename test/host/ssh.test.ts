/** Connecting, host keys, logins, sudo and framing against a real sshd and a real sudo in a lab host. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { inspect, promisify } from "node:util";
import { startLabHost, type LabHost } from "../../lab/host.ts";
import { createSshKeys, labPassword } from "../../lab/ssh.ts";
import { HostError, type HostErrorKind } from "../../provider/errors.ts";
import type { Connection } from "../../provider/host/model.ts";
import { createPool, type Ended, type Pool, type Program } from "../../provider/ssh.ts";

const run = promisify(execFile);
const nothing = Buffer.alloc(0);
const wrongPassword = "MARKER-wrong-password";
const passphrase = "MARKER-passphrase";
const environment = {
  SUDO_PASSWORD: labPassword,
  WRONG_PASSWORD: wrongPassword,
  PASSPHRASE: passphrase,
  WRONG_PASSPHRASE: "MARKER-wrong-passphrase",
  EMPTY: "",
};
const secrets = [labPassword, "MARKER-", "PRIVATE KEY"];

describe("provider/ssh", function () {
  this.timeout(60_000);
  let host: LabHost;
  let pool: Pool;
  let folder: string;

  before(async () => {
    host = await startLabHost({ stopped: true, ops: { sudo: "passwordless" } });
    // No pause of 2 s after a wrong password.
    await host.run("printf 'auth required pam_unix.so nodelay\\naccount required pam_unix.so\\n' >/etc/pam.d/sudo");
    folder = await mkdtemp(path.join(tmpdir(), "clientcert-ssh-"));
  });
  after(async () => {
    await host.stop();
    await rm(folder, { recursive: true });
  });
  beforeEach(() => {
    pool = createPool({ environment, readyTimeoutSeconds: 5 });
  });
  afterEach(async () => {
    await pool.close();
  });

  function connection(changes: Partial<Connection> = {}): Connection {
    const { address, hostKey } = host;
    const login = { from: "keyFile", path: host.keyFile } as const;
    return { address, port: host.ports.ssh, user: "root", hostKey, login, sudo: { how: "none" }, ...changes };
  }

  function execute(script: string, data: Program["data"] = nothing, changes: Partial<Connection> = {}): Promise<Ended> {
    return pool.execute(connection(changes), { script, data }, { timeoutSeconds: 30 });
  }

  async function output(
    script: string,
    data: Program["data"] = nothing,
    changes: Partial<Connection> = {},
  ): Promise<string> {
    const { exitCode, stdout, stderr } = await execute(script, data, changes);
    assert.equal(exitCode, 0, stderr);
    return stdout.toString();
  }

  async function fails(kind: HostErrorKind, message: RegExp, changes: Partial<Connection>, use = pool): Promise<void> {
    const execution = use.execute(connection(changes), { script: "id", data: nothing }, { timeoutSeconds: 30 });
    await execution.then(
      () => assert.fail("it did not fail"),
      (error: unknown) => {
        assert.ok(error instanceof HostError, inspect(error));
        assert.match(error.message, message);
        assert.equal(error.kind, kind, error.message);
        assert.ok(error.message.startsWith("127.0.0.1:") || error.message.startsWith("no-such"), error.message);
        for (const secret of secrets) assert.ok(!inspect(error, { depth: 9 }).includes(secret), `${secret} is in it`);
      },
    );
  }

  const sudoers = (rules: string): Promise<string> =>
    host.run(`rm -rf /run/sudo/ts; cat >/etc/sudoers.d/ops; chmod 440 /etc/sudoers.d/ops`, rules);

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
      await pool.execute(connection(), { script, data: data() }, { timeoutSeconds: 20, onStdout });
      assert.deepEqual(seen, ["one\n", "two yes\n"]);
    });

    it("keeps the last 64 KiB of standard error", async () => {
      const { stderr } = await execute("head -c 200000 /dev/zero | tr '\\0' e >&2; echo end >&2");
      assert.equal(stderr.length, 65536);
      assert.ok(stderr.endsWith("eend\n"));
    });

    it("uses one connection for executions one after the other and at once", async () => {
      const logins = async (): Promise<number> =>
        (await host.run("cat /var/log/sshd.log")).split("Accepted publickey for ").length;
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
        await host.run(`ln -sf "$(command -v ${shell})" /bin/sh`);
        try {
          const script = 'read first; printf \'%s|\' "$first" "$LC_ALL"; cat\n';
          assert.equal(
            await output(script, Buffer.from("a\nb\nc"), { user: "ops", sudo: { how: "passwordless" } }),
            "a|C|b\nc",
          );
        } finally {
          await host.run("ln -sf dash /bin/sh");
        }
      });
    }

    it("refuses a host whose head swallows data", async () => {
      await host.run("mv /usr/bin/head /usr/bin/head.gnu && ln -s /bin/busybox /usr/bin/head");
      try {
        await assert.rejects(execute("cat", Buffer.from("data")), /"head -c" reads more than it is told.*coreutils/);
      } finally {
        await host.run("mv -f /usr/bin/head.gnu /usr/bin/head");
      }
    });
  });

  /** The user ops with a login shell of this text. */
  async function withShell(text: string, work: () => Promise<void>): Promise<void> {
    await host.run(
      "cat >/bin/strange; chmod 755 /bin/strange; sed -i '/^ops:/s|[^:]*$|/bin/strange|' /etc/passwd",
      text,
    );
    try {
      await work();
    } finally {
      await host.run("sed -i '/^ops:/s|[^:]*$|/bin/sh|' /etc/passwd");
    }
  }

  describe("end of the connection", () => {
    const killSessions = "pkill -KILL -f '^sshd: root'";

    it("calls a cut in the middle cut, and connects again for the next execution", async () => {
      const wanted = { name: "HostError", kind: "cut", message: /unknown; run again/ };
      const cut = assert.rejects(execute("echo begun; sleep 20"), wanted);
      await until(async () => (await host.exec("pgrep -x sleep")).status === 0);
      await host.run(killSessions);
      await cut;
      await host.exec("pkill -x sleep");
      assert.equal(await output("echo again"), "again\n");
    });

    it("replaces a connection that died while idle", async () => {
      await execute("true");
      await host.run(killSessions);
      assert.equal(await output("echo again"), "again\n");
    });

    it("gives up after the time allowed, and says that the outcome is unknown", async () => {
      const slow = pool.execute(connection(), { script: "sleep 20", data: nothing }, { timeoutSeconds: 0.5 });
      await assert.rejects(slow, { name: "HostError", kind: "timeout", message: /no end after 0.5 s.*unknown/ });
      await host.exec("pkill -x sleep");
    });

    it("does not connect when it was cancelled before", async () => {
      const before = await host.executions();
      const signal = AbortSignal.abort();
      const cancelled = pool.execute(
        connection({ port: 1 }),
        { script: "id", data: nothing },
        { timeoutSeconds: 9, signal },
      );
      await assert.rejects(cancelled, { name: "HostError", kind: "cancelled" });
      assert.equal(await host.executions(), before);
    });

    it("closes the channel when it is cancelled later", async () => {
      const controller = new AbortController();
      const options = { timeoutSeconds: 9, signal: controller.signal, onStdout: () => controller.abort() };
      const script = "echo begun; cat >/dev/null; echo ended >/tmp/ended";
      async function* data(): AsyncGenerator<Buffer, void> {
        yield nothing;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      const cancelled = pool.execute(connection(), { script, data: data() }, options);
      await assert.rejects(cancelled, { name: "HostError", kind: "cancelled" });
      await until(async () => (await host.exec("test -e /tmp/ended")).status === 0);
    });
  });

  describe("host key", () => {
    const sha256 = "SHA256:[A-Za-z0-9+/]{43}";

    it("refuses another key of the same type, and names both fingerprints", () =>
      fails("hostKey", new RegExp(`shows the host key ${sha256}, not ${sha256} `), {
        hostKey: createSshKeys().public,
      }));

    it("refuses a host that has no key of the pinned type", async () => {
      await run("ssh-keygen", ["-q", "-t", "ecdsa", "-N", "", "-f", path.join(folder, "ecdsa")]);
      const hostKey = await readFile(path.join(folder, "ecdsa.pub"), "utf8");
      await fails("hostKey", /no host key of the type ecdsa-sha2-nistp256/, { hostKey });
    });

    for (const type of ["rsa", "ecdsa"]) {
      it(`asks for the pinned ${type} key where the host has several`, async () => {
        await host.run(`ssh-keygen -q -t ${type} -N '' -f /etc/ssh/second_${type}`);
        const port = await secondSshd(`-h /etc/ssh/ssh_host_ed25519_key -h /etc/ssh/second_${type}`);
        const hostKey = await host.run(`cat /etc/ssh/second_${type}.pub`);
        assert.equal(await output("echo in", nothing, { port, hostKey }), "in\n");
      });
    }

    it("does not quote what is no public key", async () => {
      const cut = host.hostKey.slice(0, -2);
      for (const hostKey of ["", "ssh-ed25519", cut, createSshKeys().private]) {
        await fails("hostKey", /is not a public key; copy the whole line/, { hostKey });
      }
    });
  });

  /** Another sshd in the host; returns its port once it listens. */
  async function secondSshd(options: string): Promise<number> {
    const port = await freePort();
    await host.run(`/usr/sbin/sshd -p ${port} -o PidFile=none ${options}`);
    await until(async () => (await host.exec(`ss -Hltn sport = :${port} | grep -q .`)).status === 0);
    return port;
  }

  describe("login", () => {
    it("takes a key from the environment", async () => {
      const text = await readFile(host.keyFile, "utf8");
      const own = createPool({ environment: { KEY: text } });
      const ended = await own.execute(
        connection({ login: { from: "keyEnvironment", name: "KEY" } }),
        { script: "echo in", data: nothing },
        { timeoutSeconds: 9 },
      );
      await own.close();
      assert.equal(ended.stdout.toString(), "in\n");
    });

    it("takes a password from the environment", async () => {
      assert.equal(
        await output("echo in", nothing, { login: { from: "passwordEnvironment", name: "SUDO_PASSWORD" } }),
        "in\n",
      );
      await fails("login", /password in environment variable WRONG_PASSWORD does not let root in/, {
        login: { from: "passwordEnvironment", name: "WRONG_PASSWORD" },
      });
    });

    it("gives the password where the host asks for it as a question", async () => {
      const port = await secondSshd("-o PasswordAuthentication=no -o KbdInteractiveAuthentication=yes -o UsePAM=yes");
      const login = { from: "passwordEnvironment", name: "SUDO_PASSWORD" } as const;
      assert.equal(await output("echo in", nothing, { login, port }), "in\n");
    });

    it("takes an encrypted key with its passphrase, and asks for what is missing", async () => {
      const file = path.join(folder, "encrypted");
      await writeFile(file, await readFile(host.keyFile), { mode: 0o600 });
      await run("ssh-keygen", ["-q", "-p", "-P", "", "-N", passphrase, "-f", file]);
      const login = { from: "keyFile", path: file } as const;
      assert.equal(
        await output("echo in", nothing, { login: { ...login, passphraseEnvironment: "PASSPHRASE" } }),
        "in\n",
      );
      await fails("login", /encrypted" is encrypted; name an environment variable/, { login });
      await fails("login", /cannot be decrypted with the passphrase in WRONG_PASSPHRASE/, {
        login: { ...login, passphraseEnvironment: "WRONG_PASSPHRASE" },
      });
    });

    it("takes a key from the agent, and says what is missing", async () => {
      const socket = path.join(folder, "agent");
      const { stdout } = await run("ssh-agent", ["-a", socket]);
      const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(stdout)?.[1]);
      const agents = createPool({ environment: { SSH_AUTH_SOCK: socket } });
      try {
        const login = { from: "agent" } as const;
        await fails("login", /no key of the agent at SSH_AUTH_SOCK lets root in/, { login }, agents);
        await run("ssh-add", ["-q", host.keyFile], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
        const ended = await agents.execute(
          connection({ login }),
          { script: "echo in", data: nothing },
          { timeoutSeconds: 9 },
        );
        assert.equal(ended.stdout.toString(), "in\n");
      } finally {
        await agents.close();
        process.kill(pid);
      }
      const without = createPool({ environment: { SSH_AUTH_SOCK: path.join(folder, "gone") } });
      await fails("login", /the agent at SSH_AUTH_SOCK gives no key/, { login: { from: "agent" } }, without);
      await fails("login", /environment variable SSH_AUTH_SOCK is not set; start an agent/, {
        login: { from: "agent" },
      });
    });

    it("names the variable or the file that is missing, or is no key", async () => {
      const { private: stranger } = createSshKeys();
      const [strange, wrong] = [path.join(folder, "strange"), path.join(folder, "wrong")];
      await Promise.all([writeFile(strange, stranger), writeFile(wrong, `${passphrase} is no key`)]);
      await fails("login", /variable NOT_THERE is not set/, { login: { from: "keyEnvironment", name: "NOT_THERE" } });
      await fails("login", /variable EMPTY is empty/, { login: { from: "passwordEnvironment", name: "EMPTY" } });
      await fails("login", /key file "\/no\/file" cannot be read \(ENOENT\)/, {
        login: { from: "keyFile", path: "/no/file" },
      });
      await fails("login", /strange" does not let root in; add its public half/, {
        login: { from: "keyFile", path: strange },
      });
      await fails("login", /wrong" holds no private key/, { login: { from: "keyFile", path: wrong } });
    });
  });

  describe("reaching a host", () => {
    it("says why there is no connection", async () => {
      await fails("unreachable", /nothing listens on port \d+; start sshd/, { port: await freePort() });
      await fails("unreachable", /the name has no address|cannot be looked up/, { address: "no-such-host.invalid" });
    });

    it("does not wait for ever for a server that says nothing", async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await new Promise((resolve) => server.once("listening", resolve));
      const address = server.address();
      assert.ok(typeof address === "object" && address !== null);
      const impatient = createPool({ readyTimeoutSeconds: 0.3 });
      await fails("unreachable", /no login within 0.3 s/, { port: address.port }, impatient);
      server.close();
    });

    it("goes through a bastion, whose host key is pinned, too", async () => {
      const { sudo, ...gate } = connection({ user: "ops" });
      const port = await secondSshd("-h /etc/ssh/ssh_host_ed25519_key");
      assert.match(
        await output("echo $SSH_CONNECTION", nothing, { port, bastion: gate, sudo }),
        new RegExp(` ${port}\n$`),
      );
      const bastion = { ...gate, hostKey: createSshKeys().public };
      await fails("hostKey", new RegExp(`^127.0.0.1:${host.ports.ssh}: shows the host key`), { port, bastion });
      await fails("unreachable", /the bastion 127.0.0.1:\d+ cannot connect to it/, {
        port: await freePort(),
        bastion: gate,
      });
      await fails("hostKey", new RegExp(`^127.0.0.1:${port}: shows`), {
        port,
        bastion: gate,
        hostKey: createSshKeys().public,
      });
    });

    it("serves 30 hosts", async () => {
      await host.run(
        "grep -vE '^(ListenAddress|Port|HostKey)' /etc/ssh/sshd_config >/etc/ssh/many; echo HostKey /etc/ssh/ssh_host_ed25519_key >>/etc/ssh/many",
      );
      const addresses = Array.from({ length: 30 }, (_, index) => `127.0.1.${index + 1}`);
      const port = await secondSshd(
        `-f /etc/ssh/many -o ListenAddress=127.0.0.1 -o ListenAddress=${addresses.join(" -o ListenAddress=")}`,
      );
      const answers = await Promise.all(
        addresses.map((address) => output("echo $SSH_CONNECTION", nothing, { address, port })),
      );
      assert.deepEqual(
        answers.map((answer) => answer.split(" ")[2]),
        addresses,
      );
    });
  });

  describe("sudo", () => {
    const user = "ops";
    const withPassword = { user, sudo: { how: "password", environment: "SUDO_PASSWORD" } } as const;
    const askingRule = "ops ALL=(ALL) ALL\n";

    it("without a password", async () => {
      await sudoers("ops ALL=(ALL) NOPASSWD: ALL\n");
      assert.equal(
        await output("id -un; cat", Buffer.from("data"), { user, sudo: { how: "passwordless" } }),
        "root\ndata",
      );
    });

    it("with a password from the environment or from a file", async () => {
      await sudoers(askingRule);
      assert.equal(await output("id -un; cat", Buffer.from("data"), withPassword), "root\ndata");
      await sudoers(askingRule);
      const file = path.join(folder, "password");
      await writeFile(file, `${labPassword}\n`);
      assert.equal(
        await output("id -un; cat", Buffer.from("data"), { user, sudo: { how: "password", file } }),
        "root\ndata",
      );
    });

    for (const [what, rules] of [
      ["needs none", "ops ALL=(ALL) NOPASSWD: ALL\n"],
      ["still remembers it", "Defaults:ops timestamp_type=global\nops ALL=(ALL) ALL\n"],
      [
        "has a terminal of its own (use_pty) and records input",
        "Defaults use_pty,log_input,!iolog_flush\nops ALL=(ALL) ALL\n",
      ],
      ["answers with insults", "Defaults insults\nops ALL=(ALL) ALL\n"],
    ] as const) {
      it(`neither runs nor prints the password where sudo ${what}`, async () => {
        await sudoers(rules);
        for (let time = 0; time < 2; time++) {
          const { exitCode, stdout, stderr } = await execute("cat; set", Buffer.from("data\n"), withPassword);
          assert.equal(exitCode, 0);
          assert.ok(stdout.toString().startsWith("data\n"));
          assert.ok(!stdout.includes(labPassword) && !stderr.includes(labPassword));
          assert.equal(stderr, "");
        }
      });
    }

    it("shows the password to nobody on the host", async () => {
      await sudoers(askingRule);
      const script =
        "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ | tr '\\0' '\\n'; ls -R /tmp /home; grep -rs lab-password /tmp /home /var/log && exit 1; true";
      const shown = await output(script, Buffer.from("data"), withPassword);
      assert.ok(shown.includes("sudo\n-S\n"), "the command line of sudo is not in the list");
      assert.ok(!shown.includes(labPassword));
    });

    for (const insults of ["", "Defaults insults\n"]) {
      it(`tries a wrong password once, and says where it came from${insults === "" ? "" : ", insults or not"}`, async () => {
        await sudoers(`${insults}Defaults logfile=/var/log/sudo.log\n${askingRule}`);
        await host.run("rm -f /var/log/sudo.log");
        await fails("sudo", /sudo refused the password of ops from environment variable WRONG_PASSWORD/, {
          user,
          sudo: { how: "password", environment: "WRONG_PASSWORD" },
        });
        assert.match(await host.run("cat /var/log/sudo.log"), /1 incorrect password attempt/);
        assert.doesNotMatch(await host.run("cat /var/log/sudo.log"), /MARKER/);
      });
    }

    it("hides the password even where the script prints it", async () => {
      await sudoers(askingRule);
      const { stderr } = await execute("cat >&2", Buffer.from(labPassword), withPassword);
      assert.equal(stderr, "(hidden)");
    });

    it("says which line of sudoers is missing", async () => {
      await sudoers("Defaults:ops requiretty\nops ALL=(ALL) NOPASSWD: ALL\n");
      const tty = /requiretty\); add to sudoers with visudo: Defaults:ops !requiretty$/;
      await fails("sudo", tty, { user, sudo: { how: "passwordless" } });
      await fails("sudo", tty, withPassword);
      await sudoers("");
      await fails("sudo", /ops may not run \/bin\/sh as root; add a rule/, withPassword);
      await fails("sudo", /sudo asks ops for a password; say where/, { user, sudo: { how: "passwordless" } });
      await sudoers("ops ALL=(ALL) NOPASSWD: /bin/true\n");
      await fails("sudo", /sudo asks ops for a password|ops may not run/, { user, sudo: { how: "passwordless" } });
    });

    it("names the variable or file of a missing password", async () => {
      await fails("sudo", /variable NONE is not set/, { user, sudo: { how: "password", environment: "NONE" } });
      await fails("sudo", /password file "\/no\/file" cannot be read/, {
        user,
        sudo: { how: "password", file: "/no/file" },
      });
      await fails("sudo", /no place for it is given/, { user, sudo: { how: "password" } });
      const file = path.join(folder, "lines");
      await writeFile(file, `${labPassword}\n${labPassword}\n`);
      await fails("sudo", /lines" holds more than one line/, { user, sudo: { how: "password", file } });
    });

    it("says that sudo is not installed", async () => {
      await host.run("mv /usr/bin/sudo /usr/bin/sudo.away");
      try {
        await fails("sudo", /the host has no sudo; install it/, { user, sudo: { how: "passwordless" } });
      } finally {
        await host.run("mv /usr/bin/sudo.away /usr/bin/sudo");
      }
    });

    it("runs one allowed program with the data alone, and no script", async () => {
      const program = { how: "program", path: "/usr/local/sbin/observe" } as const;
      await host.run(
        "mkdir -p /usr/local/sbin && printf '#!/bin/sh\\nid -un; echo $#; cat; exit 5\\n' >/usr/local/sbin/observe && chmod 755 /usr/local/sbin/observe",
      );
      await sudoers('ops ALL=(root) NOPASSWD: /usr/local/sbin/observe ""\n');
      const { exitCode, stdout } = await execute("echo not sent", Buffer.from("data"), { user, sudo: program });
      assert.deepEqual([exitCode, stdout.toString()], [5, "root\n0\ndata"]);
      await sudoers("ops ALL=(root) NOPASSWD: /bin/true\n");
      await fails("sudo", /NOPASSWD rule for \/usr\/local\/sbin\/observe|may not run \/usr\/local\/sbin\/observe/, {
        user,
        sudo: program,
      });
      await fails("sudo", /is no plain path/, { user, sudo: { how: "program", path: "/a'; id" } });
    });
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert.ok(typeof address === "object" && address !== null);
  return address.port;
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail("it never came so");
}
