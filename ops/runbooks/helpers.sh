# What the commands of the runbooks share. Read it with bash in the checkout in which `npm start` runs: `. ops/runbooks/helpers.sh`
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

# Locks a table, until `release`.
hold() {
  exec 9< <(node -e '
    const client = new (require("pg").Client)(process.argv[1]);
    client.connect().then(() => client.query(`BEGIN; LOCK TABLE ${process.argv[2]} IN ACCESS EXCLUSIVE MODE`)).then(() => console.log("held"))' "$DATABASE" "$1")
  holder=$!
  read -r -u 9 _
}
release() { kill "$holder"; }

# A receiver of webhooks on port 4000 of this machine, until `kill $receiver`: with which status it answers, and after how many milliseconds.
receive() {
  exec 9< <(node -e '
    const [status, delay] = process.argv.slice(1).map(Number);
    const answer = (response) => setTimeout(() => response.writeHead(status).end(), delay);
    require("node:http").createServer((_, response) => answer(response)).listen(4000, "127.0.0.1", () => console.log("listens"))' "$1" "${2:-0}")
  receiver=$!
  read -r -u 9 _
}

# A webhook endpoint there, or at another address, to which a test event is on its way; prints its id.
endpoint() {
  local id
  id=$(post /v1/webhook-endpoints "{\"url\":\"${1:-http://127.0.0.1:4000/}\",\"types\":[\"*\"]}" | member id)
  post "/v1/webhook-endpoints/$id/test" '{}' > /dev/null
  echo "$id"
}
remove() { curl -s -X DELETE "$API/v1/webhook-endpoints/$1" -H "Authorization: Bearer $KEY"; }
