import { complaint } from "./argument.js";

/** What a call needs of an `AbortSignal`, so that types need no library that declares one. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: as in AbortSignal.
  readonly reason: any;
  addEventListener(type: "abort", listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** Returns `signal` if it is one, or was not given. @throws TypeError */
export function checkSignal(signal: AbortSignalLike | undefined): AbortSignalLike | undefined {
  if (signal === undefined || typeof signal?.addEventListener === "function") return signal;
  throw new TypeError(complaint("signal", "an AbortSignal", signal));
}

/**
 * Who listens to each signal, for as long as anybody does: with one listener for all of them, as runtimes warn of more than a few.
 * A weak map would do without an end of it, but where signals come and go it takes up to 30 ms to tidy up.
 */
const audiences = new Map<AbortSignalLike, Audience>();

interface Audience {
  readonly listeners: Set<() => void>;
  readonly abort: () => void;
}

/** Calls `listener` once `signal` aborts; the function that it returns calls that off. */
export function onAbort(signal: AbortSignalLike | undefined, listener: () => void): () => void {
  if (signal === undefined) return () => {};
  const { listeners, abort } = audiences.get(signal) ?? gather(signal);
  listeners.add(listener);
  return () => {
    if (!listeners.delete(listener) || listeners.size > 0) return;
    audiences.delete(signal);
    signal.removeEventListener("abort", abort);
  };
}

/** What `answer` comes to, or the reason of an abort that comes first. */
export async function unlessAborted<T>(
  answer: T | Promise<T>,
  signal: AbortSignalLike | undefined,
): Promise<T> {
  if (signal === undefined || typeof (answer as Promise<T> | undefined)?.then !== "function") return answer;
  return new Promise((resolve, reject) => {
    const forget = onAbort(signal, () => reject(signal.reason));
    Promise.resolve(answer).finally(forget).then(resolve, reject);
  });
}

function gather(signal: AbortSignalLike): Audience {
  const listeners = new Set<() => void>();
  const abort = (): void => {
    audiences.delete(signal);
    for (const listener of listeners) listener();
  };
  signal.addEventListener("abort", abort);
  audiences.set(signal, { listeners, abort });
  return { listeners, abort };
}

/** The `AbortSignal` of the platform, as far as types of it are at hand. */
export type PlatformAbortSignal = typeof globalThis extends { AbortSignal: { prototype: infer Signal } }
  ? Signal & AbortSignalLike
  : AbortSignalLike;
