/** A host that build 5a6f128 has opened: lines that it took out, and that must never be out, come back. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { applySplices, sortSplices } from "../../core/apache/config/splices.ts";
import type { Diagnostic } from "../../core/diagnostic.ts";
import type { Change, FileEdit } from "../../core/apache/model.ts";
import { adoptedMark } from "../../core/apache/facts/own-lines.ts";
import { isFeasible } from "../../core/apache/plan/plan.ts";
import { requireValue } from "../../lab/values.ts";
import { foreignCa, lines, optional, siteCas, within } from "./lines.ts";
import type { Row } from "./row.ts";
import { placeOf, rowFiles, startStage, type Stage } from "./stage.ts";

const verify = "SSLVerifyClient require";
const rule = 'SSLRequire %{SSL_CLIENT_S_DN_O} eq "ABC CORPORATION"';
const protects = within('Location "/admin"', verify, rule);
const adopt = { adopt: true };

const sha256 = (text: string): string => createHash("sha256").update(text, "latin1").digest("hex");

/** Edits that mark these lines, and make what else the plan has for the files. */
function markingEdits(texts: readonly string[], planned: readonly FileEdit[], marked: readonly string[]): FileEdit[] {
  return rowFiles.flatMap((path, index) => {
    const text = texts[index] ?? "";
    const others = planned.filter((edit) => edit.path === path).flatMap(({ splices }) => splices);
    const marks = [...text.matchAll(/^.*$/gm)]
      .filter(([line]) => marked.includes(line.trim()))
      .map(({ index: offset }) => ({ offset, remove: 0, insert: adoptedMark }));
    const splices = sortSplices([...others.filter(({ insert }) => insert !== adoptedMark), ...marks]);
    return splices.length === 0 ? [] : [{ path, sha256: sha256(text), splices }];
  });
}

/** A first change on this host, with the lines marked that 5a6f128 took out. */
async function adoptAsBefore({ session, texts }: Stage, marked: readonly string[]): Promise<void> {
  const change = requireValue((await session.plan(adopt)).change, "a first change");
  const edits = markingEdits(await texts(), change.edits, marked);
  assert.equal((await session.apply(adopt, { change: { ...change, edits } })).result, "applied");
}

/** Marks that edits take away: the lines behind them. */
function restoredBy(texts: readonly string[], { edits }: Change): string[] {
  const marked = (all: readonly string[]): string[] =>
    all.flatMap((text) => text.split("\n")).filter((line) => line.startsWith(adoptedMark));
  const after = texts.map((text, index) => {
    const edit = edits.find(({ path }) => path === rowFiles[index]);
    return edit === undefined ? text : applySplices(text, edit.splices);
  });
  const left = marked(after);
  return marked(texts)
    .filter((line) => !left.includes(line))
    .map((line) => line.slice(adoptedMark.length));
}

const placesOf = (findings: readonly Diagnostic[], severity: Diagnostic["severity"]): string[] =>
  findings.filter((finding) => finding.severity === severity).map(({ place }) => place);

describe("a host that build 5a6f128 has opened", function () {
  this.timeout(120_000);
  let stage: Stage;

  before(async () => {
    stage = await startStage();
  });
  after(() => stage.session.stop());

  const answers = { "/": "200 200 refused", "/admin/": ["refused 200 refused", "403 403 refused"] } as const;
  const closed: Row = { name: "with the site's CAs", covered: lines(optional, siteCas, protects), before: answers };

  it("gets back the lines that protect a part of the site, is told of each, and gives everything back at removal", async () => {
    await stage.set(closed);
    const original = await stage.texts();
    assert.deepEqual(await stage.ask(closed), answers);
    await adoptAsBefore(stage, [verify, rule]);
    assert.equal((await stage.ask(closed))["/admin/"], "200 200 refused", "it is open");
    const planned = await stage.session.plan(adopt);
    const places = [verify, rule].map((line) => placeOf(line, original));
    assert.deepEqual(placesOf(planned.diagnostics, "problem"), places);
    assert.deepEqual(restoredBy(await stage.texts(), requireValue(planned.change, "a change")), [verify, rule]);
    assert.ok(isFeasible(planned));
    assert.equal((await stage.session.apply(adopt)).result, "applied");
    assert.deepEqual(await stage.ask(closed), answers);
    assert.ok((await stage.session.plan(adopt)).change === undefined);
    assert.equal((await stage.session.remove()).result, "applied");
    assert.deepEqual(await stage.texts(), original);
  });

  it("is closed again where a conflict stands in the way of everything else", async () => {
    const row: Row = { ...closed, covered: lines(optional, foreignCa, protects) };
    await stage.set(row);
    const original = await stage.texts();
    await adoptAsBefore(stage, [foreignCa, verify, rule]);
    assert.equal((await stage.ask(row))["/admin/"], "200 200 refused", "it is open");
    const planned = await stage.session.plan(adopt);
    assert.ok(!isFeasible(planned));
    assert.ok(placesOf(planned.diagnostics, "conflict").includes(placeOf(verify, original)));
    const places = [foreignCa, verify, rule].map((line) => placeOf(line, original));
    assert.deepEqual(placesOf(planned.diagnostics, "problem"), places);
    const change = requireValue(planned.restore, "a change that puts the lines back");
    assert.deepEqual([change.write, change.drop, change.refresh], [[], [], false]);
    assert.deepEqual(restoredBy(await stage.texts(), change), [foreignCa, verify, rule]);
    assert.equal((await stage.session.apply(adopt, { change })).result, "applied");
    assert.deepEqual(await stage.ask(row), answers);
    assert.equal((await stage.session.remove()).result, "applied");
    assert.deepEqual(await stage.texts(), original);
  });

  it("keeps out what adopt takes out to this day", async () => {
    const whole = 'SSLRequire %{SSL_CLIENT_S_DN_O} in {"OTHER CORPORATION",""}';
    const row: Row = {
      name: "the whole site's rule",
      covered: lines(optional, siteCas, within("Location /", whole)),
      before: { "/": "200 403 refused" },
    };
    await stage.set(row);
    await adoptAsBefore(stage, [whole]);
    const planned = await stage.session.plan(adopt);
    assert.deepEqual(placesOf(planned.diagnostics, "problem"), []);
    assert.ok(planned.change === undefined);
    assert.equal((await stage.session.remove()).result, "applied");
    assert.deepEqual(await stage.ask(row), row.before);
  });
});
