// Sends the documents on standard input, one JSON object with an id on each line, as
// go-elasticsearch's documentation shows it.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/elastic/go-elasticsearch/v9"
	"github.com/elastic/go-elasticsearch/v9/esutil"
)

func main() {
	url, index := os.Args[1], os.Args[2]
	client, err := elasticsearch.NewClient(elasticsearch.Config{
		Addresses:     []string{url + "/es"},
		RetryOnStatus: []int{429, 502, 503, 504},
		MaxRetries:    10,
		RetryBackoff:  func(attempt int) time.Duration { return time.Duration(attempt) * 100 * time.Millisecond },
	})
	must(err)
	indexer, err := esutil.NewBulkIndexer(esutil.BulkIndexerConfig{
		Client:        client,
		Index:         index,
		NumWorkers:    1,
		FlushBytes:    4000,
		FlushInterval: 100 * time.Millisecond,
	})
	must(err)
	var lost atomic.Int64
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		document := bytes.Clone(lines.Bytes())
		var known struct {
			ID string `json:"id"`
		}
		must(json.Unmarshal(document, &known))
		must(indexer.Add(context.Background(), esutil.BulkIndexerItem{
			Action:     "create",
			DocumentID: known.ID,
			Body:       bytes.NewReader(document),
			OnFailure: func(_ context.Context, _ esutil.BulkIndexerItem, answer esutil.BulkIndexerResponseItem, err error) {
				// 409: it was there already.
				if answer.Status != 409 {
					lost.Add(1)
					fmt.Fprintln(os.Stderr, answer.Status, answer.Error.Reason, err)
				}
			},
		}))
	}
	must(indexer.Close(context.Background()))
	if lost.Load() > 0 {
		os.Exit(1)
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
