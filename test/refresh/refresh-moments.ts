/** A refresh meets each fault of a CA's server at each moment: what it does to the site, in one word. */
import assert from "node:assert/strict";
import { request } from "../../lab/client.ts";
import type { Fault } from "../../lab/publisher-faults.ts";
import { hostScript } from "../../provider/apache/host-program.ts";
import { sourced, stateDirectory, type RefreshSession } from "../host/refresh-session.ts";
import { bytesOf, endHttpd } from "../faults/bytes.ts";
import { distinctSteps, faultyProgram, forgetSteps, killAt, noteState, readSteps } from "../faults/program.ts";
import { replaceOnce } from "../faults/program.ts";

const root = "/usr/local/ni/apache";
const ours = `${root}/conf/clientcert`;

/** `ok` = the CA's server works. */
export type Weather = Fault | "ok";
/**
 * What it did: the list of before stays, or the new one is in effect; `nothing` = the host is as if we had never been
 * there.
 */
export type Effect = "kept" | "updated" | "nothing" | "installed";
/**
 * Weathers in which a new list arrives. In PEM, or behind a certificate, it is a list all the same; a part stands
 * beside it.
 */
export const fairWeathers: readonly Weather[] = [
  ...(["ok", "pem", "pemWithCertificate", "certificateArmour"] as const),
  ...(["partition", "secondsAhead"] as const),
];

/** Waits a second, not twenty, for a server that trickles. */
export const impatient = (program: string): string =>
  replaceOnce(program, "source_stall_seconds=20", "source_stall_seconds=1");
export const impatientProgram = (): string => impatient(hostScript());

/** Nobody may notice anything: whoever got in before gets in, and whoever was refused is refused. */
async function assertServes(session: RefreshSession, where: string): Promise<void> {
  const asked = [undefined, "good", "revoked"] as const;
  const answers = asked.map((certificate) => request(session.lab, certificate === undefined ? {} : { certificate }));
  const outcomes = (await Promise.all(answers)).map(({ outcome }) => outcome);
  assert.deepEqual(outcomes, ["200", "200", "refused"], where);
}

const installedHash = (session: RefreshSession): Promise<string> => session.lab.run(`sha256sum <${ours}/crl.pem`);

/** Runs, and says what became of the installed list. Whatever it was, it is a whole one and the site serves on. */
async function effectOf(session: RefreshSession, where: string, run: () => Promise<unknown>): Promise<Effect> {
  const before = await installedHash(session);
  await run();
  const after = await installedHash(session);
  await assertServes(session, where);
  await session.lab.run(`openssl crl -in ${ours}/crl.pem -CAfile ${ours}/ca-*.pem -noout 2>&1 | grep -qx 'verify OK'`);
  if (before === after) return "kept";
  // Some process of httpd is younger than the list, so it has been read.
  const ages = await session.lab.run(
    `echo $(($(date +%s) - $(stat -c %Z ${ours}/crl.pem))); ps -o etimes= -C httpd | sort -n | head -n 1`,
  );
  const [age = 0, youngest = Infinity] = ages.trim().split(/\s+/).map(Number);
  assert.ok(youngest <= age + 1, `${where}: httpd has not read the list`);
  return "updated";
}

/** Gets a host on which a list is installed and another one would be new, and a publisher with its weather. */
export type Moment = (session: RefreshSession, weather: Weather) => Promise<Effect>;

export const timerMoment: Readonly<Record<string, Moment>> = {
  timer: (session) => effectOf(session, "timer", () => session.timer()),
};

export const moments: Readonly<Record<string, Moment>> = {
  ...timerMoment,
  "by hand": (session) => effectOf(session, "by hand", () => session.refresh()),
  "two at once": (session) =>
    effectOf(session, "two at once", () => Promise.all([session.timer(), session.refresh(), session.timer()])),
  "disk full": (session) => onFullDisk(session, () => effectOf(session, "disk full", () => session.timer())),
  "read-only": (session) => readOnly(session, () => effectOf(session, "read-only", () => session.timer())),
};

