import assert from "node:assert/strict";
import type { Desired, Facts, UnattendedFacts } from "../../core/apache/model.ts";
import { plan } from "../../core/apache/plan/plan.ts";
import { otherVersion, renderCaller } from "../../core/apache/facts/unattended.ts";
import { fileChangeTexts, liveFiles, plannedFiles } from "../../provider/apache/files.ts";
import { observeText, observedFile, sha256 } from "./apache-observation.ts";
import { bare, cronFile, factsOf, good, refreshed, withOwn, withState } from "./refreshed-host.ts";

const program = "a".repeat(64);
const desired: Desired = { ...refreshed, program };
const { instance } = good().server;
const directory = `/var/lib/clientcert/${instance}`;

const calling = (name: "refresh" | "undo"): string => sha256(renderCaller(instance, name));
const asLeft: UnattendedFacts = { program, wrong: {} };
const host = (unattended: Partial<UnattendedFacts> = {}, facts: Facts = good("cron")): Facts => ({
  ...facts,
  unattended: { ...asLeft, ...unattended },
});
/** Nothing is there. */
const emptied = (facts: Facts = good("cron")): Facts => ({ ...facts, unattended: { wrong: {} } });

const toldOf = (wish: Desired, facts: Facts): readonly string[] =>
  fileChangeTexts(liveFiles(facts), plannedFiles(facts, plan(wish, facts)));

describe("a plan for what runs unattended", () => {
  it("has nothing to do where all of it is this build's", () => {
    assert.equal(plan(desired, host()).change, undefined);
    assert.deepEqual(toldOf(desired, host()), []);
  });

  it("brings the program, in a change that httpd does not notice", () => {
    const { change } = plan(desired, host({ program: "b".repeat(64) }));
    assert.deepEqual(
      { ...change, healthCheck: [], others: [] },
      {
        write: [],
        drop: [],
        refresh: false,
        edits: [],
        healthCheck: [],
        others: [],
        needsBaseline: false,
        isAside: true,
      },
    );
  });

  it("tells an upgrade in one sentence, whatever came with the earlier build", () => {
    const wrong = { [`${directory}/refresh`]: otherVersion, [`${directory}/undo`]: otherVersion };
    const old = host({ program: "b".repeat(64), wrong });
    assert.deepEqual(toldOf(desired, old), [
      `${directory}/program: the program that refreshes and undoes on this host is of another version`,
    ]);
  });

  it("is no plan where nobody looked, or where nobody says which program is right", () => {
    assert.equal(plan(desired, good("cron")).change, undefined);
    assert.equal(plan(refreshed, emptied()).change, undefined);
  });

  it("writes everything where the host has forgotten whose it is", () => {
    const forgotten = withOwn(emptied(), { owner: undefined });
    const { change } = plan(desired, forgotten);
    assert.ok(change !== undefined && change.isAside !== true);
  });

  it("goes with a reload that is owed", () => {
    const { change } = plan(desired, withOwn(emptied(), { owed: "it was interrupted" }));
    assert.ok(change !== undefined && change.isAside !== true);
  });

  it("writes a timer that others could alter", () => {
    const { change } = plan(desired, host({ wrong: { [cronFile]: "has mode 666 instead of 644" } }));
    assert.deepEqual([change?.write.map(({ name }) => name), change?.isAside], [[cronFile], true]);
  });

  it("enables a timer that is not, and downloads at once", () => {
    const facts = host({}, withState(good(), { isTimerEnabled: false }));
    assert.deepEqual([plan(desired, facts).change?.isAside, plan(desired, facts).change?.refresh], [undefined, true]);
  });

  it("tells what lies beside the program, and who could alter it", () => {
    const wrong = { [`${directory}/undo`]: "is missing", [directory]: "belongs to user 7, not to root" };
    assert.deepEqual(toldOf(desired, host({ wrong })), [
      `${directory}/program: ${directory}/undo is missing; ${directory} belongs to user 7, not to root`,
    ]);
    assert.equal(plan(desired, host({ wrong })).change?.isAside, true);
  });

  it("warns where a program of an earlier build looked", () => {
    const facts = good();
    const live: Facts = { ...facts, server: { ...facts.server, source: "httpd" } };
    const texts = (one: Facts): string[] => plan(desired, one).diagnostics.map(({ text }) => text);
    assert.match(texts(live).join("\n"), /observation program of this host is of an earlier version/);
    assert.doesNotMatch(texts({ ...live, unattended: asLeft }).join("\n"), /observation program/);
  });

  it("reads owner and mode of each file, of directories only who may write, and whether what calls is as it was written", () => {
    const file = { userId: 0, mode: "700", sizeBytes: 1, sha256: program };
    const observation = observeText("", {
      server: { instance },
      unattended: new Map([
        ["/var/lib/clientcert/.", { ...file, mode: "755" }],
        [`${directory}/.`, { ...file, mode: "1777" }],
        [`${directory}/program`, { ...file, userId: 7 }],
        [`${directory}/undo`, file],
        [cronFile, { ...file, mode: "644" }],
      ]),
    });
    assert.deepEqual(factsOf(observation).unattended, {
      program,
      wrong: {
        [directory]: "can be written to by others than root (mode 1777)",
        [`${directory}/program`]: "belongs to user 7, not to root",
        [`${directory}/undo`]: otherVersion,
      },
    });
  });

  it("wants refresh where there are settings for it, and nowhere else", () => {
    const file = { userId: 0, mode: "700", sizeBytes: 1, sha256: program };
    const files = (["refresh", "undo"] as const).map(
      (name) => [`${directory}/${name}`, { ...file, sha256: calling(name) }] as const,
    );
    const wrongOf = (own: string[], unattended: typeof files) =>
      factsOf(
        observeText("", {
          server: { instance },
          own: new Map(own.map((name) => [name, observedFile(name, "")])),
          journal: new Map([["owner", "a/b/c/d"]]),
          unattended: new Map(unattended),
        }),
      ).unattended?.wrong;
    assert.deepEqual(wrongOf(["refresh.conf"], files), {});
    assert.deepEqual(wrongOf([], files), { [`${directory}/refresh`]: "is not wanted any more" });
    assert.deepEqual(wrongOf([], files.slice(1)), {});
    assert.deepEqual(wrongOf(["refresh.conf"], files.slice(1)), { [`${directory}/refresh`]: "is missing" });
  });

  it("is not there before the first change", () => assert.equal(factsOf(bare("cron")).unattended, undefined));
});
