-- One value: KEYS[1] is where it is, ARGV what to do with it. Times are in milliseconds, "" is none.
local key, act, argument, ttl = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local LARGEST = 9007199254740991

local function keep(text, ...)
  redis.call("SET", key, text, ...)
end

local function keepFor(text)
  if ttl == "" then
    keep(text)
  else
    keep(text, "PX", ttl)
  end
end

local function increment()
  local text = redis.call("GET", key)
  local number = tonumber(text or "0")
  if text and not string.find(text, "^-?%d+$") or math.abs(number) > LARGEST then
    return "no number"
  end
  local sum = number + tonumber(argument)
  if math.abs(sum) > LARGEST then
    return "too large"
  end
  local digits = string.format("%d", sum)
  if text then
    keep(digits, "KEEPTTL")
  else
    keepFor(digits)
  end
  return digits
end

if act == "get" then
  return redis.call("GET", key)
elseif act == "set" then
  return keepFor(argument)
elseif act == "increment" then
  return increment()
elseif act == "delete" then
  return redis.call("DEL", key)
else
  return redis.call("EXISTS", key)
end
