#!/usr/bin/env node
/** `npm run soak`: set-up, then the refreshes in bench/revocation/soak.ts. */
import { launch } from "./launch.mjs";
import { main } from "./steps.mjs";

await main(() => launch("bench/revocation/soak.ts", "test", new Set(["packages"])));
