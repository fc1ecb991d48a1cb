// An algorithm of your own, with its twin for Redis: a window that starts with the first call instead of by the clock.
import type { Algorithm, Numbers, Quota } from "throttled";

/** The same in Lua, for `RedisStore`; what a caller sees is worked out in TypeScript, so there is no `remaining`. */
const LUA = `
local algorithm = { size = 2 }

function algorithm.new(limit, periodMs)
  local windows = math.floor(2 ^ 52 / math.max(limit, periodMs))
  return {
    capacity = limit, refillMs = periodMs, horizonMs = (windows - 1) * periodMs,
    limit = limit, periodMs = periodMs, most = windows * limit,
  }
end

local function at(self, numbers, i, from, now)
  local used, time = numbers[i], numbers[i + 1] + now - from
  local windows = math.floor(time / self.periodMs)
  if windows >= math.ceil(used / self.limit) then return 0, 0 end
  return used - windows * self.limit, time - windows * self.periodMs
end

function algorithm.advance(self, numbers, i, from, now)
  numbers[i], numbers[i + 1] = at(self, numbers, i, from, now)
end

function algorithm.wait(self, numbers, i, from, now, cost, queued)
  if cost > self.limit then return math.huge end
  local used, elapsed = at(self, numbers, i, from, now)
  local windows = math.floor(used / self.limit)
  if used % self.limit + cost > self.limit then windows = windows + 1 end
  return windows == 0 and 0 or windows * self.periodMs - elapsed
end

function algorithm.charge(self, numbers, i, from, now, cost)
  local used, elapsed = at(self, numbers, i, from, now)
  local left = math.min(used + cost, self.most)
  numbers[i], numbers[i + 1] = math.max(left, 0), left > 0 and elapsed or 0
end

function algorithm.unbook(self, numbers, i, before, after, now, cost)
  algorithm.charge(self, numbers, i, now, now, before[i] - after[i])
end

function algorithm.exhaust(self, numbers, i, now)
  numbers[i], numbers[i + 1] = math.max(numbers[i], self.limit), 0
end

function algorithm.resetAfterMs(self, numbers, i, from, now)
  local used, elapsed = at(self, numbers, i, from, now)
  return used == 0 and 0 or math.ceil(used / self.limit) * self.periodMs - elapsed
end
`;

/** The state is two numbers: what was used since the window began, and how long ago that was in milliseconds. */
export class FirstCallWindow implements Algorithm {
  static readonly algorithmName = "first-call-window";
  static readonly lua = LUA;
  readonly size = 2;
  readonly capacity: number;
  readonly refillMs: number;
  readonly horizonMs: number;
  readonly #limit: number;
  readonly #periodMs: number;
  readonly #most: number;

  constructor({ limit, periodMs, burst }: Quota) {
    if (burst !== limit)
      throw new RangeError(`Expected \`burst\` to equal the limit of ${limit}, got ${burst}`);
    // Every number stays below 2^53: at most so many windows are booked ahead.
    const windows = Math.floor(2 ** 52 / Math.max(limit, periodMs));
    this.capacity = limit;
    this.refillMs = periodMs;
    this.horizonMs = (windows - 1) * periodMs;
    this.#limit = limit;
    this.#periodMs = periodMs;
    this.#most = windows * limit;
  }

  advance(numbers: Numbers, i: number, from: number, now: number): void {
    [numbers[i], numbers[i + 1]] = this.#at(numbers, i, from, now);
  }

  wait(numbers: Numbers, i: number, from: number, now: number, cost: number): number {
    if (cost > this.#limit) return Number.POSITIVE_INFINITY;
    const [used, elapsed] = this.#at(numbers, i, from, now);
    const fits = (used % this.#limit) + cost <= this.#limit;
    const windows = Math.floor(used / this.#limit) + (fits ? 0 : 1);
    return windows === 0 ? 0 : windows * this.#periodMs - elapsed;
  }

  charge(numbers: Numbers, i: number, from: number, now: number, cost: number): void {
    const [used, elapsed] = this.#at(numbers, i, from, now);
    const left = Math.min(used + cost, this.#most);
    numbers[i] = Math.max(left, 0);
    numbers[i + 1] = left > 0 ? elapsed : 0;
  }

  unbook(numbers: Numbers, i: number, before: Numbers, after: Numbers, now: number): void {
    this.charge(numbers, i, now, now, before[i]! - after[i]!);
  }

  exhaust(numbers: Numbers, i: number): void {
    numbers[i] = Math.max(numbers[i]!, this.#limit);
    numbers[i + 1] = 0;
  }

  remaining(numbers: Numbers, i: number, from: number, now: number): number {
    const [used] = this.#at(numbers, i, from, now);
    return Math.max(this.#limit - used, 0);
  }

  resetAfterMs(numbers: Numbers, i: number, from: number, now: number): number {
    const [used, elapsed] = this.#at(numbers, i, from, now);
    return used === 0 ? 0 : Math.ceil(used / this.#limit) * this.#periodMs - elapsed;
  }

  /** Units above the limit are booked in the windows that follow, `limit` to each; a window without any ends the row. */
  #at(numbers: Numbers, i: number, from: number, now: number): [used: number, elapsed: number] {
    const used = numbers[i]!;
    const time = numbers[i + 1]! + now - from;
    const windows = Math.floor(time / this.#periodMs);
    if (windows >= Math.ceil(used / this.#limit)) return [0, 0];
    return [used - windows * this.#limit, time - windows * this.#periodMs];
  }
}
