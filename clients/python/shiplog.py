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

import base64
import fcntl
import glob
import http.client
import ipaddress
import json
import math
import os
import random
import re
import socket
import sys
import threading
import time
import urllib.parse
import urllib.request
import uuid
import weakref
from collections import deque
from datetime import datetime, timezone
from itertools import islice

CALL_TIMEOUT = 5.0
LINGER = 0.1  # lines that come close together go in one request
TICK = 1.0
BATCH_EVENTS = 500
BATCH_BYTES = 512 * 1024
LEAST_BATCH_BYTES = 4 * 1024
MORE_BYTES = 16 * 1024  # with each request that went through after one that was too slow
QUEUE_BYTES = 8 * 1024 * 1024
KEPT_SHARE = 0.75  # dropping down to this share of the queue makes it rare
FULL_AGAIN = 1.25  # where less could be dropped: when it has grown by so much
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
NUMBER_BYTES = 100  # of a number that is remembered, besides its names
SPOOL_WORD_EVERY = 60.0
MOST_ANSWER_BYTES = 4 * 1024 * 1024
LEAST_REFUSALS = 5  # in a row, before what a proxy refuses is tried without its texts
REFUSED_BYTES = 8 * 1024 * 1024  # of the file of what was set aside
NO_PAGES = (401, 407, 408, 413, 429)  # about the moment or the size, whoever says them

STDOUT = "STDOUT"
STDERR = "STDERR"

# What gives way first when the queue is full.
OUTPUT, BEGINNING, ENDING = range(3)

START_TASK = "mutation ($input: StartTaskInput!) { startTask(input: $input) { task { id } } }"
FINISH_TASK = "mutation ($input: FinishTaskInput!) { finishTask(input: $input) { task { id } } }"
DROPPED = "events of output were dropped here: they could not be delivered in time"
REFUSED = "[shiplog] an event was set aside here: a proxy before the server refuses its text"
NOTICE = re.compile(rf"\[shiplog\] (\d{{1,15}}) {DROPPED}")


