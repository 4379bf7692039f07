import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/** An agent that does what its stdin says, a command a line, and says when the call returned. */
public final class Agent {
  public static void main(String[] args) throws Exception {
    Map<String, String> env = System.getenv();
    Shiplog.Options options = new Shiplog.Options(env.get("SHIPLOG_URL"))
        .spool(Path.of(env.get("SHIPLOG_SPOOL")))
        .source("java-agent/1");
    if (env.containsKey("SHIPLOG_TOKEN_FILE")) {
      options.tokenFile(Path.of(env.get("SHIPLOG_TOKEN_FILE")));
    }
    if (env.containsKey("SHIPLOG_QUEUE_BYTES")) {
      options.queueBytes(Integer.parseInt(env.get("SHIPLOG_QUEUE_BYTES")));
    }
    Shiplog client = new Shiplog(options);
    Shiplog.Step step = null;
    BufferedReader input =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      String[] words = line.split("\t", -1);
      long began = System.nanoTime();
      Object result = "";
      switch (words[0]) {
        case "start":
          client.task(words[1]).start(Map.of("service", words[2], "version", words[3]));
          break;
        case "finish":
          client.task(words[1]).finish(words[2], null);
          break;
        case "step":
          step = client.task(words[1]).host(words[2]).step(words[3], 1);
          break;
        case "running":
          step.running(words[1], null);
          break;
        case "line":
          step.line(words[1], Shiplog.Stream.STDERR, "WARN");
          break;
        case "lines":
          for (int i = Integer.parseInt(words[1]); i <= Integer.parseInt(words[2]); i++) {
            step.line("line " + i, Shiplog.Stream.STDOUT, null);
          }
          break;
        case "long":
          step.line("x".repeat(Integer.parseInt(words[1])), Shiplog.Stream.STDOUT, null);
          break;
        case "progress":
          step.progress(Double.parseDouble(words[1]), Double.valueOf(words[2]), words[3]);
          break;
        case "succeeded":
          step.succeeded();
          break;
        case "failed":
          step.failed(words[2], Integer.valueOf(words[1]), null);
          break;
        case "flush":
          result = client.flush(Duration.ofSeconds(Long.parseLong(words[1])));
          break;
        case "close":
          result = client.close(Duration.ofSeconds(Long.parseLong(words[1])));
          break;
        default:
          throw new IllegalArgumentException(words[0]);
      }
      System.out.println("done " + words[0] + " " + (System.nanoTime() - began) / 1_000_000 + " " + result);
    }
  }
}
