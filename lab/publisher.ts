/**
 * The web server of a CA, on this machine's loopback, which lab hosts share: publishes CRLs in DER, and misbehaves when
 * told to.
 */
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import { crlToDer } from "./pki-crl.ts";
import type { LabPki } from "./pki.ts";
import { freePort } from "./ports.ts";
import { answer, type Fault, type Published } from "./publisher-faults.ts";

export interface PublisherRequest {
  readonly name: string;
  /** How it was answered. */
  readonly answer: Fault | "ok" | "unknown";
}

export interface Publisher {
  /** Address of a CRL by its name, such as `issuing.crl`, published or not. */
  url(name: string): string;
  /**
   * Publishes a CRL, given in DER or in PEM as the PKI makes it, in place of the one of that name.
   * @param form what is sent: RFC 5280, 4.2.1.13, wants DER. @default "DER"
   */
  publish(name: string, crl: Buffer<ArrayBuffer> | string, form?: "DER" | "PEM"): void;
  /** How requests for a name are answered from now on. Faults that send another list send one of the issuing CA. */
  fault(name: string, fault: Fault | "ok"): void;
  /** All of them so far, in order. */
  readonly requests: readonly PublisherRequest[];
  stop(): Promise<void>;
}

/** Starts a publisher; it answers 404 until something is published. */
export async function startPublisher(pki: LabPki): Promise<Publisher> {
  const [port, untrustedPort] = [await freePort(), await freePort()];
  const crls = new Map<string, Pick<Published, "crl" | "form">>();
  const faults = new Map<string, Fault | "ok">();
  const requests: PublisherRequest[] = [];

  /** `isPlain`: over https everything is well but the server's certificate. */
  const handle = async (request: IncomingMessage, response: ServerResponse, isPlain: boolean): Promise<void> => {
    const name = (request.url ?? "").slice(1);
    const list = crls.get(name);
    const fault = isPlain ? (faults.get(name) ?? "ok") : "ok";
    requests.push({ name, answer: list === undefined ? "unknown" : fault });
    if (list === undefined) return void response.writeHead(404).end();
    const untrustedUrl = `https://127.0.0.1:${untrustedPort}/${name}`;
    await answer(fault, { pki, ...list, untrustedUrl }, request, response);
  };

  const plain = http.createServer((request, response) => void handle(request, response, true));
  const untrusted = https.createServer(
    { cert: pki.server.certificate, key: pki.server.key },
    (request, response) => void handle(request, response, false),
  );
  await Promise.all([listen(plain, port), listen(untrusted, untrustedPort)]);
  return {
    url: (name) => `http://127.0.0.1:${port}/${name}`,
    publish: (name, crl, form = "DER") =>
      void crls.set(name, { crl: typeof crl === "string" ? crlToDer(crl) : crl, form }),
    fault: (name, fault) => void faults.set(name, fault),
    requests,
    stop: async () => void (await Promise.all([close(plain), close(untrusted)])),
  };
}

function listen(server: http.Server | https.Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
}

/** Also of what is still being sent, slowly or for ever. */
function close(server: http.Server | https.Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
