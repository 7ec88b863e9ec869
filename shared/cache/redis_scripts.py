"""What Redis does in one step. Values and leases carry the 16-character version of their namespace, values in front,
leases at the end: a namespace gets a new random version when it is invalidated, and what carries another is void.

The version is random and not a counter: a counter that was evicted would start again and revive old entries.
KEYS are always value, lease, version; ARGV[1] is the own mark of a lease.
"""

VERSION_CHARS = 16
FAILED_MARK = b"failed:"

# A key of another type is junk that blocks its name: it is removed.
_TEXT = """
local function text(key)
  local got = redis.pcall('GET', key)
  if type(got) == 'table' then redis.call('DEL', key) return false end
  return got
end
local function version_or(new, ms)
  local version = text(KEYS[3])
  if not version or #version ~= 16 then
    version = new
    redis.call('SET', KEYS[3], version, 'PX', ms)
  end
  return version
end
"""

# A version that ended before its values would end them too early.
_OUTLIVE = """
local function outlive(ms)
  if redis.call('PTTL', KEYS[3]) < tonumber(ms) then redis.call('PEXPIRE', KEYS[3], ms) end
end
"""

# ARGV: mark, lease ms, new version, version ms, head of the value that the caller has already seen.
# The value is looked at under the lease, in the same step: whoever stored one since the caller looked wins.
CLAIM = (
    _TEXT
    + """
local version = version_or(ARGV[3], ARGV[4])
local value = text(KEYS[1])
local newer = ARGV[5] == '' or (value and string.sub(value, 1, #ARGV[5]) ~= ARGV[5])
if value and string.sub(value, 1, 16) == version and newer then
  return {'newer', value, version}
end
local lease = text(KEYS[2])
if lease and string.sub(lease, -16) == version then
  return {string.sub(lease, 1, 7) == 'failed:' and 'failed' or 'held', value, version}
end
redis.call('SET', KEYS[2], ARGV[1] .. version, 'PX', ARGV[2])
return {'won', value, version}
"""
)

# ARGV: lease, value ms, envelope. Stored only under a lease that nobody has revoked or taken over.
FILL = (
    _OUTLIVE
    + """
local version = string.sub(ARGV[1], -16)
if redis.call('GET', KEYS[2]) ~= ARGV[1] or redis.call('GET', KEYS[3]) ~= version then return 0 end
redis.call('SET', KEYS[1], version .. ARGV[3], 'PX', ARGV[2])
redis.call('DEL', KEYS[2])
outlive(ARGV[2])
return 1
"""
)

# ARGV: new version, version ms, value ms, envelope. Takes the lease away from whoever is fetching older data.
PUT = (
    _TEXT
    + _OUTLIVE
    + """
local version = version_or(ARGV[1], ARGV[2])
redis.call('SET', KEYS[1], version .. ARGV[4], 'PX', ARGV[3])
redis.call('DEL', KEYS[2])
outlive(ARGV[3])
return 1
"""
)

# ARGV: lease, ms for which the failure is told to others; 0 just gives the lease back.
RELEASE = """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
if tonumber(ARGV[2]) == 0 then return redis.call('DEL', KEYS[2]) end
redis.call('SET', KEYS[2], 'failed:' .. string.sub(ARGV[1], -16), 'PX', ARGV[2])
return 1
"""

# ARGV: lease, lease ms.
RENEW = "if redis.call('GET', KEYS[2]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[2], ARGV[2]) end return 0"
