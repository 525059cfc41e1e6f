-- wrk: POST /v1/purchases, each with a receipt of its own, six lines, a random member.
-- MEMBERS: a file of member ids, one a line. RUN: part of the receipt ids. AT: when it was bought.
local members, thread_number, sent = {}, 0, 0
local run, at = os.getenv("RUN") or "run", os.getenv("AT")
for line in io.lines(os.getenv("MEMBERS")) do members[#members + 1] = line end
function setup(thread) thread:set("number", thread_number); thread_number = thread_number + 1 end
function init() math.randomseed(os.time() + number * 7919) end
local skus = {"ESPRESSO", "CHEESECAKE", "SCONE", "GREENTEA", "JUICE", "SANDWICH", "COOKIE", "LATTE"}
local categories = {"coffee", "cake", "bakery", "tea", "drinks", "food", "bakery", "coffee"}
local headers = {["Content-Type"] = "application/json"}
function request()
  sent = sent + 1
  local lines = {}
  for i = 1, 6 do
    local k = math.random(1, #skus)
    lines[i] = string.format('{"line_id":"%d","sku":"%s","categories":["%s"],"quantity":%d,"unit_price_minor":%d}',
      i, skus[k], categories[k], math.random(1, 3), math.random(99, 999))
  end
  local body = string.format('{"receipt_id":"%s-%d-%d","store_id":"mitte","till_id":"1","occurred_at":"%s","currency":"EUR","member":{"id":"%s"},"lines":[%s]}',
    run, number, sent, at, members[math.random(1, #members)], table.concat(lines, ","))
  return wrk.format("POST", "/v1/purchases", headers, body)
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format("RESULT requests=%d us=%d p50=%d p99=%d bad=%d\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.status + e.connect + e.read + e.write + e.timeout))
end
