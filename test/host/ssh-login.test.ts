/** Host keys, logins and ways to a host, against a real sshd in a lab host. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { promisify } from "node:util";
import { createSshKeys } from "../../lab/ssh.ts";
import { placeOf } from "../../provider/remote/host-error.ts";
import type { Login } from "../../core/connection/inputs.ts";
import { createPool } from "../../provider/remote/pool.ts";
import { nothing, passphrase, until, useSshHost } from "./ssh-host.ts";

const run = promisify(execFile);

describe("provider/ssh: who is let in, and where", function () {
  this.timeout(60_000);
  const ssh = useSshHost();
  const { connection, output, fails } = ssh;

  describe("host key", () => {
    const sha256 = "SHA256:[A-Za-z0-9+/]{43}";

    it("refuses another key of the same type, and names both fingerprints", () =>
      fails("hostKey", new RegExp(`shows the host key ${sha256}, not ${sha256} `), {
        hostKey: createSshKeys().public,
      }));

    it("refuses a host that has no key of the pinned type", async () => {
      await run("ssh-keygen", ["-q", "-t", "ecdsa", "-N", "", "-f", path.join(ssh.folder, "ecdsa")]);
      const hostKey = await readFile(path.join(ssh.folder, "ecdsa.pub"), "utf8");
      await fails("hostKey", /no host key of the type ecdsa-sha2-nistp256/, { hostKey });
    });

    it("says that an RSA key which signs with SHA-1 only is too weak", async () => {
      await ssh.host.run("ssh-keygen -q -t rsa -N '' -f /etc/ssh/old_rsa");
      const port = await secondSshd("-h /etc/ssh/old_rsa -o HostKeyAlgorithms=ssh-rsa");
      const hostKey = await ssh.host.run("cat /etc/ssh/old_rsa.pub");
      await fails("hostKey", /signs with SHA-1 only by it, which is too weak; update its sshd/, { port, hostKey });
    });

    for (const type of ["rsa", "ecdsa"]) {
      it(`asks for the pinned ${type} key where the host has several`, async () => {
        await ssh.host.run(`ssh-keygen -q -t ${type} -N '' -f /etc/ssh/second_${type}`);
        const port = await secondSshd(`-h /etc/ssh/ssh_host_ed25519_key -h /etc/ssh/second_${type}`);
        const hostKey = await ssh.host.run(`cat /etc/ssh/second_${type}.pub`);
        assert.equal(await output("echo in", nothing, { port, hostKey }), "in\n");
      });
    }

    it("does not quote what is no public key", async () => {
      const cut = ssh.host.hostKey.slice(0, -2);
      for (const hostKey of ["", "ssh-ed25519", cut, createSshKeys().private]) {
        await fails("hostKey", /is not a public key: [^]*; write the public key/, { hostKey });
      }
    });
  });

  /** Another sshd in the host; returns its port once it listens. */
  async function secondSshd(options: string): Promise<number> {
    const port = await freePort();
    await ssh.host.run(`/usr/sbin/sshd -p ${port} -o PidFile=none ${options}`);
    await until(async () => (await ssh.host.exec(`ss -Hltn sport = :${port} | grep -q .`)).status === 0);
    return port;
  }

  describe("login", () => {
    /** Logs in with an environment of its own. */
    async function enter(environment: Record<string, string>, login: Login): Promise<void> {
      const own = createPool({ environment });
      const ended = await own.execute(
        connection({ login }),
        { script: "echo in", data: nothing },
        { timeoutSeconds: 9 },
      );
      await own.close();
      assert.equal(ended.stdout.toString(), "in\n");
    }

    it("takes a key from the environment", async () => {
      await enter({ KEY: await readFile(ssh.host.keyFile, "utf8") }, { from: "keyEnvironment", name: "KEY" });
    });

    it("takes a key file of the home directory", async () => {
      const { dir, base } = path.parse(ssh.host.keyFile);
      await enter({ HOME: dir }, { from: "keyFile", path: `~/${base}` });
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
      const file = path.join(ssh.folder, "encrypted");
      await writeFile(file, await readFile(ssh.host.keyFile), { mode: 0o600 });
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
      const socket = path.join(ssh.folder, "agent");
      const { stdout } = await run("ssh-agent", ["-a", socket]);
      const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(stdout)?.[1]);
      const agents = createPool({ environment: { SSH_AUTH_SOCK: socket } });
      try {
        const login = { from: "agent" } as const;
        await fails("login", /no key of the agent at SSH_AUTH_SOCK lets root in/, { login }, agents);
        await run("ssh-add", ["-q", ssh.host.keyFile], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
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
      const without = createPool({ environment: { SSH_AUTH_SOCK: path.join(ssh.folder, "gone") } });
      await fails("login", /the agent at SSH_AUTH_SOCK gives no key/, { login: { from: "agent" } }, without);
      await fails("login", /environment variable SSH_AUTH_SOCK is not set; start an agent/, {
        login: { from: "agent" },
      });
    });

    it("says that a certificate beside the key is not supported", async () => {
      const [ca, user] = [path.join(ssh.folder, "user-ca"), path.join(ssh.folder, "certified")];
      for (const file of [ca, user]) await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file]);
      await run("ssh-keygen", ["-q", "-s", ca, "-I", "user", "-n", "root", `${user}.pub`]);
      await ssh.host.run("cat >/etc/ssh/user-ca.pub", await readFile(`${ca}.pub`, "utf8"));
      const port = await secondSshd("-o TrustedUserCAKeys=/etc/ssh/user-ca.pub");
      const words =
        /does not let root in, and the certificate beside it \(-cert\.pub\) is not supported; add its public/;
      await fails("login", words, { port, login: { from: "keyFile", path: user } });
    });

    it("says that a host wants more than the key", async () => {
      const port = await secondSshd("-o AuthenticationMethods=publickey,password");
      await fails("login", /accepts the key of root, and wants password, too \(AuthenticationMethods\)/, { port });
    });

    it("says that the agent has more keys than the host lets it try", async () => {
      const socket = path.join(ssh.folder, "full-agent");
      const { stdout } = await run("ssh-agent", ["-a", socket]);
      const agents = createPool({ environment: { SSH_AUTH_SOCK: socket } });
      try {
        for (let index = 0; index < 3; index++) {
          const file = path.join(ssh.folder, `stranger${index}`);
          await writeFile(file, createSshKeys().private, { mode: 0o600 });
          await run("ssh-add", ["-q", file], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
        }
        const port = await secondSshd("-o MaxAuthTries=2");
        const wish = { port, login: { from: "agent" } } as const;
        await fails("login", /the agent at SSH_AUTH_SOCK offers more keys than the host lets root try/, wish, agents);
      } finally {
        await agents.close();
        process.kill(Number(/SSH_AGENT_PID=(\d+)/.exec(stdout)?.[1]));
      }
    });

    it("names the variable or the file that is missing, or is no key", async () => {
      const { private: stranger } = createSshKeys();
      const [strange, wrong] = [path.join(ssh.folder, "strange"), path.join(ssh.folder, "wrong")];
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
      const port = await freePort();
      await fails("unreachable", new RegExp(`^127.0.0.1:${port}: nothing listens on this port; start sshd`), { port });
      await fails("unreachable", /^no-such-host.invalid:22: the name (has no address|cannot be looked up)/, {
        ...{ address: "no-such-host.invalid", port: 22 },
      });
    });

    it("names an IPv6 address so that its port can be told", () => {
      assert.equal(placeOf({ address: "2001:db8::1", port: 22 }), "[2001:db8::1]:22");
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
      await fails("hostKey", new RegExp(`^127.0.0.1:${ssh.host.ports.ssh}: shows the host key`), { port, bastion });
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
      await ssh.host.run(
        "grep -vE '^(ListenAddress|Port|HostKey)' /etc/ssh/sshd_config >/etc/ssh/many; echo HostKey /etc/ssh/ssh_host_ed25519_key >>/etc/ssh/many",
      );
      // One sshd listens on 16 addresses at most.
      const addresses = Array.from({ length: 15 }, (_, index) => `127.0.1.${index + 1}`);
      const listen = ["127.0.0.1", ...addresses].map((address) => `-o ListenAddress=${address}`).join(" ");
      const ports = [await secondSshd(`-f /etc/ssh/many ${listen}`), await secondSshd(`-f /etc/ssh/many ${listen}`)];
      const hosts = ports.flatMap((port) => addresses.map((address) => ({ address, port })));
      const answers = await Promise.all(hosts.map((changes) => output("echo $SSH_CONNECTION", nothing, changes)));
      assert.deepEqual(
        answers.map((answer) => answer.trim().split(" ").slice(2).join(":")),
        hosts.map(({ address, port }) => `${address}:${port}`),
      );
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
