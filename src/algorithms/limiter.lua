-- Twin of limiter.ts, around the `algorithm` that stands before it.
-- KEYS[1]  the record: the moment it was written and the state of each quota, whole numbers with spaces between
-- ARGV     cost, maxWaitMs (-1: charge in any case), now ("": the server's clock), the records before and after a booking
--          to give back ("": none), then limit, periodMs and burst of each quota
-- Reply    "limited quotaIndex remaining resetAfterMs retryAfterMs", -1 for never;
--          for a booking a list: that, "waitMs", the record before it, the record after it

local GRACE_MS = 1000
-- With a clock of the caller's, TTLs still run on the server's: they must not end first.
local GRACE_OF_OTHER_CLOCKS_MS = 3600000

local key, cost, maxWaitMs = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local now, grace = tonumber(ARGV[3]), GRACE_OF_OTHER_CLOCKS_MS
if not now then
  local time = redis.call('TIME')
  now, grace = time[1] * 1000 + math.floor(time[2] / 1000), GRACE_MS
end
if maxWaitMs < 0 then maxWaitMs = math.huge end

local quotas, refillMs, horizonMs, numbers = {}, 0, math.huge, 1
for i = 6, #ARGV, 3 do
  local quota = algorithm.new(tonumber(ARGV[i]), tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]))
  quotas[#quotas + 1] = quota
  refillMs, horizonMs = math.max(refillMs, quota.refillMs), math.min(horizonMs, quota.horizonMs)
  numbers = numbers + algorithm.size
end

local function parse(text)
  if not string.find(text, '^[%d ]+$') then return nil end
  local record = {}
  for digits in string.gmatch(text, '%d+') do
    local number = tonumber(digits)
    if number > MAX_SAFE_INTEGER then return nil end
    record[#record + 1] = number
  end
  if #record ~= numbers then return nil end
  return record
end

local function format(values)
  local text = {}
  for i, value in ipairs(values) do text[i] = string.format('%d', value == math.huge and -1 or value) end
  return table.concat(text, ' ')
end

local stored = redis.call('GET', key)
local record = stored and parse(stored)
if stored and not record then return redis.error_reply('ERR the key does not hold a record of this limiter') end

local written = record and record[1] or now
local repair = written - now > refillMs
local at = repair and now or math.max(written, now)

local function statesOf(from, exhausted)
  local states = {}
  for i, quota in ipairs(quotas) do
    local state = {}
    for j = 1, algorithm.size do
      state[j] = from and from[1 + (i - 1) * algorithm.size + j] or 0
    end
    if exhausted then
      state = algorithm.exhaust(quota, state, at)
    elseif from then
      state = algorithm.advance(quota, state, from[1], at)
    end
    states[i] = state
  end
  return states
end

local states = statesOf(record, repair)
for i, quota in ipairs(quotas) do
  if algorithm.resetAfterMs(quota, states[i], at) > MAX_SAFE_INTEGER then
    return redis.error_reply('ERR the key does not hold a record of this limiter')
  end
end

local function result(limited, list, index, moment, seen, retryAfterMs)
  local resetAfterMs = algorithm.resetAfterMs(quotas[index], list[index], moment)
  if resetAfterMs > 0 then resetAfterMs = moment - seen + resetAfterMs end
  local remaining = algorithm.remaining(quotas[index], list[index], moment)
  return format({ limited, index - 1, remaining, resetAfterMs, retryAfterMs })
end

local function scarcest(list, moment)
  local index, least = 1, math.huge
  for i, quota in ipairs(quotas) do
    local remaining = algorithm.remaining(quota, list[i], moment)
    if remaining < least then index, least = i, remaining end
  end
  return index
end

local function write(list, moment)
  local values, resetAfterMs = { at }, 0
  for i, quota in ipairs(quotas) do
    resetAfterMs = math.max(resetAfterMs, algorithm.resetAfterMs(quota, list[i], moment))
    for _, number in ipairs(algorithm.advance(quota, list[i], moment, at)) do values[#values + 1] = number end
  end
  if resetAfterMs == 0 then
    redis.call('DEL', key)
    return nil
  end
  local text = format(values)
  redis.call('SET', key, text, 'PX', string.format('%d', moment - now + resetAfterMs + grace))
  return text
end

local function charge(list, moment, units)
  local charged = {}
  for i, quota in ipairs(quotas) do charged[i] = algorithm.charge(quota, list[i], moment, units) end
  return charged
end

local function unbook(found, left, units)
  if not algorithm.unbook then return charge(states, at, -units) end
  local before, after, unbooked = statesOf(found), statesOf(left), {}
  for i, quota in ipairs(quotas) do
    unbooked[i] = algorithm.unbook(quota, states[i], before[i], after[i], at, units)
  end
  return unbooked
end

local function allow(list, moment)
  local seen = moment == at and now or moment
  return result(0, list, scarcest(list, moment), moment, seen, 0), write(list, moment)
end

if cost < 0 or maxWaitMs == math.huge then
  local before, after = parse(ARGV[4]), parse(ARGV[5])
  local known = after and not repair and after[1] <= written
  return (allow(known and unbook(before, after, -cost) or charge(states, at, cost), at))
end

local wait, longest = -1, 1
for i, quota in ipairs(quotas) do
  local each = algorithm.wait(quota, states[i], at, math.max(cost, 1), maxWaitMs > 0)
  if each > wait then wait, longest = each, i end
end
local waitMs = wait == 0 and 0 or at - now + wait

if cost == 0 then return result(0, states, scarcest(states, at), at, now, waitMs) end
if waitMs > math.min(maxWaitMs, horizonMs) then
  if repair then write(states, at) end
  return result(1, states, longest, at, now, waitMs)
end
local moment, spent = at + wait, {}
for i, quota in ipairs(quotas) do spent[i] = algorithm.advance(quota, states[i], at, moment) end
local answer, after = allow(charge(spent, moment, cost), moment)
if waitMs == 0 then return answer end
local before = { at }
for _, state in ipairs(states) do
  for _, number in ipairs(state) do before[#before + 1] = number end
end
return { answer, format({ waitMs }), format(before), after }
