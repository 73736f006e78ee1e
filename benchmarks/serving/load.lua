-- Sends the body in the file GANDL_BODY to /embed, and prints one line of JSON about the answers; for wrk.
local file = io.open(os.getenv("GANDL_BODY"), "rb")
wrk.method = "POST"
wrk.path = "/embed"
wrk.body = file:read("*a")
wrk.headers["Content-Type"] = "application/x-npy"
wrk.headers["Accept"] = os.getenv("GANDL_ACCEPT")
file:close()

function done(summary, latency, requests)
  local errors = summary.errors
  local wrong = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    '\n{"count": %d, "rate": %f, "median": %f, "slow": %f, "errors": %d}\n',
    summary.requests, summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1000, latency:percentile(95) / 1000, wrong
  ))
end
