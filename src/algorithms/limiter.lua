-- Twin of limiter.ts, for the algorithms that `algorithmOf`, before it, knows by name. What a caller sees is not worked out
-- here: the answer is the record as it was found, from which limiter.ts comes to the same decisions.
-- KEYS     the records: the moment each was written and the state of each quota, whole numbers with spaces between
-- ARGV     now ("": the server's clock); the calls on every key, or "" and then those on each; the limiters
--          calls: "limiter times cost maxWaitMs …", the limiter counted from 1, a maxWaitMs of -1 charges in any case; where a
--          booking is given back maxWaitMs is 1, and the records before and after it follow
--          a limiter: "name limit periodMs burst …"
-- Reply    now, and for each key the record, false for none, or a list of what went wrong

local GRACE_MS = 1000
-- With a clock of the caller's, TTLs still run on the server's: they must not end first.
local GRACE_OF_OTHER_CLOCKS_MS = 3600000

local now, grace = tonumber(ARGV[1]), GRACE_OF_OTHER_CLOCKS_MS
if not now then
  local time = call('TIME')
  now, grace = time[1] * 1000 + floor(time[2] / 1000), GRACE_MS
end

local function numbersOf(text)
  local numbers, size = {}, 0
  for digits in gmatch(text, '-?%d+') do
    size = size + 1
    numbers[size] = tonumber(digits)
  end
  return numbers
end

local common, limiters, others = ARGV[2], {}, nil

local function limiterOf(index)
  local name, text = match(ARGV[2 + (common == '' and #KEYS or 0) + index], '^(%S+) (.*)$')
  local algorithm = algorithmOf(name)
  local limit, periodMs, burst = match(text, '^(%d+) (%d+) (%d+)$')
  local quotas = {}
  if limit then
    quotas[1] = algorithm.new(tonumber(limit), tonumber(periodMs), tonumber(burst))
  else
    local numbers = numbersOf(text)
    for i = 1, #numbers, 3 do
      quotas[#quotas + 1] = algorithm.new(numbers[i], numbers[i + 1], numbers[i + 2])
    end
  end
  local refillMs, horizonMs, size = 0, huge, 1 + #quotas * algorithm.size
  for i = 1, #quotas do
    refillMs, horizonMs = max(refillMs, quotas[i].refillMs), min(horizonMs, quotas[i].horizonMs)
  end
  local limiter = {
    algorithm = algorithm,
    quotas = quotas,
    step = algorithm.size,
    size = size,
    refillMs = refillMs,
    horizonMs = horizonMs,
    pattern = '^(%d+)' .. rep(' (%d+)', size - 1) .. '$',
    format = '%d' .. rep(' %d', size - 1),
  }
  limiters[index] = limiter
  return limiter
end

local function recordOf(limiter, stored)
  local record, size = nil, limiter.size
  if not stored then
    record = {}
    for i = 1, size do record[i] = 0 end
    return record
  end
  -- A pattern has 32 captures at most.
  if size <= 32 then record = { match(stored, limiter.pattern) } else record = numbersOf(stored) end
  if #record ~= size then return nil end
  for i = 1, size do
    local number = tonumber(record[i])
    if number > MAX_SAFE_INTEGER then return nil end
    record[i] = number
  end
  return record
end

local function charge(limiter, record, at, cost)
  local act, quotas, step = limiter.algorithm.charge, limiter.quotas, limiter.step
  for j = 1, #quotas do act(quotas[j], record, 2 + (j - 1) * step, record[1], at, cost) end
  record[1] = at
end

local function wait(limiter, record, at, cost, queued)
  local ask, quotas, step = limiter.algorithm.wait, limiter.quotas, limiter.step
  local longest = ask(quotas[1], record, 2, record[1], at, cost, queued)
  for j = 2, #quotas do
    longest = max(longest, ask(quotas[j], record, 2 + (j - 1) * step, record[1], at, cost, queued))
  end
  return longest
end

local function resetMsOf(limiter, record)
  local ask, quotas, step, at = limiter.algorithm.resetAfterMs, limiter.quotas, limiter.step, record[1]
  local resetMs = ask(quotas[1], record, 2, at, at)
  for j = 2, #quotas do resetMs = max(resetMs, ask(quotas[j], record, 2 + (j - 1) * step, at, at)) end
  return resetMs
end

-- All but single calls that cost something and do not wait: defined where it is asked for, as that takes time as well.
local function defineOthers()
  local function advance(limiter, record, at)
    local act, quotas, step = limiter.algorithm.advance, limiter.quotas, limiter.step
    for j = 1, #quotas do act(quotas[j], record, 2 + (j - 1) * step, record[1], at) end
    record[1] = at
  end

  local function unbook(limiter, record, before, after, at, cost)
    local act, quotas, step = limiter.algorithm.unbook, limiter.quotas, limiter.step
    advance(limiter, record, at)
    advance(limiter, before, at)
    advance(limiter, after, at)
    for j = 1, #quotas do act(quotas[j], record, 2 + (j - 1) * step, before, after, at, -cost) end
  end

  local function repair(limiter, record)
    local act, quotas, step = limiter.algorithm.exhaust, limiter.quotas, limiter.step
    record[1] = now
    for j = 1, #quotas do act(quotas[j], record, 2 + (j - 1) * step, now) end
  end

  -- Whether the call was charged: if not, then none that is like it is either; and whether the record is not what it was.
  local function decide(limiter, record, cost, maxWaitMs, before, after)
    if cost == 0 and maxWaitMs >= 0 then return false, false end
    local repaired = record[1] - now > limiter.refillMs
    if repaired then repair(limiter, record) end
    local at = max(record[1], now)
    if cost < 0 and before and not repaired and limiter.algorithm.unbook and after[1] <= record[1] then
      unbook(limiter, record, before, after, at, cost)
      return true, true
    end
    if cost < 0 or maxWaitMs < 0 then
      charge(limiter, record, at, cost)
      return true, true
    end
    local waiting = wait(limiter, record, at, cost, maxWaitMs > 0)
    if waiting > 0 and at - now + waiting > min(maxWaitMs, limiter.horizonMs) then return false, repaired end
    if waiting > 0 then advance(limiter, record, at) end
    charge(limiter, record, at + waiting, cost)
    if waiting > 0 then advance(limiter, record, at) end
    return true, true
  end

  -- Whether the record is not what it was after all calls of a program.
  return function(limiter, record, program)
    local changed, i, numbers = false, 2, numbersOf(program)
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
        if cost < 0 and resetMsOf(limiter, record) == 0 then
          for j = 1, limiter.size do record[j] = 0 end
        end
      end
    end
    return changed
  end
end

local function write(key, limiter, record)
  local resetMs, at = resetMsOf(limiter, record), record[1]
  if resetMs == 0 then return call('DEL', key) end
  if resetMs > MAX_SAFE_INTEGER then return { err = NOT_A_RECORD } end
  return pcall('SET', key, format(limiter.format, unpack(record)), 'PX', format('%d', at - now + resetMs + grace))
end

-- What is wrong with one key is no business of the others.
local reply, programs = { now }, {}
for i = 1, #KEYS do
  local key, text, problem = KEYS[i], common == '' and ARGV[2 + i] or common, nil
  local program = programs[text]
  if not program then
    local index, cost = match(text, '^(%d+) 1 (%d+) 0$')
    program = { tonumber(index or match(text, '^%d+')), tonumber(cost) or 0 }
    programs[text] = program
  end
  local limiter = limiters[program[1]] or limiterOf(program[1])
  local stored = pcall('GET', key)
  if type(stored) == 'table' then
    problem = stored.err
  else
    local record, cost, changed = recordOf(limiter, stored), program[2], false
    if not record then
      problem = NOT_A_RECORD
    elseif cost > 0 and record[1] - now <= limiter.refillMs then
      local at = max(record[1], now)
      changed = wait(limiter, record, at, cost, false) == 0
      if changed then charge(limiter, record, at, cost) end
    else
      others = others or defineOthers()
      changed = others(limiter, record, text)
    end
    if changed then
      local written = write(key, limiter, record)
      problem = type(written) == 'table' and written.err
      -- Of a server that became a replica the client must hear itself.
      if problem and find(problem, '^READONLY') then return written end
    end
  end
  reply[1 + i] = problem and { problem } or stored
end
return reply
