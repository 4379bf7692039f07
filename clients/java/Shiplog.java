import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Reports what an agent does to Shiplog. One file without dependencies (Java 11), to be copied into
 * the agent.
 *
 * <p>No call waits for the network. A call writes its event to a file in the spool directory and to
 * a bounded queue; one thread delivers the queue in order and tries again until the server has it.
 * Each event has an id from the beginning, so what is sent twice counts once: after a lost answer,
 * and also when the agent was killed and the next one finds its file.
 *
 * <p>When the queue is full the oldest output gives way, and an event says in its place how much it
 * was. Ends of steps are kept.
 */
public final class Shiplog implements AutoCloseable {
  private static final Duration CALL_TIMEOUT = Duration.ofSeconds(5);
  private static final Duration LONGEST_WAIT = Duration.ofDays(36_500); // nanoseconds hold it
  private static final long LINGER_MS = 100; // lines that come close together go in one request
  private static final long TICK_MS = 1_000;
  private static final int BATCH_EVENTS = 500;
  private static final int BATCH_BYTES = 512 * 1024;
  private static final int LEAST_BATCH_BYTES = 4 * 1024;
  private static final int MORE_BATCH_BYTES = 16 * 1024; // with each success, after one was too slow
  private static final int QUEUE_BYTES = 8 * 1024 * 1024;
  private static final double KEPT_SHARE = 0.75; // dropping down to this share makes it rare,
  private static final double GROWN = 1.25; // and so does waiting for this where less cannot go
  private static final int LINE_CHARACTERS = 65_536;
  private static final int COMMAND_CHARACTERS = 32_768;
  private static final int PARAMS_BYTES = 16 * 1024;
  private static final int UNIT_CHARACTERS = 64;
  private static final int MOST_LINE_BYTES = 4 * 1024 * 1024; // of a spool file
  private static final int MOST_ANSWER_BYTES = 4 * 1024 * 1024;
  private static final int MOST_TOKEN_BYTES = 64 * 1024;
  private static final int COMPLAINT_CHARACTERS = 1_000;
  private static final int SHORT_TEXT = 500;
  private static final int CUT_CHARACTERS = 100; // for the words that say so
  private static final long FIRST_PAUSE_MS = 100;
  private static final long LONGEST_PAUSE_MS = 10_000;
  private static final long LONGEST_ASKED_MS = 60_000;
  private static final long LONGEST_LAST_PAUSE_MS = 500; // while somebody waits in flush
  private static final int SIGNS_BEFORE_STALE = 3;
  private static final long LEAST_SIGN_MS = 1_000;
  private static final long PROGRESS_EVERY_MS = 250;
  private static final int MOST_COMPLAINTS = 20;
  private static final int NUMBER_BYTES = 100; // of a number that is remembered, besides its names
  private static final long SPOOL_WORD_EVERY_MS = 60_000;
  private static final int LEAST_REFUSALS = 5; // in a row, before what a proxy refuses goes without its texts
  private static final long REFUSED_BYTES = 8L * 1024 * 1024; // of the file of what was set aside
  private static final String START_TASK =
      "mutation ($input: StartTaskInput!) { startTask(input: $input) { task { id } } }";
  private static final String FINISH_TASK =
      "mutation ($input: FinishTaskInput!) { finishTask(input: $input) { task { id } } }";
  private static final String DROPPED =
      "events of output were dropped here: they could not be delivered in time";

  private static final String REFUSED =
      "[shiplog] an event was set aside here: a proxy before the server refuses its text";

  /** Where a line was printed. */
  public enum Stream { STDOUT, STDERR }

  /** What a client needs to know. Only the address is required. */
  public static final class Options {
    private final String url;
    private String token;
    private Path tokenFile;
    private Path spool;
    private int queueBytes = QUEUE_BYTES;
    private String source;
    private Consumer<String> complain = text -> System.err.println("shiplog: " + text);

    /** The server's address, such as https://shiplog.example.org. */
    public Options(String url) {
      if (!url.startsWith("http://") && !url.startsWith("https://")) {
        throw new IllegalArgumentException("url must begin with http:// or https://, not " + url);
      }
      if (hostOf(url) == null) {
        throw new IllegalArgumentException("url must have a host, without underscores, not " + url);
      }
      this.url = url.replaceAll("/+$", "");
    }

    private static String hostOf(String url) {
      try {
        return new URI(url).getHost();
      } catch (URISyntaxException e) {
        return null;
      }
    }

    public Options token(String value) {
      token = value == null ? null : value.trim();
      if (token != null && !isToken(token)) {
        throw new IllegalArgumentException("token is what no token can be");
      }
      return this;
    }

    /** It is read at the start, and again when its token is refused. */
    public Options tokenFile(Path value) {
      tokenFile = value;
      return this;
    }

    /**
     * A directory for what is not delivered yet. Without one, what is not delivered when the agent
     * is killed is lost. Agents may share it; each has its own file in it.
     */
    public Options spool(Path value) {
      spool = value;
      return this;
    }

    /**
     * Bounds what waits in memory, and half of what its file takes; where most of it is ends of
     * steps, two and a half times that.
     */
    public Options queueBytes(int value) {
      queueBytes = value;
      return this;
    }

    /** Who reports, such as "agent/1.4.2". */
    public Options source(String value) {
      source = value;
      return this;
    }

    /**
     * Is told what went wrong with reporting; it must not wait, and what it throws is ignored.
     * Default: a line on stderr.
     */
    public Options complain(Consumer<String> value) {
      complain = value;
      return this;
    }
  }

  private final Options options;
  private final Thread thread = new Thread(this::deliver, "shiplog");

  // Only that thread's.
  private HttpClient http; // made by it, so that a failure there is tried again
  private int mostEvents = BATCH_EVENTS;
  private int mostBytes;
  private int takenBytes; // as far as it may grow: a proxy that takes little takes little tomorrow, too
  private int failures;
  private int refusals; // by something before the server
  private int patience = LEAST_REFUSALS;