class Client:
    """Delivers events in the background. Its methods may be called by any thread, and by handlers
    of signals; after os.fork() they do nothing in the child.

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
        self._address.port  # raises ValueError where it is none
        self._token = None if token is None else token.strip()
        if token is not None and not _is_token(self._token):
            raise ValueError("shiplog: token is what no token can be")
        # The agent may go to another directory later.
        self._token_file = None if token_file is None else os.path.abspath(token_file)
        self._queue_bytes = self._full_at = queue_bytes
        self._source = source
        self._complain_to = complain or _complain_on_stderr
        self._writer = str(uuid.uuid4())
        self._process = os.getpid()
        self._connection = None
        self._socket = None
        self._is_late = False
        self._is_proxied = False
        self._proxy_headers = {}
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._turns = deque()  # reports that came in the middle of another, of a signal's handler
        self._is_reporting = False
        self._close_within = None  # seconds; such a handler said so
        self._queue = deque()
        self._bytes = 0
        self._in_flight = 0  # so many from the first were sent, and may be stored: they must stay
        self._urgent = False
        self._closing = False
        self._given_up = False
        self._waiting = 0  # calls of flush
        self._sequences = {}
        self._numbered = 0  # bytes that these take, about
        self._events = 0
        self._running = set()
        self._stale_after = STALE_AFTER
        self._complaints = 0
        self._troubled = False  # the trouble that lasts was said
        self._spool_silent_until = float("-inf")
        self._spool = None
        self._adopted = []  # files of others and their locks, until their events are in ours
        self._most_events = BATCH_EVENTS
        # What is on its way cannot give way: it must leave room for the newest.
        self._most_bytes = min(BATCH_BYTES, queue_bytes // 4)
        self._taken_bytes = self._most_bytes  # what takes little takes little tomorrow, too
        self._failures = 0
        self._refusals = 0  # by something before the server
        self._patience = LEAST_REFUSALS
        self._spool_directory = None if spool is None else os.path.abspath(spool)
        self._read_token()
        if spool is not None:
            self._open_spool(spool)
        self._thread = threading.Thread(target=self._deliver, name="shiplog", daemon=True)
        self._thread.start()
        _clients.add(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def task(self, task_id):
        """A deployment, by the release system's id."""
        return Task(self, task_id)

    def flush(self, at_most):
        """Waits until all that was reported is delivered, at most so many seconds. Whether it is."""
        if self._is_forked():
            return False
        with self._lock:
            if self._is_reporting:  # a signal's handler waits for the report that it stands in
                return False
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
        if self._is_forked():
            return 0
        with self._lock:
            if self._is_reporting:
                self._close_within = at_most
                return len(self._queue) + len(self._turns)
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
                self._close_spool()
            return len(self._queue)

    def _is_forked(self):
        """Queue, file and connection are those of the parent then, and its lock may be held for ever."""
        return os.getpid() != self._process

    def _let_go_of_locks(self):
        """In a forked child: it may outlive its parent, and must not keep others from its file."""
        if self._spool is not None:
            self._spool.lock.close()
        for _, lock in self._adopted:
            lock.close()

    # What is reported.

    def _report(self, step, said):
        self._in_turn(self._add_event, step, said)

    def _mutate(self, query, said):
        self._in_turn(self._add_mutation, query, said)

    def _in_turn(self, add, *given):
        """Where a signal's handler reports in the middle of a report, it comes after that one."""
        if self._is_forked():
            return
        with self._lock:
            self._turns.append((add, given))
            self._take_turns()

    def _take_turns(self):
        try:
            while self._turns and not self._is_reporting:
                self._is_reporting = True
                try:
                    add, given = self._turns.popleft()
                    add(*given)
                finally:
                    self._is_reporting = False
        finally:  # also where the handler ends the program
            if self._turns and not self._is_reporting:
                self._take_turns()
            elif self._close_within is not None and not self._is_reporting:
                at_most, self._close_within = self._close_within, None
                self.close(at_most)

    def _add_event(self, step, said):
        status = said.get("status")
        if status is not None:
            (self._running.add if status == "RUNNING" else self._running.discard)(step)
        key = (step.task_id, step.host)
        if key not in self._sequences:
            self._remember(key)
        sequence = self._sequences.get(key, 0) + 1
        event = {
            "taskId": step.task_id,
            "host": step.host,
            "step": step.name,
            "attempt": step.attempt,
            "eventId": f"{self._writer}-{self._events + 1}",
            "writer": self._writer,
            "sequence": sequence,
            "at": _now(),
        }
        if self._source is not None:
            event["source"] = self._source
        event.update((name, value) for name, value in said.items() if value is not None)
        step.last_event = time.monotonic()
        try:
            entry = self._encoded(event, lambda said: said)
        except Exception as error:  # whatever was given: a deployment does not fail of it
            self._complain(f"an event was left out: {_described(error)}")
            return
        # Only now, for a number that is taken and not sent would be a hole.
        self._sequences[key] = sequence
        self._events += 1
        self._add(entry)

    def _remember(self, key):
        """Numbers are remembered for each task and host, within the bound of the queue: then another
        writer begins."""
        self._numbered += sum(len(str(name)) for name in key) + NUMBER_BYTES
        if self._numbered > self._queue_bytes:
            self._writer, self._sequences, self._numbered = str(uuid.uuid4()), {}, 0

    def _add_mutation(self, query, said):
        try:
            given = {name: value for name, value in said.items() if value is not None}
            self._add(self._encoded({**given, "at": _now()}, lambda said: {
                "query": query, "variables": {"input": said}}))
        except Exception as error:
            self._complain(f"a task was not reported: {_described(error)}")

    def _encoded(self, said, request_of):
        """An entry. Where JSON cannot say all of it, without the fields that are no JSON, and with
        texts that are Unicode."""
        try:
            return _Entry(request_of(said))
        except Exception:
            kept = {}
        for name, value in said.items():
            try:
                value = _mended(value)
                _json(value)
                kept[name] = value
            except Exception as error:
                self._complain(f"{name} was left out: {_described(error)}")
        return _Entry(request_of(kept))

    def _add(self, entry):
        with self._lock:
            self._queue.append(entry)
            self._bytes += entry.size
            most = 4 * max(self._queue_bytes, self._bytes)
            if self._spool is not None and self._try(lambda: self._spool.append(entry.line, most)):
                self._complete_spool()
            if self._bytes > self._full_at:
                self._make_room()
            elif self._spool is not None and self._spool.size > 2 * max(
                    self._queue_bytes, self._bytes):
                self._rewrite_spool()
            if entry.kind != OUTPUT or len(self._queue) >= BATCH_EVENTS:
                self._urgent = True
            self._changed.notify_all()

    def _make_room(self):
        """Output becomes a notice for each step, then beginnings do; where they and the ends are
        twice too many, the oldest goes, whatever it is."""
        for kind in (OUTPUT, BEGINNING):
            if self._bytes > self._queue_bytes:
                self._merge(kind)
        if self._bytes > 2 * self._queue_bytes:
            self._drop_oldest()
        # It takes a look at each entry, so not for each one that comes.
        self._full_at = max(self._queue_bytes, self._bytes * FULL_AGAIN)
        if self._spool is not None:
            self._rewrite_spool()

    def _merge(self, kind):
        kept, places, merged = [], {}, {}
        for index, entry in enumerate(self._queue):
            # The newest stays: what is printed last says most about a failure.
            is_newest = index == len(self._queue) - 1
            is_enough = self._bytes <= self._queue_bytes * KEPT_SHARE
            if index < self._in_flight or is_enough or entry.kind > kind or is_newest:
                kept.append(entry)
                continue
            place = places.setdefault(entry.whose, len(kept))
            if place < len(kept):
                self._bytes -= entry.size
                merged[place] = merged.get(place, 0) + entry.stands
                continue
            # Where a notice is no shorter, it is worth one only together with others.
            if not entry.is_short:
                notice = entry.notice()
                if notice.size < entry.size:
                    self._bytes -= entry.size - notice.size
                    entry = notice
                entry.is_short = True
            kept.append(entry)
        for place, stands in merged.items():
            self._bytes -= kept[place].size
            kept[place] = kept[place].notice(stands)
            self._bytes += kept[place].size
        self._queue = deque(kept)

    def _drop_oldest(self):
        kept, dropped = [], 0
        for index, entry in enumerate(self._queue):
            is_enough = self._bytes <= self._queue_bytes * KEPT_SHARE
            if index < self._in_flight or is_enough or index == len(self._queue) - 1:
                kept.append(entry)
                continue
            self._bytes -= entry.size
            dropped += 1
        self._queue = deque(kept)
        if dropped > 0:
            self._complain(f"the oldest {dropped} events were dropped, ends of steps among them: "
                           "the queue holds little else")

    # What is delivered, by the one thread that speaks to the server.

    def _deliver(self):
        is_over = False
        while not is_over:
            try:
                is_over = self._deliver_batch()
            except Exception as error:  # whatever it is: this thread must not end
                self._trouble(f"reporting failed: {_described(error)}")
                self._failures += 1
                self._pause(self._failures, _Answer(0, ""))
        self._disconnect()

    def _deliver_batch(self):
        """Whether that was the last."""
        batch = self._take(self._most_events, self._most_bytes)
        if not batch:
            return batch is None
        try:
            answer = self._send(batch)
        except Exception as error:
            self._disconnect()
            why = "it takes too long" if self._is_late else _described(error)
            self._trouble(f"no answer from {self._address.geturl()}: {why}")
            answer = _Answer(0, str(error))
            answer.is_slow = self._is_late or isinstance(error, socket.timeout)
        if answer.is_done:
            self._remove(len(batch))
            self._most_events, self._failures, self._refusals = BATCH_EVENTS, 0, 0
            self._most_bytes = min(self._taken_bytes, self._most_bytes + MORE_BYTES)
        elif answer.is_refused and len(batch) > 1:
            # Too much at once, or one of them is to blame: which?
            self._most_events = max(1, len(batch) // 2)
            if answer.status == 413:
                size = min(self._most_bytes, sum(entry.size for entry in batch))
                self._most_bytes = self._taken_bytes = max(LEAST_BATCH_BYTES, size // 2)
        elif answer.status == 413 and self._shorten():
            pass
        elif answer.is_refused:
            self._complain(f"an event was dropped: {answer.problem}")
            self._remove(1)
        else:
            self._remove(min(answer.taken, len(batch)))
            self._failures += 1
            if answer.is_slow:
                self._most_bytes = sum(entry.size for entry in batch) // 2
            if answer.status in (401, 403) and self._read_token():
                return False
            self._refusals = self._refusals + 1 if answer.is_foreign else 0
            if answer.is_foreign and len(batch) > 1:  # what does it refuse?
                self._most_events = max(1, len(batch) // 2)
            elif self._refusals >= self._patience and self._is_past_refusal(batch[0]):
                self._failures = self._refusals = 0
                return False
            self._pause(self._failures, answer)
        return False

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
            self._complete_spool()
            self._urgent = False
            batch, size = [], 0
            for entry in islice(self._queue, most_events):
                size += entry.size
                is_other = batch and (entry.is_mutation or batch[0].is_mutation)
                if batch and (size > most_bytes or is_other):
                    break
                batch.append(entry)
            self._urgent = self._urgent or len(batch) < len(self._queue)
            # Of what had no answer less may be sent now: all of it may be stored, and a notice with
            # an id of it would be refused as another event.
            self._in_flight = max(self._in_flight, len(batch))
            return batch

    def _remove(self, count):
        with self._lock:
            for _ in range(count):
                self._bytes -= self._queue.popleft().size
            self._in_flight = max(0, self._in_flight - count)
            self._full_at = max(self._queue_bytes, min(self._full_at, self._bytes * FULL_AGAIN))
            if not self._queue:
                if self._spool is not None and self._try(self._spool.empty):
                    self._let_go_of_adopted()
                self._changed.notify_all()

    def _is_past_refusal(self, entry):
        """Where others get through, and the event does not."""
        try:
            if entry.is_mutation or not self._send([]).is_done:
                return False
            again = self._send([entry])
            if again.is_done:
                self._remove(1)  # it was about the moment
            return again.is_done or again.is_foreign and self._set_aside(entry, again.problem)
        except Exception as error:
            self._disconnect()
            self._trouble(f"no answer from {self._address.geturl()}: {_described(error)}")
            return False

    def _set_aside(self, entry, problem):
        """Where the event gets through without its texts, these are what a proxy before the server
        refuses. Whether that is so."""
        if not self._send([_Entry(_without_texts(json.loads(entry.line)))]).is_done:
            return False
        self._patience = 1  # it is known now
        self._complain(f"an event was set aside, which a proxy before the server refuses ({problem}): "
                       f"it is {self._keep_refused(entry.line)}")
        self._remove(1)
        return True

    def _keep_refused(self, line):
        if self._spool_directory is None:
            return "lost: there is no spool directory"
        path = os.path.join(self._spool_directory, "refused.ndjson")
        try:
            flags = os.O_CREAT | os.O_WRONLY | os.O_APPEND
            with os.fdopen(os.open(path, flags, 0o600), "ab") as file:
                if os.fstat(file.fileno()).st_size > REFUSED_BYTES:
                    raise OSError(f"{path} is full")
                file.write(line + b"\n")
            return f"kept in {path}"
        except OSError as error:
            return f"lost: {error}"

    def _shorten(self):
        """One event that is too large by itself: its texts are cut. False: they are short."""
        with self._lock:
            old = self._queue[0]
            if old.is_mutation:
                return False
            try:
                shorter = _Entry(_shortened(json.loads(old.line)))
            except Exception:  # a line of a spool file that no client wrote
                return False
            if shorter.size >= old.size:
                return False
            self._bytes += shorter.size - old.size
            self._queue[0] = shorter
            return True

    def _send(self, batch):
        # Each read has its own time; this is for all of them.
        self._is_late = False
        timer = threading.Timer(CALL_TIMEOUT, self._cut_off)
        timer.daemon = True
        timer.start()
        try:
            return self._answer_to(batch)
        finally:
            timer.cancel()

    def _answer_to(self, batch):
        is_mutation = bool(batch) and batch[0].is_mutation
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
        answer.read(content, is_mutation)
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
            self._connection = self._connect()
        if self._is_proxied and self._address.scheme == "http":
            target = f"http://{self._address.netloc.rpartition('@')[2]}{path}"
            headers = {**headers, **self._proxy_headers}
        else:
            target = path
        try:
            self._connection.request("POST", target, body, headers)
            self._socket = self._connection.sock
            return self._connection.getresponse()
        except (ConnectionError, http.client.HTTPException):
            if is_new or self._is_late:
                raise
        # The server had closed a connection that was idle.
        self._disconnect()
        return self._post(path, body, headers)

    def _cut_off(self):
        self._is_late = True
        try:
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it is over already

    def _connect(self):
        """By the proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY say, as most programs do."""
        address, proxy = self._address, _proxy_of(self._address)
        self._is_proxied = proxy is not None
        kind = (http.client.HTTPSConnection if address.scheme == "https"
                else http.client.HTTPConnection)
        if proxy is None:
            return kind(address.hostname, address.port, timeout=CALL_TIMEOUT)
        self._proxy_headers = {}
        if proxy.username is not None:
            who = f"{urllib.parse.unquote(proxy.username)}:{urllib.parse.unquote(proxy.password or '')}"
            shown = base64.b64encode(who.encode()).decode()
            self._proxy_headers = {"proxy-authorization": f"Basic {shown}"}
        connection = kind(proxy.hostname, proxy.port or 80, timeout=CALL_TIMEOUT)
        if address.scheme == "https":
            connection.set_tunnel(address.hostname, address.port or 443, self._proxy_headers)
        return connection

    def _disconnect(self):
        connection, self._connection, self._socket = self._connection, None, None
        if connection is not None:
            connection.close()

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
                self._complete_spool()

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
            if not _is_token(token):
                raise ValueError("it holds what is no token")
        except (OSError, ValueError) as error:  # the latter also where it is no UTF-8
            self._trouble(f"{self._token_file}: {_described(error)}")
            return False
        is_new = token != self._token
        self._token = token
        return is_new

    def _complain(self, text):
        self._complaints += 1
        if self._complaints == MOST_COMPLAINTS:
            text += " (further complaints are not shown)"
        if self._complaints <= MOST_COMPLAINTS:
            self._say(text)

    def _trouble(self, text):
        """What lasts is said once, and again after it was over."""
        if not self._troubled and not self._given_up:
            self._troubled = True
            self._say(f"{text}; reporting goes on when it is over")

    def _say(self, text):
        try:
            self._complain_to(text)
        except Exception:
            pass  # stderr may be a file on the disk that is full: nobody can be told

    # The spool. With the lock held.

    def _try(self, write):
        """Whether it could be done."""
        try:
            write()
            return True
        except OSError as error:
            # Each delivery may make a little room, so it comes and goes.
            if time.monotonic() >= self._spool_silent_until:
                self._spool_silent_until = time.monotonic() + SPOOL_WORD_EVERY
                self._say(f"spool: {error}; until it is over, an agent that is killed loses what is "
                          "not delivered")
            return False

    def _rewrite_spool(self):
        """From the queue. After a failure not again for a moment: it is much to write."""
        if time.monotonic() < self._spool.rewrite_after:
            self._spool.is_behind = True
        elif self._try(lambda: self._spool.rewrite(self._queue)):
            self._let_go_of_adopted()

    def _complete_spool(self):
        """What could not be written while the disk was full, when there is room again."""
        if self._spool is not None and self._spool.is_behind:
            self._rewrite_spool()

    def _let_go_of_adopted(self):
        """All that is not delivered is in the file of our own."""
        for path, lock in self._adopted:
            _remove_spool(path, lock)
        self._adopted.clear()

    def _close_spool(self):
        try:
            if self._queue and self._spool.is_behind:
                self._spool.rewrite(self._queue)
            if not self._queue or not self._spool.is_behind:
                self._let_go_of_adopted()
        except OSError as error:
            self._say(f"spool: not all that is left could be written: {error}")
        for _, lock in self._adopted:
            lock.close()
        self._spool.close(is_empty=not self._queue)
        self._spool = None

    def _open_spool(self, directory):
        """A file of our own; those whose process is gone are taken over."""
        directory = os.path.abspath(directory)
        os.makedirs(directory, mode=0o700, exist_ok=True)
        others = glob.glob(os.path.join(glob.escape(directory), "py-*.ndjson"))
        self._spool = _Spool(os.path.join(directory, f"py-{self._writer}.ndjson"))
        for other in sorted(others):
            try:
                lock = _lock_of(other)
            except OSError:
                continue  # its agent lives
            try:
                for entry in _entries_of(other, self._complain):
                    self._add(entry)
            except FileNotFoundError:
                pass  # another agent was faster
            except OSError as error:  # the rest of it may be read at the next start
                self._trouble(f"spool: {other}: {error}")
                lock.close()
                continue
            self._adopted.append((other, lock))
            if not self._spool.is_behind:
                self._let_go_of_adopted()


_clients = weakref.WeakSet()


def _after_fork():
    for client in list(_clients):
        client._let_go_of_locks()


os.register_at_fork(after_in_child=_after_fork)


class Task:
    """A deployment, by the release system's id."""

    def __init__(self, client, task_id):
        self._client = client
        self._id = _cleaned(task_id)

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
        self._name = _cleaned(name)

    def step(self, name, attempt=1):
        """One attempt of a step; attempts count from 1."""
        return Step(self._client, self._task_id, self._name, name, attempt)


class Step:
    """One attempt of one step on one host."""

    def __init__(self, client, task_id, host, name, attempt):
        self._client = client
        self.task_id = task_id
        self.host = host
        self.name = _cleaned(name)
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

    def line(self, text, stream=None, level=None):
        """Output: a line, or several in one text."""
        for line in _text(text).rstrip("\n").split("\n"):
            self._client._report(self, {
                "message": _cleaned(line.rstrip("\r")), "stream": stream, "level": level})

    def progress(self, done, total=None, unit=None):
        """How much is done. Of many in a short time some are left out."""
        if _finite(done) is None:
            self._client._complain(f"progress was left out: {done!r} is no number")
            return
        is_too_soon = time.monotonic() - self._last_progress < PROGRESS_EVERY
        if is_too_soon and done != total:
            return
        self._last_progress = time.monotonic()
        progress = {"done": _finite(done), "total": _finite(total), "unit": _cleaned(unit)}
        self._client._report(self, {
            "progress": {name: value for name, value in progress.items() if value is not None}})

    def succeeded(self):
        """It ends."""
        self._end({"status": "SUCCEEDED", "exitCode": 0})

    def failed(self, message=None, exit_code=None, code=None):
        """It ends. The message is what a person reads first: put the reason there. The exit code may be
        a returncode of subprocess: -15, of signal 15, is said as shells do, 143."""
        self._end({"status": "FAILED", "exitCode": _exit_code(exit_code), "error": _failure(message, code)})

    def timed_out(self, message=None, exit_code=None, code=None):
        """It ends."""
        self._end({"status": "TIMED_OUT", "exitCode": _exit_code(exit_code),
                   "error": _failure(message, code)})

    def cancelled(self, why=None):
        """It ends."""
        self._end({"status": "CANCELLED", "message": _cleaned(why)})

    def skipped(self, why=None):
        """It ends without having been done."""
        self._end({"status": "SKIPPED", "message": _cleaned(why)})

    def duration_ms(self):
        return int((time.monotonic() - self._began) * 1000)

    def _end(self, said):
        self._client._report(self, {**said, "durationMs": self.duration_ms()})


class _Entry:
    """Something in the queue: a line of the spool file and of a request."""

    __slots__ = ("line", "kind", "is_mutation", "stands", "is_short", "_about")

    def __init__(self, said, line=None, stands=1):
        self.line = line or _json(said)
        self.is_mutation = "query" in said
        self.stands = stands  # so many events it stands for
        self.is_short = False  # a notice in its place is known to be no shorter
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
            if name in said
        }

    @property
    def size(self):
        return len(self.line) + 1

    @property
    def whose(self):
        """Of which step it is, for those that a notice may be about."""
        names = ("taskId", "host", "step", "attempt", "writer")
        return tuple(str(self._about.get(name)) for name in names)

    def notice(self, more=0):
        """It has the place and the number of the first event that it stands for."""
        stands = self.stands + more
        message = f"[shiplog] {stands} {DROPPED}"
        return _Entry({**self._about, "level": "WARN", "message": message}, stands=stands)


def _entries_of(path, complain):
    """What is in a spool file. A torn last line is skipped; others that are no event are named."""
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            try:
                said = json.loads(line)
                entry = _Entry(said, line.rstrip(b"\n"), _stands_for(said))
            except Exception as error:  # one line must not cost the others, whatever is in it
                if line.strip() and line.endswith(b"\n"):
                    complain(f"line {number} of {path} was left out: {_described(error)}")
                continue
            yield entry


def _stands_for(said):
    """How many events: a notice of an agent before says so."""
    message = said.get("message")
    notice = NOTICE.fullmatch(message) if isinstance(message, str) else None
    return int(notice[1]) if notice else 1


class _Answer:
    """What the server said, and what follows from it."""

    def __init__(self, status, reason, retry_after=""):
        self.status = status
        self.problem = f"{status} {reason}"
        self.retry_after = float(retry_after) if retry_after.isdigit() else 0.0
        self.taken = 0
        self.rejections = []
        self.is_done = False  # whatever became of each, it need not be sent again
        # A mistake in the request, and not in the address, the moment or what stands between: a
        # proxy answers 400, too, where a certificate is missing.
        self.is_refused = status == 413
        self.is_slow = status == 408  # it may get through in smaller pieces
        # A page of something before the server, which may be about the content.
        self.is_foreign = 0 < status < 500 and status not in NO_PAGES

    def read(self, content, is_mutation):
        try:
            said = json.loads(content)
        except (ValueError, RecursionError):
            return
        if not isinstance(said, dict):
            return
        errors = said.get("errors") or [error for error in [said.get("error")] if error]
        first = errors[0] if isinstance(errors, list) and errors else None
        if isinstance(first, dict):
            self.problem += f": {first.get('message')}"
        if _is_our_error(first):
            self.is_foreign = False
        self.taken = said["taken"] if _is_count(said.get("taken")) else 0
        results = said.get("results")
        if isinstance(results, list):
            self.rejections = [result["error"] for result in results
                               if result.get("outcome") == "REJECTED" and "error" in result]
        if self.status in (400, 415, 422):
            self.is_refused = isinstance(results, list) or _is_our_error(first)
        # A page of a proxy may be JSON and a 200, too, and has stored nothing.
        is_ours = isinstance(said.get("data"), dict) if is_mutation else _is_count(said.get("stored"))
        self.is_done = (self.status == 200 and is_ours and not errors) or (
            self.status == 422 and isinstance(results, list))


def _is_our_error(error):
    """It has a code: beside the message, or where GraphQL puts it."""
    if not isinstance(error, dict):
        return False
    extensions = error.get("extensions")
    codes = [error.get("code"), extensions.get("code") if isinstance(extensions, dict) else None]
    return any(isinstance(code, str) for code in codes)


class _Spool:
    """The same events as the queue, one JSON object a line, for the time after a crash. What is in
    it is with the operating system when a call returns."""

    def __init__(self, path):
        self._path = path
        self.lock = _lock_of(path)  # held as long as the process lives
        self._file = None
        self._is_torn = False
        self.is_behind = False  # something of the queue is not in it
        self.rewrite_after = float("-inf")
        self.size = 0
        self.rewrite(())

    def append(self, line, most):
        if self.size > most:
            self.is_behind = True
            raise OSError(f"{self._path} is full, and cannot be written anew")
        data = (b"\n" if self._is_torn else b"") + line + b"\n"
        written = 0
        try:
            written = self._file.write(data)
            if written < len(data):
                raise OSError("the disk is full")
            self._is_torn = False
        except OSError:
            self._is_torn = self.is_behind = True
            raise
        finally:
            self.size += written

    def empty(self):
        if self.size > 0:
            self._file.truncate(0)
        self.size, self._is_torn, self.is_behind = 0, False, False

    def rewrite(self, queue):
        """Leaves the old file as it is where the new one cannot be written."""
        self.is_behind = True
        self.rewrite_after = time.monotonic() + TICK
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
        self._file, self.size = file, len(data)
        self._is_torn, self.is_behind, self.rewrite_after = False, False, float("-inf")

    def close(self, is_empty):
        self._file.close()
        if is_empty:
            _remove_spool(self._path, self.lock)
        self.lock.close()


def _remove_spool(path, lock):
    """Where it cannot be removed, it is delivered once more, and counts once."""
    for name in (path, lock.name):
        try:
            os.remove(name)
        except OSError:
            pass
    lock.close()


def _lock_of(path):
    """Raises OSError where another process has it."""
    file = open(f"{path}.lock", "ab", opener=lambda name, flags: os.open(name, flags, 0o600))
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise
    return file


def _exit_code(code):
    return 128 - code if isinstance(code, int) and -128 < code < 0 else code


def _failure(message, code):
    if message is None:
        return None
    failure = {"message": _cleaned(message, COMMAND_CHARACTERS)}
    return failure if code is None else {**failure, "code": _cleaned(code, 200)}


def _without_texts(said):
    """The event as far as it is numbers and the names that all of its step have."""
    names = ("taskId", "host", "step", "attempt", "writer", "sequence", "at", "status", "stream", "level",
             "exitCode", "durationMs")
    left = {name: said[name] for name in names if name in said}
    left["eventId"] = f"{said['eventId']}-refused"
    if "progress" in said:
        left["progress"] = {name: said["progress"][name] for name in ("done", "total")
                            if name in said["progress"]}
    if "error" in said:
        left["error"] = {"message": REFUSED}
    else:
        left["message"] = REFUSED
    if "status" not in said:
        left["level"] = "WARN"
    return left


def _shortened(event):
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
    return event


def _json(said):
    return json.dumps(said, ensure_ascii=False, allow_nan=False).encode()


def _mended(value):
    """With texts that are Unicode, and without numbers that JSON does not have."""
    if isinstance(value, str):
        return _unicode(value)
    if isinstance(value, float):
        return _finite(value)
    if isinstance(value, dict):
        return {_mended(key): _mended(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_mended(each) for each in value]
    return value


def _finite(number):
    """None: it is no number, or one that JSON does not have."""
    try:
        if isinstance(number, int):
            return number
        return float(number) if math.isfinite(number) else None
    except (TypeError, ValueError, OverflowError):
        return None


def _proxy_of(address):
    """None: the server itself is asked. So are those on this machine, whatever the environment says."""
    proxy = urllib.request.getproxies().get(address.scheme)
    if not proxy or address.hostname == "localhost" or urllib.request.proxy_bypass(address.hostname):
        return None
    try:
        if ipaddress.ip_address(address.hostname).is_loopback:
            return None
    except ValueError:
        pass  # a name
    return urllib.parse.urlsplit(proxy if "://" in proxy else f"http://{proxy}")


def _is_token(text):
    return text.isascii() and text.isprintable()


def _is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _described(error):
    return str(error) or type(error).__name__


def _complain_on_stderr(text):
    line = f"shiplog: {text}\n"
    try:
        number = sys.stderr.fileno()
    except (OSError, ValueError, AttributeError):  # a program has put something else in its place
        print(line, end="", file=sys.stderr)
    else:
        # Not by sys.stderr: what it could not write it tries again at the end of the program, which
        # then fails of it.
        os.write(number, line.encode("utf-8", "backslashreplace"))


def _text(value):
    """Whatever is given as a text: it is the reader's to find it odd."""
    if isinstance(value, str):
        return value
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _unicode(text):
    """Half surrogate pairs, as os.fsdecode makes them of other bytes, are replaced."""
    try:
        text.encode()
        return text
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _cleaned(text, most=LINE_CHARACTERS):
    """Text as the server takes it: UTF-8 without NUL, and not longer than it may be."""
    if text is None:
        return None
    text = _unicode(_text(text)).replace("\0", "\ufffd")
    if len(text) <= most:
        return text
    kept = most - 100
    return f"{text[:kept]}… [shiplog: {len(text) - kept} characters were cut]"


def _now():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")
