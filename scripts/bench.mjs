#!/usr/bin/env node
/** `npm run bench`: set-up, then the measurements of bench/run.ts; its arguments are passed on. */
import { spawn } from "node:child_process";
import { setup } from "./setup.mjs";
import { isMain, main, root } from "./steps.mjs";

async function bench() {
  const { env } = await setup("test");
  const args = ["--import", "tsx", "bench/run.ts", ...process.argv.slice(2)];
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ["ignore", "inherit", "inherit"] });
  process.exitCode = await new Promise((resolve) => child.on("close", (status) => resolve(status ?? 1)));
}

if (isMain(import.meta.url)) await main(bench);
