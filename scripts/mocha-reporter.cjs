/**
 * Mocha's reporter for `npm test`. It prints one line of progress, and all failures in full at the end. It also writes
 * each result as a JSON line to the file that the reporter option `events` names, so that a crash loses no result.
 */
const { appendFileSync } = require("node:fs");
const { Base } = require("mocha").reporters;

const { EVENT_RUN_END, EVENT_TEST_BEGIN, EVENT_TEST_FAIL, EVENT_TEST_PASS, EVENT_TEST_PENDING } =
  require("mocha").Runner.constants;

const progressSeconds = 15;
/** The time in which whatever a test left open may still close by itself. */
const closingSeconds = 10;

module.exports = class Reporter extends Base {
  constructor(runner, options) {
    super(runner, options);
    const report = (event) => appendFileSync(options.reporterOptions.events, `${JSON.stringify(event)}\n`);
    const progress = new Progress(runner);
    runner.on(EVENT_TEST_BEGIN, (test) => progress.begin(test.fullTitle()));
    runner.on(EVENT_TEST_PASS, () => {
      report({ type: "passed" });
      progress.passed();
    });
    runner.on(EVENT_TEST_FAIL, (test, error) =>
      report({ type: "failed", title: test.fullTitle(), reason: describeError(error) }),
    );
    runner.on(EVENT_TEST_PENDING, (test) =>
      report({ type: "skipped", title: test.fullTitle(), reason: findReason(test) }),
    );
    runner.once(EVENT_RUN_END, () => {
      progress.end();
      if (this.failures.length > 0) Base.list(this.failures);
      report({ type: "end" });
      stopIfOpen(report);
    });
  }
};

/** The longest reason of a failure in the summary, in characters. Mocha prints all of it where the ring ends. */
const longestReason = 2000;

const describeError = (error) => String(error?.message ?? error).slice(0, longestReason);

/**
 * Returns the reason that `test/skip.ts` left on the test, or on a suite around it when a hook skipped the whole suite.
 */
function findReason(runnable) {
  if (runnable === undefined) return undefined;
  return runnable.skipReason ?? findReason(runnable.parent);
}

/**
 * A server or child that a test forgot would keep mocha from ending. This is reported as a failure that names its kind.
 */
function stopIfOpen(report) {
  const timer = setTimeout(() => {
    const open = process.getActiveResourcesInfo().filter((kind) => !["TTYWrap", "PipeWrap", "Timeout"].includes(kind));
    report({ type: "failed", title: `tests left something open: ${open.join(", ") || "a pipe or a timer"}` });
    process.exit(1);
  }, closingSeconds * 1000);
  timer.unref();
}

/** On a terminal the progress is one line that is overwritten. In a log it is a new line from time to time. */
class Progress {
  constructor(runner) {
    this.total = runner.total;
    this.count = 0;
    this.title = "";
    this.timer = setInterval(() => process.stdout.write(`  ${this.line()}\n`), progressSeconds * 1000);
    this.timer.unref();
    if (process.stdout.isTTY) clearInterval(this.timer);
  }

  begin(title) {
    this.title = title;
    if (process.stdout.isTTY) this.overwrite(`  ${this.line()}`);
  }

  passed() {
    this.count += 1;
  }

  end() {
    clearInterval(this.timer);
    if (process.stdout.isTTY) this.overwrite("");
  }

  line() {
    return `${this.count} of ${this.total} passed; now: ${this.title}`;
  }

  overwrite(text) {
    process.stdout.write(`\r\u001b[K${text.slice(0, process.stdout.columns - 1)}`);
  }
}
