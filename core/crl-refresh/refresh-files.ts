/** The texts that make a host refresh its CRLs: the settings of its program, and the timer that calls it. */
import { caName, sampleName, stateDirectory, undoPath } from "../own-files.ts";
import type { CrlRefresh } from "./inputs.ts";
import type { CrlFacts, CrlInputs } from "./refresh-model.ts";

/** The text of `refresh.conf`. The program on the host reads it line by line and skips what it does not know. */
export function renderRefresh(desired: CrlInputs): string {
  const { acceptOlderCrls, crlCheck, crlRefresh, crlSources, sample } = desired;
  const { times, timeZone, spreadMinutes, alarmHours, proxyFile } = crlRefresh;
  const lines = [
    "# Written by clientcert for its program that downloads CRLs; `pulumi up` puts it back.",
    `check ${crlCheck}`,
    `ca ${caName(desired)}`,
    `alarm-hours ${alarmHours}`,
    `spread-minutes ${spreadMinutes}`,
    `times ${times.join(" ")}`,
    ...(timeZone === undefined ? [] : [`time-zone ${timeZone}`]),
    ...(proxyFile === undefined ? [] : [`proxy-file ${proxyFile}`]),
    ...(sample === undefined ? [] : [`sample ${sampleName}`]),
    ...acceptOlderCrls.map((sha256) => `accept-older ${sha256}`),
    // The word after the id of a source says whether the site has a first list for it.
    ...crlSources.flatMap(({ id, urls, file }) => [
      `source ${id} ${file === undefined ? "-" : "file"}`,
      ...urls.map((url) => `url ${url}`),
    ]),
  ];
  return joinLines(lines);
}

const joinLines = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join("");

/** A file that a scheduler of the host reads, by absolute path. */
export interface TimerFile {
  readonly path: string;
  readonly text: string;
}

/** The file in which cron finds the refresh of a server. */
export const cronPath = (instance: string): string => `/etc/cron.d/clientcert-${instance}`;
const unitPath = (instance: string, kind: "service" | "timer"): string =>
  `/etc/systemd/system/clientcert-${instance}.${kind}`;

/**
 * Every path that a timer of ours may have, for any scheduler. Files are removed in this order: the file that calls
 * comes before the file that it calls.
 */
export const timerPaths = ({ server: { instance } }: CrlFacts): readonly string[] => [
  unitPath(instance, "timer"),
  unitPath(instance, "service"),
  cronPath(instance),
];

/**
 * The timer files in the order in which they are written: the file that calls comes last. Empty where no scheduler of
 * the host would read them.
 */
export function renderTimers({ crlRefresh }: CrlInputs, { refresh, server }: CrlFacts): readonly TimerFile[] {
  const { instance } = server;
  switch (refresh.scheduler) {
    case "systemd":
      return [
        { path: unitPath(instance, "service"), text: renderService(instance) },
        { path: unitPath(instance, "timer"), text: renderUnitTimer(instance, crlRefresh) },
      ];
    case "cron":
      return [{ path: cronPath(instance), text: renderCron(instance, crlRefresh) }];
    case "none":
      return [];
  }
}

/** The command calls the shell and not the program itself, because an empty program would end without an error. */
const command = (instance: string): string => `/bin/sh ${stateDirectory(instance)}/refresh --timer`;

const header = (instance: string): string[] => [
  "# Written by clientcert to download CRLs; `pulumi up` puts it back.",
  `# To undo everything without Pulumi, as root: sh ${undoPath(instance)}`,
];

/** The unit that runs one refresh. */
function renderService(instance: string): string {
  return joinLines([
    ...header(instance),
    "[Unit]",
    "Description=Download of CRLs for httpd by clientcert",
    "Wants=network-online.target",
    "After=network-online.target",
    "",
    "[Service]",
    "Type=oneshot",
    `ExecStart=${command(instance)}`,
    "# An httpd that had to be started again, because it died of the reload, outlives this service.",
    "KillMode=process",
  ]);
}

/** The unit that starts the service. @see systemd.time(7): a time zone may follow the time from systemd 233 on */
function renderUnitTimer(instance: string, { times, timeZone, spreadMinutes }: CrlRefresh): string {
  const zone = timeZone === undefined ? "" : ` ${timeZone}`;
  return joinLines([
    ...header(instance),
    "[Unit]",
    "Description=Times of the download of CRLs by clientcert",
    "",
    "[Timer]",
    ...times.map((time) => `OnCalendar=*-*-* ${time}:00${zone}`),
    `RandomizedDelaySec=${spreadMinutes}min`,
    "AccuracySec=1min",
    "Persistent=true",
    "",
    "[Install]",
    "WantedBy=timers.target",
  ]);
}

/** The file for cron. @see crontab(5): a line of `/etc/cron.d` names the user, and a `%` would end its command */
function renderCron(instance: string, { times, timeZone }: CrlRefresh): string {
  return joinLines([
    ...header(instance),
    "SHELL=/bin/sh",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ...cronTimes(times, timeZone).map((when) => `${when} * * * root ${command(instance)}`),
  ]);
}

/**
 * The fields for minutes and hours, one text for each line of the table. Times of the same minute share a line. cron
 * does not know time zones: with a zone, cron calls the program in every hour at each minute that may be meant, and the
 * program checks whether a time has come.
 */
function cronTimes(times: readonly string[], timeZone: string | undefined): string[] {
  const pairs = times.map((time) => time.split(":").map(Number) as [number, number]); // the site file has checked them
  if (timeZone !== undefined) {
    const minutes = pairs.flatMap(([, minute]) => offsetMinutes.map((offset) => (minute + offset) % 60));
    return [`${fieldOf(minutes)} *`];
  }
  const minutes = [...new Set(pairs.map(([, minute]) => minute))];
  return minutes.map(
    (minute) => `${minute} ${fieldOf(pairs.filter(([, other]) => other === minute).map(([hour]) => hour))}`,
  );
}

/** Time zones differ from each other by quarters of an hour: Asia/Kathmandu, for example, is at 5:45. */
const offsetMinutes = [0, 15, 30, 45];

/** A field of a cron table: the numbers, each once, in ascending order. */
const fieldOf = (numbers: readonly number[]): string => [...new Set(numbers)].sort((a, b) => a - b).join(",");
