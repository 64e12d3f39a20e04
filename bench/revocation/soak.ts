/**
 * `npm run soak [-- --refreshes 1000]`: one lab host, refreshes by the timer's own command, and four clients that open
 * new TLS connections all the while. Ends with 1 when a request failed, a refresh did not do what it should, or
 * something grew.
 */
import { readOptions } from "../options.ts";
import { grown, resourceNames, type Resources } from "./resources.ts";
import { soak, type Soaked, type SoakResult } from "./soak-run.ts";

const mostGrowthPercent = 5;
/** The first reloads fill what httpd and OpenSSL keep. */
const settledAt = 50;
const progressEach = 25;

const usage = `npm run soak [-- --refreshes NUMBER]

  --refreshes  how many, above ${settledAt} (1000: about half an hour)`;
const options = readOptions(usage, ["refreshes"]);
const refreshes = Number(options.refreshes ?? 1000);
if (Number.isInteger(refreshes) && refreshes > settledAt) await run();
else {
  console.error(`soak: --refreshes ${JSON.stringify(options.refreshes)}; write a whole number above ${settledAt}`);
  process.exitCode = 2;
}

async function run(): Promise<void> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"])
    process.on(signal, () => {
      console.log("soak: ends after this refresh");
      stop.abort();
    });
  const begun = performance.now();
  const progress = (soFar: Soaked): void => {
    if (soFar.refreshes % progressEach !== 0) return;
    const minutes = ((performance.now() - begun) / 60_000).toFixed(1);
    console.log(
      `${soFar.refreshes} refreshes, ${soFar.changes} changes, ${soFar.wrong.length} wrong, ${minutes} minutes`,
    );
  };
  const result = await soak({ refreshes, settledAt, signal: stop.signal, progress });
  console.log(render(result));
  if (faultsOf(result).length > 0) process.exitCode = 1;
}

/** Why the soak is not held. */
function faultsOf({ failedRequests, wrong, early, late, refreshes: done }: SoakResult): readonly string[] {
  const growth = early === undefined ? [] : grown(early, late, mostGrowthPercent);
  return [
    ...(done < refreshes ? [`it ended after ${done} of ${refreshes} refreshes`] : []),
    ...failedRequests.map((outcome) => `a request failed: ${outcome}`),
    ...wrong,
    ...growth.map((name) => `${resourceNames[name]} has grown by more than ${mostGrowthPercent} %`),
  ];
}

function render(result: SoakResult): string {
  const { early, late } = result;
  const names = Object.keys(resourceNames) as (keyof Resources)[]; // as: keys of a record of them
  const weathers = Object.entries(result.byWeather).map(([weather, count]) => `${weather} ${count}`);
  const faults = faultsOf(result);
  return [
    "",
    `${result.refreshes} refreshes: ${result.changes} with a new list; ${weathers.join(", ")}`,
    `${result.requests} requests over new connections, ${result.failedRequests.length} failed`,
    `at refresh ${settledAt}, and at the end:`,
    ...names.map((name) => `  ${resourceNames[name].padEnd(30)} ${early?.[name] ?? "not measured"}  ${late[name]}`),
    ...(faults.length === 0 ? ["held"] : faults.slice(0, 50)),
  ].join("\n");
}
