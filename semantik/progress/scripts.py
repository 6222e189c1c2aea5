"""The Lua script that publishes one message. Runs inside Redis, so all of it happens or nothing."""

from __future__ import annotations

# The hash at KEYS[2] holds `seq`, `ended`, `once:<idempotency key>` = "id seq", `sent:<publisher>` = "number id seq".
# A publisher numbers what it sends: a command that reaches Redis late (its connection was given up while Redis did not
# respond, and the command was sent again) is recognised by its number, and changes nothing.
PUBLISH = """
local stream, counter = KEYS[1], KEYS[2]
local publisher, number, min_seq = 'sent:' .. ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local type, at, data, flat = ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local idempotency_key, kind = ARGV[8], ARGV[9]
local max_length, running_s, keep_s = ARGV[10], ARGV[11], ARGV[12]

local sent = redis.call('HGET', counter, publisher)
if sent then
    local last, id, seq = string.match(sent, '^(%d+) (%S+) (%d+)$')
    if number <= tonumber(last) then return {id, tonumber(seq)} end
end
if idempotency_key ~= '' then
    local earlier = redis.call('HGET', counter, 'once:' .. idempotency_key)
    if earlier then
        local id, seq = string.match(earlier, '^(%S+) (%d+)$')
        return {id, tonumber(seq)}
    end
end
local counted = tonumber(redis.call('HGET', counter, 'seq') or '0')
local ended = redis.call('HEXISTS', counter, 'ended') == 1
-- A server that lost the operation to another one without noticing may still send updates; none may follow the end.
if ended and kind == 'update' then return {'', counted} end

local seq = math.max(counted, min_seq) + 1
local fields = {'seq', seq, 'type', type, 'at', at, 'data', data}
if flat ~= data then
    fields[#fields + 1] = 'flat'
    fields[#fields + 1] = flat
end
local id = redis.call('XADD', stream, 'MAXLEN', '~', max_length, '*', unpack(fields))
local numbered = string.format('%s %.0f', id, seq)
redis.call('HSET', counter, 'seq', seq, publisher, ARGV[2] .. ' ' .. numbered)
if idempotency_key ~= '' then redis.call('HSET', counter, 'once:' .. idempotency_key, numbered) end
if kind == 'terminal' then
    ended = true
    redis.call('HSET', counter, 'ended', 1)
end
local ttl_s = ended and keep_s or running_s
redis.call('EXPIRE', stream, ttl_s)
redis.call('EXPIRE', counter, ttl_s)
return {id, seq}
"""
