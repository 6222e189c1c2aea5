"""The Lua scripts that count connections over all processes. Run inside Redis, so all of it happens or nothing."""

from __future__ import annotations

# A counter (a user's sockets, an operation's, a user's scans) is a hash: "<process> <user>" = how many. What a process
# counts is valid while its key <alive_prefix><process> exists; the fields that a dead process left behind are deleted
# by whoever reads them. The names of these keys are only known inside the script, so the scripts are for a single
# Redis, not for a cluster.
_COUNT = """
local function count(key, alive_prefix, alive)
    local total, users, known = 0, 0, {}
    local fields = redis.call('HGETALL', key)
    for i = 1, #fields, 2 do
        local process, user = string.match(fields[i], '^(%S+) (.*)$')
        if alive[process] == nil then
            alive[process] = redis.call('EXISTS', alive_prefix .. process) == 1
        end
        if alive[process] then
            total = total + tonumber(fields[i + 1])
            if not known[user] then
                known[user] = true
                users = users + 1
            end
        else
            redis.call('HDEL', key, fields[i])
        end
    end
    return total, users
end
"""

# ARGV[1] is JSON: the constants of `counter_store.py`, and {process, number, full, closing, process_ttl_ms,
# counts: [[key, user, count], ...], reservations: [[[key, user, limit], ...], ...]}. The changes of keys that begin
# with `watchers_prefix` are added to the stream `changed_key`.
# `counts` are absolute, so they may be sent again. Each of the `reservations` is answered with {0, 0}, or with the
# number of its first limit that is reached and what is counted there. A process numbers its updates, and the key that
# shows that it is alive holds the number. So an update that reaches Redis late changes nothing; and if Redis lost
# something, or other processes may have deleted it, the answer is nil: then the process must send all its counts
# (`full`).
UPDATE = (
    _COUNT
    + """
local update = cjson.decode(ARGV[1])
local alive_key = update.alive_prefix .. update.process
local seen = tonumber(redis.call('GET', alive_key) or '0')
if update.full then
    if seen >= update.number then return false end
elseif seen ~= update.number - 1 then
    return false
end
if update.closing then
    redis.call('DEL', alive_key)
else
    redis.call('SET', alive_key, string.format('%.0f', update.number), 'PX', update.process_ttl_ms)
end

local totals, alive, changed = {}, {}, {}
local function write(key, user, number)
    local field = update.process .. ' ' .. user
    local before = tonumber(redis.call('HGET', key, field) or '0')
    if number > 0 then
        redis.call('HSET', key, field, number)
        redis.call('EXPIRE', key, update.counter_ttl_s)
    else
        redis.call('HDEL', key, field)
    end
    if number ~= before and string.find(key, update.watchers_prefix, 1, true) == 1 then changed[key] = true end
end
local function total(key)
    if totals[key] == nil then totals[key] = count(key, update.alive_prefix, alive) end
    return totals[key]
end

for _, one in ipairs(update.counts) do write(one[1], one[2], one[3]) end
local answers = {}
for i, limits in ipairs(update.reservations) do
    local answer = {0, 0}
    for n, limit in ipairs(limits) do
        if answer[1] == 0 and total(limit[1]) >= limit[3] then answer = {n, total(limit[1])} end
    end
    if answer[1] == 0 then
        for _, limit in ipairs(limits) do
            local own = tonumber(redis.call('HGET', limit[1], update.process .. ' ' .. limit[2]) or '0')
            write(limit[1], limit[2], own + 1)
            totals[limit[1]] = totals[limit[1]] + 1
        end
    end
    answers[i] = answer
end
for key in pairs(changed) do
    redis.call('XADD', update.changed_key, 'MAXLEN', '~', update.changed_max_length, '*', 'key', key)
    redis.call('EXPIRE', update.changed_key, update.changed_ttl_s)
end
return answers
"""
)

# KEYS are counters, ARGV[1] is <alive_prefix>; of each counter: {how many, of how many users}.
COUNT = (
    _COUNT
    + """
local alive, found = {}, {}
for i, key in ipairs(KEYS) do found[i] = {count(key, ARGV[1], alive)} end
return found
"""
)
