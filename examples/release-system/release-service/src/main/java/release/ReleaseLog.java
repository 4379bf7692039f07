package release;

import co.elastic.clients.elasticsearch.ElasticsearchClient;
import co.elastic.clients.elasticsearch._helpers.bulk.BulkIngester;
import co.elastic.clients.elasticsearch._helpers.bulk.BulkListener;
import co.elastic.clients.elasticsearch.core.BulkRequest;
import co.elastic.clients.elasticsearch.core.BulkResponse;
import co.elastic.clients.elasticsearch.core.bulk.BulkOperation;
import co.elastic.clients.elasticsearch.core.bulk.BulkResponseItem;
import java.io.IOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * The log of the release service, pushed with the official Elasticsearch client. Nothing waits for
 * it but its end. Each document has an id, so what is sent twice is there once.
 */
final class ReleaseLog implements AutoCloseable {
  private static final String INDEX = "releases";
  private static final int MOST_WAITING = 10_000;
  private static final long AGAIN_AFTER_MS = 300;
  private static final long AT_THE_END_MS = 10_000;

  private final String taskId;
  private final ElasticsearchClient client;
  private final BulkIngester<String> ingester;
  private final ScheduledExecutorService later = Executors.newSingleThreadScheduledExecutor();
  /** By id: what no answer has come for. */
  private final Map<String, BulkOperation> waiting = new ConcurrentHashMap<>();

  ReleaseLog(String url, String token, String taskId) {
    this.taskId = taskId;
    client = ElasticsearchClient.of(b -> {
      b.host(url + "/es");
      return token.isEmpty() ? b : b.apiKey(token);
    });
    ingester = BulkIngester.of(b -> b
        .client(client)
        .maxOperations(500)
        .flushInterval(200, TimeUnit.MILLISECONDS)
        .listener(new SendAgain()));
  }

  void info(String host, String step, String message) {
    add("INFO", host, step, message);
  }

  void error(String host, String step, String message) {
    add("ERROR", host, step, message);
  }

  private void add(String level, String host, String step, String message) {
    if (waiting.size() >= MOST_WAITING) {
      System.err.println("the log is too far behind, a line is left out: " + message);
      return;
    }
    String id = UUID.randomUUID().toString();
    Map<String, Object> document = Map.of(
        "@timestamp", Instant.now().truncatedTo(ChronoUnit.MILLIS).toString(),
        "taskId", taskId,
        "host", host,
        "step", step,
        "level", level,
        "message", message,
        "source", "release-service/1.0.0");
    BulkOperation operation = BulkOperation.of(
        b -> b.create(c -> c.index(INDEX).id(id).document(document)));
    waiting.put(id, operation);
    ingester.add(operation, id);
  }

  /** Without it a request that failed is lost in silence. */
  private final class SendAgain implements BulkListener<String> {
    @Override
    public void beforeBulk(long execution, BulkRequest request, List<String> ids) {}

    @Override
    public void afterBulk(long execution, BulkRequest request, List<String> ids, BulkResponse response) {
      for (int i = 0; i < ids.size(); i++) {
        BulkResponseItem item = response.items().get(i);
        if (item.status() == 429 || item.status() >= 500) {
          again(ids.get(i));
          continue;
        }
        // 409: it was there already.
        waiting.remove(ids.get(i));
        if (item.error() != null && item.status() != 409) {
          System.err.println("a line was refused: " + item.error().reason());
        }
      }
    }

    @Override
    public void afterBulk(long execution, BulkRequest request, List<String> ids, Throwable failure) {
      ids.forEach(this::again);
    }

    private void again(String id) {
      later.schedule(() -> ingester.add(waiting.get(id), id), AGAIN_AFTER_MS, TimeUnit.MILLISECONDS);
    }
  }

  @Override
  public void close() throws IOException, InterruptedException {
    long until = System.currentTimeMillis() + AT_THE_END_MS;
    while (!waiting.isEmpty() && System.currentTimeMillis() < until) {
      ingester.flush();
      TimeUnit.MILLISECONDS.sleep(20);
    }
    later.shutdownNow();
    ingester.close();
    client.close();
    if (!waiting.isEmpty()) System.err.println(waiting.size() + " lines were not delivered");
  }
}