  // All below is guarded by this object's monitor.
  private Deque<Entry> queue = new ArrayDeque<>();
  private long bytes;
  private long lastKept; // so many bytes no dropping could free
  private int inFlight; // so many from the first were sent, and may be stored: they must stay
  private boolean urgent;
  private boolean closing;
  private boolean givenUp;
  private int waiting; // calls of flush
  private String writer = UUID.randomUUID().toString();
  private final Map<List<String>, Integer> sequences = new HashMap<>();
  private long numbered; // bytes that these take, about
  private long events;
  private final Set<Step> running = new HashSet<>();
  private long staleAfterMs = 300_000;
  private int complaints;
  private boolean troubled; // the trouble that lasts was said
  private String token;
  private Spool spool; // null while there is none, or it cannot be opened
  private boolean isBehind; // something of the queue is not in the spool file
  private boolean isFull; // the last event found no room in it
  private long spoolSilentUntil = System.nanoTime();
  private long lastFailedSave = System.nanoTime() - TICK_MS * 1_000_000;
  private final List<Orphan> orphans = new ArrayList<>(); // whose events the queue has, the file not yet

  /**
   * Starts a client, and adopts what killed agents left in the spool directory. A server that is
   * away is no error, nor is a directory that cannot be written: it is tried again while events are
   * delivered from memory.
   */
  public Shiplog(Options options) {
    this.options = options;
    // What is on its way cannot give way: it must leave room for the newest.
    mostBytes = Math.min(BATCH_BYTES, options.queueBytes / 4);
    takenBytes = mostBytes;
    token = options.token;
    readToken();
    synchronized (this) {
      if (options.spool != null) saveAll();
    }
    thread.setDaemon(true);
    thread.start();
  }

  /** A deployment, by the release system's id. */
  public Task task(String id) {
    return new Task(id);
  }

  /** Waits until all that was reported is delivered, at most so long; says whether it is. */
  public synchronized boolean flush(Duration atMost) throws InterruptedException {
    waiting++;
    urgent = true;
    notifyAll();
    try {
      long nanos = atMost.compareTo(LONGEST_WAIT) > 0 ? LONGEST_WAIT.toNanos() : atMost.toNanos();
      long until = System.nanoTime() + nanos;
      while (!queue.isEmpty()) {
        long left = (until - System.nanoTime()) / 1_000_000;
        if (left <= 0) return false;
        wait(left);
      }
      return true;
    } finally {
      waiting--;
    }
  }

  /** Waits at most five seconds for what is left. */
  @Override
  public void close() {
    close(CALL_TIMEOUT);
  }

  /**
   * Waits for deliveries at most so long, then stops. Returns how many events were not delivered:
   * with a spool directory, the next agent delivers them.
   */
  public int close(Duration atMost) {
    synchronized (this) {
      closing = true;
      running.clear();
      notifyAll();
    }
    try {
      flush(atMost);
      giveUp();
      thread.join(LINGER_MS);
    } catch (InterruptedException e) {
      giveUp();
      Thread.currentThread().interrupt();
    }
    synchronized (this) {
      if (spool != null) closeSpool();
      return queue.size();
    }
  }

  private synchronized void giveUp() {
    givenUp = true;
    notifyAll();
    thread.interrupt();
  }

  /** A deployment. */
  public final class Task {
    private final String id;

    private Task(String id) {
      this.id = whole(id);
    }

    /**
     * Declares the task. What can be said: service, version, environment, createdBy (texts), plan,
     * hosts (lists of names), labels (a map). A task that is not declared begins with its first
     * event.
     */
    public void start(Map<String, ?> said) {
      mutate(START_TASK, id, said);
    }

    /**
     * Ends the task, after all that was reported before. Without a status (null; or SUCCEEDED,
     * PARTIAL, FAILED, CANCELLED) it follows from the hosts.
     */
    public void finish(String status, String message) {
      Map<String, Object> said = new LinkedHashMap<>();
      said.put("status", status);
      said.put("message", cleaned(message, LINE_CHARACTERS));
      mutate(FINISH_TASK, id, said);
    }

    /** A host that the task deploys to. */
    public Host host(String name) {
      return new Host(id, name);
    }
  }

  /** A host of a task. */
  public final class Host {
    private final String taskId;
    private final String name;

    private Host(String taskId, String name) {
      this.taskId = taskId;
      this.name = whole(name);
    }

    /** One attempt of a step; attempts count from 1. */
    public Step step(String name, int attempt) {
      return new Step(taskId, this.name, name, attempt);
    }
  }

  /** One attempt of one step on one host. */
  public final class Step {
    private final String taskId;
    private final String host;
    private final String name;
    private final int attempt;
    private long began = System.nanoTime();
    private long lastEvent;
    private double chance = ThreadLocalRandom.current().nextDouble(); // fleets do not speak at once
    private long lastProgress = began - PROGRESS_EVERY_MS * 1_000_000;

    private Step(String taskId, String host, String name, int attempt) {
      this.taskId = taskId;
      this.host = host;
      this.name = whole(name);
      this.attempt = attempt;
    }

    /**
     * It begins, by this command and with these parameters (null: none). From now on it is said to
     * live while it is silent, until one of the ends.
     */
    public void running(String command, Map<String, ?> params) {
      synchronized (Shiplog.this) {
        began = System.nanoTime();
        running.add(this);
        report(this, said("status", "RUNNING",
            "command", cleaned(command, COMMAND_CHARACTERS),
            "params", copied("params", params, PARAMS_BYTES)));
      }
    }

    /** Output: a line, or several in one text. Stream and level (INFO, ERROR, …) may be null. */
    public void line(String text, Stream stream, String level) {
      if (text == null) return;
      for (String line : text.split("\r?\n")) {
        report(this, said("message", cleaned(line, LINE_CHARACTERS),
            "stream", stream == null ? null : stream.name(), "level", level));
      }
    }

    /**
     * How much is done; total and unit may be null. Of many in a short time some are left out, and
     * what is no number, such as 0.0 / 0.
     */
    public void progress(double done, Double total, String unit) {
      if (!Double.isFinite(done)) return;
      if (total != null && !Double.isFinite(total)) total = null;
      synchronized (Shiplog.this) {
        boolean isLast = total != null && done == total;
        if (!isLast && millisSince(lastProgress) < PROGRESS_EVERY_MS) return;
        lastProgress = System.nanoTime();
        report(this, said("progress", said(
            "done", done, "total", total, "unit", cleaned(unit, UNIT_CHARACTERS))));
      }
    }

    /** It ends. */
    public void succeeded() {
      end(said("status", "SUCCEEDED", "exitCode", 0));
    }

    /** It ends. The message is what a person reads first: put the reason there. */
    public void failed(String message, Integer exitCode, String code) {
      end(said("status", "FAILED", "exitCode", exitCode, "error", failure(message, code)));
    }

    /** It ends. */
    public void timedOut(String message, Integer exitCode, String code) {
      end(said("status", "TIMED_OUT", "exitCode", exitCode, "error", failure(message, code)));
    }

