/** What a site wants for CRLs and what a host has of them, for any kind of server. */
import type { CrlSummary } from "../pki/summary.ts";
import type { Parsed } from "../schema-kinds.ts";
import type { crlInputs } from "./inputs.ts";

/** What a site wants: its CAs, the CRLs that came with it, and where hosts download others. */
export type CrlInputs = Omit<Parsed<typeof crlInputs>, "caFiles" | "crlFiles">;

/** What a host has. */
export interface CrlFacts {
  readonly server: {
    /** The id of the server. It is part of the names of its timer and of its state directory. */
    readonly instance: string;
    /** The source of the facts: the live program, a saved observation, or the files alone. */
    readonly source: "httpd" | "saved" | "files";
  };
  readonly own: {
    /** The installed CRLs. */
    readonly crls: readonly CrlSummary[];
    /** The SHA-256 of every file of ours, by name. */
    readonly files: Readonly<Record<string, string>>;
    readonly owner: string | undefined;
  };
  readonly refresh: RefreshFacts;
}

/** What keeps the CRLs of a host fresh, and how the last refreshes went. */
export interface RefreshFacts {
  /** What runs jobs on this host: systemd, else a cron that is running. */
  readonly scheduler: Scheduler;
  /** The SHA-256 of the files that start a refresh, by absolute path, for any scheduler. */
  readonly timers: Readonly<Record<string, string>>;
  /**
   * On a live host, false only where systemd has our timer and does not start it: it is disabled or stopped. Cron needs
   * no more than its file.
   */
  readonly isTimerEnabled: boolean;
  /** Files by which somebody changes the units of the timer. */
  readonly timerDropIns?: readonly string[];
  /**
   * The host's clock, in seconds since 1970. It is set only where CRLs are refreshed, because it differs at each
   * observation.
   */
  readonly nowSeconds: number | undefined;
  readonly lastRun: { readonly seconds: number; readonly result: string; readonly reason?: string } | undefined;
  readonly sources: readonly SourceFacts[];
  /**
   * Why the sample certificate shows nothing about the installed CRLs, in words.
   *
   * @default - it is accepted, or there is none
   */
  readonly sample?: string;
}

/** What was observed of the refreshes. */
export interface RefreshObservation {
  readonly server: { /** Seconds since 1970 on the host's clock. */ readonly nowSeconds: number };
  /** Files in our directory, by name. */
  readonly own: ReadonlyMap<string, unknown>;
  /** What runs jobs on this host: systemd, else a cron that is running. */
  readonly scheduler: Scheduler;
  /** On a live host, false only where systemd has our timer and does not start it: it is disabled or stopped. */
  readonly isTimerEnabled: boolean;
  /** Files by which somebody changes the units of the timer (`systemctl edit`). */
  readonly timerDropIns?: readonly string[];
  /** Our files that start a refresh, by absolute path. */
  readonly timers: ReadonlyMap<string, { readonly sha256: string }>;
  /** What the refresh program remembers, as `readRecord` reads it. Empty before the first refresh. */
  readonly refreshRecord: string;
}

export type Scheduler = "systemd" | "cron" | "none";

export interface SourceFacts {
  readonly id: string;
  /** The URL of the source that answered last. */
  readonly url?: string;
  readonly lastSuccessSeconds?: number;
  /** Set only where the failure came after the last success. */
  readonly lastFailureSeconds?: number;
  readonly reason?: string;
  /** ISO 8601. */
  readonly thisUpdate?: string;
  readonly nextUpdate?: string;
  readonly number?: string;
  readonly entries?: number;
}
