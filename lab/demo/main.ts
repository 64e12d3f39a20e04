/** `npm run demo`: shows the main job to the reader, on real parts. `--keep` leaves the lab running. */
import { once } from "node:events";
import { parseArgs } from "node:util";
import { type Scene, setScene } from "./scene.ts";
import { showResult, showSeen, showTitle } from "./show.ts";
import { type Step, steps } from "./steps.ts";

const usage = `npm run demo [-- --keep]

Makes three lab hosts on this machine (namespaces, loopback only), and runs the main job on them with the real Pulumi
engine, a real sshd and a real Apache httpd.

  --keep  leave the lab running at the end, and say how to talk to it`;

const { values } = parseArgs({
  options: { keep: { type: "boolean", default: false }, help: { type: "boolean", short: "h", default: false } },
});
if (values.help) console.log(usage);
else process.exitCode = await play(values.keep);

async function play(keep: boolean): Promise<number> {
  console.log(
    "The stage: three lab hosts, each with its own sshd, Apache httpd and file tree under /usr/local/ni/apache … (about two minutes)",
  );
  const scene = await setScene().catch((error: unknown) => {
    console.log(`demo: the stage could not be set: ${error instanceof Error ? error.message : String(error)}`);
  });
  // Whatever has started of the stage ends with this process.
  if (scene === undefined) process.exit(1);
  const interrupted = new AbortController();
  process.once("SIGINT", () => interrupted.abort());
  try {
    const failed = await playSteps(scene, interrupted.signal);
    if (keep) await keepRunning(scene);
    console.log(
      failed === undefined
        ? `\nThe lab is gone again. Next: README, "Adding a site".\ndemo: ${steps.length} of ${steps.length} steps as expected`
        : `\ndemo: ${failed}`,
    );
    return failed === undefined ? 0 : 1;
  } finally {
    await scene.end();
  }
}

/** Stops at the first step that did not go as expected, because later steps build on it. */
async function playSteps(scene: Scene, signal: AbortSignal): Promise<string | undefined> {
  for (const [index, step] of steps.entries()) {
    if (signal.aborted) return "interrupted";
    showTitle(index + 1, steps.length, step.title, step.about);
    const problem = await playStep(scene, step);
    if (problem !== undefined) return `step ${index + 1} (${step.title}) was not as expected`;
  }
  return undefined;
}

async function playStep(scene: Scene, step: Step): Promise<string | undefined> {
  try {
    showSeen(await step.run(scene));
    showResult(true);
    return undefined;
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    showResult(false, problem);
    return problem;
  }
}

async function keepRunning({ hosts, project }: Scene): Promise<void> {
  console.log(`\nThe lab keeps running. Site file: ${project.folder}/stacks/lab.yaml`);
  for (const name of ["web1", "web2", "web3"] as const) {
    const host = hosts[name];
    console.log(
      `  ${name}: ssh -p ${host.ports.ssh} -i ${host.keyFile} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null root@127.0.0.1`,
    );
    console.log(`        curl -k https://127.0.0.1:${host.ports.https}/`);
  }
  console.log("Ctrl-C stops it and removes everything.");
  const alive = setInterval(() => undefined, 60_000);
  await once(process, "SIGINT");
  clearInterval(alive);
}
