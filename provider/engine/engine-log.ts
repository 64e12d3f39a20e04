/**
 * Sends messages to the engine. The engine hides a plugin's output, so this is the only way in which a plugin can
 * report anything.
 */
import { credentials } from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engine from "@pulumi/pulumi/proto/engine_pb.js";
import { shownLines } from "../../core/shown.ts";

export type Severity = "info" | "warning" | "error";

export interface EngineLog {
  /** Sends a text. The same text of the same resource is sent only once. */
  readonly log: (urn: string, severity: Severity, text: string) => void;
  /** Shows the step on the resource's row only, and replaces the step before. */
  readonly progress: (urn: string, step: string) => void;
  /** Resolves when the engine has received everything. A finding must not be lost because the call has ended. */
  readonly flush: () => Promise<void>;
}

/**
 * The log of the engine at the address that `address` returns. What is logged before an address is known is lost.
 */
export function engineLog(address: () => string | undefined): EngineLog {
  const logged = new Set<string>();
  // The messages are sent one after the other, because steps that overtake each other would be shown in a wrong order.
  let lastDelivery = Promise.resolve();
  let client: EngineClient | undefined;

  function send(urn: string, severity: Severity, text: string, ephemeral: boolean): void {
    const engineAddress = address();
    if (engineAddress === undefined) return;
    const connected = (client ??= new EngineClient(engineAddress, credentials.createInsecure()));
    lastDelivery = lastDelivery.then(() => deliver(connected, logRequest(urn, severity, text, ephemeral)));
  }

  return {
    log(urn, severity, text) {
      const key = `${urn}\n${severity}\n${text}`;
      if (logged.has(key)) return;
      logged.add(key);
      send(urn, severity, text, false);
    },
    progress: (urn, step) => send(urn, "info", step, true),
    flush: () => lastDelivery,
  };
}

const severities = {
  info: engine.LogSeverity.INFO,
  warning: engine.LogSeverity.WARNING,
  error: engine.LogSeverity.ERROR,
} as const;

/** The message to the engine. An `ephemeral` one is shown as a step and not kept. */
function logRequest(urn: string, severity: Severity, text: string, ephemeral: boolean): engine.LogRequest {
  return new engine.LogRequest()
    .setUrn(urn)
    .setSeverity(severities[severity])
    .setMessage(shownLines(text))
    .setEphemeral(ephemeral);
}

/**
 * Sends one message. Never fails: an engine that no longer listens must not turn a finished change into a failed one.
 */
function deliver(client: EngineClient, request: engine.LogRequest): Promise<void> {
  return new Promise((resolve) => client.log(request, () => resolve()));
}
