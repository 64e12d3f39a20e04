import { testBuild } from "./earlier-builds.ts";

/** Its state lacks what plans are made from today. */
testBuild("5a6f128", false);
