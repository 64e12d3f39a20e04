/**
 * A host over SSH: observes it, lets its own httpd judge a change, and applies a change. All remote effects of this
 * project begin here.
 */
import { HostError, placeOf, asOneLine, longestSentenceCharacters, type HostErrorKind } from "../remote/host-error.ts";
import type { Pool } from "../remote/pool.ts";
import { type Message, parseResponse, stepReader } from "../remote/response.ts";
import { findLimit } from "../remote/limits.ts";
import { filterHttpdMessages } from "./httpd-messages.ts";
import type { Target } from "../../core/site/target.ts";
import type { Host, Judge, Outcome, Transaction } from "./host-model.ts";
import { readObservation } from "./observation-reader.ts";
import { observeRequest, type Request, resultRequest, transactionRequest } from "./request.ts";
import { hostScript, observationScript } from "./host-program.ts";
import type { Observation } from "../../core/apache/observation.ts";
import type { RunOptions } from "../../core/server-kind.ts";
import { hostText } from "../../core/host-text.ts";

/** How long an observation may take. */
const observeTimeoutSeconds = 60;
/**
 * This limit is for a host that went silent. It is far above the deadlines of the host's own program, which extends
 * them for large CRLs and stops downloads after 4 minutes.
 */
const changeTimeoutSeconds = 900;
/** The most steps of one run that are shown, because each step is a message to the engine. */
const mostSteps = 1000;
/** The most reasons of one answer that are shown. */
const mostReasons = 100;

/**
 * Makes the calls that reach hosts, over the connections of `pool`. `program` returns what runs on the host, in
 * observations as well. Tests change it.
 *
 * @default - this build's program
 */
export function createHost(pool: Pool, program?: () => string): Host {
  const runObservation = runner(pool, program ?? observationScript);
  const run = runner(pool, program ?? hostScript);
  return {
    async observe(target, options = {}) {
      const parts = await runObservation(
        target,
        observeRequest(target.detection, observeTimeoutSeconds),
        observeTimeoutSeconds,
        options,
      );
      return requireObservation(target, parts);
    },
    async judge(target, transaction, options = {}) {
      requireAllRights(target);
      const request = transactionRequest("judge", target.detection, transaction, changeTimeoutSeconds);
      return readOutcome(target, await run(target, request, changeTimeoutSeconds, options));
    },
    async apply(target, transaction, options = {}) {
      requireAllRights(target);
      return readOutcome(target, await applyOrAsk(target, transaction, options));
    },
    close: () => pool.close(),
  };

  /**
   * Applies a change and returns the parts of the answer. Where the connection is cut, the change goes on without us,
   * so the host is asked once how it ended. Rejects where it gives no answer to that.
   */
  async function applyOrAsk(target: Target, transaction: Transaction, options: RunOptions): Promise<Message[]> {
    const request = transactionRequest("apply", target.detection, transaction, changeTimeoutSeconds);
    try {
      return await run(target, request, changeTimeoutSeconds, options);
    } catch (error) {
      if (!(error instanceof HostError) || error.kind !== "cut") throw error;
      options.onProgress?.("connection cut; asking how the change ended");
      // Without `options`: a cancellation does not end the question, because the change goes on in any case.
      const question = resultRequest(target.detection, transaction, request, changeTimeoutSeconds);
      return await run(target, question, changeTimeoutSeconds, {}).catch((reason: unknown) => {
        throw unanswered(reason, error);
      });
    }
  }
}

/**
 * The error where the host did not say how a change ended. `reason` is why it did not, and `cut` is the error that
 * ended the change for us; a limit of the login that `cut` shows is reported, too. The kind stays `cut`: the change may
 * have been made, even where the host no longer knows such a run. A `reason` of another class is returned as it is.
 */
function unanswered(reason: unknown, cut: HostError): unknown {
  if (!(reason instanceof HostError)) return reason;
  const limit = findLimit(cut.message);
  return new HostError("cut", `${reason.message}${limit === undefined ? "" : `; ${limit}`}`);
}

/**
 * Runs one request on a host and returns the parts of the answer. Rejects where the answer is an error or incomplete.
 */
type Run = (target: Target, request: Request, timeoutSeconds: number, options: RunOptions) => Promise<Message[]>;

/**
 * Makes the function that runs `program` on hosts. While the program runs, the function reports its steps, at most
 * {@link mostSteps} of them.
 */
function runner(pool: Pool, program: () => string): Run {
  return async (target, request, timeoutSeconds, options) => {
    let steps = 0;
    const readSteps = stepReader(request.mark);
    const onStdout = (chunk: Buffer): void => {
      for (const step of readSteps(chunk)) if (++steps <= mostSteps) options.onProgress?.(asOneLine(hostText(step)));
    };
    const sent = { script: program(), data: request.data };
    const result = await pool.execute(target.connection, sent, {
      timeoutSeconds,
      onStdout,
      ...(options.signal ? { signal: options.signal } : {}),
    });
    const parts = parseResponse(result.stdout, request.mark);
    throwHostError(target, parts);
    // Every complete answer ends with a part `done`.
    if (parts.at(-1)?.kind === "done") return parts;
    throw new HostError(
      "cut",
      `${placeOf(target.connection)}: the answer ended early (exit status ${result.exitCode ?? result.signal}${stderrText(result.stderr)}); ${findLimit(result.stderr) ?? "run again"}`,
    );
  };
}

