/** The data that a run on a host reads: lines of `key value`, the manifest, `end`, and the bytes of our files. */
import { createHash, randomBytes } from "node:crypto";
import type { AskedHost, Change, OwnFile } from "../../core/apache/model.ts";
import { hostBytes } from "../../core/host-text.ts";
import { HostError } from "../remote/host-error.ts";
import type { Detection } from "../../core/apache/inputs.ts";
import type { Transaction } from "./host-model.ts";

export interface Request {
  /** The word at the beginning of every line of the answer. */
  readonly mark: string;
  readonly data: Buffer;
}

/**
 * The time for one start of httpd, in the shadow or at a reload. The host adds the time that large CRLs and many
 * virtual hosts take.
 */
const deadlineSeconds = 15;

/**
 * When the host stops its work, except for a change in progress. It stops before we stop waiting, so that it can report
 * what it waited for.
 */
const limitOf = (timeoutSeconds: number): string => `limit ${timeoutSeconds - 10}`;

export function observeRequest(detection: Detection, timeoutSeconds: number): Request {
  return finish(["mode observe", limitOf(timeoutSeconds), ...detectionLines(detection)]);
}

export function transactionRequest(
  mode: "judge" | "apply",
  detection: Detection,
  transaction: Transaction,
  timeoutSeconds: number,
): Request {
  const contents = transaction.change.write.map((file) => requireContent(transaction, file.name));
  const lines = [
    `mode ${mode}`,
    `id ${transaction.id}`,
    `owner ${hostBytes(transaction.owner)}`,
    `take-over ${yesNo(transaction.takeOver)}`,
    `removal ${yesNo(transaction.remove)}`,
    `config ${transaction.configFile}`,
    `deadline ${deadlineSeconds}`,
    limitOf(timeoutSeconds),
    ...detectionLines(detection),
    ...(transaction.reloadUnstartable === true ? ["reload-unstartable yes"] : []),
    ...(transaction.change.refresh ? ["refresh yes"] : []),
    ...(transaction.change.isAside ? ["aside yes"] : []),
    ...(transaction.change.needsBaseline ? ["baseline yes"] : []),
  ];
  const probes = [...transaction.probes];
  const manifest = [
    ...manifestLines(transaction.change, contents),
    ...probes.map(([name, bytes]) => `probe ${name} ${hashOf(bytes)} ${bytes.length}`),
  ];
  return finish(lines, { manifest, contents: [...contents, ...probes.map(([, bytes]) => bytes)] });
}

/** Asks how a run ended whose connection was cut. The answer of that run has the mark of its own request. */
export function resultRequest(
  detection: Detection,
  { id, remove }: Transaction,
  { mark }: Request,
  timeoutSeconds: number,
): Request {
  const lines = [`id ${id}`, `removal ${yesNo(remove)}`, limitOf(timeoutSeconds)];
  return finish(["mode result", ...lines, ...detectionLines(detection)], { mark });
}

function manifestLines(change: Change, contents: readonly Buffer[]): string[] {
  return [
    ...change.write.map((file, index) => ownLine(file, contents[index] ?? Buffer.alloc(0))),
    ...change.drop.map((name) => `drop ${name}`),
    ...change.edits.flatMap((edit) => [
      `edit ${edit.sha256} ${edit.path}`,
      ...edit.splices.map(
        (splice) =>
          `splice ${splice.offset} ${splice.remove} ${Buffer.from(splice.insert, "latin1").toString("base64")}`,
      ),
    ]),
    ...change.healthCheck.map(askedLine("look")),
    ...change.others.map(askedLine("other")),
  ];
}

const askedLine =
  (key: "look" | "other") =>
  ({ address, port, serverName }: AskedHost): string =>
    `${key} ${address} ${port} ${serverName}`;

/** The hash is that of the bytes that are sent. In the plan, a CRL has the hash of its DER. */
function ownLine({ role, name }: OwnFile, bytes: Buffer): string {
  return `own ${role} ${name} ${hashOf(bytes)} ${bytes.length}`;
}

const hashOf = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

function requireContent(transaction: Transaction, name: string): Buffer {
  const content = transaction.contents.get(name);
  if (content === undefined) throw new Error(`${name}: the transaction has no bytes for it`);
  return content;
}

/** A person wrote these texts. They are turned into bytes of the host here. */
function detectionLines(detection: Detection): string[] {
  return [
    ...optional("want-httpd", detection.httpd),
    ...optional("want-config", detection.config),
    ...optional("want-pid-file", detection.pidFile),
    ...optional("want-environment", detection.environmentFile),
    ...(detection.defines ?? []).map((name) => `want-define ${hostBytes(name)}`),
  ];
}

function optional(key: string, value: string | undefined): string[] {
  return value === undefined ? [] : [`${key} ${hostBytes(value)}`];
}

function yesNo(value: boolean): string {
  return value ? "yes" : "no";
}

const newMark = (): string => `clientcert-${randomBytes(12).toString("hex")}`;

interface Rest {
  readonly manifest?: readonly string[];
  readonly contents?: readonly Buffer[];
  readonly mark?: string;
}

/**
 * Lines are bytes, as is everything that comes from the host. A path with a line end could forge a line of the request,
 * so it is refused.
 */
function finish(lines: readonly string[], { manifest = [], contents = [], mark = newMark() }: Rest = {}): Request {
  for (const line of [...lines, ...manifest]) {
    if (/[\n\r\0]/.test(line))
      throw new HostError("answer", `${JSON.stringify(line)}: holds a line end; rename that file`);
    if (/[^\0-\xff]/.test(line)) throw new Error(`${JSON.stringify(line)}: is text, and not bytes of the host`);
  }
  const listed = manifest.map((line) => `${line}\n`).join("");
  const block = listed === "" ? [] : [`manifest ${listed.length}\n${listed}`];
  const head = [`mark ${mark}`, ...lines].map((line) => `${line}\n`);
  return { mark, data: Buffer.concat([Buffer.from([...head, ...block, "end\n"].join(""), "latin1"), ...contents]) };
}
