/**
 * A file that keeps what only a running httpd knows of a host, for a later `clientcert plan` that does not connect to
 * the host. It holds no line of the customer's files.
 */
import { z } from "zod";
import { parseDump } from "../core/apache/config/dump.ts";
import type { Observation } from "../core/apache/observation.ts";
import { shownLines } from "../core/shown.ts";

const version = 1;

const savedHost = z.strictObject({
  savedAt: z.string().describe("ISO 8601."),
  version: z.string(),
  openssl: z.string(),
  serverRoot: z.string(),
  configFile: z.string(),
  instance: z.string(),
  defines: z.array(z.string()).describe("-D names of the command line, NAME=VALUE where there is a value."),
  modules: z.record(z.string(), z.enum(["static", "shared"])),
  php: z.array(z.strictObject({ source: z.enum(["module", "fpm", "cli"]), path: z.string(), version: z.string() })),
  scheduler: z.enum(["systemd", "cron", "none"]).optional().describe("What runs jobs there; older files lack it."),
  owner: z.string().optional(),
  generation: z.number(),
});

const savedFile = z.strictObject({
  format: z.literal(`clientcert observation ${version}`),
  hosts: z.record(z.string(), savedHost),
});

/** One host, as it was when it was observed. */
export type SavedHost = z.output<typeof savedHost>;

/**
 * The part of an observation that the file keeps. `now` is in milliseconds since 1970. A host whose httpd did not tell
 * its modules has none in the file, and one without a change of ours has the generation 0.
 */
export function savedOf({ server, dump, php, journal, scheduler }: Observation, now: number): SavedHost {
  const modules = dump === undefined ? undefined : parseDump(dump).modules;
  const owner = journal.get("owner");
  return {
    savedAt: new Date(now).toISOString(),
    version: server.version,
    openssl: server.openssl,
    serverRoot: server.serverRoot,
    configFile: server.configFile,
    instance: server.instance,
    defines: [...server.defines],
    modules: Object.fromEntries(modules ?? []),
    php: php.map(({ source, path, version: found }) => ({ source, path, version: found })),
    scheduler,
    ...(owner === undefined ? {} : { owner }),
    generation: Number(journal.get("generation") ?? 0),
  };
}

export function renderSaved(hosts: Readonly<Record<string, SavedHost>>): string {
  // The escaped text is still the same JSON, so paths are read back unchanged.
  return shownLines(`${JSON.stringify({ format: `clientcert observation ${version}`, hosts }, undefined, 2)}\n`);
}

/** Returns the hosts by name, or what is wrong with the text. */
export function readSaved(
  text: string,
): { readonly hosts: Readonly<Record<string, SavedHost>> } | { readonly problem: string } {
  const problem = { problem: "is no saved observation; make one with npx clientcert check --save FILE" };
  try {
    const read = savedFile.safeParse(JSON.parse(text));
    return read.success ? { hosts: read.data.hosts } : problem;
  } catch {
    return problem;
  }
}
