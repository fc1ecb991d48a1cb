-- Twin of fixed-window.ts.

local algorithm = { size = 1 }

function algorithm.new(limit, periodMs)
  local windows = math.max(1, math.floor(math.min(MAX_SAFE_INTEGER / limit, LAST_MOMENT_MS / periodMs)) - 2)
  return {
    capacity = limit,
    refillMs = periodMs,
    horizonMs = (windows - 1) * periodMs,
    limit = limit,
    periodMs = periodMs,
    most = windows * limit,
  }
end

function algorithm.advance(self, state, from, to)
  local used = state[1]
  local windows = math.floor(to / self.periodMs) - math.floor(from / self.periodMs)
  if windows >= math.ceil(used / self.limit) then return { 0 } end
  return { used - windows * self.limit }
end

function algorithm.wait(self, state, now, cost, queued)
  if cost > self.limit then return math.huge end
  local used = state[1]
  local windows = math.floor(used / self.limit)
  if used % self.limit + cost > self.limit then windows = windows + 1 end
  if windows == 0 then return 0 end
  return windows * self.periodMs - now % self.periodMs
end

function algorithm.charge(self, state, now, cost)
  return { math.min(math.max(state[1] + cost, 0), self.most) }
end

function algorithm.unbook(self, state, before, after, now, cost)
  local left = state[1] - (after[1] - before[1])
  if left >= 0 then return { left } end
  return algorithm.charge(self, state, now, -cost)
end

function algorithm.exhaust(self, state, now)
  return { math.max(state[1], self.limit) }
end

function algorithm.remaining(self, state, now)
  return math.max(self.limit - state[1], 0)
end

function algorithm.resetAfterMs(self, state, now)
  if state[1] == 0 then return 0 end
  return math.ceil(state[1] / self.limit) * self.periodMs - now % self.periodMs
end
