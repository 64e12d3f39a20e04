/**
 * Compares the host's clock with that of this machine. Dates of CRLs and certificates are judged by the host's clock.
 */
import type { Diagnostic } from "../../core/diagnostic.ts";
import type { HostObservation } from "../../core/server-kind.ts";

/** Kerberos allows the same offset. It is far more than the error of a host whose clock is synchronised at all. */
const toleranceSeconds = 300;

export interface ClockedObservation<Observation> {
  readonly observation: Observation;
  readonly diagnostics: readonly Diagnostic[];
}

/** Observes once, and adds a warning when the host's clock is wrong. */
export async function observeClock<Observation extends HostObservation>(
  observe: () => Promise<Observation>,
): Promise<ClockedObservation<Observation>> {
  const begun = Date.now() / 1000;
  const observation = await observe();
  const ended = Date.now() / 1000;
  return { observation, diagnostics: checkClock(observation.server.nowSeconds, { begun, ended }) };
}

/**
 * The warning where the host's clock and this machine's differ by more than {@link toleranceSeconds}. It is not known
 * when during the observation the host read its clock, so a slow observation must not count as an offset.
 */
function checkClock(
  hostSeconds: number,
  { begun, ended }: { readonly begun: number; readonly ended: number },
): Diagnostic[] {
  // The offset is 0 while the host's time lies within the observation, which began and ended on this machine's clock.
  const offset = hostSeconds > ended ? hostSeconds - ended : Math.min(0, hostSeconds - begun);
  if (Math.abs(offset) <= toleranceSeconds) return [];
  const minutes = Math.round(Math.abs(offset) / 60);
  const cause = `the host's clock is ${minutes} minutes ${offset > 0 ? "ahead of" : "behind"} this machine's`;
  const text = `${cause}, and dates of CRLs and certificates are judged by the host's; set the one that is wrong`;
  return [{ severity: "warning", place: "clock", text }];
}
