import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Pattern;

/** An agent that does what its stdin says, a command a line, and says when the call returned. */
public final class Agent {
  private static Shiplog start() {
    Map<String, String> env = System.getenv();
    Shiplog.Options options = new Shiplog.Options(env.get("SHIPLOG_URL"))
        .spool(Path.of(env.get("SHIPLOG_SPOOL")))
        .source("java-agent/1");
    options.token(env.get("SHIPLOG_TOKEN"));
    if (env.containsKey("SHIPLOG_TOKEN_FILE")) {
      options.tokenFile(Path.of(env.get("SHIPLOG_TOKEN_FILE")));
    }
    if (env.containsKey("SHIPLOG_QUEUE_BYTES")) {
      options.queueBytes(Integer.parseInt(env.get("SHIPLOG_QUEUE_BYTES")));
    }
    if (env.containsKey("COMPLAINING_FAILS")) {
      options.complain(text -> {
        System.err.println(text);
        throw new IllegalStateException("the log is full");
      });
    }
    return new Shiplog(options);
  }

  /** With \\u0000 for what a line of stdin cannot say. */
  private static String unescaped(String word) {
    return Pattern.compile("\\\\u([0-9a-f]{4})").matcher(word).replaceAll(
        found -> String.valueOf((char) Integer.parseInt(found.group(1), 16)));
  }

  public static void main(String[] args) throws Exception {
    Shiplog client = null; // begins with the first command that needs it
    Shiplog.Step step = null;
    BufferedReader input =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      String[] words = line.split("\t", -1);
      long began = System.nanoTime();
      Object result = "";
      if (client == null && !words[0].equals("pid")) client = start();
      switch (words[0]) {
        case "pid":
          result = ProcessHandle.current().pid();
          break;
        case "another":
          start();
          break;
        case "start":
          client.task(words[1]).start(Map.of("service", words[2], "version", words[3]));
          break;
        case "finish":
          client.task(words[1]).finish(words[2], null);
          break;
        case "step":
          step = client.task(words[1]).host(unescaped(words[2])).step(unescaped(words[3]), 1);
          break;
        case "running":
          step.running(words[1], null);
          break;
        case "running-with-itself":
          Map<String, Object> params = new HashMap<>();
          params.put("params", params);
          step.running(words[1], params);
          break;
        case "interrupted-line":
          Thread.currentThread().interrupt();
          step.line(words[1], null, null);
          result = Thread.interrupted();
          break;
        case "line":
          step.line(words[1], Shiplog.Stream.STDERR, "WARN");
          break;
        case "lines":
          for (int i = Integer.parseInt(words[1]); i <= Integer.parseInt(words[2]); i++) {
            step.line("line " + i, Shiplog.Stream.STDOUT, null);
          }
          break;
        case "in-turn": // three lines of the one step for one of the other, then both end
          Shiplog.Host host = client.task(words[1]).host(words[2]);
          Shiplog.Step other = host.step("unpack", 1);
          step = host.step("download", 1);
          step.running("curl", null);
          other.running("tar", null);
          for (int i = Integer.parseInt(words[3]); i <= Integer.parseInt(words[4]); i++) {
            (i % 4 == 0 ? other : step).line("line " + i, Shiplog.Stream.STDOUT, null);
          }
          other.succeeded();
          step.succeeded();
          break;
        case "short-steps":
          for (int i = Integer.parseInt(words[3]); i <= Integer.parseInt(words[4]); i++) {
            step = client.task(words[1]).host(words[2]).step("step " + i, 1);
            step.line("line " + i, null, null);
            step.succeeded();
          }
          break;
        case "long":
          step.line("x".repeat(Integer.parseInt(words[1])), Shiplog.Stream.STDOUT, null);
          break;
        case "progress":
          step.progress(Double.parseDouble(words[1]), Double.valueOf(words[2]), unescaped(words[3]));
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
