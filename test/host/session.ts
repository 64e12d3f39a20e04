/** A lab host under our hands: look, plan, judge, apply and remove with the real parts, as the provider does. */
import { createHash, randomUUID } from "node:crypto";
import { sampleName } from "../../core/own-files.ts";
import { type Change, type Desired, type Facts, type Plan, emptyChange } from "../../core/apache/model.ts";
import { defaultCrlRefresh } from "../../core/crl-refresh/inputs.ts";
import { readFacts } from "../../core/apache/facts/read-facts.ts";
import { plan, planRemoval } from "../../core/apache/plan/plan.ts";
import { unique } from "../../core/pki/installed-order.ts";
import type { Connection } from "../../core/connection/inputs.ts";
import type { Detection } from "../../core/apache/inputs.ts";
import type { Target } from "../../core/site/target.ts";
import { makeBundle } from "../../core/pki/bundle.ts";
import { readCertificates } from "../../core/pki/certificate.ts";
import { encodeCrls, readCrls } from "../../core/pki/crl.ts";
import { startLabHost, type LabHost } from "../../lab/host.ts";
import type { LabHostOptions } from "../../lab/options.ts";
import { createHost } from "../../provider/apache/host.ts";
import type { Host, Outcome, Transaction } from "../../provider/apache/host-model.ts";
import { hostScript } from "../../provider/apache/host-program.ts";
import { makeProbeFiles } from "../../provider/apache/probe-files.ts";
import { createPool } from "../../provider/remote/pool.ts";

export interface Wish extends Partial<Omit<Desired, "ca" | "crls" | "crlSha256">> {
  readonly caPem?: string;
  /** PEM; `null` = no revocation check. @default - the lab's fresh CRL */
  readonly crlPem?: string | null;
  /** A user's certificate that every new CRL must accept. */
  readonly samplePem?: string;
}

export interface Session {
  readonly lab: LabHost;
  readonly host: Host;
  readonly connection: Connection;
  readonly target: Target;
  look(): Promise<Facts>;
  plan(wish?: Wish): Promise<Plan>;
  judge(wish?: Wish): Promise<Outcome>;
  apply(wish?: Wish, change?: Partial<Transaction>): Promise<Outcome>;
  /** What `apply` would send. */
  prepare(wish?: Wish): Promise<Transaction>;
  remove(): Promise<Outcome>;
  stop(): Promise<void>;
}

/** What is tried out on the lab host. */
export interface Product {
  readonly createHost: typeof createHost;
  readonly createPool: typeof createPool;
  readonly hostScript: typeof hostScript;
  readonly readFacts: typeof readFacts;
  readonly plan: typeof plan;
  readonly planRemoval: typeof planRemoval;
}

const thisProduct: Product = { createHost, createPool, hostScript, readFacts, plan, planRemoval };

/** `program` makes what runs on the host, anew for each run: tests interfere with it. */
export async function startSession(
  options: LabHostOptions = {},
  detection: Detection = {},
  program?: () => string,
  { readFacts, plan, planRemoval, ...product }: Product = thisProduct,
): Promise<Session> {
  const lab = await startLabHost(options);
  const freshCrl = await lab.pki.crl();
  const host = product.createHost(product.createPool(), program);
  const connection: Connection = {
    address: lab.address,
    port: lab.ports.ssh,
    user: "root",
    hostKey: lab.hostKey,
    login: { from: "keyFile", path: lab.keyFile },
    sudo: { how: "none" },
  };
  const target = { connection, detection };
  const look = async (): Promise<Facts> => readFacts(await host.observe(target), { port: lab.ports.https });

  async function prepare(wish: Wish, facts: Facts, given?: Change): Promise<Transaction> {
    const { desired, contents } = wanted(lab, { crlPem: freshCrl, ...wish });
    const planned = plan(desired, facts);
    const change = given ?? planned.change;
    if (change === undefined) throw new Error(`nothing to change: ${JSON.stringify(planned.diagnostics)}`);
    return { ...transactionOf(facts, change, contents, false), probes: probesOf(lab, { crlPem: freshCrl, ...wish }) };
  }

  /** Plans anew, as the provider does, when the run only put back what an earlier one had left half-way. */
  async function carryOut(make: (facts: Facts) => Promise<Transaction>): Promise<Outcome> {
    const outcome = await host.apply(target, await make(await look()));
    if (outcome.result !== "recovered" || outcome.observation === undefined) return outcome;
    const second = await host.apply(target, await make(readFacts(outcome.observation, { port: lab.ports.https })));
    return { ...second, reasons: [...outcome.reasons, ...second.reasons] };
  }

  async function prepareRemoval(facts: Facts): Promise<Transaction> {
    if (facts.own.owner === undefined && planRemoval(facts) === undefined) throw new Error("nothing to remove");
    const change = planRemoval(facts) ?? emptyChange;
    return transactionOf(facts, change, new Map(), true);
  }

  return {
    lab,
    host,
    target,
    connection,
    look,
    plan: async (wish = {}) => plan(wanted(lab, { crlPem: freshCrl, ...wish }).desired, await look()),
    judge: async (wish = {}) => host.judge(target, await prepare(wish, await look())),
    apply: (wish = {}, changed = {}) =>
      carryOut(async (facts) => ({ ...(await prepare(wish, facts, changed.change)), ...changed })),
    prepare: async (wish = {}) => prepare(wish, await look()),
    remove: () => carryOut(prepareRemoval),
    async stop() {
      await host.close();
      await lab.stop();
    },
  };
}

