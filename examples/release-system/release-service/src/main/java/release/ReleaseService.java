package release;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Deploys a version to hosts, some at a time: tells the agent what to do, step by step, and stops
 * with a host where a step fails. What it does it logs to Shiplog, as it would to Elasticsearch.
 */
public final class ReleaseService {
  private static final List<String> STEPS = List.of(
      "backup", "download", "unpack", "env-init", "nginx-offline", "service-start", "nginx-online");
  private static final Duration STEP_TIMEOUT = Duration.ofMinutes(2);

  private final HttpClient http = HttpClient.newHttpClient();
  private final String agent = System.getenv("AGENT_URL");
  private final String taskId = System.getenv("TASK");
  private final String version = System.getenv("VERSION");
  private final ReleaseLog log;

  private ReleaseService(ReleaseLog log) {
    this.log = log;
  }

  public static void main(String[] args) throws Exception {
    List<String> hosts = List.of(System.getenv("HOSTS").split(","));
    int atATime = Integer.parseInt(System.getenv("BATCH"));
    String url = System.getenv("SHIPLOG_URL");
    String token = System.getenv().getOrDefault("SHIPLOG_TOKEN", "");
    Tasks tasks = new Tasks(url, token);
    try (ReleaseLog log = new ReleaseLog(url, token, System.getenv("TASK"))) {
      ReleaseService service = new ReleaseService(log);
      tasks.start(service.taskId, "shop", service.version, hosts);
      for (int from = 0; from < hosts.size(); from += atATime) {
        service.deploy(hosts.subList(from, Math.min(hosts.size(), from + atATime)));
      }
    }
    tasks.finish(System.getenv("TASK"));
  }

  /** Returns when all of them are through. */
  private void deploy(List<String> hosts) throws Exception {
    System.out.println("deploying to " + String.join(", ", hosts));
    ExecutorService threads = Executors.newFixedThreadPool(hosts.size());
    try {
      List<Future<String>> outcomes = new ArrayList<>();
      for (String host : hosts) outcomes.add(threads.submit(() -> deploy(host)));
      for (Future<String> outcome : outcomes) System.out.println("  " + outcome.get());
    } finally {
      threads.shutdown();
    }
  }

  private String deploy(String host) throws IOException, InterruptedException {
    for (String step : STEPS) {
      log.info(host, step, "tells the agent to run " + step);
      String answer = order(host, step);
      if (!answer.contains("\"exitCode\":0")) {
        log.error(host, step, "gives up with " + host + ": " + answer);
        return host + ": failed in " + step;
      }
      log.info(host, step, "hears that " + step + " is done");
    }
    return host + ": succeeded";
  }

  private String order(String host, String step) throws IOException, InterruptedException {
    HttpRequest request = HttpRequest.newBuilder(URI.create(agent + "/hosts/" + host + "/steps/" + step))
        .timeout(STEP_TIMEOUT)
        .POST(HttpRequest.BodyPublishers.ofString(Json.write(Map.of("taskId", taskId, "version", version))))
        .build();
    return http.send(request, HttpResponse.BodyHandlers.ofString()).body().trim();
  }
}