    /** It ends. */
    public void cancelled(String why) {
      end(said("status", "CANCELLED", "message", cleaned(why, LINE_CHARACTERS)));
    }

    /** It ends without having been done. */
    public void skipped(String why) {
      end(said("status", "SKIPPED", "message", cleaned(why, LINE_CHARACTERS)));
    }

    private void end(Map<String, Object> said) {
      synchronized (Shiplog.this) {
        running.remove(this);
        said.put("durationMs", millisSince(began));
        report(this, said);
      }
    }
  }

  // What is reported.

  private synchronized void report(Step step, Map<String, Object> said) {
    List<String> whose = Arrays.asList(step.taskId, step.host);
    if (!sequences.containsKey(whose)) remember(step);
    int sequence = sequences.getOrDefault(whose, 0) + 1;
    Map<String, Object> event = said(
        "taskId", step.taskId,
        "host", step.host,
        "step", step.name,
        "attempt", step.attempt,
        "eventId", writer + "-" + (events + 1),
        "writer", writer,
        "sequence", sequence,
        "at", now(),
        "source", options.source);
    event.putAll(said);
    Entry entry = new Entry(event);
    // Only now: a number that no event has would be a hole.
    sequences.put(whose, sequence);
    events++;
    step.lastEvent = System.nanoTime();
    add(entry);
  }

  /**
   * Numbers are remembered for each task and host, within the bound of the queue: then another writer
   * begins.
   */
  private void remember(Step step) {
    numbered += String.valueOf(step.taskId).length() + String.valueOf(step.host).length() + NUMBER_BYTES;
    if (numbered <= options.queueBytes) return;
    writer = UUID.randomUUID().toString();
    sequences.clear();
    numbered = 0;
  }

  private void mutate(String query, String id, Map<String, ?> said) {
    Map<String, Object> input = said("id", id, "at", now());
    Map<String, Object> copy = copied("what was said of the task", said, MOST_LINE_BYTES);
    if (copy != null) input.putAll(copy);
    add(new Entry(said("query", query, "variables", said("input", input))));
  }

  /** As it is now, in plain JSON. Null, with a complaint, where it cannot be sent. */
  private Map<String, Object> copied(String name, Map<String, ?> said, int mostBytes) {
    if (said == null) return null;
    try {
      String json = Json.write(said);
      int size = json.getBytes(StandardCharsets.UTF_8).length;
      if (size <= mostBytes) return Json.object(Json.read(json));
      complain(name + " was left out: " + size + " bytes are more than " + mostBytes);
    } catch (RuntimeException | StackOverflowError e) {
      complain(name + " was left out: " + e);
    }
    return null;
  }

  private synchronized void add(Entry entry) {
    queue.addLast(entry);
    bytes += entry.size();
    boolean isSaved = spool != null && write(() -> spool.append(entry.line, 4L * options.queueBytes));
    // There is room again: what failed a moment ago need not fail now.
    if (isSaved && isFull) lastFailedSave = System.nanoTime() - TICK_MS * 1_000_000;
    isFull = !isSaved;
    boolean isCrowded = bytes > Math.max(options.queueBytes, lastKept * GROWN);
    boolean isChanged = isCrowded && makeRoom();
    boolean isMended = isSaved
        && (isBehind || spool.size > Math.max(2L * options.queueBytes, bytes * GROWN));
    if (spool != null && (isChanged || isMended)) saveAll();
    if (entry.kind != Kind.OUTPUT || queue.size() >= BATCH_EVENTS) urgent = true;
    notifyAll();
  }

  /**
   * Drops the oldest output, then beginnings, with a notice for each step. Where twice too much is
   * left, notices go without one, and then ends. Says whether anything was dropped.
   */
  private boolean makeRoom() {
    long before = bytes;
    for (Kind kind : List.of(Kind.OUTPUT, Kind.BEGINNING)) {
      if (bytes > options.queueBytes) merge(kind);
    }
    for (Kind kind : List.of(Kind.BEGINNING, Kind.ENDING)) {
      if (bytes > 2L * options.queueBytes) drop(kind);
    }
    lastKept = bytes;
    return bytes != before;
  }

  /** What a step reported becomes one notice, where the oldest of it was. */
  private void merge(Kind most) {
    Map<List<Object>, Integer> places = new HashMap<>();
    replace(most, options.queueBytes, (kept, entry) -> {
      Integer place = places.putIfAbsent(entry.whose(), kept.size());
      Entry old = place == null ? entry : kept.get(place);
      Entry notice = old.notice(place == null ? 0 : entry.stands);
      if (place != null) {
        kept.set(place, notice);
        bytes -= entry.size();
      } else if (notice.size() < old.size()) {
        kept.add(notice);
      } else {
        kept.add(old); // it says more, until another one joins it
        return;
      }
      bytes += notice.size() - old.size();
    });
  }

  private void drop(Kind most) {
    int before = queue.size();
    replace(most, 2L * options.queueBytes, (kept, entry) -> bytes -= entry.size());
    int dropped = before - queue.size();
    String what = most == Kind.ENDING ? " ends of steps" : " events without a notice";
    if (dropped > 0) complain(dropped + what + " were dropped: the queue holds nothing else");
  }

  /** Gives the oldest that may be dropped to `instead`, until much less than this is left. */
  private void replace(Kind most, long mostBytes, BiConsumer<List<Entry>, Entry> instead) {
    List<Entry> kept = new ArrayList<>(queue.size());
    int index = 0;
    for (Entry entry : queue) {
      // The newest stays: what is printed last says most about a failure.
      boolean isNewest = index == queue.size() - 1;
      boolean isEnough = bytes <= mostBytes * KEPT_SHARE;
      boolean isKept = index < inFlight || isEnough || isNewest || entry.kind.compareTo(most) > 0;
      index++;
      if (isKept) kept.add(entry);
      else instead.accept(kept, entry);
    }
    queue = new ArrayDeque<>(kept);
  }

  // What is delivered, by the one thread that speaks to the server.

  private void deliver() {
    for (;;) {
      try {
        List<Entry> batch = take();
        if (batch == null) return;
        if (!batch.isEmpty()) deliver(batch);
      } catch (InterruptedException e) {
        if (isGivenUp()) return;
      } catch (RuntimeException | Error e) {
        // Whatever it is, it must not end this thread.
        trouble("reporting failed: " + e);
        failures++;
        waitAfterFailure();
      }
    }
  }

