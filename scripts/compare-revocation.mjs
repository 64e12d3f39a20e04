#!/usr/bin/env node
/** `npm run compare:revocation`: set-up with fetch-crl and wget, then the comparison in bench/revocation. */
import { launch } from "./launch.mjs";
import { main } from "./steps.mjs";

await main(() => launch("bench/revocation/compare.ts", "compare", new Set(["packages"])));
