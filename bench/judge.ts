/** The judgement of a change with many virtual hosts, beside httpd's own start on the host's live files. */
import type { Transaction } from "../provider/apache/host-model.ts";
import { startSession, type Session } from "../test/host/session.ts";
import { productOf, type Build } from "./build.ts";
import type { Comparison } from "./starts.ts";

const virtualHosts = 500;

interface Prepared {
  readonly session: Session;
  readonly transaction: Transaction;
}

/** In a process namespace of its own, which ends everything in it as soon as the start is seen. */
const start = `unshare --mount --net --pid --fork --mount-proc --kill-child sh -c '
  ip link set lo up && mount -t tmpfs tmpfs "$1/logs" && "$1/bin/apachectl" start
  until [ -s "$1/logs/httpd.pid" ]; do sleep 0.02; done' sh`;

async function time(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}

/** Rows for the table; each has a host of its own. */
export function judgementsOf(build: Build): readonly Comparison[] {
  let prepared: Promise<Prepared> | undefined;
  /** Made once, when the row is asked for. */
  const prepare = (): Promise<Prepared> => (prepared ??= startPrepared(build));
  return [
    {
      name: `judge, ${virtualHosts} virtual hosts; ratio to httpd's own start without our file`,
      async sample() {
        const { session, transaction } = await prepare();
        return time(async () => {
          const { result, judge } = await session.host.judge(session.target, transaction);
          if (result !== "well" || judge !== "shadow") throw new Error(`bench: the judge said ${result} by ${judge}`);
        });
      },
      async baseline() {
        const { lab } = (await prepare()).session;
        return time(() => lab.run(`${start} ${lab.serverRoot}`));
      },
      stop: async () => (await prepared)?.session.stop(),
    },
  ];
}

async function startPrepared(build: Build): Promise<Prepared> {
  const session = await startSession({ virtualHosts }, {}, undefined, await productOf(build));
  return { session, transaction: await session.prepare() };
}