  private void deliver(List<Entry> batch) throws InterruptedException {
    Answer answer = send(batch);
    int size = batch.stream().mapToInt(Entry::size).sum();
    if (answer.isDone) {
      remove(batch.size());
      mostEvents = BATCH_EVENTS;
      mostBytes = Math.min(takenBytes, mostBytes + MORE_BATCH_BYTES);
      failures = 0;
      refusals = 0;
    } else if (answer.isRefused && batch.size() > 1) {
      // Too much at once, or one of them is to blame: which?
      mostEvents = Math.max(1, batch.size() / 2);
      if (answer.status == 413) {
        takenBytes = Math.max(LEAST_BATCH_BYTES, Math.min(mostBytes, size) / 2);
        mostBytes = takenBytes;
      }
    } else if (answer.isRefused) {
      if (answer.status == 413 && shorten()) return;
      complain("an event was dropped: " + answer.problem);
      remove(1);
    } else {
      remove(Math.min(answer.taken, batch.size()));
      // Too much for a slow link, perhaps: the same would be too slow again. One event always goes.
      if (answer.isLate) mostBytes = Math.min(mostBytes, size / 2);
      failures++;
      boolean isAuth = answer.status == 401 || answer.status == 403;
      if (isAuth && readToken()) return;
      refusals = answer.isForeign ? refusals + 1 : 0;
      if (answer.isForeign && batch.size() > 1) {
        mostEvents = Math.max(1, batch.size() / 2); // what does it refuse?
      } else if (refusals >= patience && isPastRefusal(batch.get(0))) {
        failures = 0;
        refusals = 0;
        return;
      }
      pause(failures, answer.retryAfterMs);
    }
  }

  /** Where others get through, and the event does not. */
  private boolean isPastRefusal(Entry entry) throws InterruptedException {
    if (entry.isMutation || !send(List.of()).isDone) return false;
    Answer again = send(List.of(entry));
    if (again.isDone) remove(1); // it was about the moment
    return again.isDone || (again.isForeign && setAside(entry, again.problem));
  }

  /**
   * Where the event gets through without its texts, these are what a proxy before the server refuses.
   * Says whether that is so.
   */
  private boolean setAside(Entry entry, String problem) throws InterruptedException {
    Map<String, Object> event = Json.object(Json.read(text(entry.line)));
    Map<String, Object> left = new LinkedHashMap<>();
    for (String name : List.of("taskId", "host", "step", "attempt", "writer", "sequence", "at", "status",
        "stream", "level", "exitCode", "durationMs")) {
      if (event.get(name) != null) left.put(name, event.get(name));
    }
    left.put("eventId", event.get("eventId") + "-refused");
    if (event.get("progress") instanceof Map) {
      Map<String, Object> progress = Json.object(event.get("progress"));
      left.put("progress", said("done", progress.get("done"), "total", progress.get("total")));
    }
    if (event.get("error") != null) left.put("error", said("message", REFUSED));
    else left.put("message", REFUSED);
    if (event.get("status") == null) left.put("level", "WARN");
    if (!send(List.of(new Entry(left))).isDone) return false;
    patience = 1; // it is known now
    complain("an event was set aside, which a proxy before the server refuses (" + problem + "): it is "
        + keepRefused(entry.line));
    remove(1);
    return true;
  }

