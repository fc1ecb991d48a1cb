-- Twin of state.ts.
-- KEYS[1]  a sorted set, in which each place has two members: its id, by the moment at which its lease ends, and "#" .. id, by
--          its token: below 0 while it waits, so that the first in line is the highest of these, and above all moments once it
--          holds. "inUse" and "token", the last one given out, are above all moments as well.
-- ARGV     now ("": the server's clock); the owner of the requests; what the channel of an owner begins with; capacity;
--          maxWaiting; and for each request "act id", where an id is "permits/leaseMs/owner/name"
-- Reply    now, inUse, waiting, when the first lease ends, and for each request its token and when its lease ends: a token below
--          0 waits, and 0 has nothing; then id, token and end of those of the owner who heard by themselves. Others are told by
--          PUBLISH to their owner: "id token end"

local ABOVE_MOMENTS, LAST_MOMENT = 2 ^ 52, '4503599627370495'
-- Tokens must not start anew while the clock might still be set back.
local GRACE_MS = 3600000

local floor, max = math.floor, math.max
local format, match, sub = string.format, string.match, string.sub
local call, pcall = redis.call, redis.pcall

local key, now, owner, channel = KEYS[1], tonumber(ARGV[1]), ARGV[2], ARGV[3]
local capacity, maxWaiting = tonumber(ARGV[4]), tonumber(ARGV[5])
local microseconds = now and now * 1000
if not now then
  local time = call('TIME')
  microseconds = time[1] * 1000000 + time[2]
  now = floor(microseconds / 1000)
end

local counts = call('ZMSCORE', key, 'inUse', 'token')
if not counts[2] and call('EXISTS', key) == 1 then
  return redis.error_reply('ERR the key does not hold a semaphore')
end
local inUse, token = (counts[1] or ABOVE_MOMENTS) - ABOVE_MOMENTS, (counts[2] or ABOVE_MOMENTS) - ABOVE_MOMENTS
local waiting, changed = call('ZCOUNT', key, '-inf', '(0'), false

local function set(member, score)
  call('ZADD', key, format('%d', score), member)
  changed = true
end

local function termsOf(id)
  local permits, leaseMs, of = match(id, '^(%d+)/(%d+)/([^/]+)/')
  return tonumber(permits), tonumber(leaseMs), of
end

-- Below 0 for those who wait, 0 for those who have nothing.
local function tokenOf(id)
  local score = tonumber(call('ZSCORE', key, '#' .. id) or 0)
  if score > 0 then return score - ABOVE_MOMENTS end
  return score
end

local function leave(id)
  local standing = tokenOf(id)
  if standing == 0 then return end
  if standing > 0 then inUse = inUse - termsOf(id) else waiting = waiting - 1 end
  call('ZREM', key, id, '#' .. id)
  changed = true
end

local moved = {}
local function letIn()
  while waiting > 0 do
    local first = call('ZREVRANGEBYSCORE', key, '(0', '-inf', 'WITHSCORES', 'LIMIT', '0', '1')
    local id = sub(first[1], 2)
    local permits, leaseMs = termsOf(id)
    if permits > capacity then
      leave(id)
    elseif inUse + permits > capacity then
      return
    else
      set('#' .. id, ABOVE_MOMENTS - first[2])
      set(id, now + leaseMs)
      inUse, waiting = inUse + permits, waiting - 1
    end
    moved[#moved + 1] = id
  end
end

local function carryOut(act, id)
  local permits, leaseMs = termsOf(id)
  if act == 'release' then return leave(id) end
  if tokenOf(id) ~= 0 then return set(id, now + leaseMs) end
  if act == 'renew' or permits > capacity then return end
  local open = waiting == 0 and inUse + permits <= capacity
  if not open and (act == 'acquire' or waiting >= maxWaiting) then return end
  token, waiting = max(token + 1, microseconds), waiting + 1
  set('#' .. id, -token)
  set(id, now + leaseMs)
end

for _, id in ipairs(call('ZRANGEBYSCORE', key, '0', format('%d', now))) do leave(id) end
letIn()
local asked = {}
for i = 6, #ARGV do
  local act, id = match(ARGV[i], '^(%a+) (.*)$')
  carryOut(act, id)
  letIn()
  asked[id] = true
end

local function endOf(id)
  return tonumber(call('ZSCORE', key, id) or 0)
end

local first = call('ZRANGEBYSCORE', key, '0', LAST_MOMENT, 'WITHSCORES', 'LIMIT', '0', '1')
local reply = { now, inUse, waiting, tonumber(first[2] or 0) }
local function tell(...)
  for _, each in ipairs({ ... }) do reply[#reply + 1] = each end
end

for i = 6, #ARGV do
  local id = match(ARGV[i], ' (.*)$')
  tell(tokenOf(id), endOf(id))
end
for _, id in ipairs(moved) do
  local _, _, of = termsOf(id)
  if asked[id] then
    -- It hears by the answer to what it asked.
  elseif of == owner then
    tell(id, tokenOf(id), endOf(id))
  else
    -- Who is not heard of this way asks again before the lease ends.
    pcall('PUBLISH', channel .. of, format('%s %d %d', id, tokenOf(id), endOf(id)))
  end
end

if changed then
  set('inUse', ABOVE_MOMENTS + inUse)
  set('token', ABOVE_MOMENTS + token)
  local last = call('ZREVRANGEBYSCORE', key, LAST_MOMENT, '0', 'WITHSCORES', 'LIMIT', '0', '1')
  call('PEXPIRE', key, format('%d', max((last[2] or now) - now, 0) + GRACE_MS))
end
return reply
