import { testBuild } from "./earlier-builds.ts";

/** The last commit before the sources were laid out anew. */
testBuild("6cf536d", true);
