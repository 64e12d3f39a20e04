/** How a publisher of CRLs answers: as it should, and in each way that has taken a site down or could. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { crlNumberOf, crlToDer, crlToPem, flipLastBit, type CrlOptions } from "./pki-crl.ts";
import type { LabPki } from "./pki.ts";

export interface Published {
  readonly pki: LabPki;
  /** DER. */
  readonly crl: Buffer<ArrayBuffer>;
  /** What the issuer sends of a list. */
  readonly form: "DER" | "PEM";
  /** The same file over https, by a server that no client trusts. */
  readonly untrustedUrl: string;
}

type Answer = (published: Published, request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

const crlType = "application/pkix-crl";
/** So slow that no deadline is met, and never silent for long. */
const slowMilliseconds = 1000;
/** Later than every list that a test publishes: then the number is not what is wrong with it. */
const laterNumber = 900_000;
const page = "<!DOCTYPE html>\n<html><body><h1>Scheduled maintenance</h1></body></html>\n";
/** Larger than what a socket holds back, so that the sender feels it when nobody reads any more. */
const endlessChunk = Buffer.alloc(256 * 1024);

const send = (response: ServerResponse, body: string | Uint8Array, type = crlType): void =>
  void response.writeHead(200, { "Content-Type": type, "Content-Length": Buffer.byteLength(body) }).end(body);

/** A list as the issuer sends it. */
const encode = ({ form, crl }: Pick<Published, "form" | "crl">): Buffer =>
  form === "DER" ? crl : Buffer.from(crlToPem(crl));

const half = (body: Buffer): Buffer => body.subarray(0, body.length >> 1);

/** A list of the issuing CA in place of the published one. */
const instead =
  (options: CrlOptions): Answer =>
  async ({ pki, form }, _request, response) =>
    send(response, encode({ form, crl: crlToDer(await pki.crl({ number: laterNumber, ...options })) }));

const answers = {
  ok: (published, _request, response) => send(response, encode(published)),
  notFound: (_published, _request, response) =>
    void response.writeHead(404, { "Content-Type": "text/html" }).end("<html><body>404 Not Found</body></html>\n"),
  /** 200, as portals and maintenance pages answer. */
  htmlPage: (_published, _request, response) => send(response, page, "text/html"),
  /** A byte a second. */
  slow: (published, _request, response) => trickle(encode(published), response),
  /** Begins like the list, and never ends. */
  endless: (published, _request, response) => flood(encode(published), response),
  /** Half of what `Content-Length` says, then the connection is closed in order. */
  truncated: (published, request, response) => sendHalf(encode(published), response, () => void request.socket.end()),
  /** Half of the list, and `Content-Length` says the half: only the content tells. */
  cutShort: (published, _request, response) => send(response, half(encode(published))),
  tampered: ({ form, crl }, _request, response) => send(response, encode({ form, crl: flipLastBit(crl) })),
  /** By another key under the issuer's name; revokes nothing. */
  otherKey: instead({ ca: "forger", serials: [] }),
  /** Rightly signed and still valid, but of ten days ago, when nothing was revoked. */
  older: instead({ number: 0, thisUpdateHours: -240, nextUpdateHours: 480, serials: [] }),
  future: instead({ thisUpdateHours: 24 }),
  expired: instead({ thisUpdateHours: -0.75, nextUpdateHours: -0.25 }),
  /** As `Content-Encoding`, which nobody asked for. */
  gzipEncoded: (published, _request, response) => {
    const body = gzipSync(encode(published));
    const headers = { "Content-Type": crlType, "Content-Encoding": "gzip", "Content-Length": body.length };
    response.writeHead(200, headers).end(body);
  },
  /** As the file itself. */
  gzip: (published, _request, response) => send(response, gzipSync(encode(published)), "application/gzip"),
  redirectHttps: ({ untrustedUrl }, _request, response) =>
    void response.writeHead(302, { Location: untrustedUrl }).end(),
  /** In the middle of the list. */
  reset: (published, request, response) =>
    sendHalf(encode(published), response, () => void request.socket.resetAndDestroy()),
  empty: (_published, _request, response) => send(response, ""),
  /** Not what RFC 5280, 4.2.1.13, wants of an http address, and yet some do. */
  pem: ({ crl }, _request, response) => send(response, crlToPem(crl), "application/x-pem-file"),
  /** A CERTIFICATE block in front, as a careless issuer would send it. */
  pemWithCertificate: ({ pki, crl }, _request, response) =>
    send(response, pki.foreign + crlToPem(crl), "application/x-pem-file"),
  /** httpd trusts whatever certificate it finds in the file of CRLs: a whole CA, with its list, behind the good one. */
  pemWithAuthority: async ({ pki, crl }, _request, response) =>
    send(response, crlToPem(crl) + pki.foreign + (await pki.crl({ ca: "foreign" })), "application/x-pem-file"),
  /** Rightly signed, and by its authority key identifier for another certificate of the CA. */
  otherCertificate: instead({ namesSerial: 1 }),
  /** The CA begins to part its CRL by address: one part, of the address that is asked. */
  partition: (published, request, response) =>
    instead({ point: `http://${request.headers.host}${request.url}` })(published, request, response),
  /** As certutil -encode of Windows writes whatever it is given. */
  certificateArmour: ({ crl }, _request, response) =>
    send(response, crlToPem(crl).replaceAll("X509 CRL", "CERTIFICATE").replaceAll("\n", "\r\n"), "text/plain"),
  /** Of today, by a CA that has begun its numbers anew. */
  numberBack: instead({ number: 0, thisUpdateHours: -0.01 }),
  /** By a clock that is a little fast: the next list. */
  secondsAhead: (published, request, response) =>
    instead({ number: crlNumberOf(published.crl), thisUpdateHours: 3 / 3600 })(published, request, response),
  delta: instead({ kind: "delta" }),
  indirect: instead({ kind: "indirect" }),
} as const satisfies Record<string, Answer>;

export type Fault = Exclude<keyof typeof answers, "ok">;
export const faults = Object.keys(answers).filter((name) => name !== "ok") as readonly Fault[]; // as: keys of a const literal

/** How reports call them. */
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

/** Half of what `Content-Length` says; then the connection ends in one way or the other. */
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
  // Not at once: when nobody reads any more, the answer comes at once as well, and nothing else would get its turn.
  const more = (error?: Error | null): void => {
    if (!error && !response.destroyed) setImmediate(() => response.write(endlessChunk, more));
  };
  more();
}
