/** Root rights by sudo, and where its password goes, against a real sudo in a lab host. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { labPassword } from "../../lab/ssh.ts";
import { useSshHost } from "./ssh-host.ts";

describe("provider/ssh: sudo", function () {
  this.timeout(60_000);
  const ssh = useSshHost();
  const { execute, output, fails, sudoers } = ssh;
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
    const file = path.join(ssh.folder, "password");
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
      await ssh.host.run("rm -f /var/log/sudo.log");
      await fails("sudo", /sudo refused the password of ops from environment variable WRONG_PASSWORD/, {
        user,
        sudo: { how: "password", environment: "WRONG_PASSWORD" },
      });
      assert.match(await ssh.host.run("cat /var/log/sudo.log"), /1 incorrect password attempt/);
      assert.doesNotMatch(await ssh.host.run("cat /var/log/sudo.log"), /MARKER/);
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
    const file = path.join(ssh.folder, "lines");
    await writeFile(file, `${labPassword}\n${labPassword}\n`);
    await fails("sudo", /lines" holds more than one line/, { user, sudo: { how: "password", file } });
  });

  it("says that sudo is not installed", async () => {
    await ssh.host.run("mv /usr/bin/sudo /usr/bin/sudo.away");
    try {
      await fails("sudo", /the host has no sudo; install it/, { user, sudo: { how: "passwordless" } });
    } finally {
      await ssh.host.run("mv /usr/bin/sudo.away /usr/bin/sudo");
    }
  });

  it("runs one allowed program with the data alone, and no script", async () => {
    const program = { how: "program", path: "/usr/local/sbin/observe" } as const;
    await ssh.host.run(
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
