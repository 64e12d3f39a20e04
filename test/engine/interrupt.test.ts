import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { type LabSite, labSite } from "./lab-site.ts";
import type { Running } from "../../lab/project.ts";

describe("Interrupting the real engine in the middle of a change", () => {
  let lab: LabSite;

  before(async () => {
    lab = await labSite();
    const up = await lab.project.pulumi("up", "--yes", "--skip-preview");
    assert.equal(up.status, 0, up.output);
  });
  after(() => lab.remove());

  /** Starts an update of the host and waits until it is in the given step. */
  async function updateUntil(step: RegExp, organization: string): Promise<Running> {
    await lab.writeSite({ organizations: [organization] });
    const running = lab.project.start(["up", "--yes", "--skip-preview"]);
    for (let waited = 0; !step.test(running.output()); waited += 20) {
      assert.ok(waited < 60_000, running.output());
      await sleep(20);
    }
    return running;
  }

  /** The site answers, and a plain preview tells whether state, host and program agree. */
  async function isSettled(): Promise<boolean> {
    const asked = await lab.host.exec(
      `curl -sk -o /dev/null -w '%{http_code}' https://127.0.0.1:${lab.host.ports.https}/`,
    );
    assert.equal(asked.stdout, "200");
    const preview = await lab.project.pulumi("preview", "--expect-no-changes");
    assert.ok(preview.status === 0 || preview.status === 7, preview.output);
    return preview.status === 0;
  }

  async function settle(): Promise<void> {
    if (await isSettled()) return;
    const up = await lab.project.pulumi("up", "--yes", "--skip-preview");
    assert.equal(up.status, 0, up.output);
    assert.ok(await isSettled());
  }

  it("one Ctrl-C stops it or lets it end, and the next run finds its way", async () => {
    const running = await updateUntil(/judge: shadow start/, "FIRST");
    running.signal("SIGINT");
    const { status, output } = await running.ended;
    assert.equal(status, 1, output);
    await settle();
  });

  it("two Ctrl-C end the plugin at once, and the next run finds its way", async () => {
    const running = await updateUntil(/judge: shadow start/, "SECOND");
    running.signal("SIGINT");
    await sleep(100);
    running.signal("SIGINT");
    const { status, output } = await running.ended;
    assert.notEqual(status, 0, output);
    // The engine ends where it stands, and may leave its lock, as one that is killed does.
    await lab.project.pulumi("cancel", "--yes");
    await settle();
  });

  it("a killed CLI leaves no plugin behind, the host ends by itself, and after `pulumi cancel` the next run finds its way", async () => {
    const running = await updateUntil(/judge: shadow start/, "THIRD");
    const plugins = await pluginsBelow(running.pid);
    // One that refreshed, and idles since; one that updates.
    assert.ok(plugins.length > 0);
    running.signal("SIGKILL");
    await running.ended;
    for (let waited = 0; (await alive(plugins)).length > 0; waited += 20) {
      assert.ok(waited < 5000, "the plugin lives on");
      await sleep(20);
    }
    const cancelled = await lab.project.pulumi("cancel", "--yes");
    assert.equal(cancelled.status, 0, cancelled.output);
    await settle();
  });
});

/** Process ids of our plugin whose parent is `parent`. */
async function pluginsBelow(parent: number): Promise<number[]> {
  const ids = (await readdir("/proc")).map(Number).filter((id) => Number.isInteger(id));
  const found = await Promise.all(ids.map(async (id) => ((await isPlugin(id, parent)) ? [id] : [])));
  return found.flat();
}

async function isPlugin(id: number, parent: number): Promise<boolean> {
  const status = await readFile(`/proc/${id}/status`, "utf8").catch(() => "");
  const commandLine = await readFile(`/proc/${id}/cmdline`, "utf8").catch(() => "");
  return status.includes(`PPid:\t${parent}\n`) && commandLine.includes("pulumi-resource-clientcert");
}

async function alive(ids: readonly number[]): Promise<readonly number[]> {
  const states = await Promise.all(ids.map((id) => readFile(`/proc/${id}/status`, "utf8").catch(() => "")));
  return ids.filter((_, index) => /^State:\t[^Z]/m.test(states[index] ?? ""));
}
