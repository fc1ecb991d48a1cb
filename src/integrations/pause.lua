-- Twin of pause.ts.

local algorithm = { size = 1 }

function algorithm.new(limit, periodMs)
  return { capacity = periodMs, refillMs = periodMs, horizonMs = 0 }
end

function algorithm.resetAfterMs(self, numbers, i, from, now)
  return max(numbers[i] - (now - from), 0)
end

function algorithm.advance(self, numbers, i, from, now)
  numbers[i] = algorithm.resetAfterMs(self, numbers, i, from, now)
end

function algorithm.wait(self, numbers, i, from, now, cost)
  if cost > self.capacity then return huge end
  return algorithm.resetAfterMs(self, numbers, i, from, now)
end

function algorithm.charge(self, numbers, i, from, now, cost)
  local left = algorithm.resetAfterMs(self, numbers, i, from, now)
  numbers[i] = cost < 0 and max(left + cost, 0) or min(max(left, cost), self.capacity)
end

function algorithm.exhaust() end
