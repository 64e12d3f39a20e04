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
 * The line that says after how many seconds the host stops its work, except for a change in progress. It stops 10
 * seconds before we stop waiting, so that it can report what it waited for.
 */
const limitLine = (timeoutSeconds: number): string => `limit ${timeoutSeconds - 10}`;

/** The request to observe a host. */
export function observeRequest(detection: Detection, timeoutSeconds: number): Request {
  return makeRequest(["mode observe", limitLine(timeoutSeconds), ...detectionLines(detection)]);
}

/**
 * The request to judge or to apply a change. The bytes of our files and of the probes follow the lines. Throws an error
 * where the transaction has no bytes for a file of the change.
 */
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
    limitLine(timeoutSeconds),
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
  return makeRequest(lines, { manifest, contents: [...contents, ...probes.map(([, bytes]) => bytes)] });
}

/**
 * The request that asks how an earlier run ended whose connection was cut. It has the mark of the earlier request,
 * because the host has kept the answer with that mark.
 */
export function resultRequest(
  detection: Detection,
  { id, remove }: Transaction,
  { mark }: Request,
  timeoutSeconds: number,
): Request {
  const lines = [`id ${id}`, `removal ${yesNo(remove)}`, limitLine(timeoutSeconds)];
  return makeRequest(["mode result", ...lines, ...detectionLines(detection)], { mark });
}

/** The lines about the steps of a change. `contents` are the bytes of the files to write, in the same order. */
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

/** Makes the line about a virtual host that is asked after the reload. */
const askedLine =
  (key: "look" | "other") =>
  ({ address, port, serverName }: AskedHost): string =>
    `${key} ${address} ${port} ${serverName}`;

/**
 * The line about a file of ours. The hash is that of the bytes that are sent, because the plan has the hash of a CRL's
 * DER.
 */
function ownLine({ role, name }: OwnFile, bytes: Buffer): string {
  return `own ${role} ${name} ${hashOf(bytes)} ${bytes.length}`;
}

const hashOf = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

/** The bytes of one of our files. Throws an error where there are none, which would be a mistake of this program. */
function requireContent(transaction: Transaction, name: string): Buffer {
  const content = transaction.contents.get(name);
  if (content === undefined) throw new Error(`${name}: the transaction has no bytes for it`);
  return content;
}

/** The lines about the overrides of the detection. A person wrote these texts. Here they become bytes of the host. */
function detectionLines(detection: Detection): string[] {
  return [
    ...optionalLine("want-httpd", detection.httpd),
    ...optionalLine("want-config", detection.config),
    ...optionalLine("want-pid-file", detection.pidFile),
    ...optionalLine("want-environment", detection.environmentFile),
    ...(detection.defines ?? []).map((name) => `want-define ${hostBytes(name)}`),
  ];
}

/** The line with a text that a person wrote, as bytes. None where the text is not given. */
function optionalLine(key: string, value: string | undefined): string[] {
  return value === undefined ? [] : [`${key} ${hostBytes(value)}`];
}

function yesNo(value: boolean): string {
  return value ? "yes" : "no";
}

const newMark = (): string => `clientcert-${randomBytes(12).toString("hex")}`;

/** The parts that only some requests have. */
interface RequestParts {
  readonly manifest?: readonly string[];
  readonly contents?: readonly Buffer[];
  readonly mark?: string;
}

/**
 * Puts a request together. The lines are bytes as latin1, as everything that comes from the host is. Throws an error
 * where a line contains a line end or a zero byte, because such a path could forge a line of the request. Also throws
 * one where a line contains a character that is no byte, which would be a mistake of this program.
 */
function makeRequest(
  lines: readonly string[],
  { manifest = [], contents = [], mark = newMark() }: RequestParts = {},
): Request {
  for (const line of [...lines, ...manifest]) {
    if (/[\n\r\0]/.test(line))
      throw new HostError("answer", `${JSON.stringify(line)}: holds a line end; rename that file`);
    if (/[^\0-\xff]/.test(line)) throw new Error(`${JSON.stringify(line)}: is text, and not bytes of the host`);
  }
  const manifestText = manifest.map((line) => `${line}\n`).join("");
  // The host reads the manifest by its length, which is quicker there than line by line.
  const block = manifestText === "" ? [] : [`manifest ${manifestText.length}\n${manifestText}`];
  const head = [`mark ${mark}`, ...lines].map((line) => `${line}\n`);
  return { mark, data: Buffer.concat([Buffer.from([...head, ...block, "end\n"].join(""), "latin1"), ...contents]) };
}
