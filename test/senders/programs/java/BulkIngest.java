import co.elastic.clients.elasticsearch.ElasticsearchClient;
import co.elastic.clients.elasticsearch._helpers.bulk.BulkIngester;
import co.elastic.clients.elasticsearch._helpers.bulk.BulkListener;
import co.elastic.clients.elasticsearch.core.BulkRequest;
import co.elastic.clients.elasticsearch.core.BulkResponse;
import co.elastic.clients.elasticsearch.core.bulk.BulkOperation;
import co.elastic.clients.elasticsearch.core.bulk.BulkResponseItem;
import co.elastic.clients.json.JsonData;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.StringReader;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Sends the documents on standard input with a BulkIngester, as docs/senders shows it. */
public final class BulkIngest {
  /** By id: what no answer has come for. */
  private static final Map<String, BulkOperation> waiting = new ConcurrentHashMap<>();
  private static final Map<String, Boolean> again = new ConcurrentHashMap<>();
  private static final AtomicInteger lost = new AtomicInteger();

  public static void main(String[] args) throws Exception {
    ElasticsearchClient client = ElasticsearchClient.of(b -> b.host(args[0] + "/es"));
    BulkIngester<String> ingester = BulkIngester.of(b -> b
        .client(client)
        .maxOperations(30)
        .maxConcurrentRequests(1)
        .flushInterval(100, TimeUnit.MILLISECONDS)
        .listener(new SendAgain()));
    BufferedReader documents = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
    for (String line = documents.readLine(); line != null; line = documents.readLine()) {
      JsonData document = JsonData.from(new StringReader(line));
      String id = document.toJson().asJsonObject().getString("id");
      BulkOperation operation =
          BulkOperation.of(b -> b.create(c -> c.index(args[1]).id(id).document(document)));
      waiting.put(id, operation);
      ingester.add(operation, id);
    }
    while (!waiting.isEmpty()) {
      for (String id : again.keySet()) {
        again.remove(id);
        ingester.add(waiting.get(id), id);
      }
      ingester.flush();
      TimeUnit.MILLISECONDS.sleep(100);
    }
    ingester.close();
    client.close();
    System.exit(lost.get() == 0 ? 0 : 1);
  }

  /** Without it a request that failed is lost in silence. */
  private static final class SendAgain implements BulkListener<String> {
    @Override
    public void beforeBulk(long execution, BulkRequest request, List<String> ids) {}

    @Override
    public void afterBulk(long execution, BulkRequest request, List<String> ids, BulkResponse response) {
      for (int i = 0; i < ids.size(); i++) {
        BulkResponseItem item = response.items().get(i);
        if (item.status() == 429 || item.status() >= 500) {
          again.put(ids.get(i), true);
          continue;
        }
        waiting.remove(ids.get(i));
        // 409: it was there already.
        if (item.error() != null && item.status() != 409) {
          lost.incrementAndGet();
          System.err.println("lost: " + item.error().reason());
        }
      }
    }

    @Override
    public void afterBulk(long execution, BulkRequest request, List<String> ids, Throwable failure) {
      System.err.println("again: " + failure);
      for (String id : ids) again.put(id, true);
    }
  }
}
