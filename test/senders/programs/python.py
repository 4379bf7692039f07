"""Sends the documents on standard input with helpers.streaming_bulk, as docs/senders shows it."""

import json
import sys
import time

from elasticsearch import ApiError, ConnectionError, Elasticsearch, helpers

url, index = sys.argv[1:]
client = Elasticsearch(f"{url}/es", request_timeout=60)
lost = 0


def send(batch):
    global lost
    while True:
        try:
            for ok, item in helpers.streaming_bulk(
                client, batch, chunk_size=30, max_retries=10, initial_backoff=0.1, raise_on_error=False
            ):
                if not ok and item["create"]["status"] != 409:  # 409: it was there already
                    lost += 1
                    print("lost:", item, file=sys.stderr)
            return
        except (ConnectionError, ApiError) as error:  # away, or stopping
            print("again:", error, file=sys.stderr)
            time.sleep(0.2)


documents = [json.loads(line) for line in sys.stdin]
send([{"_op_type": "create", "_index": index, "_id": one["id"], **one} for one in documents])
sys.exit(1 if lost else 0)
