-- One request again and again, described by the environment: a token has no place in a command line.
-- In the body, "#" becomes a number that no other request has, and "~" the number of one account after the other.
local method = os.getenv("BENCH_METHOD")
local token = os.getenv("BENCH_TOKEN")
local body = os.getenv("BENCH_BODY")
local accounts = tonumber(os.getenv("BENCH_ACCOUNTS") or "1")

wrk.method = method
wrk.headers["Accept"] = "application/json"
if token then wrk.headers["Authorization"] = "Bearer " .. token end
if body then wrk.headers["Content-Type"] = "application/json" end

local threads = 0
function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

local count = 0
function request()
  if not body then return wrk.format() end
  count = count + 1
  local unique = os.time() .. "-" .. number .. "-" .. count
  local account = (count + number * math.floor(accounts / 2)) % accounts -- two threads begin far apart
  local sent = body:gsub("#", unique):gsub("~", tostring(account))
  return wrk.format(nil, nil, nil, sent)
end
