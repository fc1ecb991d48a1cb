-- Twin of limiter.ts, for the `algorithms` that stand before it, by name. What a caller sees is not worked out here: the answer
-- is the record as it was found, from which limiter.ts comes to the same decisions.
-- KEYS     the records: the moment each was written and the state of each quota, whole numbers with spaces between
-- ARGV     now ("": the server's clock); for each key its calls; then the limiters
--          calls: "limiter times cost maxWaitMs …", the limiter counted from 1, a maxWaitMs of -1 charges in any case; where a
--          booking is given back maxWaitMs is 1, and the records before and after it follow
--          a limiter: "name limit periodMs burst …"
-- Reply    now, and for each key the record, false for none, or a list of what went wrong

local GRACE_MS = 1000
-- With a clock of the caller's, TTLs still run on the server's: they must not end first.
local GRACE_OF_OTHER_CLOCKS_MS = 3600000

local now, grace = tonumber(ARGV[1]), GRACE_OF_OTHER_CLOCKS_MS
if not now then
  local time = redis.call('TIME')
  now, grace = time[1] * 1000 + math.floor(time[2] / 1000), GRACE_MS
end

local function numbersOf(text, pattern)
  local numbers = {}
  for digits in string.gmatch(text, pattern) do numbers[#numbers + 1] = tonumber(digits) end
  return numbers
end

local limiters, programs = {}, {}

local function limiterOf(index)
  local limiter = limiters[index]
  if limiter then return limiter end
  local text = ARGV[1 + #KEYS + index]
  local name = string.match(text, '^%S+')
  local algorithm, numbers = algorithms[name](), numbersOf(string.sub(text, #name + 1), '%d+')
  limiter = { algorithm = algorithm, size = 1 + #numbers / 3 * algorithm.size, refillMs = 0, horizonMs = math.huge }
  for i = 1, #numbers, 3 do
    local quota = algorithm.new(numbers[i], numbers[i + 1], numbers[i + 2])
    limiter[#limiter + 1] = quota
    limiter.refillMs = math.max(limiter.refillMs, quota.refillMs)
    limiter.horizonMs = math.min(limiter.horizonMs, quota.horizonMs)
  end
  limiter.format = '%d' .. string.rep(' %d', limiter.size - 1)
  limiters[index] = limiter
  return limiter
end

local function programOf(text)
  local program = programs[text]
  if not program then
    program = numbersOf(text, '-?%d+')
    programs[text] = program
  end
  return program
end

-- The record in a text, or nothing.
local function recordOf(limiter, text)
  if not string.find(text, '^[%d ]+$') then return nil end
  local record = numbersOf(text, '%d+')
  if #record ~= limiter.size then return nil end
  for i = 1, #record do
    if record[i] > MAX_SAFE_INTEGER then return nil end
  end
  return record
end

local function freshRecord(limiter)
  local record = {}
  for i = 1, limiter.size do record[i] = 0 end
  return record
end

local function resetAfterMs(limiter, record, at)
  local algorithm, longest = limiter.algorithm, 0
  for j = 1, #limiter do
    local i = 2 + (j - 1) * algorithm.size
    longest = math.max(longest, algorithm.resetAfterMs(limiter[j], record, i, record[1], at))
  end
  return longest
end

local function advance(limiter, record, at)
  local algorithm = limiter.algorithm
  for j = 1, #limiter do
    algorithm.advance(limiter[j], record, 2 + (j - 1) * algorithm.size, record[1], at)
  end
  record[1] = at
end

local function charge(limiter, record, at, cost)
  local algorithm = limiter.algorithm
  for j = 1, #limiter do
    algorithm.charge(limiter[j], record, 2 + (j - 1) * algorithm.size, record[1], at, cost)
  end
  record[1] = at
end

local function wait(limiter, record, at, cost, queued)
  local algorithm, longest = limiter.algorithm, 0
  for j = 1, #limiter do
    local i = 2 + (j - 1) * algorithm.size
    longest = math.max(longest, algorithm.wait(limiter[j], record, i, record[1], at, cost, queued))
  end
  return longest
end

local function unbook(limiter, record, before, after, at, cost)
  local algorithm = limiter.algorithm
  advance(limiter, record, at)
  advance(limiter, before, at)
  advance(limiter, after, at)
  for j = 1, #limiter do
    algorithm.unbook(limiter[j], record, 2 + (j - 1) * algorithm.size, before, after, at, -cost)
  end
end

local function repair(limiter, record)
  local algorithm = limiter.algorithm
  record[1] = now
  for j = 1, #limiter do algorithm.exhaust(limiter[j], record, 2 + (j - 1) * algorithm.size, now) end
end

-- Whether the call was charged, if not, then none that is like it is either; and whether the record is not what it was.
local function decide(limiter, record, cost, maxWaitMs, before, after)
  if cost == 0 and maxWaitMs >= 0 then return false, false end
  local repaired = record[1] - now > limiter.refillMs
  if repaired then repair(limiter, record) end
  local at = math.max(record[1], now)
  if cost < 0 and before and not repaired and limiter.algorithm.unbook and after[1] <= record[1] then
    unbook(limiter, record, before, after, at, cost)
  elseif cost < 0 or maxWaitMs < 0 then
    charge(limiter, record, at, cost)
  else
    local waiting = wait(limiter, record, at, cost, maxWaitMs > 0)
    if waiting > 0 and at - now + waiting > math.min(maxWaitMs, limiter.horizonMs) then return false, repaired end
    if waiting > 0 then advance(limiter, record, at) end
    charge(limiter, record, at + waiting, cost)
    if waiting > 0 then advance(limiter, record, at) end
  end
  return true, true
end

local function write(key, limiter, record)
  local resetMs = resetAfterMs(limiter, record, record[1])
  if resetMs == 0 then return redis.call('DEL', key) end
  local ttlMs = string.format('%d', record[1] - now + resetMs + grace)
  return redis.pcall('SET', key, string.format(limiter.format, unpack(record)), 'PX', ttlMs)
end

local function runAll(limiter, record, program)
  local changed, i = false, 2
  while i < #program do
    local times, cost, maxWaitMs, before, after = program[i], program[i + 1], program[i + 2], nil, nil
    i = i + 3
    if cost < 0 and maxWaitMs > 0 then
      before = { unpack(program, i, i + limiter.size - 1) }
      after = { unpack(program, i + limiter.size, i + 2 * limiter.size - 1) }
      i = i + 2 * limiter.size
    end
    local charged, news = true, false
    while charged and times > 0 do
      charged, news = decide(limiter, record, cost, maxWaitMs, before, after)
      changed, times = changed or news, times - 1
    end
  end
  return changed
end

-- What is wrong with one key is no business of the others.
local reply = { now }
for i, key in ipairs(KEYS) do
  local program = programOf(ARGV[1 + i])
  local limiter = limiterOf(program[1])
  local stored = redis.pcall('GET', key)
  if type(stored) == 'table' then
    reply[1 + i] = { stored.err }
  else
    local record = stored and recordOf(limiter, stored) or not stored and freshRecord(limiter)
    if not record or resetAfterMs(limiter, record, record[1]) > MAX_SAFE_INTEGER then
      reply[1 + i] = { NOT_A_RECORD }
    else
      local written = runAll(limiter, record, program) and write(key, limiter, record)
      local problem = type(written) == 'table' and written.err
      -- Of a server that became a replica the client must hear itself.
      if problem and string.find(problem, '^READONLY') then return written end
      reply[1 + i] = problem and { problem } or stored
    end
  end
end
return reply
