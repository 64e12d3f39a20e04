/** A run that ends for a reason that nobody foresaw: it is put back, or it stands, and the answer says which. */
import assert from "node:assert/strict";
import { request } from "../../lab/client.ts";
import { HostError } from "../../provider/remote/host-error.ts";
import type { Outcome } from "../../provider/apache/host-model.ts";
import { startSession, type Session } from "../host/session.ts";
import { bytesOf } from "../faults/bytes.ts";
import { conf, findSteps } from "../faults/kill.ts";
import { faultyProgram, forgetSteps } from "../faults/program.ts";

/** The second where it ends before there is a process that carries it out. */
const early =
  /the run ended early, by a signal, a limit or a fault of this program \(exit status \d+\)|the run did not begin/;

const other = { organizations: ["ANOTHER CORPORATION"], crlPem: null } as const;

for (const shell of ["dash", "busybox"] as const) {
  describe(`a run of ${shell} that ends for an unknown reason at any of its steps`, function () {
    this.timeout(580_000);
    let session: Session;
    let program = faultyProgram({ unjudged: true });
    const use = (text: string): void => void (program = text);

    before(async () => {
      session = await startSession({ virtualHosts: 2, ...(shell === "busybox" ? { shell } : {}) }, {}, () => program);
    });
    after(() => session.stop());

    /**
     * Dies at the step of that number, or at the first one of that function. Says what the answer tells of the change.
     */
    async function die(
      death: string,
      step: number | string,
      run: () => Promise<Outcome>,
    ): Promise<"stands" | "is put back"> {
      await session.lab.run(forgetSteps);
      use(
        faultyProgram({
          at: `${typeof step === "number" ? `[ "$fault_step" != ${step} ]` : `[ "$1" != ${step} ] || [ -e /run/fault/died ]`} || { echo "$1" >/run/fault/died; ${death}; }`,
          unjudged: true,
        }),
      );
      const told = await run().catch((error: unknown) => {
        assert.ok(error instanceof HostError && early.test(error.message), `step ${step}: ${String(error)}`);
        return undefined;
      });
      use(faultyProgram({ unjudged: true }));
      // Ended while it gave it back, it leaves it to the next run, which sees that its holder is gone.
      if ((await session.lab.exec("cat /run/fault/died")).stdout.trim() !== "break_lock")
        assert.equal(
          (await session.lab.exec("ls -d /var/lib/clientcert/*/lock*")).stdout,
          "",
          `step ${step}: the lock`,
        );
      if (told?.result === "applied") return "stands";
      assert.match(told?.reasons.join("\n") ?? "is put back", /is put back/);
      assert.ok(told === undefined || told.result === "rolledBack", `step ${step}: ${told?.result}`);
      return "is put back";
    }

    /** At each step: from one state to the next, which are told apart by the bytes and by who is refused. */
    async function dieAtEachStep(
      death: string,
      [there, isRefusedThere]: [() => Promise<Outcome>, boolean],
      [back, isRefusedBefore]: [() => Promise<Outcome>, boolean],
    ): Promise<void> {
      const before = await bytesOf(session, conf);
      const steps = await findSteps(session, use, there);
      const after = await bytesOf(session, conf);
      use(faultyProgram({ unjudged: true }));
      await back();
      const seen = new Set<string>();
      // The numbers of later steps depend on what runs that died have left: this one comes when the change stands.
      for (const step of [...steps, "keep_generation"]) {
        const end = await die(death, step, there);
        seen.add(end);
        const stands = end === "stands";
        assert.equal(await bytesOf(session, conf), stands ? after : before, `step ${step}: ${end}`);
        const { outcome } = await request(session.lab, { certificate: "revoked" });
        assert.equal(outcome === "refused", stands ? isRefusedThere : isRefusedBefore, `step ${step}: ${end}`);
        if (stands) assert.equal((await back()).result, "applied", `step ${step}`);
      }
      assert.deepEqual([...seen].sort(), ["is put back", "stands"]);
    }

    const apply = () => session.apply();
    const remove = () => session.remove();

    if (shell === "dash") {
      it("by an unset variable: a first change is as if it had not been, or stands, and the answer says which", async () => {
        const clean = await bytesOf(session);
        await dieAtEachStep(': "$never_set"', [apply, true], [remove, false]);
        assert.equal(await bytesOf(session), clean);
      });

      it("by SIGTERM: a removal is put back, or is done, and the answer says which", async () => {
        await apply();
        await dieAtEachStep("kill -TERM $$", [remove, false], [apply, true]);
        await remove();
      });
    } else {
      it("by a call of exit: a later change is put back, or stands, and the answer says which", async () => {
        await apply();
        await dieAtEachStep("exit 1", [() => session.apply(other), false], [apply, true]);
      });
    }
  });
}
