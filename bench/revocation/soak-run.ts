/**
 * Refreshes without end, by the timer's own command: new lists and all faults of the publisher, while clients connect.
 */
import { randomBytes } from "node:crypto";
import { request, startTraffic } from "../../lab/client.ts";
import { faults } from "../../lab/publisher-faults.ts";
import { fairWeathers, type Weather } from "../../test/refresh/refresh-moments.ts";
import { listName, sourced, startRefreshSession, type RefreshSession } from "../../test/host/refresh-session.ts";
import { measureResources, type Resources } from "./resources.ts";
import { newsClient } from "./site.ts";

export interface SoakOptions {
  readonly refreshes: number;
  /** After so many refreshes resources are measured, to be compared with those of the end. */
  readonly settledAt: number;
  /** Ends the soak after the refresh that is under way. */
  readonly signal?: AbortSignal;
  /** Told after each refresh. */
  readonly progress?: (soFar: Soaked) => void;
  /** What runs on the host. @default - the program as it is */
  readonly program?: () => string;
}

export interface Soaked {
  readonly refreshes: number;
  /** Refreshes that had a new list to install. */
  readonly changes: number;
  readonly byWeather: Readonly<Record<string, number>>;
  /** Another exit status than the weather asks for, or a revocation that is not in effect. */
  readonly wrong: readonly string[];
}

export interface SoakResult extends Soaked {
  readonly requests: number;
  readonly failedRequests: readonly string[];
  readonly early: Resources | undefined;
  readonly late: Resources;
}

type Task = Weather | "change";
const weathers: readonly Weather[] = ["ok", ...faults];
/** As many as the machine can feed without being busy with them alone. */
const clientPauseMilliseconds = 100;

/**
 * Every third refresh has a revocation or its end to install; the others meet each weather in turn, `ok` with nothing
 * new.
 */
export function taskOf(index: number): Task {
  if (index % 3 === 0) return "change";
  return weathers[(index - Math.floor(index / 3) - 1) % weathers.length] ?? "ok";
}

export async function soak(options: SoakOptions): Promise<SoakResult> {
  const session = await startRefreshSession({}, options.program);
  const traffics = [{}, {}, { certificate: "good" as const }, { certificate: "good" as const }];
  try {
    const { result, reasons } = await session.apply(sourced(session.publisher));
    if (result !== "applied") throw new Error(`soak: the first change: ${result}: ${reasons.join("; ")}`);
    const running = traffics.map((wish) => startTraffic(session.lab, clientPauseMilliseconds, wish));
    const soaked = await refreshAgainAndAgain(session, options);
    const ended = await Promise.all(running.map((traffic) => traffic.stop()));
    return {
      ...soaked,
      requests: ended.reduce((sum, { requests }) => sum + requests, 0),
      failedRequests: ended.flatMap(({ failures }) => failures),
    };
  } finally {
    await session.stop();
  }
}

async function refreshAgainAndAgain(
  session: RefreshSession,
  { refreshes, settledAt, signal, progress }: SoakOptions,
): Promise<Omit<SoakResult, "requests" | "failedRequests">> {
  const issuer = createIssuer(session);
  const byWeather: Record<string, number> = {};
  const wrong: string[] = [];
  let [done, changes] = [0, 0];
  let early: Resources | undefined;
  while (done < refreshes && signal?.aborted !== true) {
    const task = taskOf(done);
    const what = await refreshOnce(session, issuer, task);
    done += 1;
    if (what !== undefined) wrong.push(`refresh ${done}, ${task}: ${what}`);
    if (task === "change") changes += 1;
    else byWeather[task] = (byWeather[task] ?? 0) + 1;
    if (done === settledAt) early = await measureResources(session.lab);
    progress?.({ refreshes: done, changes, byWeather, wrong });
  }
  return { refreshes: done, changes, byWeather, wrong, early, late: await measureResources(session.lab) };
}

interface Issuer {
  /** Publishes the next list; in every other one for which `flip` asks one client more is revoked. */
  publish(flip: boolean): Promise<void>;
  /** Whether that client is, by the last list. */
  isRevoked(): boolean;
}

/** Its lists are all of the same length: what grows then is not the list. */
function createIssuer({ pki, publisher }: RefreshSession): Issuer {
  let number = 1;
  let isRevoked = false;
  return {
    async publish(flip) {
      number += 1;
      isRevoked = flip !== isRevoked;
      const nobody = `41${randomBytes(9).toString("hex")}`;
      const serials = [pki.clients.revoked.serial, isRevoked ? pki.clients[newsClient].serial : nobody];
      publisher.publish(listName, await pki.crl({ number, serials }));
    },
    isRevoked: () => isRevoked,
  };
}

/** Returns what was not as it should be. */
async function refreshOnce(session: RefreshSession, issuer: Issuer, task: Task): Promise<string | undefined> {
  if (task !== "ok") await issuer.publish(task === "change");
  const weather = task === "change" ? "ok" : task;
  session.publisher.fault(listName, weather);
  const { exitCode, output } = await session.timer();
  const wanted = fairWeathers.includes(weather) ? 0 : 1;
  if (exitCode !== wanted) return `it ended with ${exitCode}, not with ${wanted}: ${output.trim()}`;
  const { outcome } = await request(session.lab, { certificate: newsClient });
  const wantedOutcome = issuer.isRevoked() ? "refused" : "200";
  return outcome === wantedOutcome ? undefined : `the client got ${outcome}, not ${wantedOutcome}`;
}
