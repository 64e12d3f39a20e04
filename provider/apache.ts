/** Apache httpd as a kind of server: what the resource `clientcert:apache:ClientAuth` is made of. */
import { readFacts } from "../core/apache/facts/read-facts.ts";
import { type Change, type Facts, emptyChange } from "../core/apache/model.ts";
import type { Observation } from "../core/apache/observation.ts";
import { plan, planRemoval } from "../core/apache/plan/plan.ts";
import { type ApacheStatus, statusOf } from "../core/apache/status.ts";
import { hostText } from "../core/host-text.ts";
import type { KindFiles, KindImports, KindInputs, KindOutputs, KindTypes, ServerKind } from "../core/server-kind.ts";
import { fileChangeTexts, jobFiles, liveFiles, plannedFiles } from "./apache/files.ts";
import type { Host } from "./apache/host-model.ts";
import { importTarget, importedInputs } from "./apache/import.ts";
import type { Inputs } from "../core/apache/inputs.ts";
import {
  changedInputs,
  desiredOf,
  parseInputs,
  targetOf,
  validateInputs,
  withDefaults,
} from "./apache/parse-inputs.ts";
import { storedFacts } from "./apache/stored-facts.ts";
import { describeChange, describeRestored, transactionOf } from "./apache/transaction.ts";
import type { Resource } from "./engine/resource.ts";
import { serverResource } from "./resource/server-resource.ts";

interface Apache extends KindTypes {
  readonly inputs: Inputs;
  readonly observation: Observation;
  readonly facts: Facts;
  readonly change: Change;
  readonly status: ApacheStatus;
}

const inputs: KindInputs<Inputs> = {
  withDefaults,
  validate: validateInputs,
  parse: parseInputs,
  changed: changedInputs,
  // These inputs change nothing on a host: the paths of files (what the files contain is in other inputs, such as
  // `ca`), how a preview judges, and what a change is allowed to do. The owner is made from the name of the resource.
  neverCompared: ["siteFile", "caFiles", "crlFiles", "judgeInPreview", "reloadUnstartable", "takeOver", "owner"],
  locating: ["detection", "port"],
};

const files: KindFiles<Apache> = {
  live: liveFiles,
  planned: plannedFiles,
  changeTexts: fileChangeTexts,
  readInFull: jobFiles,
};

const imports: KindImports<Apache> = { target: importTarget, inputs: importedInputs };

const outputs: KindOutputs<ApacheStatus> = {
  names: ["opensslVersion", "php", "tlsRule", "virtualHosts"],
  fromStatus: ({ opensslVersion, php, tlsRule, virtualHosts }) => ({
    opensslVersion,
    php,
    tlsRule,
    virtualHosts: virtualHosts.map(({ serverName, file, line }) => hostText(`${serverName} (${file}:${line})`)),
  }),
  judges: ["shadow", "minimal", "syntax"],
};

/** Everything about this kind of server that needs no host. */
export const apache: Omit<ServerKind<Apache>, "observe" | "prepare" | "close"> = {
  name: "apache",
  serverName: "httpd",
  inputs,
  facts: storedFacts,
  files,
  imports,
  outputs,
  readFacts: (observation, { port }) => readFacts(observation, { port }),
  plan: (wanted, facts) => plan(desiredOf(wanted), facts),
  planRemoval: (facts) => planRemoval(facts) ?? emptyChange,
  status: (wanted, facts, planned) => statusOf(desiredOf(wanted), facts, planned),
  describeChange,
  describeRestored,
};

/** The whole kind: with the calls that reach a host. */
const apacheKind = (host: Host): ServerKind<Apache> => ({
  ...apache,
  observe: (wanted, options) => host.observe(targetOf(wanted), options),
  prepare(wanted, facts, change, purpose) {
    const target = targetOf(wanted);
    const transaction = transactionOf(wanted, facts, change, purpose === "removal");
    return {
      judge: (options) => host.judge(target, transaction, options),
      apply: (options) => host.apply(target, transaction, options),
    };
  },
  close: () => host.close(),
});

/** The resource, made around a host layer that carries out what it is asked to do. */
export const clientAuth = (host: Host): Resource => serverResource("clientcert:apache:ClientAuth", apacheKind(host));
