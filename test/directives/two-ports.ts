/** A host with a second TLS port that is not covered, and changes made by hand that would be noticed there. */
import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { readFacts } from "../../core/apache/facts/read-facts.ts";
import type { AskedHost, FileEdit } from "../../core/apache/model.ts";
import { planRemoval } from "../../core/apache/plan/plan.ts";
import { request } from "../../lab/client.ts";
import type { LabHostOptions } from "../../lab/options.ts";
import { freePort } from "../../lab/ports.ts";
import type { Outcome, Transaction } from "../../provider/apache/host-model.ts";
import { hostScript } from "../../provider/apache/host-program.ts";
import { startSession, type Session } from "../host/session.ts";

const root = "/usr/local/ni/apache";
const main = `${root}/conf/httpd.conf`;
/** What stands before a line that an adoption took out. */
export const adopted = "#clientcert-adopted# ";
/** At server level: nobody gets in without a certificate, on any port. */
export const closing = "SSLVerifyClient require";
/** At server level: the CA that signed the certificates of servers, so that these send it as well. */
export const completing = "SSLCACertificateFile conf/own-ca.pem";

/** See {@link onTwoPorts}. */
export interface TwoPorts {
  readonly session: Session;
  readonly other: AskedHost;
  /** A change of ours, planned before the lines of the administrator stood there. */
  readonly planned: Transaction;
}

/** A host with a second TLS port, on which lines at server level count as they do in the virtual host that we cover. */
export async function onTwoPorts(
  lines: readonly string[],
  use: (host: TwoPorts) => Promise<void>,
  options: LabHostOptions = {},
  program: () => string = hostScript,
): Promise<void> {
  const port = await freePort();
  const files = "SSLCertificateFile conf/server.crt\nSSLCertificateKeyFile conf/server.key";
  const section = `<VirtualHost 127.0.0.1:${port}>\nServerName b.lab.test\nSSLEngine on\n${files}\n</VirtualHost>`;
  const session = await startSession(
    { serverDirectives: `Listen 127.0.0.1:${port}\n${section}`, ...options },
    {},
    program,
  );
  try {
    const { lab } = session;
    const planned = await session.prepare();
    await lab.run(`cat >${root}/conf/own-ca.pem`, lab.pki.caBundle);
    await lab.run(`cat >>${main} && kill -USR1 $(cat ${root}/logs/httpd.pid)`, `${lines.join("\n")}\n`);
    await lab.run(`until grep -q AH00493 ${root}/logs/error_log; do sleep 0.05; done; sleep 1.1`);
    const other = { address: "127.0.0.1", port, serverName: "b.lab.test" };
    await use({ session, other, planned: withEdits(planned, [], [other]) });
  } finally {
    await session.stop();
  }
}

const withEdits = (planned: Transaction, edits: readonly FileEdit[], others: readonly AskedHost[]): Transaction => ({
  ...planned,
  change: { ...planned.change, others, edits: [...planned.change.edits, ...edits] },
});

/** The judge shall start the live files as well. */
export const withBaseline = (transaction: Transaction): Transaction => ({
  ...transaction,
  change: { ...transaction.change, needsBaseline: true },
});

/** What a build that knows no better would do to one line of the administrator's. */
async function edited({ session, planned, other }: TwoPorts, line: string, insert: string): Promise<Transaction> {
  const text = await session.lab.run(`cat ${main}`);
  const offset = text.indexOf(`\n${line}\n`) + 1;
  assert.ok(offset > 0, `${line}: stands in no line of its own`);
  const remove = insert === "" ? adopted.length : 0;
  const sha256 = createHash("sha256").update(text, "latin1").digest("hex");
  return withEdits(planned, [{ path: main, sha256, splices: [{ offset, remove, insert }] }], [other]);
}

/** The change, and one that takes a line of the administrator's out. */
export const takenOut = (host: TwoPorts, line: string): Promise<Transaction> => edited(host, line, adopted);
/** What a newer build does to a line that stays by its rules. */
export const putBack = (host: TwoPorts, line: string): Promise<Transaction> => edited(host, `${adopted}${line}`, "");

/** Of everything of ours. */
export async function removal({ session, other }: TwoPorts): Promise<Transaction> {
  const facts = readFacts(await session.host.observe(session.target), { port: session.lab.ports.https });
  const change = planRemoval(facts);
  assert.ok(change !== undefined);
  const base = { id: randomUUID(), owner: "organization/project/lab/web1", takeOver: false };
  const transaction = {
    ...base,
    configFile: facts.server.configFile,
    change,
    contents: new Map(),
    probes: new Map(),
    remove: true,
  };
  return withEdits(transaction, [], [other]);
}

/** Carries a change out that no plan has made. */
export const apply = ({ session }: TwoPorts, transaction: Transaction): Promise<Outcome> =>
  session.host.apply(session.target, transaction);

/** Without a certificate, at the covered virtual host and at the other one. */
export async function answers({ session: { lab }, other }: TwoPorts): Promise<readonly string[]> {
  const beside = { ...lab, ports: { https: other.port } };
  const there = await request(beside, { servername: other.serverName });
  return [(await request(lab)).outcome, there.outcome];
}

/** By the other virtual host. */
export const certificatesSent = async ({ session, other }: TwoPorts): Promise<number> => {
  const asked = `openssl s_client -connect ${other.address}:${other.port} -servername ${other.serverName} </dev/null 2>&1`;
  return Number(await session.lab.run(`${asked} | grep -c '^ *[0-9]* s:'`));
};
