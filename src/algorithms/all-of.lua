-- Twin of all-of.ts, also around an algorithm that does not `spend`: `parts` are what `algorithm` made of each quota.

local all = { additive = algorithm.additive, size = #parts * algorithm.size }
local self = { refillMs = 0, horizonMs = huge }
for j = 1, #parts do
  self.refillMs, self.horizonMs = max(self.refillMs, parts[j].refillMs), min(self.horizonMs, parts[j].horizonMs)
end

local function each(act, numbers, i, ...)
  for j = 1, #parts do act(parts[j], numbers, i + (j - 1) * algorithm.size, ...) end
end

local function longest(ask, numbers, i, ...)
  local most = 0
  for j = 1, #parts do most = max(most, ask(parts[j], numbers, i + (j - 1) * algorithm.size, ...)) end
  return most
end

function all.advance(_, ...)
  each(algorithm.advance, ...)
end

function all.wait(_, ...)
  return longest(algorithm.wait, ...)
end

function all.spend(_, numbers, i, from, now, cost)
  local wait = longest(algorithm.wait, numbers, i, from, now, cost, false)
  if wait == 0 then each(algorithm.charge, numbers, i, from, now, cost) end
  return wait
end

function all.charge(_, ...)
  each(algorithm.charge, ...)
end

function all.unbook(_, numbers, i, before, after, now, cost)
  if algorithm.unbook then return each(algorithm.unbook, numbers, i, before, after, now, cost) end
  each(algorithm.charge, numbers, i, now, now, -cost)
end

function all.exhaust(_, ...)
  each(algorithm.exhaust, ...)
end

function all.resetAfterMs(_, ...)
  return longest(algorithm.resetAfterMs, ...)
end

return all, self
