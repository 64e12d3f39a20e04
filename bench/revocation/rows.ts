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
import { readTimes, spreadOf, watchMemory } from "../measure.ts";
import type { Row } from "../table.ts";

export interface RefreshRow {
  readonly name: string;
  readonly measure: (runs: number) => Promise<Row>;
}

interface Sample {
  readonly wallSeconds: number;
  /** Of the refresh and what it waits for; httpd's reload is not among it. */
  readonly cpuSeconds: number;
  /** Peak of all its processes; httpd's, the shadow's included, do not have its environment. */
  readonly memoryMib: number;
}

const entries = 1_000_000;

const titles = { updated: "a new list", unchanged: "unchanged" } as const;

export const refreshRows: readonly RefreshRow[] = (["updated", "unchanged"] as const).map((wanted) => {
  const name = `CRL refresh, 1,000,000 entries, ${titles[wanted]}`;
  return { name, measure: async (runs) => ({ name, ...(await measureRefresh(wanted, runs)) }) };
});

async function measureRefresh(wanted: keyof typeof titles, runs: number): Promise<Omit<Row, "name">> {
  const session = await startRefreshSession();
  try {
    let number = 1;
    const publish = async (): Promise<void> => {
      number += 1;
      session.publisher.publish(listName, await makeLargeCrl(session.pki, entries, { number }));
    };
    await publish();
    const { result, reasons } = await session.apply(sourced(session.publisher));
    if (result !== "applied") throw new Error(`bench: ${result}: ${reasons.join("; ")}`);
    const samples: Sample[] = [];
    for (let run = 0; run < runs; run += 1) {
      if (wanted === "updated") await publish();
      samples.push(await refresh(session, wanted));
    }
    return {
      wallSeconds: spreadOf(samples.map(({ wallSeconds }) => wallSeconds)),
      cpuSeconds: spreadOf(samples.map(({ cpuSeconds }) => cpuSeconds)).median,
      memoryMib: Math.max(...samples.map(({ memoryMib }) => memoryMib)),
    };
  } finally {
    await session.stop();
  }
}

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
