-- Sends one request over and over and prints the result as a line of JSON. Arguments after `--`: the whole request, and
-- how many go out in one write. Every `{n}` in the request becomes a number that grows with each request, or every
-- `{n4}` its last four digits.

local function split(text, mark)
  local pieces, from = {}, 1
  while true do
    local at, to = text:find(mark, from, true)
    if at == nil then break end
    pieces[#pieces + 1] = text:sub(from, at - 1)
    from = to + 1
  end
  pieces[#pieces + 1] = text:sub(from)
  return pieces
end

function init(args)
  local text, depth = args[1], tonumber(args[2])
  local isShort = text:find("{n4}", 1, true) ~= nil
  local pieces = split(text, isShort and "{n4}" or "{n}")
  if #pieces > 1 then
    local count = 0
    request = function()
      count = count + 1
      return table.concat(pieces, tostring(isShort and count % 10000 or count))
    end
    if depth > 1 then error("a batch is the same each time") end
    wrk.format = function() return table.concat(pieces, "0") end
  elseif depth > 1 then
    local batch = text:rep(depth)
    request = function() return batch end
  else
    -- Without a `request` function, wrk makes the request once and calls no Lua while it measures.
    wrk.format = function() return text end
  end
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\nRESULT {"requests":%d,"microseconds":%d,"p50":%.1f,"p99":%.1f,"refused":%d,"broken":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.status, e.connect + e.read + e.write + e.timeout))
end
