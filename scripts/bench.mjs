#!/usr/bin/env node
/** `npm run bench`: set-up, then the measurements in bench/run.ts. */
import { launch } from "./launch.mjs";
import { main } from "./steps.mjs";

await main(() => launch("bench/run.ts", "test"));
