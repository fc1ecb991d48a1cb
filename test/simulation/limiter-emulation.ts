import { type AlgorithmName, type Booking, Limiter } from "../../src/algorithms/limiter.js";

/** The texts that a script finds and leaves by their keys; one that has expired is not there any more. */
export interface Texts {
  get(key: string): string | undefined;
  set(key: string, text: string, ttlMs: number): void;
  delete(key: string): void;
}

const GRACE_MS = 1_000;
const GRACE_OF_OTHER_CLOCKS_MS = 3_600_000;

const limiters = new Map<string, Limiter>();

/** What limiter.lua means: the same arguments, the same reply, the same records. `serverNow` is the time of the server. */
export function runLimiterScript(
  texts: Texts,
  keys: readonly string[],
  args: readonly string[],
  serverNow: number,
): string {
  const last = args.at(-1)!;
  const hasClock = /^\d+$/.test(last);
  const programs = hasClock ? args.slice(0, -1) : args;
  const now = hasClock ? Number(last) : serverNow;
  const graceMs = hasClock ? GRACE_OF_OTHER_CLOCKS_MS : GRACE_MS;
  const reply = [String(now)];
  for (const [i, key] of keys.entries()) {
    const [, calls, limiterText] = /^([^a-z]+) (.*)$/.exec(programs[Math.min(i, programs.length - 1)]!)!;
    const limiter = limiterOf(limiterText!);
    const stored = texts.get(key);
    reply.push(stored ?? "");
    const record = Float64Array.from(stored?.split(" ").map(Number) ?? Array(limiter.size).fill(0));
    const before = record.join(" ");
    decideAll(limiter, record, now, calls!.split(" ").map(Number));
    if (record.join(" ") === before) continue;
    const ttlMs = limiter.ttlMs(record, 0, now);
    if (ttlMs === 0) texts.delete(key);
    else texts.set(key, record.join(" "), ttlMs + graceMs);
  }
  return reply.join("\n");
}

/** How many calls travel in these arguments. */
export function callsIn(keys: number, args: readonly string[]): number {
  const sizes = args.filter((text) => /[a-z]/.test(text)).map(sizeOf);
  return sizes.length === 1 ? keys * sizes[0]! : sizes.reduce((sum, size) => sum + size, 0);
}

function sizeOf(program: string): number {
  const [, calls, limiterText] = /^([^a-z]+) (.*)$/.exec(program)!;
  const numbers = calls!.split(" ").map(Number);
  if (numbers.length === 1) return 1;
  let size = 0;
  for (const { times } of callsOf(limiterOf(limiterText!), numbers)) size += times;
  return size;
}

function decideAll(limiter: Limiter, record: Float64Array, now: number, numbers: readonly number[]): void {
  for (const { times, cost, maxWaitMs, booking } of callsOf(limiter, numbers)) {
    for (let i = 0; i < times; i++) {
      limiter.decideAt(record, 0, now, cost, maxWaitMs, booking);
      if (cost < 0 && limiter.ttlMs(record, 0, now) === 0) record.fill(0);
    }
  }
}

interface Calls {
  readonly times: number;
  readonly cost: number;
  readonly maxWaitMs: number;
  readonly booking: Booking | undefined;
}

function* callsOf({ size }: Limiter, numbers: readonly number[]): Generator<Calls> {
  if (numbers.length === 1) yield { times: 1, cost: numbers[0]!, maxWaitMs: 0, booking: undefined };
  for (let i = 0; i + 2 < numbers.length; i += 3) {
    const [times, cost, wait] = numbers.slice(i) as [number, number, number];
    const isBooked = cost < 0 && wait > 0;
    const before = numbers.slice(i + 3, i + 3 + size);
    const after = numbers.slice(i + 3 + size, i + 3 + 2 * size);
    const booking = isBooked ? { waitMs: 0, before, after } : undefined;
    yield { times, cost, maxWaitMs: wait < 0 ? Number.POSITIVE_INFINITY : isBooked ? 0 : wait, booking };
    if (isBooked) i += 2 * size;
  }
}

function limiterOf(text: string): Limiter {
  let limiter = limiters.get(text);
  if (limiter === undefined) {
    const [name, ...numbers] = text.split(" ");
    const quotas = [];
    for (let i = 0; i < numbers.length; i += 3) {
      const [limit, period, burst] = numbers.slice(i, i + 3).map(Number);
      quotas.push({ limit: limit!, period: period!, burst: burst! });
    }
    limiter = new Limiter(name as AlgorithmName, quotas);
    limiters.set(text, limiter);
  }
  return limiter;
}
