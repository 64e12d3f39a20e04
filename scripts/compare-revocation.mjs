#!/usr/bin/env node
/** `npm run compare:revocation`: set-up, fetch-crl and wget included, then the comparison of bench/revocation. */
import { launch } from "./launch.mjs";
import { main } from "./steps.mjs";

await main(() => launch("bench/revocation/compare.ts", "compare", new Set(["packages"])));