const owner = "organization/project/lab/web1";

function transactionOf(
  facts: Facts,
  change: Change,
  contents: ReadonlyMap<string, Buffer>,
  remove: boolean,
): Transaction {
  const texts = change.write.flatMap(({ name, text }): [string, Buffer][] =>
    text === undefined ? [] : [[name, Buffer.from(text)]],
  );
  return {
    id: randomUUID(),
    owner,
    takeOver: false,
    configFile: facts.server.configFile,
    change,
    contents: new Map([...contents, ...texts]),
    probes: new Map(),
    remove,
  };
}

/** As the provider makes them of the site's files. */
function probesOf(
  lab: LabHost,
  { caPem = lab.pki.caBundle, crlPem = null, samplePem, crlSources = [] }: Wish,
): Transaction["probes"] {
  const certificatesIn = (pem: string | undefined) => readCertificates(Buffer.from(pem ?? "")).certificates;
  return makeProbeFiles({
    bundle: unique(certificatesIn(caPem)),
    crls: readCrls(Buffer.from(crlPem ?? "")).crls,
    sample: certificatesIn(samplePem)[0],
    urls: crlSources.flatMap(({ urls }) => urls),
  });
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

function wanted(lab: LabHost, wish: Wish): { desired: Desired; contents: Map<string, Buffer> } {
  const { caPem = lab.pki.caBundle, crlPem = null, samplePem, ...rest } = wish;
  const ca = makeBundle(unique(readCertificates(Buffer.from(caPem)).certificates));
  const crls = crlPem === null ? [] : readCrls(Buffer.from(crlPem)).crls;
  const crlText = crls.length > 0 ? encodeCrls(crls) : "";
  const desired: Desired = {
    owner,
    takeOver: false,
    port: lab.ports.https,
    ca: { sha256: ca.sha256, certificates: ca.certificates },
    crls: crls.map(({ summary }) => summary),
    crlSha256: crlText === "" ? "" : sha256(crlText),
    crlCheck: "leaf",
    crlSources: [],
    crlRefresh: defaultCrlRefresh,
    acceptOlderCrls: [],
    sample:
      samplePem === undefined ? undefined : { sha256: sha256(samplePem), subject: "CN=sample", file: "sample.pem" },
    acknowledgeSessionTicketKeys: false,
    organizations: ["ABC CORPORATION"],
    organizationalUnits: [],
    countries: ["JP"],
    issuers: [],
    verifyDepth: 4,
    adopt: false,
    excludeVirtualHosts: [],
    reloadPendingEdits: false,
    mayBeStopped: false,
    phpVersion: undefined,
    ...rest,
  };
  const contents = new Map([[`ca-${ca.sha256.slice(0, 8)}.pem`, Buffer.from(ca.pem)]]);
  if (crlText !== "") contents.set("crl.pem", Buffer.from(crlText));
  if (samplePem !== undefined) contents.set(sampleName, Buffer.from(samplePem));
  return { desired, contents };
}