/** Throws an error where the user may run only the observation program, which cannot judge or change anything. */
function requireAllRights({ connection }: Target): void {
  const { sudo, user } = connection;
  if (sudo.how !== "program") return;
  const cause = `${user} may only run ${sudo.path} as root there, which looks and changes nothing`;
  const advice = "set judgeInPreview: false for previews, and give another sudo: for a change";
  throw new HostError("sudo", `${placeOf(connection)}: ${cause}; ${advice}`);
}

/**
 * The kind of our error, by the first word of an `error` part. Any other word becomes `refused`: the host's program has
 * ended before it changed anything.
 */
const errorKinds: Readonly<Record<string, HostErrorKind>> = {
  "no-httpd": "noHttpd",
  several: "severalHttpds",
  locked: "locked",
  owner: "locked",
  root: "sudo",
  slow: "timeout",
};

/** Throws the error that the host's program reports, with its reasons. Returns where the answer has no error. */
function throwHostError(target: Target, parts: readonly Message[]): void {
  const error = parts.find((part) => part.kind === "error");
  if (error === undefined) return;
  // The argument is the kind of the error, a blank, and a sentence.
  const space = error.argument.indexOf(" ");
  // After a result, only the observation has failed, and the change may have been made.
  const isChanged = parts.some((part) => part.kind === "result");
  const kind = isChanged ? "answer" : (errorKinds[error.argument.slice(0, space)] ?? "refused");
  const sentence = asOneLine(hostText(error.argument.slice(space + 1)), longestSentenceCharacters);
  const text = [sentence, ...reasonsOf(parts)].join("\n  ");
  throw new HostError(kind, `${placeOf(target.connection)}: ${text}`);
}

/** The observation in an answer. Throws an error where it is incomplete. */
function requireObservation(target: Target, parts: readonly Message[]): Observation {
  const observation = readObservation(parts);
  if (observation !== undefined) return observation;
  throw new HostError("answer", `${placeOf(target.connection)}: the observation is incomplete; run again`);
}

/** The outcome of a judgement or a change. Throws an error where the answer has none, or one that is unknown. */
function readOutcome(target: Target, parts: readonly Message[]): Outcome {
  const result = parts.find((part) => part.kind === "result")?.argument.split(" ");
  if (result === undefined) {
    throw new HostError(
      "answer",
      `${placeOf(target.connection)}: the run ended without a result, as if it had been killed; run again, what it left half-way is put back first`,
    );
  }
  return { ...readResult(target, result), reasons: reasonsOf(parts), observation: readObservation(parts) };
}

const results = ["well", "refused", "applied", "stopped", "rolledBack", "recovered"] as const;
/** `none` means that no judge was reached. */
const judges = ["shadow", "minimal", "syntax", "none"] as const;

/**
 * Reads the words of a `result` part: the result, the judge, and the generation, which is 0 where the host has none.
 * Throws an error where a word is unknown.
 */
function readResult(target: Target, words: readonly string[]): Pick<Outcome, "result" | "judge" | "generation"> {
  const [resultWord, judgeWord, generation = ""] = words;
  const result = results.find((known) => known === resultWord);
  const judge = judges.find((known) => known === judgeWord);
  // A number of 15 digits is still exact in JavaScript.
  if (result === undefined || judge === undefined || !/^\d{0,15}$/.test(generation))
    throw new HostError(
      "answer",
      `${placeOf(target.connection)}: the run ended with a result that is unknown; run again`,
    );
  // as: `none` comes with a run that ended before a judge was reached, and with a change of which httpd reads nothing.
  // Outputs leave it out (`lastChangeOf`).
  return { result, judge: judge as Judge, generation: Number(generation || 0) };
}

/**
 * What the answer reports, in its order: sentences of the host's program, and httpd's messages without the customer's
 * lines. Of more than {@link mostReasons} parts, the last text says how many were left out.
 */
function reasonsOf(parts: readonly Message[]): string[] {
  const reported = parts.filter(({ kind }) => kind === "reason" || kind === "note" || kind === "words");
  const reasons = reported.slice(0, mostReasons).flatMap(({ kind, argument, body }) => {
    if (kind === "words") return filterHttpdMessages(body);
    return [asOneLine(hostText(argument), longestSentenceCharacters)];
  });
  const omitted = reported.length - mostReasons;
  return omitted <= 0 ? reasons : [...reasons, `and ${omitted} more`];
}

/** Standard error as the end of a message, after a colon. Empty where nothing was printed. */
function stderrText(stderr: string): string {
  return stderr.trim() === "" ? "" : `: ${asOneLine(stderr)}`;
}
