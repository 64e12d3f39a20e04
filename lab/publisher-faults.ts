/** The answers of a publisher of CRLs: the good one, and each kind that has taken a site down or could do so. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { crlNumberOf, crlToDer, crlToPem, flipLastBit, type CrlOptions } from "./pki-crl.ts";
import type { LabPki } from "./pki.ts";

export interface Published {
  readonly pki: LabPki;
  /** DER. */
  readonly crl: Buffer<ArrayBuffer>;
  /** The form in which the issuer sends a CRL. */
  readonly form: "DER" | "PEM";
  /** The address of the same file over https, from a server that no client trusts. */
  readonly untrustedUrl: string;
}

type Answer = (published: Published, request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

const crlType = "application/pkix-crl";
/** Sending one byte in this time is so slow that no deadline is met, but the connection is never silent for long. */
const slowMilliseconds = 1000;
/**
 * This number is higher than that of every CRL that a test publishes, so the number is not what is wrong with the CRL.
 */
const laterNumber = 900_000;
const page = "<!DOCTYPE html>\n<html><body><h1>Scheduled maintenance</h1></body></html>\n";
/**
 * A chunk that is larger than the buffer of a socket, so that the sender notices when the client does not read any
 * more.
 */
const endlessChunk = Buffer.alloc(256 * 1024);

const send = (response: ServerResponse, body: string | Uint8Array, type = crlType): void =>
  void response.writeHead(200, { "Content-Type": type, "Content-Length": Buffer.byteLength(body) }).end(body);

/** The CRL in the form in which the issuer sends it. */
const encode = ({ form, crl }: Pick<Published, "form" | "crl">): Buffer =>
  form === "DER" ? crl : Buffer.from(crlToPem(crl));

const half = (body: Buffer): Buffer => body.subarray(0, body.length >> 1);

/** Sends another CRL of the issuing CA in place of the published one. */
const instead =
  (options: CrlOptions): Answer =>
  async ({ pki, form }, _request, response) =>
    send(response, encode({ form, crl: crlToDer(await pki.crl({ number: laterNumber, ...options })) }));

const answers = {
  ok: (published, _request, response) => send(response, encode(published)),
  notFound: (_published, _request, response) =>
    void response.writeHead(404, { "Content-Type": "text/html" }).end("<html><body>404 Not Found</body></html>\n"),
  /** The status is 200, as with portals and maintenance pages. */
  htmlPage: (_published, _request, response) => send(response, page, "text/html"),
  /** Sends one byte a second. */
  slow: (published, _request, response) => trickle(encode(published), response),
  /** Begins like the CRL, and never ends. */
  endless: (published, _request, response) => flood(encode(published), response),
  /** Sends half of the length that `Content-Length` names. The connection is then closed in order. */
  truncated: (published, request, response) => sendHalf(encode(published), response, () => void request.socket.end()),
  /** Sends half of the CRL with the `Content-Length` of that half, so only the content shows the fault. */
  cutShort: (published, _request, response) => send(response, half(encode(published))),
  tampered: ({ form, crl }, _request, response) => send(response, encode({ form, crl: flipLastBit(crl) })),
  /** Another key under the issuer's name has signed this CRL, which revokes nothing. */
  otherKey: instead({ ca: "forger", serials: [] }),
  /** This CRL is rightly signed and still valid. It is ten days old, and nothing was revoked at that time. */
  older: instead({ number: 0, thisUpdateHours: -240, nextUpdateHours: 480, serials: [] }),
  future: instead({ thisUpdateHours: 24 }),
  expired: instead({ thisUpdateHours: -0.75, nextUpdateHours: -0.25 }),
  /** The body has the `Content-Encoding` gzip, although the client did not ask for it. */
  gzipEncoded: (published, _request, response) => {
    const body = gzipSync(encode(published));
    const headers = { "Content-Type": crlType, "Content-Encoding": "gzip", "Content-Length": body.length };
    response.writeHead(200, headers).end(body);
  },
  /** The file itself is compressed. */
  gzip: (published, _request, response) => send(response, gzipSync(encode(published)), "application/gzip"),
  redirectHttps: ({ untrustedUrl }, _request, response) =>
    void response.writeHead(302, { Location: untrustedUrl }).end(),
  /** The connection is reset in the middle of the CRL. */
  reset: (published, request, response) =>
    sendHalf(encode(published), response, () => void request.socket.resetAndDestroy()),
  empty: (_published, _request, response) => send(response, ""),
  /** RFC 5280, 4.2.1.13, does not allow PEM at an http address, but some issuers send it. */
  pem: ({ crl }, _request, response) => send(response, crlToPem(crl), "application/x-pem-file"),
  /** A CERTIFICATE block stands before the CRL. A careless issuer could send this. */
  pemWithCertificate: ({ pki, crl }, _request, response) =>
    send(response, pki.foreign + crlToPem(crl), "application/x-pem-file"),
  /** A whole CA with its CRL follows the good CRL. httpd trusts every certificate in the file of CRLs. */
  pemWithAuthority: async ({ pki, crl }, _request, response) =>
    send(response, crlToPem(crl) + pki.foreign + (await pki.crl({ ca: "foreign" })), "application/x-pem-file"),
  /** This CRL is rightly signed, but its authority key identifier names another certificate of the CA. */
  otherCertificate: instead({ namesSerial: 1 }),
  /** The CA begins to part its CRL by address. This is the part for the address that is asked. */
  partition: (published, request, response) =>
    instead({ point: `http://${request.headers.host}${request.url}` })(published, request, response),
  /** `certutil -encode` of Windows labels everything as CERTIFICATE. */
  certificateArmour: ({ crl }, _request, response) =>
    send(response, crlToPem(crl).replaceAll("X509 CRL", "CERTIFICATE").replaceAll("\n", "\r\n"), "text/plain"),
  /** This CRL is of today, and its CA has begun its numbers anew. */
  numberBack: instead({ number: 0, thisUpdateHours: -0.01 }),
  /** This is the next CRL, from a CA whose clock is a little fast. */
  secondsAhead: (published, request, response) =>
    instead({ number: crlNumberOf(published.crl), thisUpdateHours: 3 / 3600 })(published, request, response),
  delta: instead({ kind: "delta" }),
  indirect: instead({ kind: "indirect" }),
} as const satisfies Record<string, Answer>;

export type Fault = Exclude<keyof typeof answers, "ok">;
export const faults = Object.keys(answers).filter((name) => name !== "ok") as readonly Fault[]; // as: keys of a const literal

/** The words for the answers in reports. */
export const answerWords: Readonly<Record<Fault | "ok", string>> = {
  ok: "the new list",
  notFound: "404",
  htmlPage: "an HTML page with 200",
  slow: "a byte a second",
  endless: "a list that never ends",
  truncated: "half of `Content-Length`",
  cutShort: "half of the list, with the `Content-Length` of the half",
  tampered: "one bit of the signature changed",
  otherKey: "signed by another key, issuer's name forged",
  older: "a list of ten days ago, when nothing was revoked",
  future: "a list of tomorrow",
  expired: "a list that has expired",
  gzipEncoded: "`Content-Encoding: gzip`, unasked",
  gzip: "a .gz file",
  redirectHttps: "a redirect to https, certificate untrusted",
  reset: "connection reset in the middle",
  empty: "200 with 0 bytes",
  pem: "PEM in place of DER",
  pemWithCertificate: "PEM, a foreign CA in front",
  pemWithAuthority: "PEM, a foreign CA and its list behind",
  otherCertificate: "a list that names another certificate of its CA",
  partition: "one part of a CRL that was whole",
  certificateArmour: "PEM, labelled CERTIFICATE (certutil -encode)",
  numberBack: "a list of today whose number went back",
  secondsAhead: "a list of three seconds ahead",
  delta: "a delta CRL",
  indirect: "an indirect CRL",
};

/** Answers one request. */
export const answer = (
  fault: Fault | "ok",
  published: Published,
  request: IncomingMessage,
  response: ServerResponse,
): void | Promise<void> => answers[fault](published, request, response);

/** Sends half of the length that `Content-Length` names. `end` ends the connection. */
function sendHalf(body: Buffer, response: ServerResponse, end: () => void): void {
  response.writeHead(200, { "Content-Type": crlType, "Content-Length": body.length });
  response.write(half(body), end);
}

function trickle(body: Buffer, response: ServerResponse): void {
  response.writeHead(200, { "Content-Type": crlType, "Content-Length": body.length });
  let sent = 0;
  const timer = setInterval(() => {
    response.write(body.subarray(sent, sent + 1));
    sent += 1;
    if (sent < body.length) return;
    clearInterval(timer);
    response.end();
  }, slowMilliseconds);
  response.once("close", () => clearInterval(timer));
}

function flood(body: Buffer, response: ServerResponse): void {
  response.writeHead(200, { "Content-Type": crlType });
  response.write(body);
  // The next chunk is not written at once. When the client does not read any more, the callback runs at once, and
  // nothing else would get its turn.
  const more = (error?: Error | null): void => {
    if (!error && !response.destroyed) setImmediate(() => response.write(endlessChunk, more));
  };
  more();
}
