/**
 * A lab host with a CA that publishes: the client-certificate set-up with CRL sources, and the refresh as the timer and
 * a hand run it.
 */
import { createHash } from "node:crypto";
import { createPki, type LabPki } from "../../lab/pki.ts";
import type { LabHostOptions } from "../../lab/options.ts";
import { startPublisher, type Publisher } from "../../lab/publisher.ts";
import type { CrlSource } from "../../core/crl-refresh/inputs.ts";
import { startSession, type Product, type Session, type Wish } from "./session.ts";

export interface RefreshSession extends Session {
  readonly publisher: Publisher;
  readonly pki: LabPki;
  /** Revokes one more certificate (a serial of nobody's by default) and publishes the next list. */
  publishNew(serial?: string): Promise<void>;
  /** The command by hand, options included. */
  refresh(options?: string): Promise<Refreshed>;
  /** The command as cron's line has it. */
  timer(): Promise<Refreshed>;
}

export interface Refreshed {
  readonly exitCode: number;
  readonly output: string;
}

export const listName = "issuing.crl";
export const stateDirectory = "/var/lib/clientcert/*";

/** One source with these addresses. */
export function sourceOf(urls: readonly string[], hasFile = false): CrlSource {
  const id = createHash("sha256").update(urls.join("\n")).digest("hex").slice(0, 8);
  return { id, urls, ...(hasFile && { file: listName }) };
}

/** A wish for one source, with no list in the site file. */
export const sourced = (publisher: Publisher, wish: Wish = {}): Wish => ({
  crlPem: null,
  crlSources: [sourceOf([publisher.url(listName)])],
  crlRefresh: { times: ["00:30"], spreadMinutes: 0, alarmHours: 24 },
  ...wish,
});

/** The issuing CA's list is published; nothing is installed yet. cron runs on the host. */
export async function startRefreshSession(
  options: LabHostOptions = {},
  program?: () => string,
  product?: Product,
): Promise<RefreshSession> {
  const pki = await createPki();
  const publisher = await startPublisher(pki);
  publisher.publish(listName, await pki.crl());
  const session = await startSession({ cron: true, ...options, pki }, {}, program, product);
  const run = async (command: string): Promise<Refreshed> => {
    const answer = await session.lab.run(`${command} 2>&1; echo "exit $?"`);
    const [, output = "", exitCode = "-1"] = /^([\s\S]*)exit (\d+)\n$/.exec(answer) ?? [];
    return { exitCode: Number(exitCode), output };
  };
  let nobody = 0x0a0b0c;
  return {
    ...session,
    publisher,
    pki,
    async publishNew(serial) {
      publisher.publish(listName, await pki.revoke(serial ?? (nobody++).toString(16).padStart(8, "0")));
    },
    refresh: (wish = "") => run(`sh ${stateDirectory}/refresh ${wish}`),
    timer: () => run(`/bin/sh ${stateDirectory}/refresh --timer`),
    async stop() {
      await publisher.stop();
      await session.stop();
    },
  };
}
