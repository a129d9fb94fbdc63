# What the commands of the runbooks share. Read it in the checkout in which `npm start` runs: `. ops/runbooks/helpers.sh`
# Another service than that one is named by these variables.
API=${API:-http://127.0.0.1:3000}
METRICS=${METRICS:-$API/metrics}
SANDBOX=${SANDBOX:-http://127.0.0.1:3400}
DATABASE=${DATABASE:-postgres://holdfast@127.0.0.1:5499/holdfast}
SANDBOX_DATABASE=${SANDBOX_DATABASE:-${DATABASE}_sandbox}
KEY=${KEY:-$(node -p "require('./.holdfast/demo-keys.json').DEMO_API_KEY")}

# Lines of /metrics that begin so (a regular expression).
metric() { curl -s "$METRICS" | grep -E "^$1"; }

# The same, once there are some.
seen() { until metric "$1"; do sleep 0.5; done; }

# A path, a body, and a key; without one, a new one.
post() {
  curl -s "$API$1" -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' \
    -H "Idempotency-Key: ${3:-$(node -p 'crypto.randomUUID()')}" -d "$2"
}

# A member of the JSON on standard input.
member() { node -p "JSON.parse(fs.readFileSync(0)).$1"; }

# Places an order of 25.00 EUR, and pays it under a key.
order() { post /v1/orders '{"items":[{"productId":"123","quantity":1}]}' "$@"; }
pay() {
  post /v1/payments "{\"orderId\":\"$(order | member id)\",\"amount\":2500,\"currency\":\"EUR\",\"source\":\"${1:-tok_visa}\"}"
}

# What goes wrong at the sandbox from now on; {} is nothing.
faults() { curl -s -o /dev/null -X PUT "$SANDBOX/faults" -H 'Content-Type: application/json' -d "$1"; }

# Statements as the owner; in another database, where one is named.
sql() {
  node -e '
    const client = new (require("pg").Client)(process.argv[1]);
    client.connect().then(() => client.query(process.argv[2])).then((result) => {
      for (const row of [result].flat().at(-1).rows) console.log(Object.values(row).join("  "));
      return client.end();
    })' "${2:-$DATABASE}" "$1"
}

# Locks a table for so many seconds, and goes on when it is locked.
hold() {
  sql "BEGIN; LOCK TABLE $1 IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep($2); COMMIT" > /dev/null &
  until [ "$(sql "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database
    WHERE datname = current_database() AND relation = '$1'::regclass AND mode = 'AccessExclusiveLock' AND granted")" != 0 ]; do sleep 0.2; done
}

# A receiver of webhooks on this machine's port 4000: with which status it answers, and after how many milliseconds. `receiver` is its process.
receive() {
  node -e '
    const [status, delay] = process.argv.slice(1).map(Number);
    const answer = (response) => setTimeout(() => response.writeHead(status).end(), delay);
    require("node:http").createServer((_, response) => answer(response)).listen(4000, "127.0.0.1")' "$1" "${2:-0}" &
  receiver=$!
}

# A webhook endpoint there, or at another address, to which a test event is on its way; prints its id.
endpoint() {
  local id
  id=$(post /v1/webhook-endpoints "{\"url\":\"${1:-http://127.0.0.1:4000/}\",\"types\":[\"*\"]}" | member id)
  post "/v1/webhook-endpoints/$id/test" '{}' > /dev/null
  echo "$id"
}
remove() { curl -s -X DELETE "$API/v1/webhook-endpoints/$1" -H "Authorization: Bearer $KEY"; }
