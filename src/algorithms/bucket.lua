-- Twin of bucket.ts: what token bucket, leaky bucket and GCRA share. `algorithm` is what the files after this one extend.

local algorithm = { size = 1 }

function algorithm.new(limit, periodMs, burst)
  local full = burst * periodMs
  local brim = math.max(full, math.min(MAX_SAFE_INTEGER - limit, LAST_MOMENT_MS * limit))
  return {
    capacity = burst,
    refillMs = math.ceil(full / limit),
    horizonMs = math.max(0, math.floor((brim - full) / limit)),
    drain = limit,
    weight = periodMs,
    full = full,
    brim = brim,
  }
end

function algorithm.advance(self, state, from, to)
  local level, elapsed = state[1], to - from
  if elapsed >= math.ceil(level / self.drain) then return { 0 } end
  return { level - elapsed * self.drain }
end

function algorithm.room(self, free, queued)
  return free
end

function algorithm.wait(self, state, now, cost, queued)
  if cost > self.capacity then return math.huge end
  local over = state[1] - algorithm.room(self, self.full - cost * self.weight, queued)
  if over > 0 then return math.ceil(over / self.drain) end
  return 0
end

function algorithm.charge(self, state, now, cost)
  return { math.min(math.max(state[1] + cost * self.weight, 0), self.brim) }
end

function algorithm.unbook(self, state, before, after, now, cost)
  local left = state[1] - (after[1] - before[1])
  if left >= 0 then return { left } end
  return algorithm.charge(self, state, now, -cost)
end

function algorithm.exhaust(self, state, now)
  return { math.max(state[1], self.full) }
end

function algorithm.remaining(self, state, now)
  if state[1] < self.full then return math.floor((self.full - state[1]) / self.weight) end
  return 0
end

function algorithm.resetAfterMs(self, state, now)
  return math.ceil(state[1] / self.drain)
end
