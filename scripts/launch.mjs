/** Runs set-up, then a TypeScript program of this project with the arguments of this command. */
import { spawn } from "node:child_process";
import { setup } from "./setup.mjs";
import { root } from "./steps.mjs";

/**
 * Ends with the exit status of the program.
 *
 * @param {string} program path from the checkout
 * @param {Parameters<typeof setup>} needs
 */
export async function launch(program, ...needs) {
  const { env } = await setup(...needs);
  const args = ["--import", "tsx", program, ...process.argv.slice(2)];
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: "inherit" });
  // Ctrl-C also reaches the program, which ends its lab. This process waits for that.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  process.exitCode = await new Promise((resolve) => child.on("close", (status) => resolve(status ?? 1)));
}
