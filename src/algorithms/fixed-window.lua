-- Twin of fixed-window.ts.

local algorithm = { additive = true, size = 1 }

function algorithm.new(limit, periodMs)
  local windows = max(1, floor(min(MAX_SAFE_INTEGER / limit, LAST_MOMENT_MS / periodMs)) - 2)
  return {
    capacity = limit,
    refillMs = periodMs,
    horizonMs = (windows - 1) * periodMs,
    limit = limit,
    periodMs = periodMs,
    most = windows * limit,
  }
end

local function usedOf(self, numbers, i, from, now)
  if from == now then return numbers[i] end
  local windows = floor(now / self.periodMs) - floor(from / self.periodMs)
  return max(numbers[i] - windows * self.limit, 0)
end

function algorithm.advance(self, numbers, i, from, now)
  numbers[i] = usedOf(self, numbers, i, from, now)
end

function algorithm.wait(self, numbers, i, from, now, cost, queued)
  if cost > self.limit then return huge end
  local used = usedOf(self, numbers, i, from, now)
  if used + cost <= self.limit then return 0 end
  local windows = floor(used / self.limit)
  if used % self.limit + cost > self.limit then windows = windows + 1 end
  return windows * self.periodMs - now % self.periodMs
end

function algorithm.spend(self, numbers, i, from, now, cost)
  local used = usedOf(self, numbers, i, from, now) + cost
  if used > self.limit then return used end
  numbers[i] = used
  return 0
end

function algorithm.charge(self, numbers, i, from, now, cost)
  local used = usedOf(self, numbers, i, from, now) + cost
  numbers[i] = max(min(used, self.most), 0)
end

function algorithm.unbook(self, numbers, i, before, after, now, cost)
  local left = numbers[i] - (after[i] - before[i])
  if left >= 0 then numbers[i] = left else algorithm.charge(self, numbers, i, now, now, -cost) end
end

function algorithm.exhaust(self, numbers, i, now)
  numbers[i] = max(numbers[i], self.limit)
end

function algorithm.resetAfterMs(self, numbers, i, from, now)
  local used = usedOf(self, numbers, i, from, now)
  if used == 0 then return 0 end
  return ceil(used / self.limit) * self.periodMs - now % self.periodMs
end
