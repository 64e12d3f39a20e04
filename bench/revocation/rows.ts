/** What a refresh costs a host when the list is as large as those of public issuers. */
import { randomUUID } from "node:crypto";
import { makeLargeCrl } from "../../lab/large-crl.ts";
import {
  listName,
  sourced,
  startRefreshSession,
  stateDirectory,
  type RefreshSession,
} from "../../test/host/refresh-session.ts";
import type { Pairable } from "../against.ts";
import { productOf, type Build } from "../build.ts";
import { readTimes, watchMemory, type Sample, type Sampler } from "../measure.ts";

const entries = 1_000_000;

const titles = { updated: "a new list", unchanged: "unchanged" } as const;

/**
 * Rows for the table. Of a sample, memory is the peak of all its processes; httpd's, the shadow's included, are not
 * among them.
 */
export const refreshRows: readonly Pairable[] = (["updated", "unchanged"] as const).map((wanted) => ({
  name: `CRL refresh, 1,000,000 entries, ${titles[wanted]}`,
  open: (build) => openRefresh(wanted, build),
}));

async function openRefresh(wanted: keyof typeof titles, build: Build): Promise<Sampler> {
  const session = await startRefreshSession({}, undefined, await productOf(build));
  let number = 1;
  const publish = async (): Promise<void> => {
    number += 1;
    session.publisher.publish(listName, await makeLargeCrl(session.pki, entries, { number }));
  };
  try {
    await publish();
    const { result, reasons } = await session.apply(sourced(session.publisher));
    if (result !== "applied") throw new Error(`bench: ${result}: ${reasons.join("; ")}`);
  } catch (error) {
    await session.stop();
    throw error;
  }
  const sample = async (): Promise<Sample> => {
    if (wanted === "updated") await publish();
    return refresh(session, wanted);
  };
  return { sample, stop: () => session.stop() };
}

/** Its CPU is that of the refresh and what it waits for; httpd's reload is not among it. */
async function refresh({ lab }: RefreshSession, wanted: string): Promise<Sample> {
  const mark = randomUUID();
  const begun = performance.now();
  const run = lab.run(`BENCH_MARK=${mark} /bin/sh ${stateDirectory}/program refresh --timer; times`);
  const { wholeMib } = await watchMemory(mark, run);
  const times = await run;
  const wallSeconds = (performance.now() - begun) / 1000;
  const record = await lab.run(`cat ${stateDirectory}/refresh.record`);
  if (!new RegExp(`^run \\d+ 0 ${wanted}$`, "m").test(record)) throw new Error(`bench: not ${wanted}: ${record}`);
  return { wallSeconds, cpuSeconds: readTimes(times), memoryMib: wholeMib };
}
