/**
 * Skips the running test (or, in a hook, all tests of the suite) and says why: `npm test` lists the reasons and counts
 * a skip without one as a failure.
 *
 * @param context mocha's `this`, so the test is a `function` and no arrow
 */
export function skipBecause(context: Mocha.Context, reason: string): never {
  // @types/mocha leaves `type` out; mocha itself tells hooks from tests by it.
  const runnable: (Mocha.Runnable & { readonly type?: string }) | undefined = context.test;
  const target = runnable?.type === "hook" ? runnable.parent : runnable;
  if (target !== undefined) Object.assign(target, { skipReason: reason });
  return context.skip();
}
