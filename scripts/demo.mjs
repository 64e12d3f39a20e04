#!/usr/bin/env node
/** `npm run demo`: set-up, then the demo with the same engine and environment. */
import { launch } from "./launch.mjs";
import { main } from "./steps.mjs";

await main(() => launch("lab/demo/main.ts", "demo"));
