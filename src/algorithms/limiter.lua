-- Twin of limiter.ts, for the algorithms that `algorithmOf`, before it, knows by name, and which `allOf` puts together. What a
-- caller sees is not worked out here: the answer is the record as it was found, from which limiter.ts comes to the same decisions.
-- KEYS     the records: the moment each was written and the state of each quota, whole numbers with spaces between
-- ARGV     what is asked of each key, or once if it is the same of all; then now, unless by the server's clock
--          what is asked: "calls name limit periodMs burst …", a limiter after the calls under it
--          calls: "cost", above 0, is one call that does not wait; all others are "times cost maxWaitMs …", a maxWaitMs of -1
--          charges in any case; where a booking is given back maxWaitMs is 1, and the records before and after it follow
-- Reply    a line with now, and one for each key: the record, nothing for none, or what went wrong after a "-"

local GRACE_MS = 1000
-- With a clock of the caller's, TTLs still run on the server's: they must not end first.
local GRACE_OF_OTHER_CLOCKS_MS = 3600000

local now, grace = tonumber(ARGV[#ARGV]), GRACE_OF_OTHER_CLOCKS_MS
local lastProgram = now and #ARGV - 1 or #ARGV
if not now then
  local time = call('TIME')
  now, grace = time[1] * 1000 + floor(time[2] / 1000), GRACE_MS
end

local limiters, programs, others = {}, {}, nil

local function limiterOf(text)
  local name, limit, periodMs, burst, more = match(text, '^(%S+) (%d+) (%d+) (%d+)(.*)$')
  local algorithm = algorithmOf(name)
  local quota = algorithm.new(tonumber(limit), tonumber(periodMs), tonumber(burst))
  if more ~= '' or not algorithm.spend then
    local parts = { quota }
    for l, p, b in gmatch(more, '(%d+) (%d+) (%d+)') do
      parts[#parts + 1] = algorithm.new(tonumber(l), tonumber(p), tonumber(b))
    end
    algorithm, quota = allOf(algorithm, parts)
  end
  local limiter = {
    algorithm = algorithm,
    quota = quota,
    size = 1 + algorithm.size,
    pattern = '^(%d+)' .. rep(' (%d+)', algorithm.size) .. '$',
    format = '%d' .. rep(' %d', algorithm.size),
  }
  limiters[text] = limiter
  return limiter
end

local function programOf(text)
  local calls, limiter = match(text, '^(%A+) (.*)$')
  local program = { calls = calls, cost = tonumber(calls), limiter = limiters[limiter] or limiterOf(limiter) }
  programs[text] = program
  return program
end

local function numbersOf(text)
  local numbers, size = {}, 0
  for digits in gmatch(text, '-?%d+') do
    size = size + 1
    numbers[size] = tonumber(digits)
  end
  return numbers
end

local function recordOf(limiter, stored)
  local record, size = {}, limiter.size
  if not stored then
    for j = 1, size do record[j] = 0 end
    return record
  end
  -- A pattern has 32 captures at most.
  if size <= 32 then
    record = { match(stored, limiter.pattern) }
  elseif not find(stored, '[^%d ]') then
    record = numbersOf(stored)
  end
  if #record ~= size then return nil end
  for j = 1, size do
    local number = tonumber(record[j])
    if number > MAX_SAFE_INTEGER then return nil end
    record[j] = number
  end
  return record
end

-- All but single calls that cost something and do not wait: defined where it is asked for, as that takes time as well.
local function defineOthers()
  local function charge(limiter, record, at, cost)
    limiter.algorithm.charge(limiter.quota, record, 2, record[1], at, cost)
    record[1] = at
  end

  local function advance(limiter, record, at)
    limiter.algorithm.advance(limiter.quota, record, 2, record[1], at)
    record[1] = at
  end

  -- Whether the call was charged: if not, then none that is like it is either; and whether the record is not what it was.
  local function decide(limiter, record, cost, maxWaitMs, before, after)
    local algorithm, quota = limiter.algorithm, limiter.quota
    if cost == 0 and maxWaitMs >= 0 then return false, false end
    local repaired = record[1] - now > quota.refillMs
    if repaired then
      record[1] = now
      algorithm.exhaust(quota, record, 2, now)
    end
    local at = max(record[1], now)
    if before and not repaired and algorithm.unbook and after[1] <= record[1] then
      advance(limiter, record, at)
      advance(limiter, before, at)
      advance(limiter, after, at)
      algorithm.unbook(quota, record, 2, before, after, at, -cost)
    elseif cost < 0 or maxWaitMs < 0 then
      charge(limiter, record, at, cost)
    else
      local waiting = algorithm.wait(quota, record, 2, record[1], at, cost, maxWaitMs > 0)
      if waiting > 0 and at - now + waiting > min(maxWaitMs, quota.horizonMs) then return false, repaired end
      if waiting > 0 then advance(limiter, record, at) end
      charge(limiter, record, at + waiting, cost)
      if waiting > 0 then advance(limiter, record, at) end
    end
    return true, true
  end

  -- Whether the record is not what it was after all calls.
  return function(limiter, record, calls)
    local changed, i, numbers = false, 1, numbersOf(calls)
    while i < #numbers do
      local times, cost, maxWaitMs, before, after = numbers[i], numbers[i + 1], numbers[i + 2], nil, nil
      i = i + 3
      if cost < 0 and maxWaitMs > 0 then
        before = { unpack(numbers, i, i + limiter.size - 1) }
        after = { unpack(numbers, i + limiter.size, i + 2 * limiter.size - 1) }
        i = i + 2 * limiter.size
      end
      local charged, news
      if times > 1 and cost > 0 and maxWaitMs == 0 and limiter.algorithm.additive then
        charged, news = decide(limiter, record, times * cost, 0)
        changed = changed or news
        if charged then times = 0 end
      end
      while times > 0 do
        charged, news = decide(limiter, record, cost, maxWaitMs, before, after)
        changed, times = changed or news, charged and times - 1 or 0
        -- As good as none, also where it is from a moment to come: between two calls of the script it would have been deleted.
        if cost < 0 and limiter.algorithm.resetAfterMs(limiter.quota, record, 2, record[1], record[1]) == 0 then
          for j = 1, limiter.size do record[j] = 0 end
        end
      end
    end
    return changed
  end
end

local function write(key, limiter, record)
  local at = record[1]
  local resetMs = limiter.algorithm.resetAfterMs(limiter.quota, record, 2, at, at)
  if resetMs == 0 then return call('DEL', key) end
  if resetMs > MAX_SAFE_INTEGER then return { err = NOT_A_RECORD } end
  return pcall('SET', key, format(limiter.format, unpack(record)), 'PX', format('%d', at - now + resetMs + grace))
end

-- What is wrong with one key is no business of the others.
local reply = { format('%d', now) }
for i = 1, #KEYS do
  local key, text, problem = KEYS[i], ARGV[min(i, lastProgram)], nil
  local program = programs[text] or programOf(text)
  local limiter, cost = program.limiter, program.cost
  local stored = pcall('GET', key)
  if type(stored) == 'table' then
    problem = stored.err
  else
    local record, changed = recordOf(limiter, stored), false
    if not record then
      problem = NOT_A_RECORD
    elseif cost and record[1] - now <= limiter.quota.refillMs then
      local from = record[1]
      local at = from > now and from or now
      changed = limiter.algorithm.spend(limiter.quota, record, 2, from, at, cost) == 0
      if changed then record[1] = at end
    else
      others = others or defineOthers()
      changed = others(limiter, record, cost and '1 ' .. program.calls .. ' 0' or program.calls)
    end
    if changed then
      local written = write(key, limiter, record)
      problem = type(written) == 'table' and written.err
      -- Of a server that became a replica the client must hear itself.
      if problem and find(problem, '^READONLY') then return written end
    end
  end
  reply[1 + i] = problem and '-' .. problem or stored or ''
end
return concat(reply, '\n')
