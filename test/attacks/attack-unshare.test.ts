/** A shadow that is not in namespaces of its own would mount, listen and kill on the host itself. */
import assert from "node:assert/strict";
import { startSession, type Session } from "../host/session.ts";
import { bytesOf } from "../faults/bytes.ts";
import { faultyProgram } from "../faults/program.ts";

/** What makes no sense, or would imply it, without the namespace that is not made. */
const withoutMeaning = {
  "--mount": "--mount | --mount-proc | --propagation | private",
  "--net": "--net",
  "--pid": "--pid | --fork | --mount-proc | --kill-child=*",
} as const;

/** What a shadow would do to the host is written down, and not done. */
const told = (command: string): string => `${command}() { echo "${command} $*" >>/usr/local/ni/apache/told; }\n`;
const tells = `${told("mount")}${told("ip")}${told("kill_all")}
kill() { case $* in *' -1') kill_all ;; *) command kill "$@" ;; esac; }\n`;

describe("a shadow (with a stand-in for unshare, kill, mount and ip)", function () {
  this.timeout(60_000);
  let session: Session;
  let clean: string;

  before(async () => {
    session = await startSession({}, {}, () => faultyProgram({ more: tells }));
    clean = await bytesOf(session);
  });
  after(() => session.stop());

  for (const missing of ["--mount", "--net", "--pid"] as const) {
    it(`does nothing where unshare does not do what ${missing} asks for`, async () => {
      await session.lab.run(
        "cat >/usr/local/sbin/unshare && chmod +x /usr/local/sbin/unshare",
        `#!/bin/bash
        for word; do
          case $word in ${withoutMeaning[missing]}) ;; *) kept+=("$word") ;; esac
        done
        exec /usr/bin/unshare "\${kept[@]}"\n`,
      );
      const { judge, reasons } = await session.judge();
      assert.equal(await session.lab.run("cat /usr/local/ni/apache/told 2>/dev/null || :"), "");
      assert.equal(judge, "minimal");
      assert.match(reasons.join("\n"), /unshare did not make all of them/);
      assert.equal(await bytesOf(session), clean);
    });
  }
});
