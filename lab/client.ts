/** The clients of a lab host: real TLS handshakes, requests, large bodies, and traffic in the background. */
import { constants } from "node:crypto";
import https from "node:https";
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { environmentPage } from "./product.ts";
import { clientNames, type ClientName, type Identity, type LabPki } from "./pki.ts";

/** What a client has to know about a host. */
export interface Reachable {
  readonly address: string;
  readonly ports: { readonly https: number };
  readonly pki: LabPki;
  /**
   * Path of the URL that shows what an application sees.
   * @default "/cgi-bin/env.cgi"
   */
  readonly page?: string;
}

export interface WireRequest {
  /** @default - no certificate */
  readonly certificate?: ClientName | Identity;
  /**
   * Name for SNI and for the header Host. With null the client sends no SNI, as old API clients do.
   * @default "a.lab.test"
   */
  readonly servername?: string | null;
  /** @default "/" */
  readonly path?: string;
  /**
   * Length of a body to POST. The request has no `Expect`, because an early answer to it would hide a buffer that is
   * too small.
   */
  readonly bodyBytes?: number;
  /** @default - the highest version that both sides support */
  readonly tlsVersion?: "TLSv1.2" | "TLSv1.3";
  /**
   * The client refuses renegotiation, so a request to a server that wants one fails.
   * @default false
   */
  readonly refusesRenegotiation?: boolean;
  /** `user:password` of basic authentication. @default - none */
  readonly login?: string;
  /** The session of an earlier answer, which this request resumes. */
  readonly session?: Buffer;
}

export interface WireAnswer {
  /** HTTP status, or `refused` when the TLS connection died, or `unreachable` when nothing listens. */
  readonly outcome: string;
  readonly body: string;
  readonly protocol: string | undefined;
  readonly isResumed: boolean;
  readonly session: Buffer | undefined;
}

const deadlineMilliseconds = 30_000;

/** Sends one request over a new connection. It fails only when a deadline passes: anything else is an outcome. */
export function request(host: Reachable, wish: WireRequest = {}): Promise<WireAnswer> {
  return new Promise((resolve, reject) => {
    let session: Buffer | undefined;
    let socket: TLSSocket | undefined;
    const done = (outcome: string, body: string) =>
      resolve({
        outcome,
        body,
        protocol: socket?.getProtocol() ?? undefined,
        isResumed: socket?.isSessionReused() ?? false,
        session,
      });
    const sent = https.request(requestOptions(host, wish), (response) => {
      readBody(response).then(
        (body) => done(String(response.statusCode), body),
        () => done("refused", ""),
      );
    });
    sent.on("socket", (plain) => {
      socket = plain as TLSSocket; // as: https makes no other sockets
      socket.on("session", (ticket: Buffer) => (session = ticket));
    });
    sent.on("timeout", () => {
      sent.destroy();
      reject(new Error(`https://${host.address}:${host.ports.https}: no answer within ${deadlineMilliseconds} ms`));
    });
    sent.on("error", (error: NodeJS.ErrnoException) =>
      done(error.code === "ECONNREFUSED" ? "unreachable" : "refused", ""),
    );
    sent.end(wish.bodyBytes === undefined ? undefined : Buffer.alloc(wish.bodyBytes, "x"));
  });
}

function requestOptions(host: Reachable, wish: WireRequest): https.RequestOptions {
  const servername = wish.servername === undefined ? "a.lab.test" : wish.servername;
  const identity = typeof wish.certificate === "string" ? host.pki.clients[wish.certificate] : wish.certificate;
  const body =
    wish.bodyBytes === undefined
      ? {}
      : { "Content-Length": wish.bodyBytes, "Content-Type": "application/octet-stream" };
  return {
    host: host.address,
    port: host.ports.https,
    servername: servername ?? "",
    path: wish.path ?? "/",
    method: wish.bodyBytes === undefined ? "GET" : "POST",
    headers: { Host: `${servername ?? host.address}:${host.ports.https}`, Connection: "close", ...body },
    ca: host.pki.root,
    ...(identity === undefined ? {} : { cert: identity.chain, key: identity.key }),
    ...(wish.tlsVersion === undefined ? {} : { minVersion: wish.tlsVersion, maxVersion: wish.tlsVersion }),
    ...(wish.refusesRenegotiation === true ? { secureOptions: constants.SSL_OP_NO_RENEGOTIATION } : {}),
    ...(wish.login === undefined ? {} : { auth: wish.login }),
    ...(wish.session === undefined ? {} : { session: wish.session }),
    agent: false,
    timeout: deadlineMilliseconds,
  };
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer); // as: no encoding is set
  return Buffer.concat(chunks).toString("latin1");
}

export interface HandshakeRow {
  readonly client: ClientName | "none";
  readonly outcome: string;
  /** `SSL_CLIENT_VERIFY` as the application sees it; undefined when the request does not reach the application. */
  readonly verify: string | undefined;
  /**
   * Whether the product's rule shows this client its switch; undefined where the host has no PHP, or where the request
   * does not reach it.
   */
  readonly switch: string | undefined;
  readonly protocol: string | undefined;
}

/** The answer that each kind of client gets. The client without a certificate comes first. */
export async function handshakeTable(
  host: Reachable,
  wish: Omit<WireRequest, "certificate"> = {},
): Promise<readonly HandshakeRow[]> {
  const clients: readonly (ClientName | "none")[] = ["none", ...clientNames];
  return Promise.all(
    clients.map(async (client) => {
      const certificate = client === "none" ? {} : { certificate: client };
      const { outcome, body, protocol } = await request(host, {
        path: host.page ?? environmentPage,
        ...wish,
        ...certificate,
      });
      const said = (key: string) => new RegExp(`^${key}=(\\S*)`, "m").exec(body)?.[1];
      return { client, outcome, verify: said("verify"), switch: said("switch"), protocol };
    }),
  );
}

export interface Traffic {
  /** Ends the traffic and reports how it went. */
  stop(): Promise<{ readonly requests: number; readonly failures: readonly string[] }>;
}

/** Sends requests one after another, each over a new connection. They carry no certificate unless `wish` names one. */
export function startTraffic(host: Reachable, pauseMilliseconds = 5, wish: WireRequest = {}): Traffic {
  let isStopping = false;
  let requests = 0;
  const failures: string[] = [];
  const running = (async () => {
    while (!isStopping) {
      const { outcome } = await request(host, wish).catch((error: Error) => ({ outcome: error.message }));
      requests += 1;
      if (outcome !== "200") failures.push(outcome);
      await new Promise((resolve) => setTimeout(resolve, pauseMilliseconds));
    }
  })();
  return {
    async stop() {
      isStopping = true;
      await running;
      return { requests, failures };
    },
  };
}
