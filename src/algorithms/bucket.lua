-- Twin of bucket.ts: what token bucket, leaky bucket and GCRA share. `algorithm` is what the files after this one extend.

local algorithm = { additive = true, size = 1 }

function algorithm.new(limit, periodMs, burst)
  local full = burst * periodMs
  local brim = max(full, min(MAX_SAFE_INTEGER - limit, LAST_MOMENT_MS * limit))
  return {
    capacity = burst,
    refillMs = ceil(full / limit),
    horizonMs = max(0, floor((brim - full) / limit)),
    drain = limit,
    weight = periodMs,
    full = full,
    brim = brim,
  }
end

local function levelOf(self, numbers, i, from, now)
  local level = numbers[i] - (now - from) * self.drain
  if level > 0 then return level end
  return 0
end

function algorithm.advance(self, numbers, i, from, now)
  numbers[i] = levelOf(self, numbers, i, from, now)
end

function algorithm.wait(self, numbers, i, from, now, cost, queued)
  if cost > self.capacity then return huge end
  local room = self.full - cost * self.weight
  if queued and algorithm.room then room = algorithm.room(self, room) end
  local over = levelOf(self, numbers, i, from, now) - room
  if over > 0 then return ceil(over / self.drain) end
  return 0
end

function algorithm.spend(self, numbers, i, from, now, cost)
  local level, weight = levelOf(self, numbers, i, from, now), cost * self.weight
  local over = level - (self.full - weight)
  if over > 0 then return over end
  numbers[i] = level + weight
  return 0
end

function algorithm.charge(self, numbers, i, from, now, cost)
  local level = levelOf(self, numbers, i, from, now) + cost * self.weight
  numbers[i] = max(min(level, self.brim), 0)
end

function algorithm.unbook(self, numbers, i, before, after, now, cost)
  local left = numbers[i] - (after[i] - before[i])
  if left >= 0 then numbers[i] = left else algorithm.charge(self, numbers, i, now, now, -cost) end
end

function algorithm.exhaust(self, numbers, i, now)
  numbers[i] = max(numbers[i], self.full)
end

function algorithm.resetAfterMs(self, numbers, i, from, now)
  return ceil(levelOf(self, numbers, i, from, now) / self.drain)
end