  private String keepRefused(byte[] line) {
    if (options.spool == null) return "lost: there is no spool directory";
    Path path = options.spool.resolve("refused.ndjson");
    Set<OpenOption> how = Set.of(StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    try (FileChannel file = FileChannel.open(path, how, onlyOurs(path))) {
      if (file.size() > REFUSED_BYTES) return "lost: " + path + " is full";
      ByteBuffer data = ByteBuffer.allocate(line.length + 1).put(line).put((byte) '\n').flip();
      while (data.hasRemaining()) file.write(data);
      return "kept in " + path;
    } catch (IOException e) {
      return "lost: " + e;
    }
  }

  private synchronized boolean isGivenUp() {
    return givenUp;
  }

  /** As pause, without what may have failed. */
  private synchronized void waitAfterFailure() {
    try {
      if (!givenUp) wait(TICK_MS);
    } catch (InterruptedException e) {
      // It was to end, or goes on now.
    }
  }

  /** The next batch, empty where there is none yet, null at the end. It stays in the queue. */
  private synchronized List<Entry> take() throws InterruptedException {
    if (givenUp || (closing && queue.isEmpty())) return null;
    if (queue.isEmpty()) wait(TICK_MS);
    long until = System.nanoTime() + LINGER_MS * 1_000_000;
    while (!queue.isEmpty() && !urgent && !closing) {
      long left = (until - System.nanoTime()) / 1_000_000;
      if (left <= 0) break;
      wait(left);
    }
    tick();
    List<Entry> batch = new ArrayList<>();
    int size = 0;
    for (Entry entry : queue) {
      size += entry.size();
      boolean isFull = batch.size() >= mostEvents || size > mostBytes;
      if (!batch.isEmpty() && (isFull || entry.isMutation || batch.get(0).isMutation)) break;
      batch.add(entry);
    }
    urgent = batch.size() < queue.size();
    // Of what had no answer in time less is sent now: all of it may be stored, and a notice with an
    // id of it would count as the same event.
    inFlight = Math.max(inFlight, batch.size());
    return batch;
  }

  private synchronized void remove(int count) {
    for (int i = 0; i < count; i++) bytes -= queue.removeFirst().size();
    inFlight = Math.max(0, inFlight - count);
    lastKept = Math.min(lastKept, bytes);
    if (!queue.isEmpty()) return;
    if (spool != null && write(spool::empty)) allSaved();
    notifyAll();
  }

  /** One event that is too large by itself: its texts are cut. False: they are short. */
  private synchronized boolean shorten() {
    Entry old = queue.getFirst();
    if (old.isMutation) return false;
    Map<String, Object> event = Json.object(Json.read(text(old.line)));
    event.remove("params");
    if (event.get("message") instanceof String) {
      int length = ((String) event.get("message")).length();
      if (length > SHORT_TEXT) {
        event.put("message", "[shiplog] a line of " + length
            + " characters was left out here: it is too large for the server");
        event.put("level", "WARN");
      }
    }
    if (event.get("command") instanceof String) {
      event.put("command", cleaned((String) event.get("command"), SHORT_TEXT));
    }
    if (event.get("error") instanceof Map) {
      Map<String, Object> error = Json.object(event.get("error"));
      error.put("message", cleaned(String.valueOf(error.get("message")), SHORT_TEXT));
    }
    Entry shorter = new Entry(event);
    if (shorter.size() >= old.size()) return false;
    bytes += shorter.size() - old.size();
    queue.removeFirst();
    queue.addFirst(shorter);
    return true;
  }

  private Answer send(List<Entry> batch) throws InterruptedException {
    boolean isMutation = !batch.isEmpty() && batch.get(0).isMutation;
    ByteBuffer body = ByteBuffer.allocate(batch.stream().mapToInt(Entry::size).sum());
    for (Entry entry : batch) body.put(entry.line).put((byte) '\n');
    CompletableFuture<HttpResponse<Void>> call = null;
    try {
      if (http == null) {
        http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(CALL_TIMEOUT)
            .build();
      }
      HttpRequest.Builder request = HttpRequest
          .newBuilder(URI.create(options.url + (isMutation ? "/graphql" : "/v1/events")))
          .timeout(CALL_TIMEOUT)
          .header("content-type", isMutation ? "application/json" : "application/x-ndjson")
          .header("accept", "application/graphql-response+json, application/json")
          .POST(HttpRequest.BodyPublishers.ofByteArray(body.array()));
      String shown = shownToken();
      if (shown != null && !shown.isEmpty()) request.header("authorization", "Bearer " + shown);
      ByteArrayOutputStream content = new ByteArrayOutputStream();
      call = http.sendAsync(request.build(), HttpResponse.BodyHandlers.ofByteArrayConsumer(
          part -> part.ifPresent(data -> {
            if (content.size() + data.length <= MOST_ANSWER_BYTES) content.writeBytes(data);
          })));
      // The request's own time ends with the answer's headers.
      HttpResponse<Void> response = call.get(CALL_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
      return read(response, isMutation, text(content.toByteArray()));
    } catch (ExecutionException | TimeoutException | RuntimeException e) {
      Throwable why = e instanceof ExecutionException ? e.getCause() : e;
      trouble("no answer from " + options.url + ": " + why);
      Answer none = new Answer(0, String.valueOf(why));
      boolean isConnected = !(why instanceof HttpConnectTimeoutException);
      none.isLate = isConnected && (why instanceof HttpTimeoutException || why instanceof TimeoutException);
      return none;
    } finally {
      if (call != null) call.cancel(true);
    }
  }

  private synchronized Answer read(HttpResponse<Void> response, boolean isMutation, String content) {
    long staleMs = response.headers().firstValue("shiplog-stale-after-ms").map(Shiplog::number).orElse(0L);
    if (staleMs > 0) staleAfterMs = staleMs;
    Answer answer = new Answer(response.statusCode(), "");
    long seconds = response.headers().firstValue("retry-after").map(Shiplog::number).orElse(0L);
    answer.retryAfterMs = Math.min(LONGEST_ASKED_MS, seconds * 1_000);
    for (String rejection : answer.read(isMutation, content)) {
      complain("an event was rejected: " + rejection);
    }
    if (answer.isDone) troubled = false;
    else if (!answer.isRefused) trouble(options.url + " answered " + answer.problem);
    return answer;
  }

  /**
   * Between two tries: longer each time, as long as the server asks for, and not all agents at once.
   */
  private synchronized void pause(int failures, long askedMs) throws InterruptedException {
    long own = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS << Math.min(failures - 1, 10));
    own = askedMs + own / 2 + ThreadLocalRandom.current().nextLong(own / 2 + 1);
    long began = System.nanoTime();
    while (!givenUp) {
      long most = waiting > 0 ? Math.min(own, LONGEST_LAST_PAUSE_MS) : own;
      long left = most - millisSince(began);
      if (left <= 0) return;
      wait(Math.min(left, TICK_MS));
      tick();
    }
  }

  private void tick() {
    saySignsOfLife();
    if (options.spool == null || closing) return;
    if (isBehind) saveAll();
  }

  /** A silent step is shown as stale after a while: RUNNING is repeated some times before. */
  private void saySignsOfLife() {
    for (Step step : List.copyOf(running)) {
      double share = (1 - step.chance / 4) / SIGNS_BEFORE_STALE;
      long afterMs = Math.max(LEAST_SIGN_MS, (long) (staleAfterMs * share));
      if (millisSince(step.lastEvent) < afterMs) continue;
      step.chance = ThreadLocalRandom.current().nextDouble();
      report(step, said("status", "RUNNING", "level", "TRACE", "durationMs", millisSince(step.began)));
    }
  }

  private synchronized String shownToken() {
    return token;
  }

  /** Whether the token's file holds another token than the one that was shown. */
  private boolean readToken() {
    if (options.tokenFile == null) return false;
    String read;
    try (InputStream file = Files.newInputStream(options.tokenFile)) {
      read = text(file.readNBytes(MOST_TOKEN_BYTES)).trim();
    } catch (IOException | RuntimeException e) {
      trouble("token file: " + e);
      return false;
    }
    // An error about a header would show it.
    if (!isToken(read)) {
      trouble("token file: what " + options.tokenFile + " holds is no token");
      return false;
    }
    synchronized (this) {
      boolean isNew = !read.equals(token);
      token = read;
      return isNew;
    }
  }

  private static boolean isToken(String text) {
    return text.chars().allMatch(c -> c > ' ' && c <= '~');
  }

  private synchronized void complain(String text) {
    complaints++;
    if (complaints > MOST_COMPLAINTS) return;
    boolean isLast = complaints == MOST_COMPLAINTS;
    tell(isLast ? text + " (further complaints are not shown)" : text);
  }

  /** What lasts is said once, and again after it was over. */
  private synchronized void trouble(String text) {
    if (troubled || givenUp) return;
    troubled = true;
    tell(text + "; reporting goes on when it is over");
  }

  /** It is others' code, and may be called in the middle of a deployment's call. */
  private void tell(String text) {
    try {
      options.complain.accept(cleaned(text, COMPLAINT_CHARACTERS).replaceAll("\\p{Cntrl}+", " "));
    } catch (RuntimeException | Error e) {
      // There is nobody else to tell.
    }
  }

  // The spool.

  private interface Write {
    void run() throws IOException;
  }

  /** False: it failed. The file is made whole as soon as that is possible. */
  private boolean write(Write write) {
    boolean isInterrupted = Thread.interrupted(); // it would close the file
    try {
      write.run();
      return true;
    } catch (IOException | RuntimeException e) {
      isBehind = true;
      // Each delivery may make a little room, so it comes and goes.
      if (System.nanoTime() - spoolSilentUntil >= 0) {
        spoolSilentUntil = System.nanoTime() + SPOOL_WORD_EVERY_MS * 1_000_000;
        tell("spool: " + e + "; until it is over, an agent that is killed loses what is not delivered");
      }
      return false;
    } finally {
      if (isInterrupted) Thread.currentThread().interrupt();
    }
  }

  /** Writes the file anew from the queue; after a failure not at once again, for it takes long. */
  private void saveAll() {
    if (isBehind && millisSince(lastFailedSave) < TICK_MS) return;
    if (spool == null ? write(this::openSpool) : write(() -> spool.rewrite(queue))) allSaved();
    else lastFailedSave = System.nanoTime();
  }

  /** The file has what the queue has: nobody needs those that were adopted. */
  private void allSaved() {
    isBehind = false;
    for (Orphan orphan : orphans) orphan.remove();
    orphans.clear();
  }

  private void closeSpool() {
    if (isBehind && write(() -> spool.rewrite(queue))) allSaved();
    for (Orphan orphan : orphans) orphan.leave();
    orphans.clear();
    spool.close(queue.isEmpty());
    spool = null;
  }

  /** Opens a file of our own, and takes over those whose process is gone. */
  private void openSpool() throws IOException {
    Path directory = options.spool;
    boolean isPosix = directory.getFileSystem().supportedFileAttributeViews().contains("posix");
    FileAttribute<?>[] ours = isPosix
        ? new FileAttribute<?>[] {
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"))}
        : new FileAttribute<?>[0];
    // Where a link leads to it, older versions of Java find that it is none.
    if (!Files.isDirectory(directory)) Files.createDirectories(directory, ours);
    List<Path> others = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "java-*.ndjson")) {
      files.forEach(others::add);
    }
    spool = new Spool(directory.resolve("java-" + writer + ".ndjson"));
    for (Path other : others) {
      if (!Files.isRegularFile(other, LinkOption.NOFOLLOW_LINKS)) continue;
      try {
        adopt(new Orphan(other));
      } catch (IOException e) {
        // Its agent lives, or another one was faster.
      }
    }
    if (isBehind) spool.rewrite(queue);
  }

