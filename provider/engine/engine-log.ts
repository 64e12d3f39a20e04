/** The only way for a plugin to be heard: the engine hides its output. */
import { credentials } from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engine from "@pulumi/pulumi/proto/engine_pb.js";
import { shownLines } from "../../core/shown.ts";

export type Severity = "info" | "warning" | "error";

export interface EngineLog {
  /** Each resource and text once. */
  readonly log: (urn: string, severity: Severity, text: string) => void;
  /** On the resource's row only, replacing the one before. */
  readonly progress: (urn: string, step: string) => void;
  /** Resolves when the engine has taken everything: a finding must not be lost because the call is over. */
  readonly flush: () => Promise<void>;
}

/** Talks to the engine at the address that `address` returns; before one is known nothing is sent. */
export function engineLog(address: () => string | undefined): EngineLog {
  const told = new Set<string>();
  // One after the other, because steps that overtake each other read as a wrong order.
  let last = Promise.resolve();
  let client: EngineClient | undefined;

  function send(urn: string, severity: Severity, text: string, ephemeral: boolean): void {
    const known = address();
    if (known === undefined) return;
    const engine = (client ??= new EngineClient(known, credentials.createInsecure()));
    last = last.then(() => logOnce(engine, logRequest(urn, severity, text, ephemeral)));
  }

  return {
    log(urn, severity, text) {
      const key = `${urn}\n${severity}\n${text}`;
      if (told.has(key)) return;
      told.add(key);
      send(urn, severity, text, false);
    },
    progress: (urn, step) => send(urn, "info", step, true),
    flush: () => last,
  };
}

const severities = {
  info: engine.LogSeverity.INFO,
  warning: engine.LogSeverity.WARNING,
  error: engine.LogSeverity.ERROR,
} as const;

function logRequest(urn: string, severity: Severity, text: string, ephemeral: boolean): engine.LogRequest {
  return new engine.LogRequest()
    .setUrn(urn)
    .setSeverity(severities[severity])
    .setMessage(shownLines(text))
    .setEphemeral(ephemeral);
}

/** Never fails: an engine that no longer listens must not turn a finished change into a failed one. */
function logOnce(client: EngineClient, request: engine.LogRequest): Promise<void> {
  return new Promise((resolve) => client.log(request, () => resolve()));
}
