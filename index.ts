import * as pulumi from "@pulumi/pulumi";
import { Site } from "./components/site.ts";
import { loadSite } from "./provider/site.ts";

const stack = pulumi.getStack();

/** By host: what was done and found, and what to look at. */
export const hosts = new Site(stack, loadSite(`stacks/${stack}.yaml`)).hosts;
