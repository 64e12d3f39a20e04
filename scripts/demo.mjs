#!/usr/bin/env node
/** `npm run demo`: set-up, then the demo with the same engine and environment. */
import { spawn } from "node:child_process";
import { setup } from "./setup.mjs";
import { main, root } from "./steps.mjs";

async function demo() {
  const engine = await setup("demo");
  const args = ["--import", "tsx", "lab/demo/main.ts", ...process.argv.slice(2)];
  const child = spawn(process.execPath, args, { cwd: root, env: engine.env, stdio: "inherit" });
  // A Ctrl-C reaches the demo as well, which then ends its lab; this process waits for that.
  process.on("SIGINT", () => undefined);
  process.exitCode = await new Promise((resolve) => child.on("close", (status) => resolve(status ?? 1)));
}

await main(demo);