/** What ends a refresh half-way. */
export const accidents: Readonly<Record<string, Moment>> = {
  killed: killedAtEachStep,
  reboot: (session) => effectOf(session, "reboot", () => rebootInTheMiddle(session)),
};

/** A first change, on a host that has nothing of ours. */
export async function firstChange(session: RefreshSession): Promise<Effect> {
  const before = await bytesOf(session);
  const { result } = await session.apply(sourced(session.publisher));
  if (result === "applied") assert.equal((await session.remove()).result, "applied");
  assert.equal(await bytesOf(session), before);
  return result === "applied" ? "installed" : "nothing";
}

/** What we keep lies on a file system that has no room left. */
async function onFullDisk<T>(session: RefreshSession, run: () => Promise<T>): Promise<T> {
  await session.lab
    .run(`cp -a /var/lib/clientcert /run/kept && mount -t tmpfs -o size=4m,mode=700 tmpfs /var/lib/clientcert
    cp -a /run/kept/. /var/lib/clientcert && { dd if=/dev/zero of=/var/lib/clientcert/ballast bs=64k 2>/dev/null || :; }`);
  try {
    return await run();
  } finally {
    await session.lab.run("umount /var/lib/clientcert && rm -rf /run/kept");
  }
}

async function readOnly<T>(session: RefreshSession, run: () => Promise<T>): Promise<T> {
  await session.lab.run(`mount --bind ${ours} ${ours} && mount -o remount,bind,ro ${ours}`);
  try {
    return await run();
  } finally {
    await session.lab.run(`umount ${ours}`);
  }
}

/** Ends every process of ours and of httpd at a moment of chance, and starts httpd on what is there. */
async function rebootInTheMiddle(session: RefreshSession): Promise<void> {
  const wait = (0.05 + Math.random()).toFixed(2);
  await session.lab.run(
    `setsid sh ${stateDirectory}/program refresh --timer </dev/null >/dev/null 2>&1 & sleep ${wait}`,
  );
  await session.lab.run("pkill -KILL -f '[c]lientcert/.*/program' || :");
  await endHttpd(session);
  await session.lab.run(`${root}/bin/apachectl start`);
  await session.lab.run(`rm -rf ${stateDirectory}/run.*/alive`);
  await assertServes(session, "after the reboot");
  await session.timer();
}

const programFile = `$(echo ${stateDirectory})/program`;

async function useProgram(session: RefreshSession, text: string): Promise<void> {
  await session.lab.run(`cat >${programFile}.test && mv -f ${programFile}.test ${programFile}`, impatient(text));
}

/** A run that is killed leaves the site as it was, and the next one does what it should have done. */
async function killedAtEachStep(session: RefreshSession, weather: Weather): Promise<Effect> {
  const isFair = fairWeathers.includes(weather);
  await session.lab.run(forgetSteps);
  await useProgram(session, faultyProgram({ at: noteState, unjudged: true }));
  await session.timer();
  const states = await session.lab.run(readSteps);
  // All steps of a refresh that goes to its end; the others end before anything of the site is touched.
  const steps = weather === "ok" ? distinctSteps(states) : [Math.ceil(states.trim().split("\n").length / 2)];
  assert.ok(steps.length >= (weather === "ok" ? 10 : 1), `${weather}: ${steps.length} steps`);
  const expected = isFair ? "updated" : "kept";
  for (const step of steps) {
    await session.publishNew();
    await session.lab.run(forgetSteps);
    await useProgram(session, faultyProgram({ at: killAt(step), unjudged: true }));
    const said: string[] = [];
    const effect = await effectOf(session, `killed at ${step}`, async () => {
      said.push((await session.refresh("--verbose")).output);
      await assertServes(session, `killed at ${step}`);
      await useProgram(session, faultyProgram({ unjudged: true }));
      said.push((await session.refresh("--verbose")).output);
    });
    assert.equal(effect, expected, `killed at ${step}: ${said.join("\n-- then\n")}`);
  }
  await useProgram(session, hostScript());
  return expected;
}
