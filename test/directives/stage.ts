/** A lab host with two TLS ports in one httpd, which is set up anew for each row. */
import assert from "node:assert/strict";
import { request, type Reachable } from "../../lab/client.ts";
import { freePort } from "../../lab/ports.ts";
import { productRoot } from "../../lab/product.ts";
import { startSession, type Session } from "../host/session.ts";
import type { Answers, Row } from "./row.ts";
import { theirFiles } from "./their-files.ts";

const conf = `${productRoot}/conf`;
const mainFile = `${conf}/httpd.conf`;
const tlsFile = `${conf}/extra/httpd-ssl.conf`;
const bothFile = `${conf}/extra/both.conf`;

/** Files in which a row has lines. */
export const rowFiles = [mainFile, tlsFile, bothFile];

export interface Stage {
  readonly session: Session;
  /** Starts httpd on a row's configuration, on a host on which nothing of ours is left. */
  set(row: Row): Promise<void>;
  /** What clients get on the covered port. */
  ask(row: Row): Promise<Answers>;
  /** What clients get on the other TLS port. */
  askOther(row: Row): Promise<Answers>;
  /** Texts of {@link rowFiles}, in their order, as they are now. */
  texts(): Promise<readonly string[]>;
  /** Hash of everything below the server root but the logs. */
  hash(): Promise<string>;
}

/** Is stopped by its session. */
export async function startStage(): Promise<Stage> {
  const session = await startSession();
  const { lab } = session;
  const other: Reachable = { address: lab.address, pki: lab.pki, ports: { https: await freePort() } };
  const read = (file: string): Promise<string> => lab.run(`cat ${file}`);
  const pristine = { main: await read(mainFile), tls: await read(tlsFile) };
  for (const [name, text] of await theirFiles(lab.pki)) await lab.run(writeCommand(`${productRoot}/${name}`), text);
  await lab.run(`openssl rehash ${conf}/theirs/ca.d ${conf}/theirs/crl.d`);
  return {
    session,
    set: async (row) => {
      await lab.run(writeCommand(mainFile), mainText(pristine.main, row));
      await lab.run(writeCommand(tlsFile), tlsText(pristine.tls, other.ports.https, row));
      await lab.run(writeCommand(bothFile), row.both ?? "");
      await restart(session, row);
    },
    ask: (row) => answersOf(lab, row),
    askOther: (row) => answersOf(other, row),
    texts: () => Promise.all(rowFiles.map(read)),
    hash: () => lab.treeHash({ roots: [productRoot], exclude: [`${productRoot}/logs`], times: false }),
  };
}

const writeCommand = (file: string): string => `mkdir -p "$(dirname ${file})" && cat >${file}`;

function mainText(pristine: string, { server = "", directory = "" }: Row): string {
  const opened = `<Directory "${productRoot}/htdocs">\n`;
  // Last, so that it wins over the stock lines of this section.
  return `${pristine}${directory === "" ? "" : `${opened}${directory}\n</Directory>\n`}${server}\n`;
}

function tlsText(pristine: string, otherPort: number, row: Row): string {
  const both = row.both === undefined ? "" : "Include conf/extra/both.conf\n";
  const text = pristine.replace("</VirtualHost>", () => `${row.covered ?? ""}\n${both}</VirtualHost>`);
  const other = `Listen 127.0.0.1:${otherPort}
<VirtualHost 127.0.0.1:${otherPort}>
DocumentRoot "${productRoot}/htdocs"
ServerName other.lab.test:${otherPort}
SSLEngine on
SSLCertificateFile "${conf}/server.crt"
SSLCertificateKeyFile "${conf}/server.key"
${row.other ?? ""}
${both}</VirtualHost>
`;
  const chained = (line: string): string => line.replaceAll(`${conf}/server.`, `${conf}/theirs/chained.`);
  return (row.isChained === true ? chained(text) : text) + other;
}

/** A start in the full sense: modules and sections of the row before are forgotten. */
async function restart({ lab }: Session, { name }: Row): Promise<void> {
  const [pidFile, log] = [`${productRoot}/logs/httpd.pid`, `${productRoot}/logs/error_log`];
  const { status, stdout, stderr } = await lab.exec(`
    pid=$(cat ${pidFile} 2>/dev/null) && kill "$pid" && timeout 20 sh -c "while kill -0 $pid 2>/dev/null; do sleep 0.02; done"
    rm -rf ${conf}/clientcert /var/lib/clientcert; : >${log}
    ${productRoot}/bin/apachectl start && timeout 20 sh -c "until grep -qs AH00094 ${log}; do sleep 0.02; done" ||
      { cat ${log}; exit 1; }`);
  if (status !== 0) throw new Error(`httpd does not start on the row "${name}": ${stdout}${stderr}`);
}

/** Each client asks in each version: who has no post-handshake authentication gets another answer in TLS 1.3. */
async function answersOf(host: Reachable, row: Row): Promise<Answers> {
  const answers = Object.keys(row.before).map(async (path): Promise<[string, Answers[string]]> => {
    const [tls12, tls13] = await Promise.all([ask(host, row, path, "TLSv1.2"), ask(host, row, path, "TLSv1.3")]);
    return [path, tls12 === tls13 ? tls12 : [tls12, tls13]];
  });
  return Object.fromEntries(await Promise.all(answers));
}

async function ask(host: Reachable, row: Row, path: string, tlsVersion: "TLSv1.2" | "TLSv1.3"): Promise<string> {
  const clients = [undefined, "good", row.theirs ?? "foreign"] as const;
  const outcomes = clients.map(async (certificate) => {
    const wish = { path, tlsVersion, ...(certificate === undefined ? {} : { certificate }) };
    return (await request(host, wish)).outcome;
  });
  return (await Promise.all(outcomes)).join(" ");
}

/** `file:line` of a line that stands once in the texts of {@link rowFiles}. */
export function placeOf(at: string, texts: readonly string[]): string {
  const places = texts.flatMap((text, index) =>
    text.split("\n").flatMap((line, number) => (line.trim() === at ? [`${rowFiles[index]}:${number + 1}`] : [])),
  );
  assert.equal(places.length, 1, `the row must have this line once: ${at}`);
  return places[0] ?? "";
}
