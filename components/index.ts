/** What another Pulumi program imports. */
export { ApacheHost, type ApacheHostArgs } from "./apache-host.ts";
export { ClientAuth, type ClientAuthArgs } from "./client-auth.ts";
export { Site } from "./site.ts";
export { type LoadedSite, loadSite } from "../provider/site/load-site.ts";
