import { getStack } from "./components/pulumi.ts";
import { Site } from "./components/site.ts";
import { loadSite } from "./provider/site/load-site.ts";

// Pulumi's SDK notes a stack trace for each of its promises: with fifty hosts that was a fifth of the time of a
// preview.
Error.stackTraceLimit = 0;

// The site file of a stack has the name of the stack.
const stack = getStack();

/** By host: what was done and found, and what to look at. */
export const hosts = new Site(stack, loadSite(`stacks/${stack}.yaml`)).hosts;
