/**
 * The web server of a CA on this machine's loopback, which lab hosts share. It publishes CRLs, and misbehaves when a
 * test asks for that.
 */
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import { crlToDer } from "./pki-crl.ts";
import type { LabPki } from "./pki.ts";
import { freePort } from "./ports.ts";
import { answer, type Fault, type Published } from "./publisher-faults.ts";

export interface PublisherRequest {
  readonly name: string;
  /** The answer that this request got. */
  readonly answer: Fault | "ok" | "unknown";
}

export interface Publisher {
  /** The address of a CRL by its name, such as `issuing.crl`, whether it is published or not. */
  url(name: string): string;
  /**
   * Publishes a CRL under this name, in place of the one before. The CRL is given in DER, or in PEM as the PKI makes
   * it.
   * @param form the form that is sent. RFC 5280, 4.2.1.13, requires DER.
   * @default "DER"
   */
  publish(name: string, crl: Buffer<ArrayBuffer> | string, form?: "DER" | "PEM"): void;
  /**
   * Sets how requests for a name are answered from now on. A fault that sends another CRL sends one of the issuing CA.
   */
  fault(name: string, fault: Fault | "ok"): void;
  /** All requests so far, in order. */
  readonly requests: readonly PublisherRequest[];
  stop(): Promise<void>;
}

/** Starts a publisher. It answers 404 until a CRL is published. */
export async function startPublisher(pki: LabPki): Promise<Publisher> {
  const [port, untrustedPort] = [await freePort(), await freePort()];
  const crls = new Map<string, Pick<Published, "crl" | "form">>();
  const faults = new Map<string, Fault | "ok">();
  const requests: PublisherRequest[] = [];

  /**
   * `isPlain` is false for requests over https, where only the server's certificate is wrong and every answer is good.
   */
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

/** Closes the server, also the connections that still send slowly or for ever. */
function close(server: http.Server | https.Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
