"""The Lua script that publishes one message. Runs inside Redis, so all of it happens or nothing."""

from __future__ import annotations

# The hash at KEYS[2] holds `seq`, `ended`, `once:<token>` = "id seq", `sent:<publisher>` = "number id seq".
# A publisher numbers what it sends: a command that reached Redis late (its connection was given up while Redis
# stood still, and it was sent again) is recognised by its number, and changes nothing.
PUBLISH = """
local stream, book = KEYS[1], KEYS[2]
local publisher, number, floor = 'sent:' .. ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local type, at, data, flat = ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local once, kind = ARGV[8], ARGV[9]
local history, running_s, keep_s = ARGV[10], ARGV[11], ARGV[12]

local sent = redis.call('HGET', book, publisher)
if sent then
    local last, id, seq = string.match(sent, '^(%d+) (%S+) (%d+)$')
    if number <= tonumber(last) then return {id, tonumber(seq)} end
end
if once ~= '' then
    local earlier = redis.call('HGET', book, 'once:' .. once)
    if earlier then
        local id, seq = string.match(earlier, '^(%S+) (%d+)$')
        return {id, tonumber(seq)}
    end
end
local counted = tonumber(redis.call('HGET', book, 'seq') or '0')
local ended = redis.call('HEXISTS', book, 'ended') == 1
-- An owner that was taken over without noticing may still send updates: nothing of the kind follows the end.
if ended and kind == 'update' then return {'', counted} end

local seq = math.max(counted, floor) + 1
local fields = {'seq', seq, 'type', type, 'at', at, 'data', data}
if flat ~= data then
    fields[#fields + 1] = 'flat'
    fields[#fields + 1] = flat
end
local id = redis.call('XADD', stream, 'MAXLEN', '~', history, '*', unpack(fields))
local numbered = string.format('%s %.0f', id, seq)
redis.call('HSET', book, 'seq', seq, publisher, ARGV[2] .. ' ' .. numbered)
if once ~= '' then redis.call('HSET', book, 'once:' .. once, numbered) end
if kind == 'terminal' then
    ended = true
    redis.call('HSET', book, 'ended', 1)
end
local life = ended and keep_s or running_s
redis.call('EXPIRE', stream, life)
redis.call('EXPIRE', book, life)
return {id, seq}
"""
