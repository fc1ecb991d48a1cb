import type { AbortSignalLike } from "../abort.js";

/** What the arguments of `fetch` have in common, in all that implement it. */
interface RequestLike {
  readonly method?: string;
  readonly headers?: unknown;
  readonly body?: unknown;
  readonly bodyUsed?: boolean;
  readonly signal?: AbortSignalLike | null;
  readonly url?: string;
}

/** Methods that may be repeated, as they do the same thing once or twice (RFC 9110). */
const IDEMPOTENT = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"];

/** A request as the arguments of `fetch` describe it. */
export class OutgoingRequest {
  readonly #input: unknown;
  /** The arguments that say something about it: those of `init` come before those of a `Request`. */
  readonly #init: RequestLike;
  readonly #request: RequestLike;

  constructor(input: unknown, init: unknown) {
    this.#input = input;
    this.#init = init ?? {};
    this.#request = isRequest(input) ? input : {};
  }

  /** Where it goes; relative to the page, where there is one. @throws TypeError */
  get url(): URL {
    const { location } = globalThis as { location?: { href: string } };
    return new URL(this.#request.url ?? String(this.#input), location?.href);
  }

  /** What aborts it. */
  get signal(): AbortSignalLike | undefined {
    const { signal = this.#request.signal } = this.#init;
    return signal ?? undefined;
  }

  /** Whether the same arguments may be sent once more: the method allows it, and nothing of them was used up. */
  get isRepeatable(): boolean {
    const { method = this.#request.method ?? "GET" } = this.#init;
    const { headers = this.#request.headers, body } = this.#init;
    if (isUsedUp(headers) || !isLasting(body) || this.#request.bodyUsed) return false;
    return (
      IDEMPOTENT.includes(method.toUpperCase()) ||
      new Headers(headers as Record<string, string>).has("idempotency-key")
    );
  }
}

function isRequest(input: unknown): input is RequestLike {
  return typeof input === "object" && input !== null && "url" in input;
}

/** Iterators yield headers only once. */
function isUsedUp(headers: unknown): boolean {
  return typeof (headers as { next?: unknown } | undefined)?.next === "function";
}

const LASTING = /^\[object (ArrayBuffer|Blob|File|FormData|URLSearchParams)\]$/;

/** Whether a body can be read more than once, as streams can't. */
function isLasting(body: unknown): boolean {
  if (body === undefined || body === null || typeof body === "string") return true;
  return ArrayBuffer.isView(body) || LASTING.test(Object.prototype.toString.call(body));
}
