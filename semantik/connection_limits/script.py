"""The Lua scripts that count seats over all processes. Run inside Redis, so all of it happens or nothing."""

from __future__ import annotations

# A topic (a user's sockets, an operation's, a user's scans) is a hash: "<process> <user>" = how many. What a process
# counts is true while its key <alive><process> lives; what another left behind is wiped where it is met. The names
# of these keys are known inside only, so the scripts are for a single Redis, not for a cluster.
_COUNT = """
local function count(key, alive, living)
    local total, users, known = 0, 0, {}
    local fields = redis.call('HGETALL', key)
    for i = 1, #fields, 2 do
        local process, user = string.match(fields[i], '^(%S+) (.*)$')
        if living[process] == nil then
            living[process] = redis.call('EXISTS', alive .. process) == 1
        end
        if living[process] then
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

# ARGV[1] is JSON: {process, number, whole, leaving, life_ms, kept_s, alive, shown, changed, changed_most, changed_s,
# counts: [[key, user, count], ...], takes: [[[key, user, most], ...], ...]}; `shown` is what the keys begin with
# whose changes are told in the stream `changed`.
# `counts` are absolute, so they may be told again; `takes` are answered one by one with {0, 0}, or with the number
# of the first place that is full and what is counted there. A process numbers what it tells, and the key that shows
# that it lives holds the number. So a command that reached Redis late changes nothing; and if Redis lost something,
# or the others may have wiped it, the answer is nil: then the process must tell everything that it has (`whole`).
KEEP = (
    _COUNT
    + """
local said = cjson.decode(ARGV[1])
local own = said.alive .. said.process
local seen = tonumber(redis.call('GET', own) or '0')
if said.whole then
    if seen >= said.number then return false end
elseif seen ~= said.number - 1 then
    return false
end
if said.leaving then
    redis.call('DEL', own)
else
    redis.call('SET', own, string.format('%.0f', said.number), 'PX', said.life_ms)
end

local totals, living, changed = {}, {}, {}
local function write(key, user, number)
    local field = said.process .. ' ' .. user
    local before = tonumber(redis.call('HGET', key, field) or '0')
    if number > 0 then
        redis.call('HSET', key, field, number)
        redis.call('EXPIRE', key, said.kept_s)
    else
        redis.call('HDEL', key, field)
    end
    if number ~= before and string.find(key, said.shown, 1, true) == 1 then changed[key] = true end
end
local function total(key)
    if totals[key] == nil then totals[key] = count(key, said.alive, living) end
    return totals[key]
end

for _, one in ipairs(said.counts) do write(one[1], one[2], one[3]) end
local answers = {}
for i, places in ipairs(said.takes) do
    local answer = {0, 0}
    for n, place in ipairs(places) do
        if answer[1] == 0 and total(place[1]) >= place[3] then answer = {n, total(place[1])} end
    end
    if answer[1] == 0 then
        for _, place in ipairs(places) do
            local mine = tonumber(redis.call('HGET', place[1], said.process .. ' ' .. place[2]) or '0')
            write(place[1], place[2], mine + 1)
            totals[place[1]] = totals[place[1]] + 1
        end
    end
    answers[i] = answer
end
for key in pairs(changed) do
    redis.call('XADD', said.changed, 'MAXLEN', '~', said.changed_most, '*', 'key', key)
    redis.call('EXPIRE', said.changed, said.changed_s)
end
return answers
"""
)

# KEYS are hashes, ARGV[1] is <alive>; of each hash: {how many, of how many users}.
COUNT = (
    _COUNT
    + """
local living, found = {}, {}
for i, key in ipairs(KEYS) do found[i] = {count(key, ARGV[1], living)} end
return found
"""
)
