-- Twin of sliding-window.ts.

local algorithm = { size = 3 }

function algorithm.new(limit, periodMs)
  local furthest = math.max(0, math.floor(LAST_MOMENT_MS / periodMs) - 2)
  return {
    capacity = limit,
    refillMs = periodMs,
    horizonMs = math.max(0, furthest - 1) * periodMs,
    limit = limit,
    periodMs = periodMs,
    furthest = furthest,
  }
end

local function weighted(self, previous, now)
  return math.ceil(previous * (self.periodMs - 1 - now % self.periodMs) / self.periodMs)
end

local function decayed(self, previous, most)
  if previous <= most then return 0 end
  return self.periodMs - 1 - math.floor(most * self.periodMs / previous)
end

local function line(self, state)
  return state[3] * self.limit + state[2]
end

local function giveBack(self, previous, units, ahead)
  if ahead == 0 then return { math.max(previous - units, 0), 0, 0 } end
  local windows = math.max(math.ceil((units - previous) / self.limit), 0)
  local current, left = previous + windows * self.limit - units, ahead - 1 - windows
  if left < 0 or left == 0 and current == 0 then return { 0, 0, 0 } end
  return { self.limit, current, left }
end

function algorithm.advance(self, state, from, to)
  local previous, current, ahead = state[1], state[2], state[3]
  local left = ahead - (math.floor(to / self.periodMs) - math.floor(from / self.periodMs))
  if left >= 0 then return { previous, current, left } end
  if left == -1 then return { current, 0, 0 } end
  return { 0, 0, 0 }
end

function algorithm.wait(self, state, now, cost, queued)
  if cost > self.limit then return math.huge end
  local previous, current, ahead = state[1], state[2], state[3]
  local elapsed, free = now % self.periodMs, self.limit - cost
  if current > free then return (ahead + 1) * self.periodMs + decayed(self, current, free) - elapsed end
  return math.max(ahead * self.periodMs + decayed(self, previous, free - current) - elapsed, 0)
end

function algorithm.charge(self, state, now, cost)
  local previous, ahead = state[1], state[3]
  local used = state[2] + cost
  if used < 0 then return giveBack(self, previous, -used, ahead) end
  if used <= self.limit then return { previous, used, ahead } end
  local last = ahead + math.ceil(used / self.limit) - 1
  if last > self.furthest then return { self.limit, self.limit, self.furthest } end
  return { self.limit, used - (last - ahead) * self.limit, last }
end

function algorithm.unbook(self, state, before, after, now, cost)
  if state[1] == after[1] and state[2] == after[2] and state[3] == after[3] then return before end
  local units = line(self, after) - line(self, before)
  return algorithm.charge(self, state, now, line(self, state) >= units and -units or -cost)
end

function algorithm.exhaust(self, state, now)
  if state[3] > 0 then return state end
  return { self.limit, self.limit - weighted(self, self.limit, now), 0 }
end

function algorithm.remaining(self, state, now)
  if state[3] > 0 then return 0 end
  return math.max(self.limit - weighted(self, state[1], now) - state[2], 0)
end

function algorithm.resetAfterMs(self, state, now)
  local windows = 0
  if state[2] > 0 then windows = state[3] + 2 elseif state[1] > 0 then windows = state[3] + 1 end
  if windows == 0 then return 0 end
  return windows * self.periodMs - 1 - now % self.periodMs
end
