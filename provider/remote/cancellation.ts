/** Waiting that can be cancelled, and waiting in a queue. */
import { HostError } from "./host-error.ts";

export function cancelled(place: string): HostError {
  return new HostError("cancelled", `${place}: cancelled; run again`);
}

export function throwIfCancelled(place: string, signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled(place);
}

/**
 * Waits for `work` and returns its result, or rejects at a cancellation if that comes first. After a cancellation,
 * `work` continues unseen and must check the signal itself. A signal that is aborted before the call is not noticed.
 */
export function withCancellation<T>(place: string, signal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(cancelled(place));
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/**
 * Lets at most `count` holders work at once. The others wait in order. `take` returns the function that ends the hold,
 * which must be called exactly once.
 */
export function createSlots(count: number): { take(): Promise<() => void> } {
  const waiting: (() => void)[] = [];
  let free = count;
  const release = (): void => {
    const next = waiting.shift();
    if (next === undefined) free++;
    else next();
  };
  return {
    async take() {
      if (free > 0) free--;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      return release;
    },
  };
}
