"""Reports what an agent does to Shiplog. One file without dependencies, to be copied into the agent.

No call waits for the network. A call writes its event to a file in the spool directory and to a
bounded queue; one thread delivers the queue in order and tries again until the server has it. Each
event has an id from the beginning, so what is sent twice counts once: after a lost answer, and
also when the agent was killed and the next one finds its file.

When the queue is full the oldest output gives way, and an event says in its place how much it
was. Ends of steps are kept.

    with shiplog.Client("http://localhost:4000", spool="/var/spool/agent") as client:
        step = client.task("2026-11-24-shop").host("web-1").step("download")
        step.running(command="curl -fO https://…/shop.tar.gz")
        step.line("100 %")
        step.succeeded()
"""

import fcntl
import glob
import http.client
import json
import os
import random
import sys
import threading
import time
import urllib.parse
import uuid
from collections import deque
from datetime import datetime, timezone
from itertools import islice

CALL_TIMEOUT = 5.0
LINGER = 0.1  # lines that come close together go in one request
TICK = 1.0
BATCH_EVENTS = 500
BATCH_BYTES = 512 * 1024
LEAST_BATCH_BYTES = 4 * 1024
QUEUE_BYTES = 8 * 1024 * 1024
KEPT_SHARE = 0.75  # dropping down to this share of the queue makes it rare
LINE_CHARACTERS = 32_768  # the server's limit of 65,536 counts some characters twice
COMMAND_CHARACTERS = 16_384
SHORT_TEXT = 500
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 10.0
LONGEST_ASKED = 60.0
LONGEST_LAST_PAUSE = 0.5  # between two tries while somebody waits in flush
STALE_AFTER = 300.0
SIGNS_BEFORE_STALE = 3
LEAST_SIGN = 1.0
PROGRESS_EVERY = 0.25
MOST_COMPLAINTS = 20
MOST_ANSWER_BYTES = 4 * 1024 * 1024

STDOUT = "STDOUT"
STDERR = "STDERR"

# What gives way first when the queue is full.
OUTPUT, BEGINNING, ENDING = range(3)

START_TASK = "mutation ($input: StartTaskInput!) { startTask(input: $input) { task { id } } }"
FINISH_TASK = "mutation ($input: FinishTaskInput!) { finishTask(input: $input) { task { id } } }"
DROPPED = "events of output were dropped here: they could not be delivered in time"


