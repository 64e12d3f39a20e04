/** The host's clock beside this machine's: dates of CRLs and certificates are judged by the host's. */
import type { Diagnostic } from "../../core/diagnostic.ts";
import type { HostObservation } from "../../core/server-kind.ts";

/** As Kerberos allows: far more than what a host is off that keeps its time at all. */
const toleranceSeconds = 300;

export interface ClockedObservation<Observation> {
  readonly observation: Observation;
  readonly diagnostics: readonly Diagnostic[];
}

/** One look, and a warning when the host's clock is off. */
export async function observeClock<Observation extends HostObservation>(
  observe: () => Promise<Observation>,
): Promise<ClockedObservation<Observation>> {
  const begun = Date.now() / 1000;
  const observation = await observe();
  const ended = Date.now() / 1000;
  return { observation, diagnostics: findOffset(observation.server.nowSeconds, { begun, ended }) };
}

/** When the host said its time during the look is not known, so a slow look must not count as an offset. */
function findOffset(now: number, { begun, ended }: { readonly begun: number; readonly ended: number }): Diagnostic[] {
  const offset = now > ended ? now - ended : Math.min(0, now - begun);
  if (Math.abs(offset) <= toleranceSeconds) return [];
  const minutes = Math.round(Math.abs(offset) / 60);
  const found = `the host's clock is ${minutes} minutes ${offset > 0 ? "ahead of" : "behind"} this machine's`;
  const text = `${found}, and dates of CRLs and certificates are judged by the host's; set the one that is wrong`;
  return [{ severity: "warning", place: "clock", text }];
}
