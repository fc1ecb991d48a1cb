// An algorithm of your own, with its twin for Redis: a window that starts with the first call instead of by the clock.
import type { Algorithm, Quota, State } from "throttled";

/** The same in Lua, for `RedisStore`: `size` is how many numbers the state has, a key that was never used has zeros. */
const LUA = `
local algorithm = { size = 2 }

function algorithm.new(limit, periodMs)
  local windows = math.floor(2 ^ 52 / math.max(limit, periodMs))
  return {
    capacity = limit, refillMs = periodMs, horizonMs = (windows - 1) * periodMs,
    limit = limit, periodMs = periodMs, most = windows * limit,
  }
end

function algorithm.advance(self, state, from, to)
  local used, time = state[1], state[2] + to - from
  local windows = math.floor(time / self.periodMs)
  if windows >= math.ceil(used / self.limit) then return { 0, 0 } end
  return { used - windows * self.limit, time - windows * self.periodMs }
end

function algorithm.wait(self, state, now, cost)
  if cost > self.limit then return math.huge end
  local windows = math.floor(state[1] / self.limit)
  if state[1] % self.limit + cost > self.limit then windows = windows + 1 end
  return windows == 0 and 0 or windows * self.periodMs - state[2]
end

function algorithm.charge(self, state, now, cost)
  local left = math.min(state[1] + cost, self.most)
  return left > 0 and { left, state[2] } or { 0, 0 }
end

function algorithm.unbook(self, state, before, after, now)
  return algorithm.charge(self, state, now, before[1] - after[1])
end

function algorithm.exhaust(self, state)
  return { math.max(state[1], self.limit), 0 }
end

function algorithm.remaining(self, state)
  return math.max(self.limit - state[1], 0)
end

function algorithm.resetAfterMs(self, state)
  if state[1] == 0 then return 0 end
  return math.ceil(state[1] / self.limit) * self.periodMs - state[2]
end
`;

/** The state is two numbers: what was used since the window began, and how long ago that was in milliseconds. */
export class FirstCallWindow implements Algorithm {
  static readonly algorithmName = "first-call-window";
  static readonly lua = LUA;
  readonly capacity: number;
  readonly refillMs: number;
  readonly horizonMs: number;
  readonly fresh: State = [0, 0];
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

  /** Units above the limit are booked in the windows that follow, `limit` to each; a window without any ends the row. */
  advance([used = 0, elapsed = 0]: State, from: number, to: number): State {
    const time = elapsed + to - from;
    const windows = Math.floor(time / this.#periodMs);
    if (windows >= Math.ceil(used / this.#limit)) return this.fresh;
    return [used - windows * this.#limit, time - windows * this.#periodMs];
  }

  wait([used = 0, elapsed = 0]: State, _now: number, cost: number): number {
    if (cost > this.#limit) return Number.POSITIVE_INFINITY;
    const fits = (used % this.#limit) + cost <= this.#limit;
    const windows = Math.floor(used / this.#limit) + (fits ? 0 : 1);
    return windows === 0 ? 0 : windows * this.#periodMs - elapsed;
  }

  charge([used = 0, elapsed = 0]: State, _now: number, cost: number): State {
    const left = Math.min(used + cost, this.#most);
    return left > 0 ? [left, elapsed] : this.fresh;
  }

  unbook(state: State, before: State, after: State, now: number): State {
    return this.charge(state, now, before[0]! - after[0]!);
  }

  exhaust([used = 0]: State): State {
    return [Math.max(used, this.#limit), 0];
  }

  remaining([used = 0]: State): number {
    return Math.max(this.#limit - used, 0);
  }

  resetAfterMs([used = 0, elapsed = 0]: State): number {
    return used === 0 ? 0 : Math.ceil(used / this.#limit) * this.#periodMs - elapsed;
  }
}
