-- Twin of sliding-window.ts.

local algorithm = { additive = true, size = 3 }

function algorithm.new(limit, periodMs)
  local furthest = max(0, floor(LAST_MOMENT_MS / periodMs) - 2)
  return {
    capacity = limit,
    refillMs = periodMs,
    horizonMs = max(0, furthest - 1) * periodMs,
    limit = limit,
    periodMs = periodMs,
    furthest = furthest,
  }
end

local function set(numbers, i, previous, current, ahead)
  numbers[i], numbers[i + 1], numbers[i + 2] = previous, current, ahead
end

local function weighted(self, previous, now)
  return ceil(previous * (self.periodMs - 1 - now % self.periodMs) / self.periodMs)
end

local function decayed(self, previous, most)
  if previous <= most then return 0 end
  return self.periodMs - 1 - floor(most * self.periodMs / previous)
end

local function giveBack(self, numbers, i, windows, units)
  local previous, ahead = numbers[i], numbers[i + 2]
  if ahead == 0 then return set(numbers, i, max(previous - units, 0), 0, 0) end
  local passed = max(windows + ceil((units - previous) / self.limit), 0)
  local current, left = previous + (passed - windows) * self.limit - units, ahead - 1 - passed
  if left < 0 or left == 0 and current == 0 then return set(numbers, i, 0, 0, 0) end
  set(numbers, i, self.limit, current, left)
end

local function leftOf(self, numbers, i, from, now)
  return numbers[i + 2] - (floor(now / self.periodMs) - floor(from / self.periodMs))
end

local function previousOf(numbers, i, left)
  if left >= 0 then return numbers[i] end
  return left == -1 and numbers[i + 1] or 0
end

function algorithm.advance(self, numbers, i, from, now)
  local left = leftOf(self, numbers, i, from, now)
  if left >= 0 then numbers[i + 2] = left else set(numbers, i, previousOf(numbers, i, left), 0, 0) end
end

function algorithm.wait(self, numbers, i, from, now, cost, queued)
  if cost > self.limit then return huge end
  local left, free = leftOf(self, numbers, i, from, now), self.limit - cost
  local current = left >= 0 and numbers[i + 1] or 0
  local ahead = max(left, 0) * self.periodMs - now % self.periodMs
  if current > free then return ahead + self.periodMs + decayed(self, current, free) end
  return max(ahead + decayed(self, previousOf(numbers, i, left), free - current), 0)
end

function algorithm.spend(self, numbers, i, from, now, cost)
  local used = numbers[i + 1] + cost
  local isNow = leftOf(self, numbers, i, from, now) == 0
  if isNow and numbers[i + 2] == 0 and used + weighted(self, numbers[i], now) <= self.limit then
    numbers[i + 1] = used
    return 0
  end
  local wait = algorithm.wait(self, numbers, i, from, now, cost, false)
  if wait == 0 then algorithm.charge(self, numbers, i, from, now, cost) end
  return wait
end

function algorithm.charge(self, numbers, i, from, now, cost)
  algorithm.advance(self, numbers, i, from, now)
  local used = numbers[i + 1] + cost
  if used < 0 then return giveBack(self, numbers, i, 0, -used) end
  if used <= self.limit then
    numbers[i + 1] = used
    return
  end
  used = min(used, MAX_SAFE_INTEGER)
  local windows = ceil(used / self.limit) - 1
  local ahead = numbers[i + 2] + windows
  if ahead > self.furthest then return set(numbers, i, self.limit, self.limit, self.furthest) end
  set(numbers, i, self.limit, used - windows * self.limit, ahead)
end

function algorithm.unbook(self, numbers, i, before, after, now, cost)
  if numbers[i] == after[i] and numbers[i + 1] == after[i + 1] and numbers[i + 2] == after[i + 2] then
    return set(numbers, i, before[i], before[i + 1], before[i + 2])
  end
  local windows, units = after[i + 2] - before[i + 2], after[i + 1] - before[i + 1]
  local current = numbers[i + 1]
  if (numbers[i + 2] - windows) * self.limit + current < units then
    return algorithm.charge(self, numbers, i, now, now, -cost)
  end
  local left = current - windows * self.limit - units
  if left < 0 then return giveBack(self, numbers, i, windows, units - current) end
  numbers[i + 1] = left
end

function algorithm.exhaust(self, numbers, i, now)
  if numbers[i + 2] ~= 0 then return end
  set(numbers, i, self.limit, self.limit - weighted(self, self.limit, now), 0)
end

function algorithm.resetAfterMs(self, numbers, i, from, now)
  local left, windows = leftOf(self, numbers, i, from, now), 0
  if numbers[i + 1] > 0 then
    windows = left + 2
  elseif numbers[i] > 0 then
    windows = left + 1
  end
  if windows > 0 then return windows * self.periodMs - 1 - now % self.periodMs end
  return left > 0 and left * self.periodMs - now % self.periodMs or 0
end