  /** Its file stays, and is locked, until all of it is elsewhere. */
  private void adopt(Orphan orphan) {
    try {
      orphan.read(Math.min(MOST_LINE_BYTES, options.queueBytes), line -> {
        try {
          add(new Entry(Json.object(Json.read(text(line)))));
        } catch (RuntimeException e) {
          // A torn line.
        }
      });
      orphans.add(orphan);
    } catch (NoSuchFileException e) {
      orphan.remove(); // another agent was faster
    } catch (IOException e) {
      complain("spool: " + e);
      orphan.leave();
    }
  }

  /** What an agent left that is gone. */
  private static final class Orphan {
    private final Path path;
    private final Lock lock;

    Orphan(Path path) throws IOException {
      this.path = path;
      lock = new Lock(path);
    }

    /** Longer lines are passed over: their neighbours would have to give way to them. */
    void read(int mostBytes, Consumer<byte[]> take) throws IOException {
      try (InputStream file = new BufferedInputStream(Files.newInputStream(path))) {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        boolean isTooLong = false;
        for (int next = file.read(); next >= 0; next = file.read()) {
          if (next != '\n') {
            isTooLong = isTooLong || line.size() >= mostBytes;
            if (!isTooLong) line.write(next);
            continue;
          }
          if (!isTooLong && line.size() > 0) take.accept(line.toByteArray());
          isTooLong = false;
          line.reset();
        }
        if (!isTooLong && line.size() > 0) take.accept(line.toByteArray());
      }
    }

    void remove() {
      try {
        Files.deleteIfExists(path);
        Files.deleteIfExists(unfinished(path));
        lock.remove();
      } catch (IOException e) {
        // The next agent sends it again, which counts once.
      }
      leave();
    }

    void leave() {
      try {
        lock.close();
      } catch (IOException e) {
        // It ends with this process.
      }
    }
  }

  /** What gives way first when the queue is full. */
  private enum Kind { OUTPUT, BEGINNING, ENDING }

  /** Something in the queue: a line of the spool file and of a request. */
  private static final class Entry {
    private static final Pattern NOTICE = Pattern.compile("\\[shiplog\\] ([0-9]{1,9}) " + DROPPED);
    private static final List<String> WHOSE = List.of("taskId", "host", "step", "attempt", "writer");

    final byte[] line;
    final Kind kind;
    final boolean isMutation;
    final int stands; // so many events it stands for
    private final Map<String, Object> about; // whom a notice in its place is about

    Entry(Map<String, Object> said) {
      this(said, standsFor(said.get("message")));
    }

    /** A notice of an agent before says for how many. */
    private static int standsFor(Object message) {
      Matcher notice = NOTICE.matcher(String.valueOf(message));
      return notice.matches() ? Integer.parseInt(notice.group(1)) : 1;
    }

    private Entry(Map<String, Object> said, int stands) {
      line = Json.write(said).getBytes(StandardCharsets.UTF_8);
      isMutation = said.containsKey("query");
      this.stands = stands;
      Object status = said.get("status");
      if (isMutation) kind = Kind.ENDING;
      else if (status == null || "TRACE".equals(said.get("level"))) kind = Kind.OUTPUT;
      else kind = "RUNNING".equals(status) ? Kind.BEGINNING : Kind.ENDING;
      about = new LinkedHashMap<>();
      if (kind == Kind.ENDING) return;
      for (String name : WHOSE) about.put(name, said.get(name));
      for (String name : List.of("eventId", "sequence", "at")) about.put(name, said.get(name));
    }

    int size() {
      return line.length + 1;
    }

    /** It has the place and the number of the first event that it stands for. */
    Entry notice(int more) {
      Map<String, Object> said = new LinkedHashMap<>(about);
      said.put("level", "WARN");
      said.put("message", "[shiplog] " + (stands + more) + " " + DROPPED);
      return new Entry(said, stands + more);
    }

    /** The same for all that one step reported. */
    List<Object> whose() {
      return WHOSE.stream().map(about::get).collect(Collectors.toList());
    }
  }

  /** What the server said, and what follows from it. */
  private static final class Answer {
    private static final List<Integer> REFUSALS = List.of(400, 415, 422);
    // About the moment or the size, whoever says them.
    private static final List<Integer> NO_PAGES = List.of(401, 407, 408, 413, 429);

