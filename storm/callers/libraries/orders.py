"""Places the orders that come in by a module and in one of its ways: a line of JSON in, a line with the status and body of the answer out."""

import importlib
import json
import sys

place = getattr(importlib.import_module(sys.argv[1]), sys.argv[2])

for line in sys.stdin:
    asked = json.loads(line)
    try:
        response = place(asked["url"], asked["headers"], asked["order"])
        told = {"status": response.status, "body": response.data.decode()}
    except Exception as error:
        told = {"error": repr(error)}
    print(json.dumps(told), flush=True)
