-- What wrk sends, and its result as one line of JSON. Arguments after `--`: method, body bytes, requests in a batch.

function init(args)
  wrk.method = args[1]
  local size = tonumber(args[2])
  if size > 0 then wrk.body = string.rep("x", size) end
  local depth = tonumber(args[3])
  if depth > 1 then
    local batch = string.rep(wrk.format(), depth)
    request = function() return batch end
  end
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\nRESULT {"requests":%d,"microseconds":%d,"p50":%.1f,"p99":%.1f,"refused":%d,"broken":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.status, e.connect + e.read + e.write + e.timeout))
end