    final int status;
    String problem;
    long retryAfterMs;
    int taken;
    boolean isDone; // whatever became of each, it need not be sent again
    boolean isLate; // there was none in time
    boolean isRefused; // a mistake in the request, and not in the address or the moment
    boolean isForeign; // a page of something before the server, which may be about the content

    Answer(int status, String problem) {
      this.status = status;
      this.problem = (status + " " + problem).trim();
      isRefused = status == 413; // whoever says so, smaller requests may pass
      isForeign = status > 0 && status < 500 && !NO_PAGES.contains(status);
    }

    /** Returns what was rejected. */
    List<String> read(boolean isMutation, String content) {
      List<String> rejections = new ArrayList<>();
      try {
        Map<String, Object> said = Json.object(Json.read(content));
        Object error = said.get("error");
        if (said.get("errors") instanceof List && !((List<?>) said.get("errors")).isEmpty()) {
          error = ((List<?>) said.get("errors")).get(0);
        }
        if (error != null) problem += ": " + Json.object(error).get("message");
        // What stands before the server may have answered: with a 200, too, or with a 400 that is
        // about a certificate.
        isForeign = isForeign && !hasCode(error);
        isRefused = isRefused || (REFUSALS.contains(status) && hasCode(error));
        boolean isOurs = isMutation ? isTask(said.get("data")) : said.get("stored") instanceof Number;
        if (isOurs && said.get("taken") instanceof Number) {
          taken = (int) Math.max(0, ((Number) said.get("taken")).doubleValue());
        }
        Object results = said.get("results");
        if (results instanceof List) {
          for (Object result : (List<?>) results) {
            Object why = Json.object(result).get("error");
            if (why == null) continue;
            rejections.add(Json.object(why).get("code") + ": " + Json.object(why).get("message"));
          }
        }
        isDone = isOurs && ((status == 200 && error == null) || (status == 422 && results != null));
        boolean isNoWord = !isDone && !isRefused && error == null;
        if (isNoWord && (status == 200 || REFUSALS.contains(status))) {
          problem += ", but not as Shiplog does";
        }
      } catch (IllegalArgumentException e) {
        problem += ", but not as Shiplog does";
      }
      return rejections;
    }

    /** As Shiplog's errors have: in an answer of GraphQL, among the extensions. */
    private static boolean hasCode(Object error) {
      if (error == null) return false;
      Map<String, Object> said = Json.object(error);
      Object code = said.get("code");
      if (said.get("extensions") instanceof Map) code = Json.object(said.get("extensions")).get("code");
      return code instanceof String && ((String) code).matches("[A-Z_]+");
    }

    private static boolean isTask(Object data) {
      if (!(data instanceof Map)) return false;
      return ((Map<?, ?>) data).get("startTask") != null || ((Map<?, ?>) data).get("finishTask") != null;
    }
  }

  /**
   * The same events as the queue, one JSON object a line, for the time after a crash. What is in it
   * is with the operating system when a call returns. A torn last line is skipped.
   */
  private static final class Spool {
    private final Path path;
    private final Lock lock; // held as long as the process lives
    private FileChannel file;
    private boolean isTorn;
    long size;

    Spool(Path path) throws IOException {
      this.path = path;
      lock = new Lock(path);
      try {
        rewrite(List.of());
      } catch (IOException | RuntimeException e) {
        lock.close();
        throw e;
      }
    }

    void append(byte[] line, long mostBytes) throws IOException {
      if (size > mostBytes) throw new IOException(path + " is full, and cannot be written anew");
      ByteBuffer data = ByteBuffer.allocate(line.length + 2);
      if (isTorn) data.put((byte) '\n');
      data.put(line).put((byte) '\n').flip();
      isTorn = true;
      while (data.hasRemaining()) size += file.write(data);
      isTorn = false;
    }

    void empty() throws IOException {
      if (size == 0) return;
      file.truncate(0);
      size = 0;
      isTorn = false;
    }

    /** Leaves the old file as it is where the new one cannot be written. */
    void rewrite(Collection<Entry> queue) throws IOException {
      Path temporary = unfinished(path);
      Files.deleteIfExists(temporary);
      FileChannel next = FileChannel.open(temporary,
          Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.APPEND), onlyOurs(path));
      FileChannel old = next;
      try {
        OutputStream out = new BufferedOutputStream(Channels.newOutputStream(next), 64 * 1024);
        for (Entry entry : queue) {
          out.write(entry.line);
          out.write('\n');
        }
        out.flush();
        long written = next.size();
        Files.move(temporary, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        old = file;
        file = next;
        size = written;
        isTorn = false;
      } finally {
        if (old != null) old.close();
        if (old == next) Files.deleteIfExists(temporary);
      }
    }

    void close(boolean isEmpty) {
      try {
        file.close();
        if (isEmpty) {
          Files.delete(path);
          lock.remove();
        }
      } catch (IOException e) {
        // The next agent finds it.
      }
      try {
        lock.close();
      } catch (IOException e) {
        // It ends with this process.
      }
    }
  }

  private static Path unfinished(Path spool) {
    return spool.resolveSibling(spool.getFileName() + ".new");
  }

  /** Says that the process of a spool file lives. */
  private static final class Lock implements AutoCloseable {
    // Where a process closes a file, its locks on it are gone, whichever channel they came from:
    // what another client in this process holds must not even be opened.
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private final Path path;
    private final FileChannel channel;

    /** Throws IOException where somebody else has it. */
    Lock(Path spool) throws IOException {
      path = spool.toAbsolutePath().resolveSibling(spool.getFileName() + ".lock");
      if (!HELD.add(path)) throw new IOException(path + " is held by this process");
      FileChannel opened = null;
      FileLock lock = null;
      try {
        Set<OpenOption> how = Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        opened = FileChannel.open(path, how, onlyOurs(path));
        lock = opened.tryLock();
        if (lock == null) throw new IOException(path + " is held by another process");
      } catch (OverlappingFileLockException e) {
        throw new IOException(path + " is held by this process", e);
      } finally {
        if (lock == null) HELD.remove(path);
        if (lock == null && opened != null) opened.close();
      }
      channel = opened;
    }

    void remove() throws IOException {
      Files.deleteIfExists(path);
    }

    @Override
    public void close() throws IOException {
      HELD.remove(path);
      channel.close();
    }
  }

