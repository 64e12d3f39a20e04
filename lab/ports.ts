/** Free ports on 127.0.0.1, below the range from which the kernel takes the ports of outgoing connections. */
import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import type { LabPorts } from "./options.ts";

const taken = new Set<number>();

/** Ports for one host. One process gives each port to one host only. */
export async function freePorts(): Promise<LabPorts> {
  return { ssh: await freePort(), http: await freePort(), https: await freePort(), fpm: await freePort() };
}

/** One free port. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_000);
    if (taken.has(port)) continue;
    taken.add(port);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
