import assert from "node:assert/strict";
import type { Desired, Facts, UnattendedFacts } from "../../core/apache/model.ts";
import { plan } from "../../core/apache/plan.ts";
import { renderCaller } from "../../core/apache/unattended.ts";
import { fileChangeTexts, liveFiles, plannedFiles } from "../../provider/apache/files.ts";
import { observeText, sha256 } from "./apache-observation.ts";
import {
  bare,
  crl,
  cronFile,
  factsOf,
  good,
  issuing,
  refreshed,
  settled,
  withOwn,
  withState,
} from "./refreshed-host.ts";

const program = "a".repeat(64);
const desired: Desired = { ...refreshed, program };
const { instance } = good().server;
const directory = `/var/lib/clientcert/${instance}`;

const callers = {
  refresh: sha256(renderCaller(instance, "refresh")),
  undo: sha256(renderCaller(instance, "undo")),
};
const asLeft: UnattendedFacts = { hashes: { program, ...callers }, open: {} };
const host = (unattended: Partial<UnattendedFacts> = {}, facts: Facts = good("cron")): Facts => ({
  ...facts,
  unattended: { ...asLeft, ...unattended },
});

const toldOf = (wish: Desired, facts: Facts): readonly string[] =>
  fileChangeTexts(liveFiles(facts), plannedFiles(facts, plan(wish, facts)));

describe("a plan for what runs unattended", () => {
  it("has nothing to do where all of it is this build's", () => {
    assert.equal(plan(desired, host()).change, undefined);
    assert.deepEqual(toldOf(desired, host()), []);
  });

  it("brings the program, in a change that httpd does not notice", () => {
    const { change } = plan(desired, host({ hashes: { ...callers, program: "b".repeat(64) } }));
    assert.deepEqual(
      { ...change, look: [], others: [] },
      { write: [], drop: [], refresh: false, edits: [], look: [], others: [], needsBaseline: false, isAside: true },
    );
  });

  it("tells an upgrade in one sentence, whatever came with the earlier build", () => {
    const old = host({ hashes: { program: "b".repeat(64), refresh: "c", undo: "d" } });
    assert.deepEqual(toldOf(desired, old), [
      `${directory}/program: the program that refreshes and undoes on this host is of another version`,
    ]);
  });

  it("is no plan where nobody looked, or where nobody says which program is right", () => {
    assert.equal(plan(desired, good("cron")).change, undefined);
    assert.equal(plan(refreshed, host({ hashes: {} })).change, undefined);
  });

  it("writes everything where the host has forgotten whose it is", () => {
    const forgotten = withOwn(host({ hashes: {} }), { owner: undefined });
    const { change } = plan(desired, forgotten);
    assert.ok(change !== undefined && change.isAside !== true);
  });

  it("goes with a reload that is owed", () => {
    const { change } = plan(desired, withOwn(host({ hashes: callers }), { owed: "it was interrupted" }));
    assert.ok(change !== undefined && change.isAside !== true);
  });

  it("writes a timer that others could alter", () => {
    const { change } = plan(desired, host({ open: { [cronFile]: "has mode 666 instead of 644" } }));
    assert.deepEqual([change?.write.map(({ name }) => name), change?.isAside], [[cronFile], true]);
  });

  it("enables a timer that is not, and downloads at once", () => {
    const facts = host({}, withState(good(), { isTimerEnabled: false }));
    assert.deepEqual([plan(desired, facts).change?.isAside, plan(desired, facts).change?.refresh], [undefined, true]);
  });

  it("wants no refresh without sources", () => {
    const lists: Desired = { ...desired, crlSources: [], crls: [crl(issuing)], crlSha256: "c" };
    const facts = (hashes: Record<string, string>): Facts => host({ hashes }, settled(lists, [crl(issuing)], "cron"));
    assert.equal(plan(lists, facts({ program, undo: callers.undo })).change, undefined);
    assert.equal(plan(lists, facts({ program, ...callers })).change?.isAside, true);
  });

  it("warns where a program of an earlier build looked", () => {
    const facts = good();
    const live: Facts = { ...facts, server: { ...facts.server, source: "httpd" } };
    const texts = (one: Facts): string[] => plan(desired, one).findings.map(({ text }) => text);
    assert.match(texts(live).join("\n"), /observation program of this host is of an earlier version/);
    assert.doesNotMatch(texts({ ...live, unattended: asLeft }).join("\n"), /observation program/);
  });

  it("reads owner and mode of each file, of directories only who may write", () => {
    const file = { userId: 0, mode: "700", sizeBytes: 1, sha256: program };
    const observation = observeText("", {
      server: { instance },
      unattended: new Map([
        ["/var/lib/clientcert/.", { ...file, mode: "755" }],
        [`${directory}/.`, { ...file, mode: "1777" }],
        [`${directory}/program`, file],
        [`${directory}/undo`, { ...file, userId: 7 }],
        [cronFile, { ...file, mode: "644" }],
      ]),
    });
    assert.deepEqual(factsOf(observation).unattended, {
      hashes: { program, undo: program },
      open: {
        [`${directory}/.`]: "can be written to by others than root (mode 1777)",
        [`${directory}/undo`]: "belongs to user 7, not to root",
      },
    });
  });

  it("is not there before the first change", () => assert.equal(factsOf(bare("cron")).unattended, undefined));
});
