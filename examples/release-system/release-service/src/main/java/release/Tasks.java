package release;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** Declares tasks and ends them: GraphQL is a POST of JSON. */
final class Tasks {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private final HttpClient http = HttpClient.newHttpClient();
  private final String url;
  private final String token;

  Tasks(String url, String token) {
    this.url = url;
    this.token = token;
  }

  void start(String id, String service, String version, List<String> hosts)
      throws IOException, InterruptedException {
    call("mutation ($input: StartTaskInput!) { startTask(input: $input) { task { id } } }",
        Map.of("id", id, "service", service, "version", version, "environment", "example",
            "createdBy", "release-service", "hosts", hosts));
  }

  /** How it ended follows from its hosts. */
  void finish(String id) throws IOException, InterruptedException {
    call("mutation ($input: FinishTaskInput!) { finishTask(input: $input) { task { id } } }",
        Map.of("id", id));
  }

  private void call(String query, Map<String, ?> input) throws IOException, InterruptedException {
    String body = Json.write(Map.of("query", query, "variables", Map.of("input", input)));
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url + "/graphql"))
        .timeout(TIMEOUT)
        .header("content-type", "application/json")
        .header("accept", "application/graphql-response+json")
        .POST(HttpRequest.BodyPublishers.ofString(body));
    if (!token.isEmpty()) request.header("authorization", "Bearer " + token);
    HttpResponse<String> response = http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    if (response.statusCode() != 200) throw new IOException(response.body());
  }
}