  private static FileAttribute<?>[] onlyOurs(Path path) {
    if (!path.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      return new FileAttribute<?>[0];
    }
    return new FileAttribute<?>[] {
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))};
  }

  /** As much of JSON as is needed here. */
  private static final class Json {
    private static final int DEEPEST = 64;
    private static final Pattern NUMBER =
        Pattern.compile("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]{1,3})?");

    private final String text;
    private int at;
    private int depth;

    private Json(String text) {
      this.text = text;
    }

    /** Maps, lists, texts, numbers, booleans, null; IllegalArgumentException where it is no JSON. */
    static Object read(String text) {
      Json json = new Json(text);
      try {
        Object value = json.value();
        if (json.peek() != 0) throw json.wrong();
        return value;
      } catch (IndexOutOfBoundsException e) {
        throw json.wrong();
      }
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> object(Object value) {
      if (value instanceof Map) return (Map<String, Object>) value;
      throw new IllegalArgumentException("not an object");
    }

    static String write(Object value) {
      StringBuilder out = new StringBuilder();
      write(value, out, 0);
      return out.toString();
    }

    private static void write(Object value, StringBuilder out, int depth) {
      if (depth > DEEPEST) throw new IllegalArgumentException("nested too deep");
      if (value instanceof Map) {
        String before = "{";
        for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
          if (entry.getValue() == null) continue; // the same as absent
          out.append(before);
          quote(String.valueOf(entry.getKey()), out);
          write(entry.getValue(), out.append(':'), depth + 1);
          before = ",";
        }
        out.append(before.equals("{") ? "{}" : "}");
      } else if (value instanceof Iterable) {
        String before = "[";
        for (Object item : (Iterable<?>) value) {
          write(item, out.append(before), depth + 1);
          before = ",";
        }
        out.append(before.equals("[") ? "[]" : "]");
      } else if (value instanceof Number && NUMBER.matcher(value.toString()).matches()) {
        out.append(value);
      } else if (value instanceof Boolean || value == null) {
        out.append(value);
      } else {
        quote(String.valueOf(value), out);
      }
    }

    private static void quote(String any, StringBuilder out) {
      String text = whole(any);
      out.append('"');
      for (int i = 0; i < text.length(); i++) {
        char c = text.charAt(i);
        if (c == '"' || c == '\\') out.append('\\').append(c);
        else if (c < ' ') out.append(String.format("\\u%04x", (int) c));
        else out.append(c);
      }
      out.append('"');
    }

    private Object value() {
      switch (peek()) {
        case '{':
        case '[':
          if (++depth > DEEPEST + 8) throw wrong();
          Object nested = text.charAt(at) == '{' ? map() : list();
          depth--;
          return nested;
        case '"':
          return string();
        default:
          return word();
      }
    }

    private Map<String, Object> map() {
      Map<String, Object> map = new LinkedHashMap<>();
      at++;
      for (boolean isFirst = true; peek() != '}'; isFirst = false) {
        if (!isFirst) expect(',');
        peek();
        String name = string();
        expect(':');
        map.put(name, value());
      }
      at++;
      return map;
    }

    private List<Object> list() {
      List<Object> list = new ArrayList<>();
      at++;
      for (boolean isFirst = true; peek() != ']'; isFirst = false) {
        if (!isFirst) expect(',');
        list.add(value());
      }
      at++;
      return list;
    }

    private String string() {
      StringBuilder out = new StringBuilder();
      if (text.charAt(at++) != '"') throw wrong();
      for (char c = text.charAt(at++); c != '"'; c = text.charAt(at++)) {
        if (c != '\\') {
          out.append(c);
          continue;
        }
        char escaped = text.charAt(at++);
        int plain = "nrtbf".indexOf(escaped);
        if (escaped == 'u') {
          out.append((char) Integer.parseInt(text.substring(at, at + 4), 16));
          at += 4;
        } else {
          out.append(plain < 0 ? escaped : "\n\r\t\b\f".charAt(plain));
        }
      }
      return out.toString();
    }

    private Object word() {
      int from = at;
      while (at < text.length() && ",]} \t\r\n".indexOf(text.charAt(at)) < 0) at++;
      String word = text.substring(from, at);
      if (word.equals("null")) return null;
      if (word.equals("true") || word.equals("false")) return word.equals("true");
      return new java.math.BigDecimal(word);
    }

    /** The next character that is no space; 0 at the end. */
    private char peek() {
      while (at < text.length() && text.charAt(at) <= ' ') at++;
      return at < text.length() ? text.charAt(at) : 0;
    }

    private void expect(char wanted) {
      if (peek() != wanted) throw wrong();
      at++;
    }

    private IllegalArgumentException wrong() {
      return new IllegalArgumentException("no JSON at character " + at);
    }
  }

  /** Names and values by turns; null is left out. */
  private static Map<String, Object> said(Object... namesAndValues) {
    Map<String, Object> said = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      if (namesAndValues[i + 1] != null) said.put((String) namesAndValues[i], namesAndValues[i + 1]);
    }
    return said;
  }

  private static Map<String, Object> failure(String message, String code) {
    if (message == null) return null;
    return said("message", cleaned(message, COMMAND_CHARACTERS), "code", cleaned(code, 256));
  }

  /** Text as the server takes it: no NUL, no half characters, and not longer than it may be. */
  private static String cleaned(String text, int most) {
    if (text == null) return null;
    StringBuilder out = new StringBuilder(Math.min(text.length(), most));
    boolean isMarked = most > 4 * CUT_CHARACTERS;
    int kept = text.length() <= most ? text.length() : isMarked ? most - CUT_CHARACTERS : most;
    for (int i = 0; i < kept; i++) {
      char c = text.charAt(i);
      boolean isPair = Character.isHighSurrogate(c) && i + 1 < kept
          && Character.isLowSurrogate(text.charAt(i + 1));
      if (isPair) out.append(c).append(text.charAt(++i));
      else out.append(c == 0 || Character.isSurrogate(c) ? '\uFFFD' : c);
    }
    int cut = text.length() - kept;
    return cut == 0 || !isMarked ? out.toString() : out + "… [shiplog: " + cut + " characters were cut]";
  }

  /** The whole text, as the server takes it. */
  private static String whole(String text) {
    return cleaned(text, Integer.MAX_VALUE);
  }

  private static long number(String text) {
    return text.matches("[0-9]{1,15}") ? Long.parseLong(text) : 0;
  }

  private static String text(byte[] utf8) {
    return new String(utf8, StandardCharsets.UTF_8);
  }

  private static long millisSince(long nanos) {
    return (System.nanoTime() - nanos) / 1_000_000;
  }

  private static String now() {
    return Instant.now().truncatedTo(ChronoUnit.MILLIS).toString();
  }
}