class Client:
    """Delivers events in the background. Its methods may be called by any thread.

    url         of the server, such as https://shiplog.example.org
    token       to show; token_file is read at the start, and again when its token is refused
    spool       a directory for what is not delivered yet; agents may share it. None: what is not
                delivered when the agent is killed is lost
    queue_bytes bounds what waits in memory, and half of what its file takes
    source      who reports, such as "agent/1.4.2"
    complain    is told what went wrong with reporting; default: a line on stderr

    Raises ValueError or OSError for a wrong url or directory; a server that is away is no error.
    """

    def __init__(self, url, token=None, token_file=None, spool=None, queue_bytes=QUEUE_BYTES,
                 source=None, complain=None):
        self._address = urllib.parse.urlsplit(url.rstrip("/"))
        if self._address.scheme not in ("http", "https") or not self._address.hostname:
            raise ValueError(f"shiplog: url must begin with http:// or https://, not {url!r}")
        self._token = token
        self._token_file = token_file
        self._queue_bytes = queue_bytes
        self._source = source
        self._complain_to = complain or (lambda text: print("shiplog:", text, file=sys.stderr))
        self._writer = str(uuid.uuid4())
        self._connection = None
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._queue = deque()
        self._bytes = 0
        self._in_flight = 0  # so many from the first are being sent and must stay
        self._urgent = False
        self._closing = False
        self._given_up = False
        self._waiting = 0  # calls of flush
        self._sequences = {}
        self._events = 0
        self._running = set()
        self._stale_after = STALE_AFTER
        self._complaints = 0
        self._troubled = False  # the trouble that lasts was said
        self._spool = None
        self._read_token()
        if spool is not None:
            self._open_spool(spool)
        self._thread = threading.Thread(target=self._deliver, name="shiplog", daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def task(self, task_id):
        """A deployment, by the release system's id."""
        return Task(self, task_id)

    def flush(self, at_most):
        """Waits until all that was reported is delivered, at most so many seconds. Whether it is."""
        with self._lock:
            self._waiting += 1
            self._urgent = True
            self._changed.notify_all()
            try:
                return self._changed.wait_for(lambda: not self._queue, at_most)
            finally:
                self._waiting -= 1

    def close(self, at_most=5.0):
        """Waits for deliveries at most so many seconds, then stops. Returns how many events were
        not delivered: with a spool directory, the next agent delivers them."""
        with self._lock:
            self._closing = True
            self._running.clear()
            self._changed.notify_all()
        self.flush(at_most)
        with self._lock:
            self._given_up = True
            self._changed.notify_all()
        # A call that is under way ends by itself; it cannot do harm any more.
        self._thread.join(0.1)
        with self._lock:
            if self._spool is not None:
                self._spool.close(is_empty=not self._queue)
                self._spool = None
            return len(self._queue)

    # What is reported.

    def _report(self, step, said):
        with self._lock:
            key = (step.task_id, step.host)
            sequence = self._sequences[key] = self._sequences.get(key, 0) + 1
            self._events += 1
            event = {
                "taskId": step.task_id,
                "host": step.host,
                "step": step.name,
                "attempt": step.attempt,
                "eventId": f"{self._writer}-{self._events}",
                "writer": self._writer,
                "sequence": sequence,
                "at": _now(),
            }
            if self._source is not None:
                event["source"] = self._source
            event.update((name, value) for name, value in said.items() if value is not None)
            step.last_event = time.monotonic()
            try:
                entry = _Entry(event)
            except (TypeError, ValueError) as error:  # params that are no JSON
                event.pop("params", None)
                entry = _Entry(event)
                self._complain(f"params were left out: {error}")
            self._add(entry)

    def _mutate(self, query, said):
        given = {name: value for name, value in said.items() if value is not None}
        try:
            self._add(_Entry({"query": query, "variables": {"input": {**given, "at": _now()}}}))
        except (TypeError, ValueError) as error:
            self._complain(f"a task was not reported: {error}")

    def _add(self, entry):
        with self._lock:
            self._queue.append(entry)
            self._bytes += entry.size
            if self._spool is not None:
                self._try(lambda: self._spool.append(entry.line))
            if self._bytes > self._queue_bytes:
                self._make_room()
            elif self._spool is not None and self._spool.size > 2 * self._queue_bytes:
                self._try(lambda: self._spool.rewrite(self._queue))
            if entry.kind != OUTPUT or len(self._queue) >= BATCH_EVENTS:
                self._urgent = True
            self._changed.notify_all()

    def _make_room(self):
        """Drops the oldest output, then beginnings; ends only where they alone are twice too many."""
        for kind in (OUTPUT, BEGINNING):
            if self._bytes > self._queue_bytes:
                self._drop(kind)
        if self._bytes > 2 * self._queue_bytes:
            self._drop(ENDING)
        if self._spool is not None:
            self._try(lambda: self._spool.rewrite(self._queue))

    def _drop(self, kind):
        kept = []
        for index, entry in enumerate(self._queue):
            # The newest stays: what is printed last says most about a failure.
            is_newest = index == len(self._queue) - 1
            is_enough = self._bytes <= self._queue_bytes * KEPT_SHARE
            if index < self._in_flight or is_enough or entry.kind > kind or is_newest:
                kept.append(entry)
                continue
            self._bytes -= entry.size
            if entry.kind == ENDING:
                self._complain("an end of a step was dropped: the queue holds nothing else")
                continue
            notice = entry.notice()
            if len(kept) > self._in_flight and kept[-1].is_notice_for(entry):
                before = kept.pop()
                self._bytes -= before.size
                notice = before.notice(entry.stands)
            self._bytes += notice.size
            kept.append(notice)
        self._queue = deque(kept)

    # What is delivered, by the one thread that speaks to the server.

    def _deliver(self):
        most_events, most_bytes, failures = BATCH_EVENTS, BATCH_BYTES, 0
        while True:
            batch = self._take(most_events, most_bytes)
            if batch is None:
                break
            if not batch:
                continue
            try:
                answer = self._send(batch)
            except Exception as error:  # whatever it is: this thread must not end
                self._disconnect()
                self._trouble(f"no answer from {self._address.geturl()}: {error}")
                answer = _Answer(0, str(error))
            if answer.is_done:
                self._remove(len(batch))
                most_events, failures = BATCH_EVENTS, 0
            elif answer.is_refused and len(batch) > 1:
                # Too much at once, or one of them is to blame: which?
                most_events = max(1, len(batch) // 2)
                if answer.status == 413:
                    size = min(most_bytes, sum(entry.size for entry in batch))
                    most_bytes = max(LEAST_BATCH_BYTES, size // 2)
            elif answer.status == 413 and self._shorten():
                pass
            elif answer.is_refused:
                self._complain(f"an event was dropped: {answer.problem}")
                self._remove(1)
            else:
                self._remove(min(answer.taken, len(batch)))
                failures += 1
                if not (answer.status in (401, 403) and self._read_token()):
                    self._pause(failures, answer)
        self._disconnect()

    def _take(self, most_events, most_bytes):
        """The next batch, [] where there is none yet, None at the end. It stays in the queue until
        it is removed."""
        with self._lock:
            if self._given_up or (self._closing and not self._queue):
                return None
            if not self._queue:
                self._changed.wait(TICK)
            elif not self._urgent and not self._closing:
                self._changed.wait_for(lambda: self._urgent or self._closing, LINGER)
            self._say_signs_of_life()
            self._urgent = False
            batch, size = [], 0
            for entry in islice(self._queue, most_events):
                size += entry.size
                is_other = batch and (entry.is_mutation or batch[0].is_mutation)
                if batch and (size > most_bytes or is_other):
                    break
                batch.append(entry)
            self._urgent = self._urgent or len(batch) < len(self._queue)
            self._in_flight = len(batch)
            return batch

    def _remove(self, count):
        with self._lock:
            for _ in range(count):
                self._bytes -= self._queue.popleft().size
            # Of what had no answer nothing may be dropped.
            self._in_flight = max(0, self._in_flight - count)
            if not self._queue:
                if self._spool is not None:
                    self._try(self._spool.empty)
                self._changed.notify_all()

    def _shorten(self):
        """One event that is too large by itself: its texts are cut. False: they are short."""
        with self._lock:
            old = self._queue[0]
            if old.is_mutation:
                return False
            event = json.loads(old.line)
            event.pop("params", None)
            length = len(event.get("message", ""))
            if length > SHORT_TEXT:
                event["message"] = (f"[shiplog] a line of {length} characters was left out here: "
                                    "it is too large for the server")
                event["level"] = "WARN"
            if "command" in event:
                event["command"] = _cleaned(event["command"], SHORT_TEXT)
            if "error" in event:
                event["error"]["message"] = _cleaned(event["error"]["message"], SHORT_TEXT)
            shorter = _Entry(event)
            if shorter.size >= old.size:
                return False
            self._bytes += shorter.size - old.size
            self._queue[0] = shorter
            return True

    def _send(self, batch):
        is_mutation = batch[0].is_mutation
        headers = {
            "content-type": "application/json" if is_mutation else "application/x-ndjson",
            "accept": "application/graphql-response+json, application/json",
        }
        if self._token:
            headers["authorization"] = f"Bearer {self._token}"
        body = b"\n".join(entry.line for entry in batch) + b"\n"
        path = self._address.path + ("/graphql" if is_mutation else "/v1/events")
        response = self._post(path, body, headers)
        content = response.read(MOST_ANSWER_BYTES)
        if not response.isclosed():
            self._disconnect()
        stale_after_ms = response.getheader("shiplog-stale-after-ms", "")
        if stale_after_ms.isdigit() and int(stale_after_ms) > 0:
            self._stale_after = int(stale_after_ms) / 1000
        answer = _Answer(response.status, response.reason, response.getheader("retry-after", ""))
        answer.read(content)
        for error in answer.rejections:
            self._complain(f"an event was rejected: {error.get('code')}: {error.get('message')}")
        if answer.is_done:
            self._troubled = False
        elif not answer.is_refused:
            self._trouble(f"{self._address.geturl()} answered {answer.problem}")
        return answer

    def _post(self, path, body, headers):
        is_new = self._connection is None
        if is_new:
            kind = (http.client.HTTPSConnection if self._address.scheme == "https"
                    else http.client.HTTPConnection)
            self._connection = kind(self._address.hostname, self._address.port, timeout=CALL_TIMEOUT)
        try:
            self._connection.request("POST", path, body, headers)
            return self._connection.getresponse()
        except (ConnectionError, http.client.HTTPException):
            if is_new:
                raise
        # The server had closed a connection that was idle.
        self._disconnect()
        return self._post(path, body, headers)

    def _disconnect(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _pause(self, failures, answer):
        """Between two tries: longer each time, as long as the server asks for, and not all agents
        at once."""
        own = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(failures - 1, 10))
        own *= 0.5 + random.random() / 2
        if answer.retry_after > 0:
            own += min(LONGEST_ASKED, answer.retry_after)
        with self._lock:
            began = time.monotonic()
            while not self._given_up:
                most = min(own, LONGEST_LAST_PAUSE) if self._waiting else own
                left = began + most - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(min(left, TICK))
                self._say_signs_of_life()

    def _say_signs_of_life(self):
        """A silent step is shown as stale after a while: RUNNING is repeated some times before."""
        for step in list(self._running):
            share = (1 - step.chance / 4) / SIGNS_BEFORE_STALE
            if time.monotonic() - step.last_event >= max(LEAST_SIGN, self._stale_after * share):
                step.chance = random.random()
                self._report(step, {"status": "RUNNING", "level": "TRACE",
                                    "durationMs": step.duration_ms()})

    def _read_token(self):
        """Whether the token's file holds another token than the one that was shown."""
        if self._token_file is None:
            return False
        try:
            with open(self._token_file, encoding="utf-8") as file:
                token = file.read().strip()
        except OSError as error:
            self._trouble(str(error))
            return False
        is_new = token != self._token
        self._token = token
        return is_new

    def _complain(self, text):
        self._complaints += 1
        if self._complaints == MOST_COMPLAINTS:
            text += " (further complaints are not shown)"
        if self._complaints <= MOST_COMPLAINTS:
            self._complain_to(text)

    def _trouble(self, text):
        """What lasts is said once, and again after it was over."""
        if not self._troubled and not self._given_up:
            self._troubled = True
            self._complain_to(f"{text}; reporting goes on when it is over")

    def _try(self, write):
        try:
            write()
        except OSError as error:
            self._trouble(f"spool: {error}")

    def _open_spool(self, directory):
        """A file of our own; those whose process is gone are taken over."""
        os.makedirs(directory, mode=0o700, exist_ok=True)
        others = glob.glob(os.path.join(glob.escape(directory), "py-*.ndjson"))
        self._spool = _Spool(os.path.join(directory, f"py-{self._writer}.ndjson"))
        for other in sorted(others):
            try:
                lock = _lock_of(other)
            except OSError:
                continue  # its agent lives
            try:
                for entry in _entries_of(other):
                    self._add(entry)
                os.remove(other)
            except FileNotFoundError:
                pass  # another agent was faster
            os.remove(lock.name)
            lock.close()


class Task:
    """A deployment, by the release system's id."""

    def __init__(self, client, task_id):
        self._client = client
        self._id = task_id

    def start(self, service=None, version=None, environment=None, created_by=None, plan=None,
              hosts=None, labels=None):
        """Declares the task. A task that is not declared begins with its first event."""
        self._client._mutate(START_TASK, {
            "id": self._id, "service": service, "version": version, "environment": environment,
            "createdBy": created_by, "plan": plan, "hosts": hosts, "labels": labels})

    def finish(self, status=None, message=None):
        """Ends the task, after all that was reported before. Without a status (SUCCEEDED, PARTIAL,
        FAILED, CANCELLED) it follows from the hosts."""
        self._client._mutate(FINISH_TASK, {
            "id": self._id, "status": status, "message": _cleaned(message)})

    def host(self, name):
        """A host that the task deploys to."""
        return Host(self._client, self._id, name)


class Host:
    """A host that a task deploys to."""

    def __init__(self, client, task_id, name):
        self._client = client
        self._task_id = task_id
        self._name = name

    def step(self, name, attempt=1):
        """One attempt of a step; attempts count from 1."""
        return Step(self._client, self._task_id, self._name, name, attempt)


class Step:
    """One attempt of one step on one host."""

    def __init__(self, client, task_id, host, name, attempt):
        self._client = client
        self.task_id = task_id
        self.host = host
        self.name = name
        self.attempt = attempt
        self.last_event = 0.0
        self.chance = random.random()  # so that fleets do not speak at once
        self._began = time.monotonic()
        self._last_progress = float("-inf")

    def running(self, command=None, params=None):
        """It begins. From now on it is said to live while it is silent, until one of the ends."""
        self._began = time.monotonic()
        self._client._report(self, {
            "status": "RUNNING", "command": _cleaned(command, COMMAND_CHARACTERS), "params": params})
        with self._client._lock:
            self._client._running.add(self)

    def line(self, text, stream=None, level=None):
        """Output: a line, or several in one text."""
        for line in text.rstrip("\n").split("\n"):
            self._client._report(self, {
                "message": _cleaned(line.rstrip("\r")), "stream": stream, "level": level})

    def progress(self, done, total=None, unit=None):
        """How much is done. Of many in a short time some are left out."""
        is_too_soon = time.monotonic() - self._last_progress < PROGRESS_EVERY
        if is_too_soon and done != total:
            return
        self._last_progress = time.monotonic()
        progress = {"done": done, "total": total, "unit": unit}
        self._client._report(self, {
            "progress": {name: value for name, value in progress.items() if value is not None}})

    def succeeded(self):
        """It ends."""
        self._end({"status": "SUCCEEDED", "exitCode": 0})

    def failed(self, message=None, exit_code=None, code=None):
        """It ends. The message is what a person reads first: put the reason there."""
        self._end({"status": "FAILED", "exitCode": exit_code, "error": _failure(message, code)})

    def timed_out(self, message=None, exit_code=None, code=None):
        """It ends."""
        self._end({"status": "TIMED_OUT", "exitCode": exit_code, "error": _failure(message, code)})

    def cancelled(self, why=None):
        """It ends."""
        self._end({"status": "CANCELLED", "message": _cleaned(why)})

    def skipped(self, why=None):
        """It ends without having been done."""
        self._end({"status": "SKIPPED", "message": _cleaned(why)})

    def duration_ms(self):
        return int((time.monotonic() - self._began) * 1000)

    def _end(self, said):
        with self._client._lock:
            self._client._running.discard(self)
        self._client._report(self, {**said, "durationMs": self.duration_ms()})


class _Entry:
    """Something in the queue: a line of the spool file and of a request."""

    __slots__ = ("line", "kind", "is_mutation", "stands", "_about")

    def __init__(self, said, line=None, stands=1):
        self.line = line or json.dumps(said, ensure_ascii=False, allow_nan=False).encode()
        self.is_mutation = "query" in said
        self.stands = stands  # so many events it stands for
        status = said.get("status")
        if self.is_mutation:
            self.kind = ENDING
        elif status is None or said.get("level") == "TRACE":
            self.kind = OUTPUT
        else:
            self.kind = BEGINNING if status == "RUNNING" else ENDING
        # Whom a notice in its place is about.
        self._about = None if self.kind == ENDING else {
            name: said[name]
            for name in ("taskId", "host", "step", "attempt", "eventId", "writer", "sequence", "at")
        }

    @property
    def size(self):
        return len(self.line) + 1

    @property
    def _whose(self):
        return [self._about[name] for name in ("taskId", "host", "step", "attempt", "writer")]

    def notice(self, more=0):
        """It has the place and the number of the first event that it stands for."""
        stands = self.stands + more
        message = f"[shiplog] {stands} {DROPPED}"
        return _Entry({**self._about, "level": "WARN", "message": message}, stands=stands)

    def is_notice_for(self, other):
        is_notice = self._about is not None and self.line.endswith(f'{DROPPED}"}}'.encode())
        return is_notice and self._whose == other._whose


def _entries_of(path):
    """What is in a spool file. A torn last line is skipped."""
    with open(path, "rb") as file:
        for line in file:
            try:
                said = json.loads(line)
                yield _Entry(said, line.rstrip(b"\n"))
            except (ValueError, TypeError, AttributeError, KeyError):
                continue


class _Answer:
    """What the server said, and what follows from it."""

    def __init__(self, status, reason, retry_after=""):
        self.status = status
        self.problem = f"{status} {reason}"
        self.retry_after = float(retry_after) if retry_after.isdigit() else 0.0
        self.taken = 0
        self.rejections = []
        self.is_done = False  # whatever became of each, it need not be sent again
        # A mistake in the request, and not in the address or the moment.
        self.is_refused = status in (400, 413, 415, 422)

    def read(self, content):
        try:
            said = json.loads(content)
        except ValueError:
            return
        if not isinstance(said, dict):
            return
        errors = said.get("errors") or [error for error in [said.get("error")] if error]
        if errors:
            self.problem += f": {errors[0].get('message')}"
        self.taken = said.get("taken", 0)
        self.rejections = [result["error"] for result in said.get("results", ())
                           if result.get("outcome") == "REJECTED" and "error" in result]
        self.is_done = (self.status == 200 and not errors) or (self.status == 422
                                                               and "results" in said)


class _Spool:
    """The same events as the queue, one JSON object a line, for the time after a crash. What is in
    it is with the operating system when a call returns."""

    def __init__(self, path):
        self._path = path
        self._lock = _lock_of(path)  # held as long as the process lives
        self._file = None
        self._is_torn = False
        self.size = 0
        self.rewrite(())

    def append(self, line):
        data = (b"\n" if self._is_torn else b"") + line + b"\n"
        self._is_torn = True
        written = self._file.write(data)
        self.size += written
        self._is_torn = written < len(data)

    def empty(self):
        if self.size > 0:
            self._file.truncate(0)
            self.size, self._is_torn = 0, False

    def rewrite(self, queue):
        """Leaves the old file as it is where the new one cannot be written."""
        temporary = f"{self._path}.new"
        flags = os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_APPEND
        file = os.fdopen(os.open(temporary, flags, 0o600), "ab", buffering=0)
        data = b"".join(entry.line + b"\n" for entry in queue)
        try:
            if file.write(data) < len(data):
                raise OSError("the disk is full")
            os.rename(temporary, self._path)
        except OSError:
            file.close()
            os.remove(temporary)
            raise
        if self._file is not None:
            self._file.close()
        self._file, self.size, self._is_torn = file, len(data), False

    def close(self, is_empty):
        self._file.close()
        if is_empty:
            os.remove(self._path)
            os.remove(self._lock.name)
        self._lock.close()


def _lock_of(path):
    """Raises OSError where another process has it."""
    file = open(f"{path}.lock", "ab", opener=lambda name, flags: os.open(name, flags, 0o600))
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise
    return file


def _failure(message, code):
    if message is None:
        return None
    failure = {"message": _cleaned(message, COMMAND_CHARACTERS)}
    return failure if code is None else {**failure, "code": _cleaned(code, 200)}


def _cleaned(text, most=LINE_CHARACTERS):
    """Text as the server takes it: UTF-8 without NUL, and not longer than it may be."""
    if text is None:
        return None
    text = text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    if len(text) <= most:
        return text
    kept = most - 100
    return f"{text[:kept]}… [shiplog: {len(text) - kept} characters were cut]"


def _now():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")
